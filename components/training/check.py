"""What can be known to be wrong with candidates before the first video is looked at."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from components.errors import ParamsError, TrainingError
from components.models import create
from components.params import Params, Precision
from components.project import Project
from components.training.distributed import processes

log = logging.getLogger(__name__)


def run(project: Project, params: Params) -> None:
    """Makes every candidate's network, with the weights that it starts from.

    Weights that come from a hub then wait in its cache for the training.

    Raises:
        ParamsError: a network cannot be as params.yaml has it.
        TrainingError: its weights are out of reach, or there is no such precision or device here.
    """
    processes()
    for name, settings in params.candidates.items():
        with of_candidate(project.params, name):
            check_precision(settings.precision)
            create(settings.network, settings.augmentation.crop or params.faces.size)
    log.info("candidates: networks and the weights that they start from are there")


def check_precision(precision: Precision) -> None:
    """Refuses half precision that needs a GPU where there is none.

    Raises:
        TrainingError: it does.
    """
    if precision == "fp16" and not torch.cuda.is_available():
        raise TrainingError("precision fp16 needs a GPU; set precision: bf16 or fp32 in params.yaml")


@contextmanager
def of_candidate(path: Path, name: str) -> Iterator[None]:
    """Says of a setting that a network, its clips or their augmentation refuses where it stands.

    Raises:
        ParamsError: with the file and the candidate.
    """
    try:
        yield
    except ParamsError as error:
        raise ParamsError(f"{path}: candidates.{name}: {error}") from error
