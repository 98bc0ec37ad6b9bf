import csv
import json
from pathlib import Path

import pytest
import yaml
from dvc_render.vega import VegaRenderer

from components.ingest.statistics.statistics import compute_statistics
from components.ingest.statistics.tables import write_tables

ROOT = Path(__file__).parents[4]


def read(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_labels_by_split_and_dataset(mixed, tmp_path: Path) -> None:
    write_tables(compute_statistics(mixed), tmp_path)
    rows = read(tmp_path / "labels.csv")
    assert rows[0] == {"split": "train", "label": "real", "videos": "1", "dataset": "costs $5 or $6"}
    assert sum(int(row["videos"]) for row in rows) == 36


def test_methods_by_split(mixed, tmp_path: Path) -> None:
    write_tables(compute_statistics(mixed), tmp_path)
    rows = read(tmp_path / "methods.csv")
    assert {"method": "swap", "label": "fake", "videos": "6", "split": "test"} in rows


def test_shares_of_each_class_sum_to_one(mixed, make_row, tmp_path: Path) -> None:
    write_tables(compute_statistics([*mixed, make_row(duration=100.0)]), tmp_path)
    rows = read(tmp_path / "formats" / "duration.csv")
    assert (rows[0]["bin"], rows[-1]["bin"]) == ("3–5 s", "60–300 s")
    for label in ("real", "fake"):
        assert sum(float(row["share"]) for row in rows if row["label"] == label) == pytest.approx(1, abs=1e-5)


def test_an_empty_table_has_its_header(tmp_path: Path) -> None:
    write_tables(compute_statistics([]), tmp_path)
    assert (tmp_path / "methods.csv").read_text() == "method,label,videos,split\n"
    assert (tmp_path / "formats" / "fps.csv").read_text() == "bin,label,share,videos\n"


def test_neither_videos_nor_people_are_named(make_row, tmp_path: Path) -> None:
    row = make_row(video_id="Ann Example 3", path="data/Ann Example 3.mp4", identities=["Ann Example"])
    write_tables(compute_statistics([row]), tmp_path)
    tables = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.csv"))
    assert "Example" not in tables + compute_statistics([row]).model_dump_json()


def plots() -> list[tuple[str, dict]]:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return [item for plot in stages["describe"]["plots"] for item in plot.items()]


@pytest.mark.parametrize(("path", "plot"), plots(), ids=[path for path, _ in plots()])
def test_dvc_draws_the_tables(path: str, plot: dict, mixed, tmp_path: Path) -> None:
    write_tables(compute_statistics(mixed), tmp_path / "reports" / "dataset")
    target = tmp_path / path
    for file in sorted(target.iterdir()) if target.is_dir() else [target]:
        rows = [row | {"rev": "workspace"} for row in read(file)]
        drawn = VegaRenderer(
            rows, file.name, x=plot["x"], y=plot["y"], template=plot["template"],
            template_dir=str(ROOT / ".dvc" / "plots"),
        ).get_filled_template()  # fmt: skip
        assert "<DVC_METRIC" not in json.dumps(drawn)
        assert drawn["spec"]["encoding"]["x"]["scale"] == {"zero": True}
