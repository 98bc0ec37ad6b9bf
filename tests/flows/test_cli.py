"""The `unmask` command as a user types it."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from components.bundle import Bundle
from flows.commands.options import candidates_like
from flows.commands.training import recipes_like
from tests.flows import forked
from tests.flows.forked import Done

ROOT = Path(__file__).parents[2]
Unmask = Callable[..., Done]


@pytest.fixture
def unmask(tmp_path: Path) -> Unmask:
    """Runs the command in an empty folder."""

    def run(*arguments: object, cwd: Path = tmp_path) -> Done:
        environment = {"COLUMNS": "200", "MLFLOW_TRACKING_URI": ""}
        return forked.unmask(*arguments, cwd=cwd, environment=environment)

    return run


def test_help_answers_at_once_and_teaches(unmask: Unmask) -> None:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "flows.cli", "--help"], cwd=ROOT, check=True, capture_output=True)
    assert time.perf_counter() - began < 5  # under a second where nothing else runs
    told = unmask("--help")
    assert told.returncode == 0
    for command in (
        "sample-data",
        "run",
        "tune",
        "recipes",
        "augment-preview",
        "score",
        "batch",
        "serve",
        "up",
    ):
        assert command in told.stdout
        assert unmask(command, "--help").returncode == 0


def test_names_of_recipes_and_candidates_are_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNMASK_PROJECT", str(ROOT))
    assert recipes_like("frame_") == ["frame_224", "frame_380"]
    assert candidates_like("simple") == ["simple_cnn"]
    monkeypatch.setenv("UNMASK_PROJECT", str(tmp_path))  # no project
    assert recipes_like("") == candidates_like("") == []


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_mistake_in_the_parameters_is_told_before_anything_is_planned(
    unmask: Unmask, tmp_path: Path, options: tuple[str, ...]
) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("\n  epochs:", "\n  epoch:", 1), encoding="utf-8")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    told = unmask("run", *options)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.endswith(
        "params.yaml: unknown key 'training.epoch'; remove it or correct its spelling\n"
    )
    assert told.stderr.count("\n") == 1


def test_score_tells_what_became_of_every_kind_of_file(
    unmask: Unmask,
    real_bundle: Bundle,
    sample_data: Path,
    make_video: Callable[..., Path],
    make_sound: Callable[[Path], Path],
    cut_short: Callable[[float], Path],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "text.mp4").write_text("not a video", encoding="utf-8")
    (folder / "empty.mp4").touch()
    (folder / "truncated.mp4").write_bytes(cut_short(0.05).read_bytes())
    (folder / "face.mp4").symlink_to(next((sample_data / "real").glob("*.mp4")))
    make_video(folder / "faceless.mp4")
    make_sound(folder / "sound.mp4")
    (folder / "dangling.mp4").symlink_to("gone.mp4")  # as a shell's *.mp4 would bring it
    (folder / "linked").symlink_to(sample_data / "manifest.csv")
    (folder / "more").mkdir()
    (folder / "more" / "no_suffix").symlink_to((folder / "face.mp4").resolve())
    (folder / "more" / "up").symlink_to(folder)
    done = unmask("score", folder, "--bundle", real_bundle.folder, "--json")
    assert done.returncode == 0, done.stderr
    left_out = "1 file that is no video (linked), 1 folder listed under another path (more/up)"
    assert f"{folder}: left out: {left_out}\n" in done.stderr
    rows = {Path(row["path"]).name: row for row in map(json.loads, done.stdout.splitlines())}
    statuses = {name: row["status"] for name, row in rows.items()}
    assert statuses == {
        "text.mp4": "undecodable",
        "empty.mp4": "undecodable",
        "truncated.mp4": statuses["truncated.mp4"],
        "face.mp4": "ok",
        "no_suffix": "ok",
        "faceless.mp4": "no_face",
        "sound.mp4": "undecodable",
        "dangling.mp4": "undecodable",
    }
    assert statuses["truncated.mp4"] in {"undecodable", "too_short"}
    for name, row in rows.items():
        scored = name in {"face.mp4", "no_suffix"}
        assert (row["probability"] is not None) == scored
        assert (row["verdict"] != "undetermined") == scored
        assert scored or row["reason"]
        assert len(row["faces"]) == scored
        assert row["fallback"] is None


@pytest.fixture
def two_people(sample_data: Path, tmp_path: Path) -> Path:
    """Two sample videos side by side."""
    path = tmp_path / "two.mp4"
    halves = [[frame.to_ndarray(format="rgb24") for frame in frames(video)] for video in people(sample_data)]
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.height, stream.width = halves[0][0].shape[0], 2 * halves[0][0].shape[1]
        for left, right in zip(*halves, strict=False):
            picture = av.VideoFrame.from_ndarray(np.hstack([left, right]), "rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def people(sample_data: Path) -> list[Path]:
    videos = sorted((sample_data / "real").glob("*.mp4"))
    return [videos[0], videos[-1]]


def frames(video: Path) -> Iterator[av.VideoFrame]:
    with av.open(video) as container:
        yield from container.decode(video=0)


def test_every_face_is_told_and_what_has_none_is_marked(
    unmask: Unmask, real_bundle: Bundle, two_people: Path, make_video: Callable[..., Path], tmp_path: Path
) -> None:
    crop = real_bundle.info.crop.model_copy(update={"tracks": "all", "fallback": "center"})
    folder = Path(shutil.copytree(real_bundle.folder, tmp_path / "bundle"))
    info = real_bundle.info.model_copy(update={"crop": crop})
    (folder / "bundle.json").write_text(info.model_dump_json(), encoding="utf-8")
    faceless = make_video(tmp_path / "faceless.mp4")
    table = tmp_path / "scores.csv"
    command = ("score", two_people, faceless, "--bundle", folder)
    told = unmask(*command, "--json", "--output", table)
    two, none = map(json.loads, told.stdout.splitlines())
    assert (two["fallback"], len(two["faces"])) == (None, 2), told.stderr
    assert two["probability"] == max(face["probability"] for face in two["faces"])
    assert [face["probability"] == two["probability"] for face in two["faces"]] == [
        face["decisive"] for face in two["faces"]
    ]
    with av.open(two_people) as container:
        half = container.streams.video[0].width / 2
    assert {face["box"][0] > half for face in two["faces"]} == {False, True}
    assert (none["status"], none["fallback"], none["face_share"]) == ("ok", "center", 0.0)
    assert (none["probability"] is not None, none["faces"]) == (True, [])
    assert list(pd.read_csv(table, keep_default_na=False)["fallback"]) == ["", "center"]
    shown = unmask(*command).stdout
    assert "highest of 2 faces" in shown
    assert f"{none['verdict']} (center)" in shown
    assert "no usable face: the middle of the frame was scored" in shown


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_score_writes_a_table(
    unmask: Unmask, real_bundle: Bundle, sample_data: Path, tmp_path: Path, name: str
) -> None:
    videos = sorted((sample_data / "real").glob("*.mp4"))[:2]
    done = unmask("score", *videos, "--bundle", real_bundle.folder, "--output", tmp_path / name)
    assert done.returncode == 0, done.stderr
    assert "real" in done.stdout
    table = pd.read_parquet(tmp_path / name) if name.endswith("parquet") else pd.read_csv(tmp_path / name)
    assert list(table["path"]) == [str(video) for video in videos]
    assert table["probability"].between(0, 1).all()
    faces = table["faces"] if name.endswith("parquet") else table["faces"].map(json.loads)
    assert [found[0]["probability"] for found in faces] == list(table["probability"])


def test_mistakes_end_in_one_line_and_2(unmask: Unmask, bundle: Bundle, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    old = Path(shutil.copytree(bundle.folder, tmp_path / "old"))
    content = json.loads((old / "bundle.json").read_text(encoding="utf-8"))
    (old / "bundle.json").write_text(json.dumps(content | {"crop_version": 1, "crop": {"frames": 8}}))
    cases = {
        "made with crop version 1, this code cuts version": ("score", __file__, "--bundle", old),
        f"{tmp_path}/absent.mp4: No such file": (
            "score",
            __file__,
            tmp_path / "absent.mp4",
            "--bundle",
            bundle.folder,
        ),
        f"{empty}: no videos": ("score", empty, "--bundle", bundle.folder),
        "--output": ("score", empty, "--bundle", bundle.folder, "--output", "scores.xlsx"),
        "not a bundle": ("score", __file__, "--bundle", empty),
        "no project here": ("run",),
    }
    for told, arguments in cases.items():
        done = unmask(*arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert told in done.stderr, (arguments, done.stderr)
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1


def test_a_missing_champion_says_how_to_get_one(
    unmask: Unmask, empty_store: Path, sample_data: Path, tmp_path: Path
) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "mlflow.db").write_bytes(empty_store.read_bytes())
    for command in (("score", sample_data), ("serve", "--port", "0")):
        done = unmask(*command)
        assert done.returncode == 2
        assert "no alias 'champion'" in done.stderr
        assert "unmask run" in done.stderr
        assert "Traceback" not in done.stderr


def test_sample_data_refuses_a_folder_of_somebody_else(unmask: Unmask, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    done = unmask("sample-data", tmp_path / "mine")
    assert done.returncode == 2
    assert "thesis.txt" in done.stderr
