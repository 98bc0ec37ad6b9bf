import pytest

from components.errors import ParamsError
from components.models import registry
from components.models.base import Candidate
from components.params.networks import SimpleCnn


def test_unknown_name_lists_the_known_ones() -> None:
    unknown = SimpleCnn.model_construct(name="simple_cmn")
    with pytest.raises(ParamsError, match=r"network simple_cmn: .*known are .*simple_cnn"):
        registry.create(unknown)


def test_decorated_factory_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_FACTORIES", {})
    made = Candidate()
    registry.register("mine")(lambda network, side: made)
    assert registry.names() == ["mine"]
    assert registry.create(SimpleCnn.model_construct(name="mine")) is made
