"""What training costs: loader against step, against a bare loop, memory, and what kept features are worth.

    python benchmarks/training.py                           # all that a CPU can do
    python benchmarks/training.py --parts rates --names simple_cnn
    python benchmarks/training.py --full --workers 0 8 16   # recipes at full size, on a GPU if there is one
    python benchmarks/training.py --clips DIR               # keeps what is rendered and cut, or takes
                                                            # what is there: a project's artifacts/clips

Every line is measured in a process of its own, on clips of a few rendered people, which are repeated under
other names and scaled to the side that a candidate stores. The trainings are those of
`components.training.fit`, watched from outside, with the threads that params.yaml gives a candidate.

    rates      Candidates of params.yaml: clips/s that are learnt from, and clips/s that the loader yields
               without a training, by worker processes: cold, when clips are decoded whole and kept (their
               compressed files are in the page cache), and warm, when they are mapped. Waiting is the share
               of the time of an epoch's batches that goes to fetching them. An epoch is short here, which
               overstates what workers are waited for. Peaks are of the training process.
    recipes    The same of every recipe; without --full on a share of its side and on small batches.
    overhead   Seconds of a step against the same step in a bare PyTorch loop, in turns of an epoch, on the
               same batches in memory: CPU seconds of the process on a CPU, wall time on a GPU.
    features   A frozen backbone: epochs whose features are kept against those through the backbone.
    precision  fp32 against bf16 from the same start, on held-out people. By default only where there is a
               GPU, and only worth reading with many --people, 72 for instance.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

PARTS = ("rates", "recipes", "overhead", "features", "precision")


def main() -> None:
    arguments = told()
    if arguments.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # also for the processes that measure
    # Not above: every process of a loader imports this file anew.
    import torch  # noqa: PLC0415

    from benchmarks.training_tables import MEASURES  # noqa: PLC0415

    gpu = torch.cuda.is_available()
    parts = arguments.parts or [part for part in PARTS if gpu or part != "precision"]
    found: dict[str, Any] = {}
    with clips_folder(arguments.clips, arguments.people) as folder:
        for part in parts:
            rows = MEASURES[part](arguments, folder, gpu)
            found[part] = dict(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS)
    parser.add_argument("--names", nargs="+", help="of candidates and recipes; by default all")
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto")
    parser.add_argument("--workers", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--full", action="store_true", help="recipes with their own side and batch")
    parser.add_argument("--side", type=float, default=0.5, help="of the recipe's, without --full")
    parser.add_argument("--batch", type=int, default=4, help="clips of a recipe's batch, without --full")
    parser.add_argument("--pairs", type=int, default=20, help="of epochs that overhead is the median of")
    parser.add_argument("--people", type=int, default=4, help="to render, with two videos each")
    parser.add_argument("--clips", type=Path, help="folder in which the cut clips stay")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures")
    return parser.parse_args()


@contextmanager
def clips_folder(kept: Path | None, people: int) -> Iterator[Path]:
    from benchmarks.training_clips import render  # noqa: PLC0415

    with TemporaryDirectory(prefix="unmask-clips-") as scratch:
        folder = kept or Path(scratch)
        render(folder, people)
        yield folder


if __name__ == "__main__":
    main()
