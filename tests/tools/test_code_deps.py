"""What code each stage of dvc.yaml depends on, and so what a change of code runs again."""

from pathlib import Path

import pytest
import yaml

from tools.code_deps import GRAPH, ROOT, code_of, entries, written

TEXT = GRAPH.read_text(encoding="utf-8")
STAGES = {name: stage.get("do", stage) for name, stage in yaml.safe_load(TEXT)["stages"].items()}


def test_dvc_yaml_has_the_code_that_stages_import() -> None:
    """If it has not: python tools/code_deps.py."""
    assert written(TEXT) == TEXT


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_has_an_entry_and_its_code_is_there(name: str) -> None:
    code = [dep for dep in STAGES[name]["deps"] if dep.startswith("components/")]
    assert entries(name)
    assert code == code_of(name)
    assert all((ROOT / dep).exists() for dep in code)


def rerun(file: str) -> set[str]:
    """The stages that a change of a file of `components` runs again."""
    places = {f"components/{file}", *(f"components/{place}" for place in map(str, Path(file).parents))}
    assert (ROOT / "components" / file).is_file()
    return {name for name, stage in STAGES.items() if places & set(stage["deps"])}


VIDEO = {"ingest", "describe", "faces"}
MODEL = {"train", "ensemble", "export"}


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("splits/assignment.py", {"ingest", "validate"}),
        ("splits/near_duplicates.py", {"ingest"}),
        ("ingest/statistics/figures.py", {"describe"}),
        ("datasets/adding.py", set()),
        ("validation/suite.py", {"validate"}),
        ("validation/templates/page.css", {"validate"}),
        ("faces/smooth.py", {"faces"}),
        ("detectors/mtcnn.py", {"faces"}),
        ("video/frames.py", VIDEO),
        ("faces/worker.py", VIDEO),
        ("faces/look.py", set()),
        ("faces/store.py", {"faces", *MODEL}),
        ("faces/crop.py", {"faces", "train", "ensemble"}),
        ("models/backbone.py", MODEL),
        ("training/sam.py", {"train"}),
        ("training/predict.py", {"train", "ensemble"}),
        ("training/dataset.py", {"train", "ensemble"}),
        ("ensemble/combination.py", {"ensemble"}),
        ("evaluation/slices.py", {"evaluate", "gate"}),
        ("evaluation/bars.py", {"evaluate"}),
        ("evaluation/gate.py", {"gate", "export"}),
        ("export/onnx.py", {"export"}),
        ("export/mtcnn.py", {"detector", "faces", "export"}),
        ("bundle.py", {"evaluate", "gate", "export"}),
        ("params/networks.py", {"resolve"}),
        ("tuning/study.py", set()),
        ("tracking/runs.py", set()),
        ("preview/sheet.py", set()),
        ("errors.py", set()),
    ],
)
def test_a_change_of_code_runs_the_stages_that_import_it(file: str, stages: set[str]) -> None:
    assert rerun(file) == stages


def test_only_lines_of_code_are_written() -> None:
    graph = (
        "stages:\n  gate:\n    cmd: python -m components gate\n    deps:\n      - a # stays\n"
        "      - components/gone.py\n    outs: [b]\n"
    )
    after = written(graph)
    assert yaml.safe_load(after)["stages"]["gate"]["deps"] == ["a", *code_of("gate")]
    assert "- a # stays\n" in after
    assert "gone" not in after
