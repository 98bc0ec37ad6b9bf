"""The containers that are accepted: what FFmpeg calls each, how its files are called, and how they begin.

Beginnings are compared here, not by FFmpeg's prober: who lists a folder must not parse what lies in it.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HEAD = 4096
"""Bytes of a file that tell its container."""


class ContainerFormat(NamedTuple):
    """A container; `begins` tells from a file's first `HEAD` bytes whether it is that."""

    suffixes: str
    begins: Callable[[bytes], bool]


def _is_mov(head: bytes) -> bool:
    """ISO/IEC 14496-12, and QuickTime before it: a box's size, its type, and for `ftyp` the brand."""
    if head[4:8] == b"ftyp":
        return head[8:12] not in _NO_FILM
    return head[4:8] == b"mdat" or (head[:1] == b"\0" and head[4:8] in {b"moov", b"free", b"skip", b"wide"})


# Brands of files that hold sound, or pictures: https://mp4ra.org/registered-types/brands
_NO_FILM = frozenset(
    {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ", b"mif1", b"mif2", b"msf1", b"heic", b"heix", b"heim"}
    | {b"heis", b"hevc", b"hevx", b"avif", b"avis", b"avio", b"jpeg", b"jxl ", b"jp2 ", b"crx "}
)


def _is_mpegts(head: bytes) -> bool:
    """ISO/IEC 13818-1: packets of 188 bytes, with a time stamp before each on Blu-ray, or parity after it."""
    return _PACKETS.match(head) is not None


# Five packets, wherever a recording was cut; bits 4 and 5 of a packet's fourth byte are never both 0.
_PACKET = rb"G..[\x10-\x3f\x50-\x7f\x90-\xbf\xd0-\xff].{%d}"
_PACKETS = re.compile(
    b"|".join(rb".{0,%d}?(?:%s){5}" % (size - 1, _PACKET % (size - 4)) for size in (188, 192, 204)), re.DOTALL
)


def _is_ogg(head: bytes) -> bool:
    """RFC 3533; the first pages name the codecs of all streams, and those of films are few."""
    return head[:4] == b"OggS" and any(codec in head for codec in _OGG_FILMS)


_OGG_FILMS = (b"\x80theora", b"\x01video\0", b"BBCD\0", b"OVP80\x01")

FORMATS = {
    "mov": ContainerFormat(".mp4 .m4v .mov .qt .3gp .3gpp .3g2 .3gp2 .f4v .ismv", _is_mov),
    "matroska": ContainerFormat(".mkv .mk3d .webm", lambda head: head[:4] == b"\x1a\x45\xdf\xa3"),  # RFC 8794
    "avi": ContainerFormat(".avi .divx", lambda head: (head[:4], head[8:12]) == (b"RIFF", b"AVI ")),
    "mpegts": ContainerFormat(".ts .m2t .m2ts .mts", _is_mpegts),
    "mpeg": ContainerFormat(".mpg .mpeg .mpe .m2p .vob", lambda head: head[:4] == b"\0\0\1\xba"),
    "flv": ContainerFormat(".flv", lambda head: head[:4] == b"FLV\1"),
    "asf": ContainerFormat(".asf .wmv", lambda head: head[:8] == b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    "ogg": ContainerFormat(".ogv .ogm", _is_ogg),
}
"""By the names of FFmpeg's demuxers that hold a video in one file."""

VIDEO_SUFFIXES = frozenset(suffix for known in FORMATS.values() for suffix in known.suffixes.split())


def begins_as_video(path: Path) -> bool:
    """Tells by a regular file's first bytes whether it is a video; not, where it cannot be read."""
    try:
        with open(path, "rb", buffering=0, opener=_open) as file:
            head = file.read(HEAD) or b""
    except OSError:
        return False
    return any(known.begins(head) for known in FORMATS.values())


def _open(path: str, flags: int) -> int:
    """Never wait: what was a regular file when it was listed may be a pipe by now."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
