"""What a training has made, kept until the next one: a kill before DVC has noted the stage loses nothing."""

import re
import shutil
from pathlib import Path

from components.files import replacing_folder
from components.project import Project

DONE = "done"


def set_aside(project: Project, name: str, scratch: Path) -> None:
    """Keeps a candidate's files instead of the checkpoints, and nothing of its earlier trainings.

    Args:
        project: whose files.
        name: of the candidate.
        scratch: folder of this training's checkpoints.
    """
    with replacing_folder(scratch) as partial:
        for place in _places(project, name):
            if place.is_dir():
                shutil.copytree(place, partial / DONE / place.name)
            else:
                shutil.copy(place, partial / DONE / place.name)
        for earlier in scratch.parent.iterdir():
            if re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{16}}", earlier.name):
                shutil.rmtree(earlier)


def put_back(project: Project, name: str, scratch: Path) -> bool:
    """Gives a candidate the files of a training that was finished; false where there are none."""
    kept = scratch / DONE
    if not kept.is_dir():
        return False
    for place in _places(project, name):
        place.parent.mkdir(parents=True, exist_ok=True)
        if (kept / place.name).is_dir():
            shutil.copytree(kept / place.name, place, dirs_exist_ok=True)
        else:
            shutil.copy(kept / place.name, place)
    return True


def _places(project: Project, name: str) -> tuple[Path, Path, Path]:
    return project.candidate(name), project.history(name), project.curves(name)
