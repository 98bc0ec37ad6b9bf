"""What a loss of colour does to the verdicts: the same clips in colour, grey, pale, and green as at night.

    python benchmarks/colour.py                     # after `make demo`
    python benchmarks/colour.py --bundle FOLDER     # of another model; the clips are those of the project

Takes the clips of people whom nothing was trained on (validation and test), changes the colours of whole
videos, encodes all versions alike, and scores them with the bundle. Prints a row of the table
in docs/results.md, whose test AUC is that of the evaluation.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from components.bundle import open_bundle
from components.evaluation.metrics import area
from components.project import Project
from components.scores import VideoScore
from components.tables import MANIFEST, read_table
from components.video.colour import LUMA
from sample.encode import write_video
from serving.scorer import Scorer

Picture = NDArray[np.float32]
"""(H, W, 3) RGB, 0 to 255."""


def grey(picture: Picture) -> Picture:
    return np.repeat((picture @ LUMA)[..., None], 3, axis=-1)


def pale(picture: Picture) -> Picture:
    """Half of the saturation, and a black that is a dark grey."""
    return 60 + (picture + grey(picture)) / 2 * (195 / 255)


def green(picture: Picture) -> Picture:
    """What a camera for the night shows: brightness alone, in green."""
    return np.asarray(grey(picture) * np.array([0.1, 1.0, 0.1], np.float32))


VERSIONS: dict[str, Callable[[Picture], Picture]] = {
    "colour": lambda picture: picture,
    "grey": grey,
    "pale": pale,
    "green": green,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--bundle", type=Path)
    arguments = parser.parse_args()
    project = Project(arguments.project)
    videos = [row for row in read_table(project.manifest, MANIFEST) if row["split"] in ("val", "test")]
    paths = [project.root / row["path"] for row in videos]
    labels = np.array([row["label"] == "fake" for row in videos], np.int64)
    print(f"| {len(paths)} clips | genuine ones called fake | without a face | fakes missed | AUC |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with (
        Scorer(open_bundle(arguments.bundle or project.bundle)) as scorer,
        tempfile.TemporaryDirectory() as folder,
    ):
        for name in VERSIONS:
            scores = list(scorer.score(list(changed(paths, name, Path(folder) / name))))
            print(row_of(name, labels, scores), flush=True)


def changed(paths: list[Path], version: str, folder: Path) -> Iterator[Path]:
    """Write a version of each video."""
    folder.mkdir()
    for index, path in enumerate(paths):
        with av.open(path) as container:
            rate = round(float(container.streams.video[0].average_rate or 25))
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        pictures = [VERSIONS[version](frame.astype(np.float32)) for frame in frames]
        target = folder / f"{index}.mp4"
        write_video(target, [np.rint(picture).clip(0, 255).astype(np.uint8) for picture in pictures], rate)
        yield target


def row_of(name: str, labels: NDArray[np.int64], scores: list[VideoScore]) -> str:
    called = np.array([score.verdict == "fake" for score in scores])
    missed = np.array([score.verdict == "real" for score in scores])
    scored = np.array([score.probability is not None for score in scores])
    probabilities = np.array([score.probability for score in scores if score.probability is not None])
    genuine, fakes = labels == 0, labels == 1
    cells = [
        f"{called[genuine].sum()} of {genuine.sum()}",
        f"{(~scored).sum()} of {len(scores)}",
        f"{missed[fakes].sum()} of {fakes.sum()}",
        f"{area(labels[scored], probabilities):.3f}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
