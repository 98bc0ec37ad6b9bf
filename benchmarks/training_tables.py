"""The tables of `benchmarks/training.py`: what is measured, each line in a process of its own."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.recipes import ROOT, Reduced, recipe, shape, smaller
from benchmarks.training_clips import sources
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


class Subject(NamedTuple):
    """A candidate that is measured."""

    name: str
    settings: CandidateParams
    policy: CropPolicy

    @property
    def shape(self) -> str:
        _, most = self.settings.frame_range
        return shape(self.settings, self.policy.size, most)


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
    """At full size, or of the same kind and smaller."""
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
    print(f"\nLoader and step, recipes {'at full size' if told.full else 'reduced'}")
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
        clips = 8 * subject.settings.batch_size
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
                subject.name, precision, f"{best.epoch} of {epochs}", f"{best.val_loss:.3f}",
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
