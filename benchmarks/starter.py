r"""The starter weights, from nothing: render people, cut their faces, forge them, train, write the file.

    python benchmarks/starter.py --folder /tmp/starter --output /tmp/starter/first.safetensors
    python benchmarks/starter.py --folder /tmp/starter --start /tmp/starter/first.safetensors \
        --epochs 12 --lr 5e-4

Makes components/models/weights/efficientnet_b0_faces.safetensors: the backbone without classifier, fp16.
Prints the figures that stand beside it. What an interrupted run has left in `--folder` is taken over. Every
tenth person is held out. No clip of the sample data is seen, neither in training nor for any choice.
"""

import argparse
import os
import time
from pathlib import Path

from safetensors.torch import save_file
from starter_faces import SEED, Faces, faces_of
from starter_training import ARCHITECTURE, GREY, GenuineOrForged, Settings, held_out_auc, train, weights

WEIGHTS = Path("components/models/weights") / f"{ARCHITECTURE}_faces.safetensors"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=36)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument(
        "--start", type=Path, metavar="FILE", help="weights to go on from, with colours that vary"
    )
    parser.add_argument("--seed", type=int, default=5, help="of weights, order and forgeries")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="that render and cut")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/starter"))
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    make(parser.parse_args())


def make(arguments: argparse.Namespace) -> None:
    """Go all the way, and print what was reached."""
    start = time.monotonic()
    learnt, held_out = parts(faces_of(arguments.people, arguments.folder, arguments.workers))
    made = time.monotonic()
    settings = Settings(
        arguments.seed, arguments.epochs, arguments.lr, arguments.start, threads=arguments.threads
    )
    before = held_out_auc(GenuineOrForged(settings), held_out)
    checkpoints = "colours" if arguments.start else "checkpoints"
    module = train(learnt, held_out, settings, arguments.folder / checkpoints)
    ended = time.monotonic()
    write(module, arguments.output)
    print(f"people: {len(learnt.people)} learnt from, {len(held_out.people)} held out; data seed {SEED}")
    print(f"minutes: {(made - start) / 60:.1f} for data, {(ended - made) / 60:.1f} for training")
    print(f"AUC on held-out people: {before:.3f} before, {held_out_auc(module, held_out):.3f} after")
    print(f"the same in grey: {held_out_auc(module, held_out, GREY):.3f}")
    print(f"from the file: {held_out_auc(read_back(module, arguments.output), held_out):.3f}")
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")


def parts(faces: Faces) -> tuple[Faces, Faces]:
    """To learn from, and held out: every tenth person."""
    held_out = faces.people % 10 == 9
    return faces.only(~held_out), faces.only(held_out)


def write(module: GenuineOrForged, path: Path) -> None:
    """The backbone's weights and running statistics, fp16; how many batches these are of is left out."""
    state = {
        name: tensor.half().contiguous()
        for name, tensor in module.backbone.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)


def read_back(module: GenuineOrForged, path: Path) -> GenuineOrForged:
    """The module with the backbone that a file holds."""
    module.backbone.load_state_dict(weights(path))
    return module


if __name__ == "__main__":
    main()
