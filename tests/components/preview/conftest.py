from tests.components.training.conftest import changed, made, params

__all__ = ["changed", "made", "params"]
