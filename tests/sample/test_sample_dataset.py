"""What `unmask sample-data` leaves in a folder, and when it refuses."""

import csv
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from components.errors import BusyError, DataError
from sample import SampleSettings, generate
from sample.forgery import METHODS


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_person_has_one_genuine_and_one_forged_clip(tiny_sample: Path) -> None:
    rows = manifest(tiny_sample)
    assert list(rows[0]) == ["path", "label", "identity", "source", "method"]
    for label in ("real", "fake"):
        targets = [row["identity"].split(";")[0] for row in rows if row["label"] == label]
        assert targets == [f"p{person:03d}" for person in range(8)]
    assert all((tiny_sample / row["path"]).is_file() for row in rows)
    assert len(list(tiny_sample.rglob("*.mp4"))) == 16


def test_a_coin_decides_which_segment_is_forged(tiny_sample: Path) -> None:
    segments = {row["path"][-5] for row in manifest(tiny_sample) if row["label"] == "fake"}
    assert segments == {"a", "b"}


def test_both_clips_of_a_person_share_one_session(tiny_sample: Path) -> None:
    sessions: dict[str, set[str]] = {}
    for row in manifest(tiny_sample):
        sessions.setdefault(row["identity"].split(";")[0], set()).add(row["source"])
    assert all(len(sources) == 1 for sources in sessions.values())
    assert len(set.union(*sessions.values())) == 8


def test_methods_are_balanced_and_swaps_are_mutual(tiny_sample: Path) -> None:
    forged = [row for row in manifest(tiny_sample) if row["label"] == "fake"]
    methods = [row["method"] for row in forged]
    assert {method: methods.count(method) for method in METHODS} == dict.fromkeys(METHODS, 2)
    swaps = [tuple(row["identity"].split(";")) for row in forged if row["method"] == "swap"]
    assert swaps == [("p000", "p001"), ("p001", "p000")]


def test_an_odd_last_person_is_never_left_to_swap_alone(
    tmp_path: Path, tiny_settings: SampleSettings
) -> None:
    generate(tmp_path, tiny_settings.model_copy(update={"people": 9, "frames": 2}), progress=False)
    last = [row for row in manifest(tmp_path) if row["identity"].startswith("p008")]
    assert [row["method"] for row in last] == ["self_blend", "none"]


def test_clips_open_in_both_readers(tiny_sample: Path, tiny_settings: SampleSettings) -> None:
    path = tiny_sample / manifest(tiny_sample)[0]["path"]
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert (stream.codec.name, stream.width, stream.height) == ("h264", 160, 120)
        assert stream.average_rate == tiny_settings.fps
        assert len(list(container.decode(video=0))) == tiny_settings.frames
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT) == tiny_settings.frames


def test_every_forgery_has_its_mask_beside_it(tiny_sample: Path, tiny_settings: SampleSettings) -> None:
    for clip in (tiny_sample / "fake").glob("*.mp4"):
        with np.load(clip.with_suffix(".mask.npz")) as stored:
            masks = stored["masks"]
        assert masks.shape == (tiny_settings.frames, 120, 160)
        assert masks.dtype == np.bool_
        assert (masks.mean(axis=(1, 2)) > 0.05).all()
    assert not list((tiny_sample / "real").glob("*.npz"))


def test_the_number_of_workers_does_not_change_a_byte(
    tmp_path: Path, tiny_sample: Path, tiny_settings: SampleSettings
) -> None:
    generate(tmp_path, tiny_settings.model_copy(update={"workers": 2}), progress=False)
    assert digests(tmp_path) == digests(tiny_sample)


def test_a_complete_sample_is_left_alone_and_a_lost_clip_is_made_again(
    tmp_path: Path, tiny_settings: SampleSettings
) -> None:
    settings = tiny_settings.model_copy(update={"people": 2})
    generate(tmp_path, settings, progress=False)
    before, lost = digests(tmp_path), next((tmp_path / "fake").glob("p001_?.mp4"))
    kept = next((tmp_path / "real").glob("p000_?.mp4"))
    made = kept.stat().st_mtime_ns
    lost.unlink()
    (tmp_path / "fake" / ".p001_a.mp4.4711").write_text("half a clip")
    generate(tmp_path, settings, progress=False)
    assert digests(tmp_path) == before
    assert kept.stat().st_mtime_ns == made


KILLED = """
import os, signal, sys
from pathlib import Path
from sample import SampleSettings, dataset

def write_and_die(*arguments):
    write(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

write, dataset.write_video = dataset.write_video, write_and_die
dataset.generate(Path(sys.argv[1]), SampleSettings.model_validate_json(sys.argv[2]), progress=False)
"""


def test_a_killed_generator_is_taken_up_again(
    tmp_path: Path, tiny_sample: Path, tiny_settings: SampleSettings
) -> None:
    alone = tiny_settings.model_copy(update={"workers": 1})
    command = [sys.executable, "-c", KILLED, str(tmp_path), alone.model_dump_json()]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob("*/*.mp4"))) == 1
    generate(tmp_path, tiny_settings, progress=False)
    assert digests(tmp_path) == digests(tiny_sample)


def test_other_settings_replace_the_sample(tmp_path: Path, tiny_settings: SampleSettings) -> None:
    small = tiny_settings.model_copy(update={"people": 2, "frames": 2})
    generate(tmp_path, tiny_settings.model_copy(update={"people": 3, "frames": 2}), progress=False)
    first = digests(tmp_path)
    generate(tmp_path, small.model_copy(update={"seed": 1}), progress=False)
    second = digests(tmp_path)
    assert len(second) == 2 + 2 * 3
    assert not set(first.values()) & {second[name] for name in second if name.endswith(".mp4")}


@pytest.mark.parametrize("name", ["holiday.mp4", "real/p000_a.mp4", ".hidden.1"])
def test_a_folder_with_other_files_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(DataError, match=name):
        generate(tmp_path, progress=False)
    assert digests(tmp_path) == {name: hashlib.sha256(b"mine").hexdigest()}


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(DataError, match="is a file"):
        generate(tmp_path / "data", progress=False)


def test_two_generators_never_share_a_folder(tmp_path: Path, tiny_settings: SampleSettings) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="another process"):
            generate(tmp_path, tiny_settings, progress=False)
    finally:
        os.close(handle)


def test_progress_goes_to_standard_error(
    tmp_path: Path, tiny_settings: SampleSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    generate(tmp_path, tiny_settings.model_copy(update={"people": 2, "frames": 2}), progress=True)
    shown = capsys.readouterr()
    assert "2/2" in shown.err
    assert shown.out == ""
