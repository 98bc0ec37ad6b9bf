"""How many CPU cores there are for this process."""

import os


def cores() -> int:
    """Returns those that this process may run on; where the system does not say so, as on macOS, all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
