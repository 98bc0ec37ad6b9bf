"""The cascade: against facenet-pytorch's, at several sizes, near known faces, on each provider."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper

from components.arrays import Floats32, Image
from components.detectors import mtcnn as module
from components.detectors.boxes import overlaps
from components.detectors.detections import Detections
from components.detectors.mtcnn import Mtcnn
from components.detectors.settings import MtcnnPolicy
from components.errors import ProviderError, StageError
from components.providers import cuda_fault
from components.video.frames import sample_frames
from components.video.limits import Limits

POLICY = MtcnnPolicy()


class Watched(Mtcnn):
    """Notes the size (width, height) and the smallest face of each search."""

    def __init__(self, folder: Path, policy: MtcnnPolicy = POLICY, **options: Any) -> None:
        super().__init__(folder, policy, **options)
        self.searches: list[tuple[int, int, float]] = []

    def _search(self, image: Image, smallest: float) -> Detections:
        self.searches.append((*image.shape[1::-1], smallest))
        return super()._search(image, smallest)


def network(image: str = "image", uint8: str = "uint8", offsets: str = "offsets") -> bytes:
    """Something that takes and gives what RNet does, or nearly so."""
    kind = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}[uint8]
    outputs = [offsets, "probability"]
    graph = helper.make_graph(
        [helper.make_node("Identity", [image], [output]) for output in outputs],
        "network",
        [helper.make_tensor_value_info(image, kind, ["batch", 24, 24, 3])],
        [helper.make_tensor_value_info(output, kind, None) for output in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def mtcnn(detector: Path) -> Mtcnn:
    return Mtcnn(detector, POLICY)


@pytest.fixture(scope="module")
def frames(sample_data: Path) -> list[Image]:
    """Two frames of every other genuine video of the sample dataset, at most 640 px wide."""
    videos = sorted((sample_data / "real").glob("*.mp4"))[::2]
    return [frame for video in videos for frame in sample_frames(video, 2, Limits())[0]]


@pytest.fixture(scope="module")
def face(frames: list[Image], mtcnn: Mtcnn) -> Image:
    """A face with what is around it, square."""
    x1, y1, x2, y2 = mtcnn.detect(frames[0]).boxes[0]
    reach = int(0.8 * (y2 - y1))
    x, y = int(x1 + x2) // 2, int(y1 + y2) // 2
    return frames[0][max(0, y - reach) : y + reach, max(0, x - reach) : x + reach]


def scene(face: Image, width: int, height: int, *places: tuple[int, int, int]) -> Image:
    """A grey picture with the face at places: left, top, width of the cut-out."""
    picture = np.full((height, width, 3), 90, np.uint8)
    for x, y, size in places:
        picture[y : y + size, x : x + size] = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)
    return picture


@pytest.fixture(scope="module")
def reference(frames: list[Image]) -> list[Detections]:
    from benchmarks.mtcnn_parity import SAME_SIZE, usual

    return usual(frames, [SAME_SIZE.min_face] * len(frames), SAME_SIZE.factor)


def test_given_the_same_pixels_faces_are_exactly_those_of_facenet_pytorch(
    detector: Path, frames: list[Image], reference: list[Detections]
) -> None:
    from benchmarks.mtcnn_parity import compare, exactly

    with exactly(detector) as cascade:
        parity = compare(reference, [cascade.detect(frame) for frame in frames])
    assert parity.faces >= 0.9 * len(frames)
    assert parity.share == 1
    assert parity.overlaps.min() >= 0.999
    assert parity.landmarks.max() <= 1e-3
    assert parity.probabilities.max() <= 1e-3


def test_resized_faster_they_are_close(
    detector: Path, frames: list[Image], reference: list[Detections]
) -> None:
    from benchmarks.mtcnn_parity import SAME_SIZE, TOLERANCES, compare

    mtcnn = Mtcnn(detector, SAME_SIZE)
    parity = compare(reference, [mtcnn.detect(frame) for frame in frames])
    assert parity.holds(TOLERANCES["same size"])
    assert parity.overlaps.min() >= 0.75  # of a heap of boxes another may win
    assert parity.landmarks.max() <= 0.1


def test_boxes_are_in_pixels_of_the_frame(mtcnn: Mtcnn, frames: list[Image]) -> None:
    small = frames[0]
    large = cv2.resize(small, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)  # beyond longest_side
    once, again = mtcnn.detect(small), mtcnn.detect(large)
    assert overlaps(once.boxes[:1], again.boxes[:1] / 4) >= 0.8
    assert np.abs(once.landmarks[0] - again.landmarks[0] / 4).max() <= 6


def test_landmarks_lie_in_the_box_in_their_order(mtcnn: Mtcnn, frames: list[Image]) -> None:
    found = mtcnn.detect(frames[0])
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    x1, y1, x2, y2 = found.boxes[0]
    assert ((found.landmarks[0] >= [x1, y1]) & (found.landmarks[0] <= [x2, y2])).all()


@pytest.mark.parametrize("shape", [(1, 1), (5, 2000), (23, 23), (240, 320)])
def test_no_face_is_no_detection(mtcnn: Mtcnn, shape: tuple[int, int]) -> None:
    found = mtcnn.detect(np.full((*shape, 3), 90, np.uint8))
    assert (found.boxes.shape, found.scores.shape, found.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


def test_every_face_of_a_crowd_is_found(mtcnn: Mtcnn, face: Image) -> None:
    places = [(20, 20, 60), (400, 30, 220), (150, 300, 120), (40, 150, 90)]
    found = mtcnn.detect(scene(face, 640, 480, *places))
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    assert len(found.boxes) == len(places)
    assert (np.diff(found.scores) <= 0).all()
    for x, y, size in places:
        assert np.abs(centres - [x + size / 2, y + size / 2]).max(axis=1).min() <= 0.2 * size


def test_crops_are_seen_alike_in_batches_of_any_size(detector: Path, face: Image) -> None:
    crowd = scene(face, 640, 480, (20, 20, 100), (400, 30, 220), (150, 300, 120), (300, 250, 80))
    one, other = Mtcnn(detector, POLICY), Mtcnn(detector, POLICY)
    other._batches = (3, 512)
    a, b = one.detect(crowd), other.detect(crowd)
    assert np.allclose(a.boxes, b.boxes, atol=1e-2)
    assert np.allclose(a.scores, b.scores, atol=1e-4)


@pytest.mark.parametrize(("retry", "searches", "faces"), [(True, 2, 1), (False, 1, 0)])
def test_a_frame_without_a_face_is_searched_again_at_full_size(
    detector: Path, face: Image, retry: bool, searches: int, faces: int
) -> None:
    mtcnn = Watched(detector, MtcnnPolicy(retry=retry))
    found = mtcnn.detect(scene(face, 1600, 900, (700, 400, 42)))  # a face of 26 px, 10 at detection size
    assert [search[:2] for search in mtcnn.searches] == [(640, 360), (1600, 900)][:searches]
    assert len(found.boxes) == faces
    if faces:
        assert np.abs(found.boxes[0].reshape(2, 2).mean(axis=0) - [721, 421]).max() <= 8


CASTS = {"green night": (0.0, 1.0, 0.0), "dark green": (0.05, 0.4, 0.05)}


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("width", [640, 1600])
def test_where_one_colour_drowns_the_others_grey_is_searched(
    detector: Path, face: Image, cast: str, width: int
) -> None:
    plain = scene(face, width, 480, (200, 100, 220))
    luma = cv2.cvtColor(plain, cv2.COLOR_RGB2GRAY)
    tinted = np.rint(luma[..., None] * np.array(CASTS[cast])).astype(np.uint8)
    mtcnn = Watched(detector)
    (box,) = mtcnn.detect(tinted).boxes
    assert overlaps(box[None], Mtcnn(detector, POLICY).detect(plain).boxes).max() >= 0.7
    assert [search[0] for search in mtcnn.searches] == [640, 640]
    assert not len(Mtcnn(detector, MtcnnPolicy(retry=False)).detect(tinted).boxes)


@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (1.0, 0.8, 0.55), (0.6, 0.75, 1.0)])
def test_in_ordinary_light_nothing_is_searched_twice(
    detector: Path, face: Image, light: tuple[float, float, float]
) -> None:
    mtcnn = Watched(detector)
    for picture in (scene(face, 640, 480), scene(face, 640, 480, (200, 100, 220))):
        mtcnn.detect(np.rint(picture * np.array(light)).astype(np.uint8))
    assert len(mtcnn.searches) == 2


def test_full_size_is_bounded_and_a_small_frame_is_searched_once(
    detector: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FULL_SIDE", 800)
    mtcnn = Watched(detector)
    for width, height in ((2000, 1000), (640, 360)):
        mtcnn.detect(np.full((height, width, 3), 90, np.uint8))
    assert [search[:2] for search in mtcnn.searches] == [(640, 320), (800, 400), (640, 360)]


@pytest.mark.parametrize(
    ("longest_side", "sizes"),
    [(700, [(700, 350), (800, 400)]), (800, [(800, 400)]), (900, [(900, 450)]), (4000, [(2000, 1000)])],
)
def test_a_frame_is_not_searched_again_at_a_size_that_is_no_larger(
    detector: Path, monkeypatch: pytest.MonkeyPatch, longest_side: int, sizes: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(module, "FULL_SIDE", 800)
    mtcnn = Watched(detector, MtcnnPolicy(longest_side=longest_side))
    mtcnn.detect(np.full((1000, 2000, 3), 90, np.uint8))
    assert [search[:2] for search in mtcnn.searches] == sizes


def test_faces_of_a_moment_ago_are_looked_for_around_them(detector: Path, face: Image) -> None:
    places = [(100, 100, 160), (1000, 400, 200)]
    before = Mtcnn(detector, POLICY).detect(scene(face, 1280, 720, *places)).boxes
    after = scene(face, 1280, 720, *[(x + 12, y - 9, size) for x, y, size in places])
    mtcnn = Watched(detector)
    near = mtcnn.detect(after, before)
    assert len(mtcnn.searches) == 2  # one a face, and none of the whole frame
    assert sum(width * height for width, height, _ in mtcnn.searches) < 0.3 * 640 * 360
    assert all(smallest > POLICY.min_face for *_, smallest in mtcnn.searches)
    everywhere = Mtcnn(detector, POLICY).detect(after)
    assert len(near.boxes) == len(everywhere.boxes) == 2
    assert overlaps(everywhere.boxes, near.boxes).max(axis=1).min() >= 0.85


@pytest.mark.parametrize("gone", [(100, 100, 160), (1000, 400, 200)])
def test_where_a_face_is_gone_the_whole_frame_is_searched(
    detector: Path, face: Image, gone: tuple[int, int, int]
) -> None:
    places = [(100, 100, 160), (1000, 400, 200)]
    before = Mtcnn(detector, POLICY).detect(scene(face, 1280, 720, *places)).boxes
    stayed = [place for place in places if place != gone]
    mtcnn = Watched(detector)
    found = mtcnn.detect(scene(face, 1280, 720, *stayed, (600, 60, 180)), before)
    assert mtcnn.searches[-1] == (640, 360, POLICY.min_face)
    assert len(found.boxes) == 2


def test_neighbours_whose_surroundings_overlap_are_found_once_each(detector: Path, face: Image) -> None:
    crowd = scene(face, 640, 480, (100, 100, 160), (270, 110, 150))
    mtcnn = Watched(detector)
    before = mtcnn.detect(crowd)
    again = mtcnn.detect(crowd, before.boxes)
    assert len(mtcnn.searches) == 3
    assert len(again.boxes) == len(before.boxes) == 2
    assert (np.diff(again.scores) <= 0).all()


@pytest.mark.parametrize("near", [None, np.empty((0, 4), np.float32)])
def test_without_known_faces_the_whole_frame_is_searched(detector: Path, face: Image, near: Floats32) -> None:
    mtcnn = Watched(detector)
    assert len(mtcnn.detect(scene(face, 640, 480, (100, 100, 200)), near).boxes) == 1
    assert mtcnn.searches == [(640, 480, POLICY.min_face)]


def test_known_faces_beyond_the_frame_do_no_harm(detector: Path, face: Image) -> None:
    beyond = np.array([[-500, -500, -400, -400]], np.float32)
    assert len(Mtcnn(detector, POLICY).detect(scene(face, 640, 480, (100, 100, 200)), beyond).boxes) == 1


@pytest.mark.parametrize(("content", "why"), [(None, "not there"), (b"garbage", "not a network")])
def test_a_folder_without_networks(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content:
        for name in ("pnet.onnx", "rnet.onnx", "onet.onnx"):
            (tmp_path / name).write_bytes(content)
    with pytest.raises(StageError, match=rf"pnet\.onnx: {why}.*dvc repro detector"):
        Mtcnn(tmp_path, POLICY)


@pytest.mark.parametrize("changed", [{"image": "picture"}, {"uint8": "float32"}, {"offsets": "boxes"}])
def test_networks_of_another_signature_are_refused(
    tmp_path: Path, detector: Path, changed: dict[str, str]
) -> None:
    for name in ("pnet.onnx", "rnet.onnx", "onet.onnx"):
        (tmp_path / name).write_bytes((detector / name).read_bytes())
    (tmp_path / "rnet.onnx").write_bytes(network(**changed))
    with pytest.raises(StageError, match=r"rnet\.onnx: takes or gives something else.* dvc repro detector$"):
        Mtcnn(tmp_path, POLICY)
    (tmp_path / "rnet.onnx").write_bytes(network())
    Mtcnn(tmp_path, POLICY)


@pytest.mark.skipif(cuda_fault() is None, reason="this machine has a CUDA device")
def test_cuda_that_is_not_there_is_never_replaced(detector: Path) -> None:
    with pytest.raises(ProviderError, match=r"^UNMASK_DETECTOR_PROVIDER=cuda: "):
        Mtcnn(detector, POLICY, provider="cuda")
    assert Mtcnn(detector, POLICY, provider="auto").provider == "CPUExecutionProvider"


@pytest.mark.gpu
@pytest.mark.skipif(cuda_fault() is not None, reason="no CUDA device")
def test_cuda_finds_what_the_cpu_finds(detector: Path, frames: list[Image], mtcnn: Mtcnn) -> None:
    device = Mtcnn(detector, POLICY, provider="cuda")
    assert device.provider == "CUDAExecutionProvider"
    for frame in frames:
        here, there = mtcnn.detect(frame), device.detect(frame)
        assert len(here.boxes) == len(there.boxes)
        assert np.abs(here.boxes - there.boxes).max(initial=0) <= 1
        assert np.abs(here.landmarks - there.landmarks).max(initial=0) <= 1
        assert np.abs(here.scores - there.scores).max(initial=0) <= 0.01
