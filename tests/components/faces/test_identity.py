"""What decides a clip's pixels is in the digest of a cut, and nothing else is."""

import ast
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from components.errors import StageError
from components.faces import identity
from components.faces.detector import PROVIDER_VARIABLE
from components.faces.identity import APART, FILES, ROOM, cut_digest, detector_files
from components.faces.policy import CropPolicy, MediapipePolicy, MtcnnPolicy, NoDetector
from components.ingest import examined

CUTTING = {
    *("policy", "limits", "container", "formats", "video", "seek", "ahead", "sampling"),
    *("survey", "pauses", "repeats", "gallery"),
    *("rendering", "dynamic_range", "source", "pictures", "picture_decoder", "picture_files"),
    *("colour", "detections", "detector", "mtcnn", "pyramid", "boxes", "blaze_face", "full_frame"),
    *("track", "appearance", "smooth", "cutter", "crop", "align", "clip", "extract"),
}
MODULES = {path.stem for path in ROOM.glob("*.py")}


def test_modules_that_decide_nothing_are_there() -> None:
    assert APART <= MODULES


def imported(module: str) -> set[str]:
    """Modules of the room that one of them imports, wherever in it."""
    nodes = ast.walk(ast.parse((ROOM / f"{module}.py").read_text(encoding="utf-8")))
    names = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[2] for name in names if name.startswith("components.faces.")}


def closure(modules: Iterable[str]) -> set[str]:
    """Modules, and all that they import, and what those import."""
    found: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module not in found:
            found.add(module)
            todo += imported(module)
    return found


def test_every_module_decides_pixels_or_does_not() -> None:
    assert not CUTTING & APART
    assert MODULES - APART == CUTTING & MODULES  # a new module belongs into one of the two


def test_what_decides_pixels_needs_nothing_that_does_not() -> None:
    assert closure(CUTTING & MODULES) - CUTTING <= {"identity"}  # which names a detector's files
    assert closure(["extract", "detector"]) <= CUTTING | {"identity"}


def test_what_examines_is_in_the_digest_of_examinations() -> None:
    assert set(examined.MODULES) == closure(["examine"]) | {
        "worker"
    }  # it turns what goes wrong into an answer


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the code, and an empty detector beside it."""
    room = shutil.copytree(ROOM, tmp_path / "room", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(identity, "ROOM", room)
    for name in (*FILES["mtcnn"], *FILES["mediapipe"]):
        (tmp_path / name).touch()
    return room


@pytest.mark.parametrize("module", sorted(MODULES))
def test_other_code_is_another_cut_where_it_decides_pixels(room: Path, module: str) -> None:
    before = cut_digest(CropPolicy(), room.parent)
    assert cut_digest(CropPolicy(), room.parent) == before
    with (room / f"{module}.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert (cut_digest(CropPolicy(), room.parent) == before) is (module in APART)


def test_a_module_that_nobody_has_thought_of_decides_pixels(room: Path) -> None:
    before = cut_digest(CropPolicy(), room.parent)
    (room / "rectify.py").touch()
    assert cut_digest(CropPolicy(), room.parent) != before


def test_other_libraries_are_another_cut(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"av": "18.1", "opencv-python-headless": "5.0", "onnxruntime-gpu": "1.31"}

    def digests() -> list[str]:
        return [cut_digest(CropPolicy(detector=detector), room.parent) for detector in detectors]

    detectors = (MtcnnPolicy(), NoDetector(name="none"))
    monkeypatch.setattr(identity, "versions", lambda names: {name: installed.get(name) for name in names})
    mtcnn, none = digests()
    installed["onnxruntime-gpu"] = "1.32"
    assert digests()[0] != mtcnn
    assert digests()[1] == none  # which does not use it
    installed["av"] = "19.0"
    assert digests()[1] != none


def test_another_network_is_another_cut(room: Path) -> None:
    before = cut_digest(CropPolicy(), room.parent)
    (room.parent / "onet.onnx").write_bytes(b"trained further")
    assert cut_digest(CropPolicy(), room.parent) != before
    assert cut_digest(CropPolicy(size=97), room.parent) != cut_digest(CropPolicy(), room.parent)


def test_another_provider_is_another_cut(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def digests(provider: str) -> list[str]:
        monkeypatch.setenv(PROVIDER_VARIABLE, provider)
        return [cut_digest(CropPolicy(detector=detector), room.parent) for detector in detectors]

    detectors = (MtcnnPolicy(), NoDetector(name="none"))
    cpu, cuda = digests("cpu"), digests("cuda")
    assert cpu == digests("")
    assert cpu[0] != cuda[0]
    assert cpu[1] == cuda[1]  # which computes nothing


def test_where_a_model_file_lies_is_no_part_of_a_cut_but_what_is_in_it(room: Path) -> None:
    one, other = (
        CropPolicy(detector=MediapipePolicy(name="mediapipe", model=model)) for model in ("a.tflite", "/b")
    )
    assert one.digest == other.digest
    before = cut_digest(one, room.parent)
    assert cut_digest(other, room.parent) == before
    (room.parent / "face_detector.task").write_bytes(b"a newer model")
    assert cut_digest(one, room.parent) != before


@pytest.mark.parametrize(
    ("detector", "missing"),
    [
        (MtcnnPolicy(), "pnet.onnx"),
        (MediapipePolicy(name="mediapipe", model="a.tflite"), "face_detector.task"),
        (NoDetector(name="none"), None),
    ],
)
def test_a_missing_file_of_the_detector_is_named(
    tmp_path: Path, detector: MtcnnPolicy | MediapipePolicy | NoDetector, missing: str | None
) -> None:
    if missing is None:
        assert detector_files(detector, tmp_path) == []
    else:
        with pytest.raises(StageError, match=rf"{missing}: not there; make it with dvc repro detector"):
            detector_files(detector, tmp_path)
