import sys
from importlib import import_module
from pathlib import Path

import pytest

from components import models
from components.errors import ParamsError
from components.models import registry
from components.models.base import Candidate
from components.params.networks import SimpleCnn


def test_unknown_name_lists_the_known_ones() -> None:
    unknown = SimpleCnn.model_construct(name="simple_cmn")
    with pytest.raises(ParamsError, match=r"network simple_cmn: .*known are .*simple_cnn"):
        registry.create(unknown)


def test_settings_and_a_file_of_their_name_are_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (
        "from components.models.base import Candidate",
        "from components.models.registry import register",
        "register('mine')(lambda network, side: Candidate())",
    )
    (tmp_path / "mine.py").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "names", lambda: ["mine"])
    monkeypatch.setattr(registry, "_FACTORIES", {})
    monkeypatch.delitem(sys.modules, "components.models.mine", raising=False)
    assert isinstance(registry.create(SimpleCnn.model_construct(name="mine")), Candidate)


def test_every_name_with_settings_is_registered_by_its_file() -> None:
    for name in registry.names():
        import_module(f"components.models.{name}")
    assert registry.names() == sorted(registry._FACTORIES)
