"""What has to stand in the environment before Prefect, MLflow or DVC is imported."""

import logging
import os
import sys
from collections.abc import MutableMapping
from importlib.util import find_spec
from pathlib import Path

from components.errors import ParamsError
from components.privacy import switch_off_telemetry
from components.project import Project

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def find_project(start: Path | None = None) -> Project:
    """The nearest folder upwards that holds params.yaml and dvc.yaml, or the one named by `UNMASK_PROJECT`.

    Raises:
        ParamsError: there is none.
    """
    named = os.environ.get("UNMASK_PROJECT")
    here = Path(named) if named else (start or Path.cwd())
    candidates = (here,) if named else (here, *here.resolve().parents)
    for folder in candidates:
        if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
            return Project(folder.resolve())
    raise ParamsError(
        f"{here}: no project here (no folder upwards holds params.yaml and dvc.yaml); "
        "change to one, or name it with UNMASK_PROJECT"
    )


def prepare(project: Project) -> None:
    """Keeps state inside the project, sends nothing home, and lets child processes find this environment."""
    switch_off_telemetry()
    home = project.root / ".unmask" / "prefect"
    if "PREFECT_API_URL" not in os.environ:
        # Someone who names a server keeps the profile that goes with it.
        os.environ.setdefault("PREFECT_HOME", str(home))
    spare_loopback(os.environ)
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "150")
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    # MLflow's server would keep seven processes for jobs that Unmask never gives it.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    # DVC runs stages through a shell: `python` must be this one.
    bin_folder = str(Path(sys.executable).parent)
    if os.environ.get("PATH", "").split(os.pathsep)[0] != bin_folder:
        os.environ["PATH"] = os.pathsep.join([bin_folder, os.environ.get("PATH", os.defpath)])


def spare_loopback(environment: MutableMapping[str, str]) -> None:
    """Have no client of this process or a child ask a proxy for this machine's own servers.

    Where everything is spared already (`*`), nothing is added: most clients know `*` only by itself.

    A proxy that speaks SOCKS is left out where httpx does not: it then asks nobody, not even directly.
    """
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    spared = [name for name in map(str.strip, listed.split(",")) if name]
    merged = "*" if "*" in spared else ",".join(dict.fromkeys([*spared, *LOOPBACK]))
    environment.update(no_proxy=merged, NO_PROXY=merged)
    if find_spec("socksio"):
        return
    for name in (*PROXIES, *map(str.upper, PROXIES)):
        if environment.get(name, "").lower().startswith("socks"):
            log.warning("%s: left out, since SOCKS needs `pip install socksio`", name)
            del environment[name]
