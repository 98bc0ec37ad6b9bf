"""Every recipe: one optimisation step at its full published size on the CPU.

    python benchmarks/recipes.py                     # all of them, one after the other
    python benchmarks/recipes.py xception --threads 2
    python benchmarks/recipes.py --size 64 --batch 4 # the same checks on a smaller step

Each recipe is taken as `unmask run --recipe` would, from random weights (its published start may be out of
reach), in a process of its own, on made-up clips. Held against what must be: the loss is finite; gradients
reach every weight that should learn and none that is frozen; after the step the former have changed and the
latter, with the statistics of frozen batch norms, are the same to the bit; the network exported to ONNX says
what torch says to 1e-4, on clips of different lengths and on padded ones. Memory is the highest of the whole
process. Exits with 1 if anything is not as it must be.
"""

import argparse
import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.recipe_steps import one_step
from components.params import CandidateParams, Params
from components.params.recipes import read_recipe, recipe_names, recipe_params

ROOT = Path(__file__).parents[1]


class Reduced(NamedTuple):
    """What is made smaller; None: as published."""

    size: int | None = None  # px of what the network sees
    batch: int | None = None
    frames: tuple[int, int] | None = None  # in place of a range
    backbone: str | None = None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", help="by default all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", type=int, help="px, instead of the published size")
    parser.add_argument("--batch", type=int, help="clips, instead of the published batch")
    parser.add_argument("--checkpointing", action="store_true", help="less memory, a longer step")
    arguments = parser.parse_args()
    reduced = Reduced(arguments.size, arguments.batch)
    print("| recipe | step | loss | s/step | peak GB | learning | frozen | ONNX | |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    sound = True
    for name in arguments.recipes or recipe_names(ROOT / "recipes"):
        # A process for each, so that its memory is its own.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            line, faults = process.submit(
                check, name, reduced, arguments.threads, arguments.checkpointing
            ).result()
        print(line, flush=True)
        for fault in faults:
            print(f"    {name}: {fault}", flush=True)
        sound = sound and not faults
    sys.exit(0 if sound else 1)


def check(name: str, reduced: Reduced, threads: int, checkpointing: bool) -> tuple[str, tuple[str, ...]]:
    """A row of the table, and what is not as it must be."""
    params = smaller(recipe(name), reduced)
    settings = params.candidates[name].model_copy(update={"num_threads": threads})
    step = one_step(settings, params.faces, checkpointing)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    cells = (
        name,
        shape(settings, params.faces.size, step.frames),
        f"{step.loss:.3f}",
        f"{step.seconds:.1f}{' (recomputed)' if checkpointing else ''}",
        f"{peak:.1f}",
        f"{step.learning / 1e6:.2f} M",
        f"{step.frozen / 1e6:.2f} M",
        f"{step.parity:.1e}",
        "wrong" if step.faults else "sound",
    )
    return f"| {' | '.join(cells)} |", step.faults


def shape(settings: CandidateParams, size: int, frames: int) -> str:
    times = f"{settings.accumulate} × " if settings.accumulate > 1 else ""
    px = settings.augmentation.crop or size
    return f"{times}{settings.batch_size} clips, {frames} frames of {px} px, {settings.precision}"


def recipe(name: str) -> Params:
    """The shipped parameters with a recipe applied, from random weights."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    params = recipe_params(text, read_recipe(name, ROOT / "recipes"))
    settings = params.candidates[name]
    network = settings.network.model_copy(update={"pretrained": False})
    return with_settings(params, name, network=network)


def smaller(params: Params, reduced: Reduced) -> Params:
    """The same with less of what costs time; loss, optimiser, schedule and kind of network stay."""
    (name, settings), = params.candidates.items()  # fmt: skip
    augmentation, faces = settings.augmentation, params.faces
    changes: dict[str, object] = {}
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
    if reduced.backbone and hasattr(settings.network, "backbone"):
        changes["network"] = settings.network.model_copy(update={"backbone": reduced.backbone})
    return with_settings(params.model_copy(update={"faces": faces}), name, **changes)


def with_settings(params: Params, name: str, **changes: object) -> Params:
    """Parameters with some settings of a candidate changed."""
    changed = params.candidates[name].model_copy(update=changes)
    return params.model_copy(update={"candidates": params.candidates | {name: changed}})


if __name__ == "__main__":
    main()
