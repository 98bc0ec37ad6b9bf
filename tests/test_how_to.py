"""The code of `docs/how-to` does what the pages say."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from components.datasets import found, layouts
from components.datasets.tree import Tree, walk
from components.detectors import settings
from components.models import registry
from components.models.base import Candidate
from components.params import networks

PAGES = Path(__file__).parents[1] / "docs" / "how-to"
FENCED = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[str]:
    return FENCED.findall((PAGES / page).read_text(encoding="utf-8"))


def defined(code: str, module: ModuleType | None = None) -> dict[str, Any]:
    """The names that code defines, as if it stood at the end of a module."""
    names = dict(vars(module)) if module else {"__name__": "how_to"}
    exec(code, names)
    return names


def test_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    code, module = blocks("model.md")
    kind = defined(code, networks)["ConvMixer"]
    monkeypatch.setattr(networks, "ConvMixer", kind, raising=False)
    monkeypatch.setattr(registry, "_FACTORIES", {})
    defined(module)
    model = registry._FACTORIES["conv_mixer"](kind(name="conv_mixer", width=8, depth=1), None)
    assert isinstance(model, Candidate)
    assert model.eval()(torch.randn(2, 3, 3, 32, 32)).shape == (2, 2)


def test_the_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    code, module, case = blocks("detector.md")
    policy = defined(code, settings)["SkinPolicy"](name="skin")
    monkeypatch.setattr(settings, "SkinPolicy", type(policy), raising=False)
    skin = defined(module)["Skin"](policy)
    frame = np.zeros((60, 80, 3), np.uint8)
    frame[10:40, 20:50] = (224, 172, 140)
    assert skin.detect(frame).boxes.tolist() == [[20, 10, 50, 40]]
    assert not len(skin.detect(np.zeros_like(frame)).boxes)
    assert "components.detectors.skin import Skin" in case


def test_the_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, tests = blocks("dataset-layout.md")
    pairs = ModuleType("components.datasets.layouts.pairs")
    exec(code, vars(pairs))
    monkeypatch.setitem(sys.modules, pairs.__name__, pairs)
    monkeypatch.setattr(layouts, "pairs", pairs, raising=False)
    monkeypatch.setattr(found, "LAYOUTS", {"pairs": pairs, **layouts.LAYOUTS})
    names = defined(tests)
    checks: list[Callable[[Callable[..., Tree]], None]] = [
        names[name] for name in names if name.startswith("test_")
    ]
    assert len(checks) == 2
    for check in checks:
        check(lambda *paths, check=check: tree(tmp_path / check.__name__, *paths))


def tree(root: Path, *paths: str) -> Tree:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return walk(root)
