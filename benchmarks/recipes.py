"""Every recipe: one optimisation step at its full size on the CPU; and what it learns in little.

    python benchmarks/recipes.py                     # all of them, one after the other
    python benchmarks/recipes.py xception comparison.simple_cnn --threads 2
    python benchmarks/recipes.py --size 64 --batch 4 # the same checks on a smaller step

Each recipe is taken as `unmask run --recipe` would, from random weights (its own start may be out of
reach), in a process of its own, on made-up clips. Held against what must be: the loss is finite; gradients
reach every weight that should learn and none that is frozen; after the step the former have changed and the
latter, with the statistics of frozen batch norms, are the same to the bit; the network exported to ONNX says
what torch says to 1e-4, on clips of different lengths and on padded ones. Memory is the highest of the whole
process. Exits with 1 if anything is not as it must be.

    python benchmarks/recipes.py --overfit           # eight clips are learnt by heart: AUC of at least 0.99
    python benchmarks/recipes.py --shuffled          # labels that mean nothing teach nothing: 0.5 ± 0.1;
                                                     # the same people's right labels do: at least 0.65

These two train each recipe's own network with its loss, optimiser, rate, schedule and augmentation, from
random weights, on pictures of 64 or 32 px, batches of 8, and 3 to 5 frames where it has 10 to 30. Those that
would take too many steps from there begin with the EfficientNet-B0 that Unmask ships. To learn by heart, none
makes forgeries of its clips, which would be others each time.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.recipe_steps import one_step
from benchmarks.recipe_trainings import ENOUGH, overfit, shuffled
from components.params import CandidateParams, Params
from components.params.document import apply_recipe
from components.params.reading import read_yaml
from components.params.recipes import read_recipe, recipe_names

ROOT = Path(__file__).parents[1]


class Reduced(NamedTuple):
    """What is made smaller; None: as the recipe has it."""

    size: int | None = None  # px of what the network sees
    batch: int | None = None
    frames: tuple[int, int] | None = None  # in place of a range
    backbone: str | None = None
    stored: int | None = None  # frames of each clip, where the recipe looks at single ones
    pretrained: bool = False  # from the weights that Unmask ships for this backbone


BY_HEART = Reduced(size=64, batch=8, frames=(3, 5), stored=4)
WITH_A_START = BY_HEART._replace(backbone="efficientnet_b0.ra_in1k", pretrained=True)
NEED_A_START = ("self_blended", "transformer_finetuned")
"""Rates of 0.001 with SGD, and of 1e-6: from random weights they take thousands of steps."""

BY_CHANCE = Reduced(size=32, batch=8, frames=(3, 5), stored=2)
BY_CHANCE_WITH_A_START = WITH_A_START._replace(size=32, stored=2)
BLIND_WITHOUT_A_START = ("frame_380", "self_blended")
"""From random weights, these do not learn from right labels either in so few steps."""

BLIND = ("resnet50",)
"""Nor does this, for which no weights are shipped: that shuffled labels teach it nothing says little."""

LEARNT = 0.65
"""AUC of right labels, at the best of 15 epochs. Set after frame_224 had ended at .658."""

EPOCHS = {"transformer_finetuned": 200}
"""At most, to overfit."""

MOST_EPOCHS = 60

Row = tuple[tuple[str, ...], tuple[str, ...]]
"""Cells of the table, and what is not as it must be."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", help="by default all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", type=int, help="px, instead of the recipe's")
    parser.add_argument("--batch", type=int, help="clips, instead of the recipe's")
    parser.add_argument("--overfit", action="store_true")
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--epochs", type=int, help=f"at most, to overfit; by default {MOST_EPOCHS} or so")
    parser.add_argument("--checkpointing", action="store_true", help="less memory, a longer step")
    arguments = parser.parse_args()
    names = detectors(arguments.recipes or recipe_names(ROOT / "recipes"))
    if arguments.overfit:
        head = "recipe | learnt | AUC | loss | epochs | s"
        calls = [(check_overfit, name, arguments.threads, arguments.epochs) for name in names]
    elif arguments.shuffled:
        head = "recipe | learnt | AUC, labels shuffled | AUC, labels right, best epoch | s"
        calls = [(check_shuffled, name, arguments.threads) for name in names]
    else:
        reduced = Reduced(arguments.size, arguments.batch)
        head = "recipe | step | loss | s/step | peak GB | learning | frozen | ONNX"
        calls = [(check, name, reduced, arguments.threads, arguments.checkpointing) for name in names]
    print(f"| {head} | |\n|{' --- |' * (head.count('|') + 2)}")
    sound = [report(*call) for call in calls]
    sys.exit(0 if all(sound) else 1)


def report(check: Callable[..., Row], name: str, *others: object) -> bool:
    """Print what a check says of a recipe; false where something is wrong."""
    # A process for each, so that its memory is its own.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        cells, faults = process.submit(check, name, *others).result()
    print(f"| {' | '.join((name, *cells, 'wrong' if faults else 'sound'))} |", flush=True)
    for fault in faults:
        print(f"    {name}: {fault}", flush=True)
    return not faults


def check(name: str, reduced: Reduced, threads: int, checkpointing: bool) -> Row:
    params = smaller(recipe(name), reduced)
    settings = params.candidates[name].model_copy(update={"num_threads": threads})
    step = one_step(settings, params.faces, checkpointing)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    cells = (
        shape(settings, params.faces.size, step.frames),
        f"{step.loss:.3f}",
        f"{step.seconds:.1f}{' (recomputed)' if checkpointing else ''}",
        f"{peak:.1f}",
        f"{step.learning / 1e6:.2f} M",
        f"{step.frozen / 1e6:.2f} M",
        f"{step.parity:.1e}",
    )
    return cells, step.faults


