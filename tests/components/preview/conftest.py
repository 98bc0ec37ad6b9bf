from tests.components.models.conftest import _one_thread
from tests.components.training.conftest import changed, made, params

__all__ = ["_one_thread", "changed", "made", "params"]
