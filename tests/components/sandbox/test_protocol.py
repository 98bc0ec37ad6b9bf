"""Messages between a pool and its workers."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from components.sandbox.protocol import MAX_HEADER, ProtocolError, pack, receive


def reader(content: bytes) -> Callable[[memoryview], None]:
    rest = memoryview(content)

    def read_into(view: memoryview) -> None:
        nonlocal rest
        if len(rest) < len(view):
            raise EOFError
        view[:], rest = rest[: len(view)], rest[len(view) :]

    return read_into


def test_messages_come_back_as_they_were() -> None:
    arrays = {"a": np.arange(6, dtype=np.uint8).reshape(2, 3), "b": np.zeros((0, 4), np.float32)}
    header, received = receive(reader(pack({"task": "probe", "path": "\udcff"}, arrays)), max_bytes=6)
    assert header == {"task": "probe", "path": "\udcff"}
    assert {name: array.tolist() for name, array in received.items()} == {
        "a": [[0, 1, 2], [3, 4, 5]],
        "b": [],
    }


def header_of(arrays: Any) -> bytes:
    content = json.dumps({"header": {}, "arrays": arrays}).encode()
    return len(content).to_bytes(4, "little") + content


@pytest.mark.parametrize(
    "content",
    [
        (MAX_HEADER + 1).to_bytes(4, "little"),
        b"\x02\0\0\0[]",
        b"\x04\0\0\0nope",
        pack({}, {"a": np.zeros(1, "complex64")}),
        (60_000).to_bytes(4, "little") + b"[" * 60_000,
        header_of([["a", "uint8", [1 << 40]]]),
        header_of([["a", "uint8", [0, 1 << 70]]]),
        header_of([["a", "uint8", [60]], ["b", "float32", [11]]]),
        header_of([["a", "uint8", [101]], ["b", "uint8", [-1]]]),
        header_of([["a", "uint8", [-1]]]),
        header_of([["a", "uint8", "12"]]),
        header_of([["a", "uint8"]]),
        header_of(None),
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(ProtocolError):
        receive(reader(content), max_bytes=100)


def test_a_message_that_breaks_off_is_the_end() -> None:
    with pytest.raises(EOFError):
        receive(reader(pack({}, {"a": np.zeros(9, np.uint8)})[:-1]), max_bytes=9)


@pytest.mark.parametrize("array", [np.arange(12.0)[::3], np.float32(3).reshape(()), np.zeros((2, 0))])
def test_arrays_of_any_layout_are_sent(array: Any) -> None:
    array = np.asarray(array)
    _, received = receive(reader(pack({}, {"a": array})), max_bytes=100)
    assert received["a"].shape == array.shape
    assert np.array_equal(received["a"], array)
