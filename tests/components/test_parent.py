"""Processes of a pool do not outlive who asked for them."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

KILLED = """
import os, signal, sys
from pathlib import Path
from sample import SampleSettings, dataset
from sample.session import cast

if __name__ == "__main__":
    settings = SampleSettings(people=4, frames=8, workers=2)
    folder = Path(sys.argv[1])
    (folder / "real").mkdir(), (folder / "fake").mkdir()
    for _ in dataset._record_all(folder, settings, cast(settings)):
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_rendering_ends_with_a_generator_that_is_killed(tmp_path: Path) -> None:
    """Its processes hold its output open, so this waits for all of them."""
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    command = [sys.executable, script, tmp_path]
    ended = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, check=False, capture_output=True, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
