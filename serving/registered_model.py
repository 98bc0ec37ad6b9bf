"""The registered model's own code: MLflow logs this file, and runs it when the model is loaded.

mlflow.pyfunc.load_model("models:/unmask@champion").predict(["a.mp4"])
"""

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from components.bundle import open_bundle
from components.scores import VideoScore, model_columns
from components.tables import as_text
from components.tracking.pyfunc import PythonModel, PythonModelContext, set_model
from serving.scorer import Scorer

PANDAS = {"text": "str", "float": "float64", "integer": "int64", "boolean": "bool"}

SCORE_COLUMNS = {name: PANDAS[cell.kind] for name, cell in model_columns().items()}
"""Of the answer, with their pandas types; a missing text or probability is null, `faces` is JSON text."""


class RegisteredDetector(PythonModel):
    """The scorer behind MLflow's interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Opens the bundle that was registered with the model."""
        self._scorer = Scorer(open_bundle(Path(context.artifacts["bundle"])))
        weakref.finalize(self, self._scorer.close)  # MLflow never says that it is done with a model

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Scores videos.

        Args:
            context: unused, MLflow's.
            model_input: paths of videos: a list, a Series, or a DataFrame with a column `path` (or with one
                column of any name). Hinted as the one of them that MLflow takes without further checks.
            params: unused, MLflow's.

        Returns:
            One row per path, in the order given, with the columns `SCORE_COLUMNS`.
        """
        return scores_frame(list(self._scorer.score([Path(path) for path in paths_of(model_input)])))


def paths_of(model_input: pd.DataFrame | pd.Series | Sequence[str]) -> list[str]:
    """Returns the paths in whatever MLflow hands over."""
    if not isinstance(model_input, pd.DataFrame):
        return [str(path) for path in model_input]
    column = "path" if "path" in model_input.columns else model_input.columns[0]
    return [str(path) for path in model_input[column]]


def scores_frame(scores: Sequence[VideoScore]) -> pd.DataFrame:
    """Scores as a DataFrame."""
    rows = [{name: as_text(value) for name, value in score.row().items()} for score in scores]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS)).astype(SCORE_COLUMNS)


set_model(RegisteredDetector())
