"""Messages between a pool and its workers: two lengths, a JSON header, then raw arrays. No pickle.

A worker has handled untrusted bytes, so the parent takes nothing from it that could run code or that
claims to be larger than it can be.
"""

import json
import math
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_HEADER = 1 << 16
DTYPES = ("uint8", "float32", "float64")

Header = dict[str, Any]
Arrays = dict[str, NDArray[Any]]
ReadInto = Callable[[memoryview], None]
"""Fills the whole buffer, or raises EOFError where the other side has gone."""

_LENGTH = struct.Struct("<I")


class ProtocolError(Exception):
    """The other side sent something that is not a message."""


def pack(header: Header, arrays: Arrays | None = None) -> bytes:
    """Returns a message as bytes."""
    return b"".join(message(header, arrays or {}))


def message(header: Header, arrays: Arrays) -> Iterator[bytes | memoryview]:
    """Yields a message in parts; arrays that lie in one piece are not copied."""
    shapes = [[name, array.dtype.name, array.shape] for name, array in arrays.items()]
    content = json.dumps({"header": header, "arrays": shapes}).encode()
    yield _LENGTH.pack(len(content)) + content
    for array in arrays.values():
        if array.size:
            yield np.ascontiguousarray(array).data.cast("B")


def receive(read_into: ReadInto, max_bytes: int = 0) -> tuple[Header, Arrays]:
    """Reads one message, with at most `max_bytes` of arrays.

    Raises:
        EOFError: the other side has gone.
        ProtocolError: what came is not a message, or it is too large.
    """
    (length,) = _LENGTH.unpack(_read(read_into, _LENGTH.size))
    if length > MAX_HEADER:
        raise ProtocolError(f"a header of {length} bytes")
    try:
        content = json.loads(_read(read_into, length))
        arrays = _allocate(content["arrays"], max_bytes)
        header = dict(content["header"])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ProtocolError(f"not a header: {type(error).__name__}") from error
    for array in arrays.values():
        if array.size:
            read_into(array.data.cast("B"))
    return header, arrays


def _allocate(described: list[tuple[str, str, list[int]]], max_bytes: int) -> Arrays:
    """Empty arrays; none is made before all of them are known to fit."""
    total = 0
    for _, dtype, shape in described:
        if dtype not in DTYPES or min(shape, default=0) < 0:
            raise ValueError("not an array")
        total += math.prod(shape) * np.dtype(dtype).itemsize
    if total > max_bytes:
        raise ProtocolError(f"arrays of more than {max_bytes} bytes")
    return {str(name): np.empty(shape, dtype) for name, dtype, shape in described}


def _read(read_into: ReadInto, length: int) -> bytes:
    buffer = bytearray(length)
    read_into(memoryview(buffer))
    return bytes(buffer)
