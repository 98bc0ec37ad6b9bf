"""Memory that every step frees and asks for again."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of mallopt(3)."""

LARGEST = 32 * 1024**2
"""Bytes; the most that glibc takes for M_MMAP_THRESHOLD."""


def keep_freed_memory() -> None:
    """Lets the C library keep what is freed, instead of giving it back to the system.

    Otherwise a step on a CPU may have tens of megabytes mapped and cleared for it anew: 5 % of a step of the
    ResNet-18 of params.yaml. Nothing happens where the C library is not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
