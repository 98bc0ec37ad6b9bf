"""What a wrong answer costs. All losses are of the margin, the fake logit minus the real one.

Cross entropy over two logits is binary cross entropy of their margin, so that networks of one logit and of
two are the same here.
"""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torchvision.ops import sigmoid_focal_loss

from components.params.training import BceFocal, CrossEntropy, Focal, FocalTerm, Loss, MeanSquaredError


def clip_losses(loss: Loss, logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the loss `(B,)` of each clip.

    Args:
        loss: which one.
        logits: `(B, 2)`.
        labels: int64 `(B,)`, 1 is fake.
    """
    margins = (logits[:, 1] - logits[:, 0]).float()
    targets = labels.to(margins.dtype)
    match loss:
        case CrossEntropy():
            smoothed = targets * (1 - loss.label_smoothing) + loss.label_smoothing / 2
            return binary_cross_entropy_with_logits(margins, smoothed, reduction="none")
        case MeanSquaredError():
            return (margins.sigmoid() - targets) ** 2
        case Focal():
            return _focal(loss, margins, targets)
        case BceFocal():
            plain = binary_cross_entropy_with_logits(margins, targets, reduction="none")
            return loss.bce * plain + loss.focal * _focal(loss, margins, targets)


def _focal(loss: FocalTerm, margins: Tensor, targets: Tensor) -> Tensor:
    if loss.form == "uniform":
        unweighted: Tensor = sigmoid_focal_loss(margins, targets, alpha=-1, gamma=loss.gamma)
        return loss.alpha * unweighted
    balanced: Tensor = sigmoid_focal_loss(margins, targets, alpha=loss.alpha, gamma=loss.gamma)
    return balanced


def weighted_mean(losses: Tensor, labels: Tensor, class_weights: Tensor | None) -> Tensor:
    """Returns the mean over a batch, in which a clip counts as much as its class says.

    Not divided by the weights of the batch, as torch's losses are: in small batches, of which most lack the
    rare class, it would count far less than the weights say, and in batches of one they would say nothing.

    Args:
        losses: `(B,)`.
        labels: int64 `(B,)`, 1 is fake.
        class_weights: `(2,)`, one on average over an epoch's clips; None: all the same.
    """
    return (losses if class_weights is None else losses * class_weights[labels]).mean()


def class_weights(drawn: Tensor) -> Tensor:
    """Returns weights `(2,)` with which both classes count the same: one on average.

    Args:
        drawn: `(2,)`, how many clips of each class an epoch draws; both some.
    """
    return drawn.sum() / (2 * drawn)
