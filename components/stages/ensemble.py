"""The stage `ensemble`: files of one more candidate, made of trained ones, if params.yaml wants it."""

import logging

from components.params import Params
from components.project import ENSEMBLE, Project

NO_MEMBERS = "ensemble.members in params.yaml names none"

log = logging.getLogger(__name__)


def run(project: Project, params: Params) -> None:
    """Writes the ensemble's files, or that params.yaml names no members.

    Raises:
        StageError: a member is not trained yet, or was trained on clips of another crop policy.
        TrainingError: validation has too few people to find weights by.
    """
    folder = project.candidate(ENSEMBLE)
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    if not params.ensemble.members:
        log.info("%s: there is no ensemble", NO_MEMBERS)
        (folder / "README").write_text(f"{NO_MEMBERS}\n", encoding="utf-8")  # DVC warns of empty folders
        return
    from components.ensemble.fit import fit_ensemble  # noqa: PLC0415 - torch takes long to import; most have no ensemble

    fit_ensemble(project, params, folder)
