"""How fair the sample data is: what single features alone say about a clip's class.

python benchmarks/sample_fairness.py            # makes the sample of the shipped settings first, and times it
python benchmarks/sample_fairness.py FOLDER     # measures one that is there
"""

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from components.export.detector import convert
from sample import generate
from sample.fairness import BOUNDS, ClipLook, face_finder, feature_aucs, look_at_clips, thumbnail_aucs

console = Console()


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else timed_sample(Path(scratch) / "sample")
        networks = Path(scratch) / "detector"
        convert(networks)
        clips = look_at_clips(folder, face_finder(networks))
        looks = list(track(clips, "measuring", console=Console(stderr=True)))
    report(looks)


def timed_sample(folder: Path) -> Path:
    start = time.perf_counter()
    generate(folder)
    console.print(f"made in {time.perf_counter() - start:.0f} s")
    return folder


def report(looks: list[ClipLook]) -> None:
    table = Table("feature", "folded AUC", "at most", title=f"{len(looks)} clips")
    for name, auc in feature_aucs(looks).items():
        table.add_row(name, f"{auc:.3f}", f"{BOUNDS[name]:.2f}")
    for name, auc in thumbnail_aucs(looks).items():
        table.add_row(f"16×16 thumbnail of the {name}, logistic regression", f"{auc:.3f}", "")
    console.print(table)
    found, searched = sum(look.faces for look in looks), sum(look.searched for look in looks)
    console.print(f"a face found in {found} of {searched} frames ({found / searched:.2%})")


if __name__ == "__main__":
    main()
