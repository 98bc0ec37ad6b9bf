"""The `unmask` command and the stages, in processes that are forked with their libraries already there.

What a test asks of a command is what it does, and most of a fresh process is seconds of imports. The server
that forks has no threads and has imported nothing of the project, nor Prefect, which reads its settings as it
is imported.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LIBRARIES = [
    *("pandas", "pyarrow.parquet", "cv2", "av", "onnxruntime", "mlflow", "mlflow.pyfunc", "dvc.repo"),
    *("typer", "rich.console", "httpx", "fastapi", "sqlalchemy.orm", "sqlalchemy.ext.asyncio", "pydantic"),
]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(LIBRARIES)

Done = subprocess.CompletedProcess[str]


def unmask(
    *arguments: object, cwd: Path, environment: Mapping[str, str] | None = None, timeout: float = 250
) -> Done:
    """The command as a user types it in a folder."""
    return forked(command, [*map(str, arguments)], cwd, environment or {}, timeout)


def command(arguments: Sequence[str]) -> None:
    from flows.cli import main

    sys.argv = ["unmask", *arguments]
    main()


def forked(
    call: Callable[[Sequence[str]], None],
    arguments: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
) -> Done:
    """What a process says and ends with, that calls a function of a module in a folder of its own.

    Raises:
        subprocess.TimeoutExpired: it was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = [Path(folder) / name for name in ("out", "err")]
        given = (call, arguments, cwd, {**os.environ, **environment}, told)
        process = FORKS.Process(target=_run, args=given)
        process.start()
        try:
            process.join(timeout)
            if process.is_alive():
                raise subprocess.TimeoutExpired([*arguments], timeout)
        finally:
            process.kill()
        out, err = (path.read_text(encoding="utf-8") for path in told)
    return Done([*arguments], process.exitcode or 0, out, err)


def _run(
    call: Callable[[Sequence[str]], None],
    arguments: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    told: Sequence[Path],
) -> None:
    os.setpgid(0, 0)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for path, stream in zip(told, (1, 2), strict=True):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream)
    try:
        call(arguments)
    finally:  # as the interpreter ends; a forked process does not
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
