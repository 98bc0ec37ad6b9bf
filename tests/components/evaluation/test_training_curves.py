import numpy as np
from matplotlib.figure import Figure

from components.evaluation.figures import _training


def test_the_dot_is_at_the_chosen_epoch_as_history_counts_it() -> None:
    losses, aucs = Figure().subplots(2)
    columns = {
        "epoch": np.arange(1.0, 6.0),
        "train_loss": np.linspace(0.7, 0.3, 5),
        "val_loss": np.array([0.7, 0.6, 0.5, 0.6, 0.7]),
        "val_auc": np.array([0.5, 0.6, 0.8, 0.7, 0.7]),
    }
    _training(losses, aucs, columns, 3)
    for axes, value in ((losses, 0.5), (aucs, 0.8)):
        drawn = {str(line.get_label()): line.get_xydata() for line in axes.get_lines()}
        assert np.asarray(drawn["chosen"]).tolist() == [[3.0, value]]
