"""FaceForensics++'s names: method, people and recordings, and what is no video of the dataset."""

import pytest

from components.datasets.layouts.faceforensics_names import SAME_VIDEO, parse_path

YOUTUBE = "original_sequences/youtube/c23/videos"
ACTORS = "original_sequences/actors/c23/videos"
DEEPFAKES = "manipulated_sequences/Deepfakes/c23/videos"
DFD = "manipulated_sequences/DeepFakeDetection/c23/videos"


@pytest.mark.parametrize(
    ("path", "method", "identities", "sources"),
    [
        (f"{YOUTUBE}/071.mp4", "none", ["youtube/071"], ["youtube/071"]),
        (
            f"{DEEPFAKES}/071_054.mp4",
            "Deepfakes",
            ["youtube/054", "youtube/071"],
            ["youtube/054", "youtube/071"],
        ),
        (
            "Manipulated_Sequences/FACESWAP/RAW/Videos/606_567.AVI",
            "FaceSwap",
            ["youtube/566=567", "youtube/605=606"],
            ["youtube/566=567", "youtube/605=606"],
        ),
        ("manipulated_sequences/Mine/c40/videos/000_003.mp4", "Mine", ["youtube/000", "youtube/003"], None),
        (f"{ACTORS}/01__exit_phone_room.mp4", "none", ["actor/01"], ["actor/01__exit_phone_room"]),
        (
            f"{DFD}/02_01__exit_phone_room__YVGY8LOK.mp4",
            "DeepFakeDetection",
            ["actor/01", "actor/02"],
            ["actor/02__exit_phone_room"],
        ),
        ("original/071.mp4", "none", ["youtube/071"], None),
        ("NeuralTextures/071_054.mp4", "NeuralTextures", ["youtube/054", "youtube/071"], None),
    ],
)
def test_a_path_names_method_people_and_recordings(
    path: str, method: str, identities: list[str], sources: list[str] | None
) -> None:
    name = parse_path(path)
    assert name is not None
    assert name.method == method
    assert list(name.identities) == [f"faceforensics/{identity}" for identity in identities]
    assert list(name.sources) == [f"faceforensics/{source}" for source in sources or identities]


@pytest.mark.parametrize(
    "path",
    [
        f"{YOUTUBE}/71.mp4",
        f"{YOUTUBE}/0711.mp4",
        f"{YOUTUBE}/071_054.mp4",
        f"{YOUTUBE}/071 (1).mp4",
        f"{YOUTUBE}/more/071.mp4",
        f"{YOUTUBE}/١٢٣.mp4",
        f"{DEEPFAKES}/071.mp4",
        f"{DEEPFAKES}/071_054_033.mp4",
        f"{DFD}/071_054.mp4",
        f"{DFD}/01__exit_phone_room.mp4",
        f"{DFD}/01_02__exit_phone_room.mp4",
        f"{ACTORS}/01__exit_phone_room__YVGY8LOK.mp4",
        f"{ACTORS}/01_02__exit_phone_room__YVGY8LOK.mp4",
        f"{ACTORS}/071.mp4",
        "original_sequences/elsewhere/c23/videos/071.mp4",
        "manipulated_sequences/Deepfakes/masks/videos/071_054.mp4",
        "manipulated_sequences/masks/071_054.mp4",
        "manipulated_sequences/c23/videos/071_054.mp4",
        "downloaded_videos/071.mp4",
        "071.mp4",
    ],
)
def test_what_is_not_called_like_a_video_of_the_dataset_is_none(path: str) -> None:
    assert parse_path(path) is None


def test_compressions_of_a_video_share_people_and_recordings() -> None:
    copies = [
        parse_path(f"original_sequences/youtube/{quality}/videos/755.mp4")
        for quality in ("raw", "c23", "c40")
    ]
    assert {copy and (copy.identities, copy.sources) for copy in copies} == {
        (("faceforensics/youtube/755=756",), ("faceforensics/youtube/755=756",))
    }


def test_ids_of_one_youtube_video_add_up_to_977_videos() -> None:
    numbers = [number for group in SAME_VIDEO for number in group]
    assert len(set(numbers)) == len(numbers)
    assert 1000 - len(numbers) + len(SAME_VIDEO) == 977
