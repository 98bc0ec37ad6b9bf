import pytest

from components.errors import ParamsError
from components.models import registry
from components.models.base import Candidate


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ParamsError, match=r"candidates\.simple_cmn: .*known are .*simple_cnn"):
        registry.create("simple_cmn")


def test_decorated_factory_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_FACTORIES", {})
    made = Candidate()
    registry.register("mine")(lambda pretrained: made)
    assert registry.names() == ["mine"]
    assert registry.create("mine") is made
