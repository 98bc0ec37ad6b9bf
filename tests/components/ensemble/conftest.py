from tests.components.training.conftest import made, params

__all__ = ["made", "params"]
