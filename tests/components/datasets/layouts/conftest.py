"""What the tests of all layouts share: a dataset's folder made of empty files and short lists."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from components.datasets.tree import Tree, walk

MakeTree = Callable[..., Tree]


@pytest.fixture
def make_tree(tmp_path: Path) -> MakeTree:
    """Makes `make_tree("a.mp4", …, texts={"list.txt": "…"}, name="folder")`: layouts never open a video."""

    def make(*paths: str, texts: Mapping[str, str] | None = None, name: str = "dataset") -> Tree:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for path, text in {**dict.fromkeys(paths, ""), **(texts or {})}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return replace(walk(root), name=name)

    return make
