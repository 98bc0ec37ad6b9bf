"""`unmask faces`, as a user types it, and what it tells."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import yaml
from PIL import Image

from components.bundle import Bundle
from components.errors import DataError
from components.faces.clip import Faces, Failure, Origin
from components.faces.look import Look, Sighted
from components.faces.policy import CropPolicy
from components.video.frames import VideoInfo
from components.video.sampling import Even
from flows.cli import main
from flows.faces import Viewed, look_line, print_view, ranks, setup, view
from flows.sheet import MOST_VIDEOS, WIDTH, reserved, write_sheet
from tests.flows import forked
from tests.flows.forked import Done

ROOT = Path(__file__).parents[2]
Unmask = Callable[..., Done]
MakeFaces = Callable[..., Faces]


@pytest.fixture
def unmask(tmp_path: Path) -> Unmask:
    def run(*arguments: object) -> Done:
        environment = {"COLUMNS": "200", "HOME": str(tmp_path)}
        return forked.unmask("faces", *arguments, cwd=tmp_path, environment=environment)

    return run


def face(frame: int, track: int, side: float = 40.0) -> Sighted:
    box = np.array([10, 10, 10 + side, 10 + side], np.float32)
    return Sighted(frame, track, box, 0.9, np.full((5, 2), 30, np.float32))


def made(result: Faces | Failure, seen: Sequence[Sighted] = (), scored: tuple[int, ...] = ()) -> Look:
    return Look(
        result=result,
        info=VideoInfo(30, 25.0, 160, 120, 1.2, "h264", 1000),
        times=np.arange(4.0),
        pictures=np.full((4, 120, 160, 3), 128, np.uint8),
        sighted=tuple(seen),
        scored=scored,
        cpu=0.5,
        wall=1.0,
    )


def drawn(path: Path, *looks: Look | Failure) -> Any:
    write_sheet(path, [Viewed(f"{index}.mp4", look) for index, look in enumerate(looks)])
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_a_video_is_shown(
    unmask: Unmask, real_bundle: Bundle, sample_data: Path, make_video: Callable[..., Path], tmp_path: Path
) -> None:
    video = next((sample_data / "real").glob("*.mp4"))
    nobody = make_video(tmp_path / "nobody.mp4")
    sheet = tmp_path / "new" / "sheet.png"
    done = unmask(video, nobody, "--bundle", real_bundle.folder, "--sheet", sheet, "--tracks", "all")
    assert done.returncode == 0, done.stderr
    assert "4 of 4" in done.stdout
    assert "no_face: no face in any of 4 frames" in done.stdout
    assert str(sheet) in done.stdout
    with Image.open(sheet) as picture:
        assert picture.width == WIDTH
        assert picture.height > 600


def test_a_project_brings_policy_and_detector(
    unmask: Unmask, detector: Path, sample_data: Path, tmp_path: Path
) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "detector").symlink_to(detector)
    done = unmask(next((sample_data / "fake").glob("*.mp4")), "--frames", 3)
    assert done.returncode == 0, done.stderr
    assert "3 of 3" in done.stdout
    assert not (tmp_path / ".cache" / "unmask").exists()


def test_mistakes_end_in_one_line_and_2(unmask: Unmask, bundle: Bundle, tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.touch()
    many = tmp_path / "many"
    many.mkdir()
    for number in range(MOST_VIDEOS + 1):
        (many / f"{number}.mp4").touch()
    cases = {
        "give a video": ("absent.mp4",),
        "use .png": (video, "--sheet", "a.jpg"),
        "is a folder": (video, "--sheet", tmp_path),
        "name another folder": (video, "--sheet", video / "a.png"),
        "name a params.yaml that exists": (video, "--params", "absent.yaml"),
        "No such file": ("absent.mp4", "--sheet", tmp_path / "new" / "a.png"),
        "/proc/version.png": (video, "--sheet", "/proc/version.png"),
        "at most 24": (many, "--sheet", tmp_path / "new" / "a.png"),
        "not a bundle": (video, "--bundle", tmp_path),
        "name one of them": (video, "--bundle", bundle.folder, "--params", "a.yaml"),
    }
    for message, arguments in cases.items():
        done = unmask(*arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert message in done.stderr, (arguments, done.stderr)
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob(".*.png"))


def test_options_change_the_policy(bundle: Bundle) -> None:
    assert setup(bundle.folder, None, None, None).policy == bundle.info.crop
    changed = setup(bundle.folder, None, "all", 7)
    assert changed.policy == bundle.info.crop.model_copy(update={"tracks": "all", "sampling": Even(frames=7)})
    assert changed.detector == bundle.detector
    assert changed.limits == bundle.info.limits


@pytest.mark.parametrize(
    ("seen", "scored", "expected"),
    [
        ([], (), {}),
        ([(0, 0), (0, 1), (1, 1)], (), {1: 0, 0: 1}),  # seen more often
        ([(0, 0), (0, 1), (1, 1)], (0,), {0: 0, 1: 1}),  # scored
        ([(0, 0), (0, 1), (0, 2), (1, 2)], (1, 0), {1: 0, 0: 1, 2: 2}),
    ],
)
def test_scored_faces_come_first(
    seen: list[tuple[int, int]], scored: tuple[int, ...], expected: dict[int, int]
) -> None:
    look = made(Failure("no_face", "-"), [face(*one) for one in seen], scored)
    assert ranks(look) == expected


def test_the_table_says_why_a_face_is_not_scored(
    make_faces: MakeFaces, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    seen = [face(frame, 0) for frame in range(4)] + [face(0, 1), face(1, 1), face(3, 2)]
    look = made(make_faces(4, 32), seen, (0,))
    print_view(Viewed("[red]a.mp4", look), CropPolicy(min_face_share=0.5))
    printed = capsys.readouterr().out
    assert "[red]a.mp4" in printed
    rows = [line for line in printed.splitlines() if line.startswith("│")]
    assert [row.split("│")[-2].strip() for row in rows] == [
        "yes",
        "not main",
        "< 50%",
    ]
    assert "4 of 4" in rows[0]
    assert "3.00 s" in rows[2]


def test_a_fallback_is_told(make_faces: MakeFaces, capsys: pytest.CaptureFixture[str]) -> None:
    faces = make_faces(4, 32)
    middle = Faces(faces.clips, faces.times, 4, 0, "center", faces.info)
    print_view(Viewed("a.mp4", made(middle)), CropPolicy(fallback="center"))
    printed = " ".join(capsys.readouterr().out.split())
    assert "no face is scored, the middle of the frame stands in" in printed
    assert "scored: 0" in printed


def test_a_sheet_shows_boxes_and_crops(make_faces: MakeFaces, tmp_path: Path) -> None:
    bare = drawn(tmp_path / "bare.png", made(Failure("no_face", "-")))
    boxed = drawn(tmp_path / "boxed.png", made(Failure("no_face", "-"), [face(0, 0)]))
    full = drawn(tmp_path / "full.png", made(make_faces(4, 32), [face(0, 0)], (0,)))
    assert bare.shape == boxed.shape
    assert (bare != boxed).any()
    assert full.shape[0] > boxed.shape[0]


@pytest.mark.parametrize("size", [(120, 160), (160, 90), (2, 480), (480, 2), (1, 1)])
def test_pictures_of_every_shape_fit(size: tuple[int, int], tmp_path: Path) -> None:
    look = made(Failure("no_face", "-"), [face(0, 0)])
    pictures = np.zeros((4, *size, 3), np.uint8)
    picture = drawn(tmp_path / "a.png", Look(**(vars(look) | {"pictures": pictures})))
    assert picture.shape[1] == WIDTH


@pytest.mark.parametrize(
    "corners", [(0, 0, 0, 0), (50, 50, 10, 10), (-1e6, -1e6, 1e6, 1e6), (1e6, 0, 1e6, 5)]
)
def test_odd_boxes_do_not_stop_a_sheet(corners: tuple[float, ...], tmp_path: Path) -> None:
    odd = Sighted(0, 0, np.array(corners, np.float32), 1.0, np.full((5, 2), np.nan, np.float32))
    assert drawn(tmp_path / "a.png", made(Failure("no_face", "-"), [odd])).shape[1] == WIDTH


def test_a_box_between_two_that_is_far_larger_than_the_picture_is_drawn_at_once(
    make_faces: MakeFaces, tmp_path: Path
) -> None:
    faces = make_faces(4, 32)
    box = np.full((4, 4), 1e6, np.float32) * (-1, -1, 1, 1)
    clip = replace(faces.main, boxes=box, origins=np.full(4, Origin.INTERPOLATED, np.uint8))
    look = made(replace(faces, clips=(clip,)), [face(0, 0)], (0,))
    tiny = replace(look, info=replace(look.info, width=1, height=1))
    start = time.process_time()
    drawn(tmp_path / "a.png", tiny)
    assert time.process_time() - start < 10  # it took minutes


def test_more_than_a_worker_can_hold_is_refused(tmp_path: Path) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["faces"] |= {"size": 1024, "tracks": "main"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    with pytest.raises(DataError, match=r"^--tracks, --frames: .*at most 1024; lower one of them$"):
        setup(None, tmp_path / "params.yaml", "all", 500)


def test_names_and_failures_stand_on_a_sheet(tmp_path: Path) -> None:
    long = "x" * 400 + "\n$\\frac"
    write_sheet(tmp_path / "a.png", [Viewed(long, Failure("undecodable", "no"))])
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == WIDTH


def test_a_sheet_that_cannot_be_written_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(DataError, match="--sheet"):
        write_sheet(tmp_path / "a.png", [Viewed("a.mp4", Failure("undecodable", "no"))])
    with pytest.raises(DataError, match="is a folder"), reserved(tmp_path / "a.png", 1):
        pass


def test_work_that_fails_leaves_no_sheet_and_keeps_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(b"before")
    for sheet in (tmp_path / "old.png", tmp_path / "new" / "deep" / "a.png"):
        with pytest.raises(KeyboardInterrupt), reserved(sheet, 1):
            raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["old.png"]
    assert (tmp_path / "old.png").read_bytes() == b"before"


def test_videos_come_in_the_order_given_without_pictures(
    make_faces: MakeFaces, monkeypatch: pytest.MonkeyPatch, bundle: Bundle
) -> None:
    look = made(make_faces(4, 32), [face(0, 0)], (0,))
    finished = iter([(1, look), (0, look), (2, Failure("undecodable", "no"))])
    monkeypatch.setattr("flows.faces.WorkerPool", lambda *_: nullcontext(Mock(look=lambda _: finished)))
    names = ["a", "b", "c"]
    views = view([Path(name) for name in names], names, setup(bundle.folder, None, None, None), 1, False)
    first = next(views)
    assert first.name == "a"
    assert next(finished)[0] == 2  # nobody has waited for the last one
    assert isinstance(first.found, Look)
    assert isinstance(first.found.result, Faces)
    assert first.found.pictures.size == first.found.result.main.crops.size == 0
    assert look_line(first.found) == look_line(look)
    assert [one.name for one in views] == ["b"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("faces", "interrupted\n"),
        ("batch", "interrupted; run the same command again to go on\n"),
    ],
)
def test_only_what_is_stored_goes_on(
    command: str, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["unmask", command])
    monkeypatch.setattr("flows.cli.app", Mock(side_effect=SystemExit(130)))
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == expected
