"""`params.resolved.yaml`: every setting with its value, as DVC compares them and as stages read them.

`params.yaml` says some settings, a recipe others, and the code has defaults for the rest. DVC reads neither
recipes nor code, so that the whole is written down: a default that changes is then a parameter that changes,
and what is edited while a run is on its way has no part in it.
"""

from pathlib import Path
from typing import Any

import yaml

from components.errors import ParamsError
from components.params.document import Params, checked, load_params
from components.params.edit import replace_text
from components.params.reading import read_yaml
from components.project import Project

HEADER = """\
# Every setting with its value, from params.yaml, its recipe and the defaults in the code. The stage `resolve`
# writes this file, and DVC reads it: do not edit it, but keep it in git beside dvc.lock.
"""

RESOLVED = "resolved"
"""The key under which the settings stand: at the top, DVC would take them for those of params.yaml."""


def resolved(params: Params) -> dict[str, Any]:
    """Returns what the file holds: the candidates' names, which `evaluate` reads, and all settings."""
    return {
        "names": list(params.candidates),
        RESOLVED: params.model_dump(mode="json", by_alias=True),
    }


def write_resolved(project: Project) -> bool:
    """Brings the file up to date with `params.yaml`, its recipe and the code.

    Returns:
        Whether it named the same candidates before, of which DVC makes stages when it starts.

    Raises:
        ParamsError: `params.yaml` or its recipe cannot be used.
    """
    after = resolved(load_params(project.params))
    text = HEADER + yaml.safe_dump(after, sort_keys=False, allow_unicode=True)
    before = project.resolved.read_text(encoding="utf-8") if project.resolved.is_file() else ""
    if text == before:
        return True
    replace_text(project.resolved, text)
    return not before or _names(before) == after["names"]


def load_resolved(path: Path) -> Params:
    """Reads the file.

    Raises:
        ParamsError: it is missing, or is not as `write_resolved` writes it.
    """
    try:
        content = read_yaml(path)
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: not found; write it with python -m components resolve") from error
    if not (isinstance(content, dict) and RESOLVED in content):
        raise ParamsError(f"{path}: not written by this version; delete it and run the same command again")
    return checked(content[RESOLVED], path)


def _names(text: str) -> Any:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return content.get("names") if isinstance(content, dict) else None