def check_overfit(name: str, threads: int, epochs: int | None = None) -> Row:
    params = smaller(recipe(name), by_heart(name), threads)
    began = time.perf_counter()
    epochs = epochs or EPOCHS.get(name, MOST_EPOCHS)
    found = overfit(params, name, epochs)
    cells = (
        told(params.candidates[name], params.faces.size),
        f"{found.auc:.3f}",
        f"{found.loss:.3f}",
        f"{found.epochs} of {epochs}",
        f"{time.perf_counter() - began:.0f}",
    )
    return cells, () if found.auc >= ENOUGH else (f"AUC {found.auc:.3f} of clips that it has learnt from",)


def check_shuffled(name: str, threads: int) -> Row:
    params = smaller(recipe(name), by_chance(name), threads)
    began = time.perf_counter()
    found, control = shuffled(params, name), shuffled(params, name, really=False)
    cells = (
        told(params.candidates[name], params.faces.size),
        f"{found.auc:.3f}",
        f"{control.best:.3f}",
        f"{time.perf_counter() - began:.0f}",
    )
    astray = [f"AUC {found.auc:.3f} of labels that mean nothing"] if abs(found.auc - 0.5) > 0.1 else []
    blind = [f"AUC {control.best:.3f} of right labels"] if control.best < LEARNT and name not in BLIND else []
    return cells, (*astray, *blind)


def by_heart(name: str) -> Reduced:
    """How a recipe learns eight clips."""
    return WITH_A_START if name in NEED_A_START else BY_HEART


def by_chance(name: str) -> Reduced:
    """How a recipe learns from shuffled labels, so that it would learn from right ones."""
    return BY_CHANCE_WITH_A_START if name in BLIND_WITHOUT_A_START else BY_CHANCE


def told(settings: CandidateParams, size: int) -> str:
    """What was reduced."""
    px = settings.augmentation.crop or size
    backbone = getattr(settings.network, "backbone", None)
    return f"{backbone}, {settings.frames} frames of {px} px, batches of {settings.batch_size}"


def shape(settings: CandidateParams, size: int, frames: int) -> str:
    times = f"{settings.accumulate} × " if settings.accumulate > 1 else ""
    px = settings.augmentation.crop or size
    return f"{times}{settings.batch_size} clips, {frames} frames of {px} px, {settings.precision}"


def detectors(names: Sequence[str]) -> list[str]:
    """Of recipes, by name; those of a recipe of several candidates as RECIPE.CANDIDATE."""
    return [detector for name in names for detector in _candidates(name)]


def _candidates(name: str) -> list[str]:
    if "." in name:
        return [name]
    candidates = list(_applied(name).candidates)
    return [name] if candidates == [name] else [f"{name}.{candidate}" for candidate in candidates]


def _applied(name: str) -> Params:
    params = ROOT / "params.yaml"
    return apply_recipe(read_yaml(params), read_recipe(name, ROOT / "recipes"), params)


def recipe(name: str) -> Params:
    """The shipped parameters with a recipe applied, from random weights.

    Args:
        name: one of `detectors`, and then that of the only candidate.
    """
    recipe_name, _, candidate = name.partition(".")
    params = _applied(recipe_name)
    settings = params.candidates[candidate or recipe_name]
    start = {"pretrained": False} if hasattr(settings.network, "pretrained") else {}
    params = params.model_copy(update={"candidates": {name: settings}})
    # What is shown here is shown by steps; how many make an epoch is of no matter.
    return with_settings(params, name, network=settings.network.model_copy(update=start), draws_per_clip=1)


def smaller(params: Params, reduced: Reduced, threads: int = 1) -> Params:
    """The same with less of what costs time; loss, optimiser, schedule and kind of network stay."""
    (name, settings), = params.candidates.items()  # fmt: skip
    augmentation, faces = settings.augmentation, params.faces
    changes: dict[str, object] = {"num_threads": threads}
    if reduced.size:
        stored = round(faces.size * reduced.size / (augmentation.crop or faces.size))
        crop = reduced.size if augmentation.crop else None
        faces = faces.model_copy(update={"size": max(stored, 32)})
        changes["augmentation"] = augmentation.model_copy(update={"crop": crop})
    if reduced.batch:
        changes["batch_size"] = reduced.batch
    if reduced.frames and isinstance(settings.frames, tuple):
        least, most = reduced.frames
        changes["frames"] = reduced.frames
        sampling = faces.sampling.model_copy(update={"least": least, "most": most})
        faces = faces.model_copy(update={"sampling": sampling})
    if reduced.stored and not isinstance(settings.frames, tuple):
        sampling = faces.sampling.model_copy(update={"frames": reduced.stored})
        faces = faces.model_copy(update={"sampling": sampling})
    if reduced.backbone and hasattr(settings.network, "backbone"):
        start = {"pretrained": "bundled"} if reduced.pretrained else {}
        changes["network"] = settings.network.model_copy(update={"backbone": reduced.backbone, **start})
    return with_settings(params.model_copy(update={"faces": faces}), name, **changes)


def with_settings(params: Params, name: str, **changes: object) -> Params:
    """Parameters with some settings of a candidate changed."""
    changed = params.candidates[name].model_copy(update=changes)
    return params.model_copy(update={"candidates": params.candidates | {name: changed}})


if __name__ == "__main__":
    main()
