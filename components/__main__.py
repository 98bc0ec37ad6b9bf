"""`python -m components STAGE`: what dvc.yaml calls. Each stage imports only what it needs."""

import argparse
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from components.errors import StageError, UnmaskError, full_disk
from components.params import Params, load_params
from components.params.resolved import load_resolved
from components.privacy import switch_off_telemetry
from components.project import Project

Run = Callable[[Project, Params], None]


def resolve(project: Project, params: Params) -> None:
    """Write every setting with its value; one that is wrong has been told of already."""
    from components.params.resolved import write_resolved

    if not write_resolved(project):
        raise StageError(
            f"{project.resolved}: the candidates are others now ({', '.join(params.candidates)}), and DVC "
            "has made its stages of those before; run the same command again"
        )


def ingest(project: Project, params: Params) -> None:
    """Probe every video and assign identity groups to the splits."""
    from components.stages.ingest import run

    run(project, params)


def describe(project: Project, params: Params) -> None:
    """Describe the data: counts, formats, figures and a contact sheet."""
    from components.stages.describe import run

    run(project, params)


def validate(project: Project, params: Params) -> None:
    """Hold the manifest against the expectations."""
    from components.stages.validate import run

    run(project, params)


def detector(project: Project, params: Params) -> None:
    """Write the face detector's files: MTCNN as ONNX, or MediaPipe's model."""
    from components.export.detector import convert

    convert(project.detector, params.faces.detector)


def faces(project: Project, params: Params, workers: int = 0) -> None:
    """Cut clips of the faces in every video."""
    from components.export.detector import check_detector
    from components.stages.faces import run

    check_detector(project.detector, params.faces.detector)
    run(project, params, workers)


def ensemble(project: Project, params: Params) -> None:
    """Make one candidate of several trained ones."""
    from components.stages.ensemble import run

    run(project, params)


def evaluate(project: Project, params: Params) -> None:
    """Compare the candidates and choose the winner on validation videos."""
    from components.stages.evaluate import run

    run(project, params)


def gate(project: Project, params: Params) -> None:
    """Hold the winner against the thresholds."""
    from components.stages.gate import run

    run(project, params)


def export(project: Project, params: Params) -> None:
    """Write the winner's bundle."""
    from components.stages.export import run

    run(project, params)


def check(project: Project, params: Params) -> None:
    """Make every candidate's network: what is wrong with one is better known before all stages."""
    from components.training.check import run

    run(project, params)


ALONE = (resolve, check, ingest, describe, validate, detector, faces, ensemble, evaluate, gate, export)
STAGES: dict[str, Run] = {stage.__name__: stage for stage in ALONE}
"""Those that take no further argument."""


def train(project: Project, params: Params, candidate: str) -> None:
    """Train one candidate."""
    from components.stages.train import run

    run(project, params, candidate)


def parser() -> argparse.ArgumentParser:
    """The command line of the stages."""
    whole = argparse.ArgumentParser(prog="python -m components", description=__doc__)
    stages = whole.add_subparsers(dest="stage", required=True, metavar="STAGE")
    commands = {name: stages.add_parser(name, help=stage.__doc__) for name, stage in STAGES.items()}
    commands["faces"].add_argument(
        "--workers", type=count, default=0, help="processes that decode; 0, unless told, is one per core"
    )
    training = stages.add_parser("train", help=train.__doc__)
    training.add_argument("candidate", help="a key of params.yaml's candidates")
    return whole


def count(text: str) -> int:
    """A number from 0 on; the name is what the command line says of another one."""
    if (number := int(text)) < 0:
        raise ValueError
    return number


@contextmanager
def unchanged_settings(project: Project, stage: str) -> Iterator[Params]:
    """The settings with which a stage runs, as DVC will note them when it has ended.

    Outside of DVC, in a folder where nobody has resolved them, they are those of `params.yaml`.

    Raises:
        ParamsError: they cannot be read.
        StageError: they have been resolved anew in the meantime, so that DVC would note others.
    """
    if stage == "resolve" or not project.resolved.is_file():
        yield load_params(project.params)
        return
    params = load_resolved(project.resolved)
    yield params
    if load_resolved(project.resolved) != params:
        raise StageError(f"{project.resolved}: changed while stage {stage} ran; run the same command again")


def main(argv: list[str] | None = None) -> int:
    """Run one stage in the current folder; the exit code is that of the error, if there is one."""
    arguments = parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # 200 lines about itself otherwise
    project = Project(Path())
    try:
        with unchanged_settings(project, arguments.stage) as params:
            if arguments.stage == "train":
                train(project, params, arguments.candidate)
            elif arguments.stage == "faces":
                faces(project, params, arguments.workers)
            else:
                STAGES[arguments.stage](project, params)
    except UnmaskError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run the same command again to go on\n")
        return 130
    except Exception as error:
        if not (message := full_disk(error)):
            raise
        sys.stderr.write(f"error: {message}\n")
        return UnmaskError.exit_code
    return 0


if __name__ == "__main__":
    switch_off_telemetry()
    sys.exit(main())
