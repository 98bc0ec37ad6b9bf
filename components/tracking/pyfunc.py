"""What a model's own code needs of MLflow, so that no other room has to import it."""

from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

__all__ = ["PythonModel", "PythonModelContext", "set_model"]
