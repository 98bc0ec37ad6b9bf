"""The leaderboard over several training seeds, on the present clips and splits.

    python benchmarks/seeds.py --seeds 7 8 9
    python benchmarks/seeds.py --only efficientnet_frame --set network.pretrained=false
    python benchmarks/seeds.py --only simple_cnn --set learn_from=genuine self_blended=1

Needs a project whose stages up to `faces` have run (`make demo` does that). Trains every candidate once per
seed in a folder of its own and leaves the project untouched. The winner of a seed is chosen on validation
videos; the figures are of test videos. Prints the Markdown tables that stand in docs/results.md.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--only", nargs="+", metavar="CANDIDATE", help="instead of all in params.yaml")
    parser.add_argument(
        "--set",
        nargs="+",
        metavar="KEY=VALUE",
        default=[],
        help="of every candidate, e.g. epochs=3",
    )
    arguments = parser.parse_args()
    project = arguments.project.resolve()
    params = changed(yaml.safe_load((project / "params.yaml").read_text()), arguments.only, arguments.set)
    results = {seed: evaluate(project, params, seed) for seed in arguments.seeds}
    print(table(results), methods(results), sep="\n\n")


def changed(params: dict, only: Sequence[str] | None, settings: Sequence[str]) -> dict:
    """The parameters with some of their candidates, all of which have other settings."""
    candidates = {name: params["candidates"][name] for name in only or params["candidates"]}
    for candidate in candidates.values():
        for setting in settings:
            key, _, value = setting.partition("=")
            *sections, last = key.split(".")
            place = candidate
            for section in sections:
                place = place.setdefault(section, {})
            place[last] = yaml.safe_load(value)
    ensemble = {} if only else params.get("ensemble", {})
    return params | {"candidates": candidates, "ensemble": ensemble}


def evaluate(project: Path, params: dict, seed: int) -> dict:
    """Train and evaluate all candidates with one seed; return evaluation.json."""
    with TemporaryDirectory(prefix="unmask-seed-") as folder:
        copy = Path(folder)
        (copy / "artifacts").mkdir()
        for name in ("manifest.parquet", "faces.parquet"):
            shutil.copy(project / "artifacts" / name, copy / "artifacts" / name)
        (copy / "artifacts" / "clips").symlink_to(project / "artifacts" / "clips")
        seeded = params | {"training": params["training"] | {"seed": seed}}
        (copy / "params.yaml").write_text(yaml.safe_dump(seeded))
        for candidate in params["candidates"]:
            stage(copy, "train", candidate)
        stage(copy, "ensemble")
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
    rows = [heading("test AUC", [*(f"seed {seed}" for seed in seeds), "mean"])]
    for name in names(results):
        values = [results[seed]["candidates"][name]["test"]["auc"] for seed in seeds]
        rows.append(row(name, [*values, statistics.mean(values)]))
    winners = [results[seed]["candidates"][results[seed]["winner"]]["test"]["auc"] for seed in seeds]
    rows.append(row("**winner on validation**", [*winners, statistics.mean(winners)]))
    told = ", ".join(results[seed]["winner"] for seed in seeds)
    return "\n".join([*rows, "", f"Winners by seed: {told}."])


def methods(results: dict[int, dict]) -> str:
    """Mean test AUC over the seeds of each candidate against each method of forgery."""
    first = next(iter(results.values()))
    kinds = sorted(next(iter(first["candidates"].values()))["methods"])
    rows = [heading(f"mean test AUC of {len(results)} seeds against", kinds)]
    for name in names(results):
        found = [
            [one["candidates"][name]["methods"][kind]["auc"] for one in results.values()] for kind in kinds
        ]
        rows.append(row(name, [statistics.mean(values) for values in found]))
    return "\n".join(rows)


def names(results: dict[int, dict]) -> list[str]:
    return sorted(next(iter(results.values()))["candidates"])


def heading(first: str, others: Sequence[str]) -> str:
    return f"| {first} | {' | '.join(others)} |\n| --- |{' ---: |' * len(others)}"


def row(name: str, values: Sequence[float]) -> str:
    return f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |"


if __name__ == "__main__":
    main()
