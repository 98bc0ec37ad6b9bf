"""Lists as they are published: what is refused before a layout sees it."""

import json
from collections.abc import Callable
from time import perf_counter

import pytest

from components.datasets.layouts.annotations import read_csv, read_object
from components.datasets.tree import Tree
from components.errors import DataError

MakeTree = Callable[..., Tree]


@pytest.mark.parametrize("text", [r'{"\ud800": 1}', r'{"a": "\u0000"}', r'{"a": [{"b": ["\u009b"]}]}'])
def test_text_that_no_table_can_hold(make_tree: MakeTree, text: str) -> None:
    with pytest.raises(DataError, match=r"list\.json: '\\.*' holds control characters or no UTF-8"):
        read_object(make_tree(texts={"list.json": text}), "list.json")


def test_any_other_text_is_kept(make_tree: MakeTree) -> None:
    content = {"é 视频\u200d.mp4": {"a": None, "b": [1.5, "🙂"]}}
    assert read_object(make_tree(texts={"list.json": json.dumps(content)}), "list.json") == content


def test_a_double_key_among_many_is_found_soon(make_tree: MakeTree) -> None:
    keys = [*range(40_000), 39_999]  # the count of each would take minutes
    tree = make_tree(texts={"list.json": "{" + ",".join(f'"{key}":0' for key in keys) + "}"})
    started = perf_counter()
    with pytest.raises(DataError, match="'39999' stands there twice"):
        read_object(tree, "list.json")
    assert perf_counter() - started < 5


def test_cells_of_other_columns_are_left_out(make_tree: MakeTree) -> None:
    tree = make_tree(texts={"list.csv": "A,b,c\n1,2,\x1b\n"})
    assert read_csv(tree, "list.csv", ["a"], ["b", "d"]) == (["a", "b", "c"], [(2, {"a": "1", "b": "2"})], ())
    with pytest.raises(DataError, match=r"list\.csv:2: c '\\x1b' holds control characters"):
        read_csv(tree, "list.csv", ["a", "c"])
