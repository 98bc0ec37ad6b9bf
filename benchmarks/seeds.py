"""The leaderboard over several training seeds, on the present clips and splits.

    python benchmarks/seeds.py --seeds 7 8 9

Needs a project whose stages up to `faces` have run (`make demo` does that). Trains every candidate once per
seed in a folder of its own and leaves the project untouched. The winner of a seed is chosen on validation
videos; the figures are of test videos. Prints the Markdown table that stands in docs/results.md.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--project", type=Path, default=Path())
    arguments = parser.parse_args()
    results = {seed: evaluate(arguments.project.resolve(), seed) for seed in arguments.seeds}
    print(table(results))


def evaluate(project: Path, seed: int) -> dict:
    """Train and evaluate all candidates with one seed; return evaluation.json."""
    with TemporaryDirectory(prefix="unmask-seed-") as folder:
        copy = Path(folder)
        (copy / "artifacts").mkdir()
        for name in ("manifest.parquet", "faces.parquet"):
            shutil.copy(project / "artifacts" / name, copy / "artifacts" / name)
        (copy / "artifacts" / "clips").symlink_to(project / "artifacts" / "clips")
        params = yaml.safe_load((project / "params.yaml").read_text())
        params["training"]["seed"] = seed
        (copy / "params.yaml").write_text(yaml.safe_dump(params))
        for candidate in params["candidates"]:
            stage(copy, "train", candidate)
        stage(copy, "evaluate")
        return json.loads((copy / "reports" / "evaluation.json").read_text())


def stage(folder: Path, *arguments: str) -> None:
    """Run one stage in a folder; its log goes to standard error."""
    subprocess.run(
        [sys.executable, "-m", "components", *arguments], cwd=folder, check=True, stdout=sys.stderr
    )


def table(results: dict[int, dict]) -> str:
    """Test AUC of each candidate and seed, with the mean; then of the winners."""
    seeds = list(results)
    rows = [
        f"| test AUC | {' | '.join(f'seed {seed}' for seed in seeds)} | mean |",
        "| --- |" + " ---: |" * (len(seeds) + 1),
    ]
    for name in sorted(next(iter(results.values()))["candidates"]):
        rows += [row(name, [results[seed]["candidates"][name]["test"]["auc"] for seed in seeds])]
    winners = [results[seed]["candidates"][results[seed]["winner"]]["test"]["auc"] for seed in seeds]
    names = ", ".join(results[seed]["winner"] for seed in seeds)
    return "\n".join([*rows, row("**winner on validation**", winners), "", f"Winners by seed: {names}."])


def row(name: str, values: list[float]) -> str:
    cells = [f"{value:.3f}" for value in [*values, statistics.mean(values)]]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
