import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.params import load_params, merged
from components.params.edit import edited, write_settings

SHIPPED = Path(__file__).parents[3] / "params.yaml"
TEXT = SHIPPED.read_text(encoding="utf-8")
SMALL = """# first

training:       # of all
  epochs: 25    # whole ones
  optimizer:
    name: adamw # or adam
    lr: 0.0005  # of a step
    decay: 0.1

  # stops early
  patience: 3

candidates:     # one each
  a:
    width: 8    # px

gate:
  auc: 0.8      # at least
"""


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training": {"epochs": 3, "frames": [10, 30]}},
        {"training": {"optimizer": {"lr": 1e-6, "sam": 0.05}}},
        {"training": {"schedule": {"name": "cosine", "floor": 0.1}}},
        {"candidates": {"simple_cnn": {"optimizer": {"lr": 2e-5}, "loss": {"name": "focal", "alpha": 0.5}}}},
        {"candidates": {"new": {"network": {"name": "simple_cnn"}}}, "export": {"opset": 19, "new": None}},
    ],
)
def test_the_file_reads_as_the_merged_document_and_a_second_time_changes_nothing(
    changes: dict[str, Any],
) -> None:
    text = edited(TEXT, changes)
    assert yaml.safe_load(text) == merged(yaml.safe_load(TEXT), changes)
    assert edited(text, changes) == text
    assert (text == TEXT) == (changes == {})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"training": {"epochs": 7}}, SMALL.replace("epochs: 25 ", "epochs: 7  ")),
        (
            {"training": {"optimizer": {"sam": 0.05}}, "gate": {"f1": 0.5}},
            SMALL.replace("    decay: 0.1\n", "    decay: 0.1\n    sam: 0.05\n") + "  f1: 0.5\n",
        ),
        (
            {"training": {"optimizer": {"name": "sgd", "lr": 1e-6}}},
            SMALL.replace("name: adamw # or", "name: sgd   # or")
            .replace("lr: 0.0005  #", "lr: 1.0e-06 #")
            .replace("    decay: 0.1\n", ""),
        ),
        (
            {"candidates": {"b": {"frames": (10, 30), "note": "on"}}},
            SMALL.replace("  a:\n    width: 8    # px", "  b:\n    frames: [10, 30]\n    note: 'on'"),
        ),
    ],
)
def test_comments_and_gaps_stay_where_they_belong(changes: dict[str, Any], expected: str) -> None:
    assert edited(SMALL, changes, whole=[("candidates",)]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  b:      # stays\n    c: 1  # stays\n    d: {f: 3}\n    g:\n      h: 1\n\n# stays\nz: 5\n",
        "a:\n  b: &x {c: 1, d: {e: 2, f: 3}}\nz: *x\n",
        "z: &x {c: 7, f: 3}\na:\n  b:\n    <<: *x\n    d: 3\n",
        "z: &x {e: 2, f: 3}\na:\n  b: {c: 1, d: *x}\n",
    ],
)
def test_of_a_whole_section_nothing_else_stays_however_deep_and_other_sections_do(text: str) -> None:
    new = {"c": 1, "d": {"e": 9}}
    after = edited(text, {"a": {"b": new}}, whole=[("a", "b")])
    assert yaml.safe_load(after) == {"a": {"b": new}, "z": yaml.safe_load(text)["z"]}
    assert after.count("# stays") == text.count("# stays")


def test_the_file_keeps_its_permissions_and_is_valid_after_an_edit(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(TEXT, encoding="utf-8")
    file.chmod(0o640)
    write_settings(file, {"candidates": {"simple_cnn": {"optimizer": {"lr": 1e-6}}}})
    assert load_params(file).candidates["simple_cnn"].optimizer.lr == 1e-6
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
