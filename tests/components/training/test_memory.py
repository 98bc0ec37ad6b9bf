import resource
import subprocess
import sys

import pytest

CHILD = """
import ctypes
import resource
import sys
from components.training.memory import keep_freed_memory

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def step():
    taken = [libc.malloc(12_000_000) for _ in range(8)]
    for one in taken:
        libc.memset(one, 1, 12_000_000)
    for one in taken:
        libc.free(one)

if len(sys.argv) > 1:
    keep_freed_memory()
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_a_step_gets_the_memory_that_the_last_one_freed() -> None:
    def faults(*words: str) -> int:
        command = [sys.executable, "-c", CHILD, *words]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    pages = 8 * 12_000_000 // resource.getpagesize()
    kept = faults("keep")
    assert kept < 0.01 * pages
    assert faults() > 3 * kept + 10  # huge pages, where the system gives them, make it few
