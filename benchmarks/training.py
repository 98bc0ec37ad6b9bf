"""What training costs: loader against step, against a bare loop, memory, and what kept features are worth.

    python benchmarks/training.py                           # all that a CPU can do
    python benchmarks/training.py --parts rates --names simple_cnn
    python benchmarks/training.py --full --workers 0 8 16   # recipes as published, on a GPU if there is one
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.recipes import ROOT, Reduced, recipe, shape, smaller
from benchmarks.training_clips import render, sources
from benchmarks.training_features import GAIN, kept_features
from benchmarks.training_overhead import MOST, overhead
from benchmarks.training_precision import precisely
from benchmarks.training_rates import rates
from components.faces.policy import CropPolicy
from components.params import CandidateParams, load_params
from components.params.recipes import recipe_names

Rows = Iterator[tuple[str, dict[str, Any]]]
"""What was measured, by name, each as soon as it is known."""

LONG, SHORT = 8, 2
"""Steps of an epoch: of small candidates or a GPU, and of large ones on a CPU."""

LOADED = 32
"""Clips that are loaded without a training, at least."""

PARTS = ("rates", "recipes", "overhead", "features", "precision")


class Subject(NamedTuple):
    """A candidate that is measured."""

    name: str
    settings: CandidateParams
    policy: CropPolicy

    @property
    def shape(self) -> str:
        _, most = self.settings.frame_range
        return shape(self.settings, self.policy.size, most)


def main() -> None:
    arguments = told()
    if arguments.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # also for the processes that measure
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
    parser.add_argument("--full", action="store_true", help="recipes with their published side and batch")
    parser.add_argument("--side", type=float, default=0.5, help="of the published one, without --full")
    parser.add_argument("--batch", type=int, default=4, help="clips of a recipe's batch, without --full")
    parser.add_argument("--pairs", type=int, default=20, help="of epochs that overhead is the median of")
    parser.add_argument("--people", type=int, default=4, help="to render, with two videos each")
    parser.add_argument("--clips", type=Path, help="folder in which the cut clips stay")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures")
    return parser.parse_args()


@contextmanager
def clips_folder(kept: Path | None, people: int) -> Iterator[Path]:
    with TemporaryDirectory(prefix="unmask-clips-") as scratch:
        folder = kept or Path(scratch)
        render(folder, people)
        yield folder


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns, run in a fresh process: memory and warm caches are its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def candidates(names: Sequence[str] | None) -> list[Subject]:
    """Of params.yaml."""
    params = load_params(ROOT / "params.yaml")
    return [
        Subject(name, settings, params.faces)
        for name, settings in params.candidates.items()
        if not names or name in names
    ]


def recipes(arguments: argparse.Namespace) -> list[Subject]:
    """As published, or of the same kind and smaller."""
    found = []
    for name in recipe_names(ROOT / "recipes"):
        if arguments.names and name not in arguments.names:
            continue
        params = recipe(name)
        if not arguments.full:
            side = params.candidates[name].augmentation.crop or params.faces.size
            reduced = Reduced(size=round(side * arguments.side), batch=arguments.batch)
            params = smaller(params, reduced)
        found.append(Subject(name, params.candidates[name], params.faces))
    return found


def show_rates(subjects: Sequence[Subject], told: argparse.Namespace, folder: Path, batches: int) -> Rows:
    """Of epochs of so many steps."""
    by_workers = " / ".join(map(str, told.workers))
    header(
        "candidate", "step", "step, clips/s", f"loader cold, {by_workers} workers", f"warm, {by_workers}",
        f"waiting, {by_workers}", "in the first epoch", "bottleneck", "peak GB", "GPU GB",
    )  # fmt: skip
    for subject in subjects:
        settings = subject.settings
        clips = batches * settings.batch_size * settings.accumulate // (2 if settings.self_blended else 1)
        loaded, epochs = max(clips, LOADED), 2 if batches < LONG else 3
        work = (rates, settings, subject.policy, folder, clips, loaded, tuple(told.workers), epochs)
        found = alone(measured, *work)
        warm = max(found.warm.values())
        row(
            subject.name, subject.shape, f"{found.step:.1f}", slashed(found.cold), slashed(found.warm),
            percent({count: later for count, (_, later) in found.waiting.items()}),
            percent({count: first for count, (first, _) in found.waiting.items()}),
            f"{'step' if warm > found.step else 'LOADER'} ({warm / found.step:.1f}×)",
            f"{found.resident:.2f}", f"{found.reserved:.2f}",
        )  # fmt: skip
        yield subject.name, found._asdict()


def show_candidates(told: argparse.Namespace, folder: Path, gpu: bool) -> Rows:
    print("\nLoader and step, candidates of params.yaml")
    yield from show_rates(candidates(told.names), told, folder, LONG)


def show_recipes(told: argparse.Namespace, folder: Path, gpu: bool) -> Rows:
    print(f"\nLoader and step, recipes {'as published' if told.full else 'reduced'}")
    yield from show_rates(recipes(told), told, folder, LONG if gpu else SHORT)


def show_overhead(told: argparse.Namespace, folder: Path, gpu: bool) -> Rows:
    print(f"\nUnmask's step against a bare PyTorch loop; target ≤ {MOST:g}")
    header("candidate", "step", "Unmask, ms", "bare, ms", "ratio", "quartiles", "pairs")
    for subject in [*candidates(told.names), *(recipes(told) if gpu else [])]:
        if subject.settings.optimizer.sam:
            continue  # two evaluations a step: a bare loop would be a copy of ours
        found = alone(measured, overhead, subject.settings, subject.policy, folder, told.pairs)
        low, high = found.spread
        row(
            subject.name, subject.shape, f"{1e3 * found.ours:.2f}", f"{1e3 * found.bare:.2f}",
            f"{found.ratio:.3f}", f"{low:.3f} to {high:.3f}", f"{found.pairs}",
        )  # fmt: skip
        yield subject.name, found._asdict()


def show_features(told: argparse.Namespace, folder: Path, gpu: bool) -> Rows:
    print(f"\nFeatures of frozen backbones, seconds; target of first/later: ≥ {GAIN:g}")
    header(
        "candidate", "step", "clips", "features", "first epoch", "later epochs", "of these steps",
        "first/later", "epoch through the backbone", "that/later",
    )  # fmt: skip
    for subject in recipes(told):
        if not subject.settings.cache_features:
            continue
        clips = 16 * subject.settings.batch_size
        found = alone(measured, kept_features, subject.settings, subject.policy, folder, clips)
        row(
            subject.name, subject.shape, f"{clips}", f"{found.features:.2f}", f"{found.first:.2f}",
            f"{found.later:.3f}", f"{found.steps:.3f}", f"{found.gain:.0f}", f"{found.without:.2f}",
            f"{found.gain_of_epochs:.0f}",
        )  # fmt: skip
        yield subject.name, found._asdict() | {"gain": found.gain}


def show_precision(told: argparse.Namespace, folder: Path, gpu: bool) -> Rows:
    print("\nfp32 and bf16 from the same start, on held-out people")
    header(
        "candidate",
        "precision",
        "best epoch",
        "validation loss",
        "AUC",
        "F1",
        "last training loss",
        "s/epoch",
        "GPU GB",
    )
    for subject in candidates(told.names):
        for precision in ("fp32", "bf16"):
            epochs = subject.settings.epochs if gpu else 3
            found = alone(measured, precisely, subject.settings, subject.policy, folder, precision, epochs)
            best = found.best
            row(
                subject.name, precision, f"{best.epoch + 1} of {epochs}", f"{best.val_loss:.3f}",
                f"{best.val_auc:.3f}", f"{best.val_f1:.3f}", f"{found.last.train_loss:.3f}",
                f"{found.step:.2f}", f"{found.reserved:.2f}",
            )  # fmt: skip
            yield f"{subject.name}, {precision}", found._asdict()


MEASURES: Mapping[str, Callable[[argparse.Namespace, Path, bool], Rows]] = {
    "rates": show_candidates,
    "recipes": show_recipes,
    "overhead": show_overhead,
    "features": show_features,
    "precision": show_precision,
}


def measured(
    work: Callable[..., Any], settings: CandidateParams, policy: CropPolicy, folder: Path, *rest: Any
) -> Any:
    """Measure with the clips of a folder. They are read where they are needed, not sent."""
    return work(settings, policy, sources(folder), *rest)


def slashed(values: Mapping[int, float]) -> str:
    return " / ".join(f"{value:.0f}" for value in values.values())


def percent(values: Mapping[int, float]) -> str:
    return " / ".join(f"{100 * value:.0f} %" for value in values.values())


def header(*names: str) -> None:
    row(*names)
    row(*("---" for _ in names))


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
