"""Small copies of published datasets with videos that decode, as somebody would have unpacked them."""

import json
import zlib
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import av
import cv2
import numpy as np

FRAMES = 10
SPLITS = ("train", "val", "test")
_IDS = {"train": ("071", "054", "605", "200"), "val": ("720", "672"), "test": ("953", "974", "606", "201")}


def write_video(path: Path) -> None:
    """Ten frames that no other path's video looks like."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(zlib.crc32(str(path).encode())).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (96, 72), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25, width=96, height=72, pix_fmt="yuv420p")
        for index in range(FRAMES):
            shifted = np.ascontiguousarray(np.roll(picture, index, axis=1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shifted, format="rgb24")))
        container.mux(stream.encode())


def write_videos(root: Path, paths: Iterable[str]) -> None:
    for path in paths:
        write_video(root / path)


def faceforensics(root: Path) -> None:
    """Ids of every split, one YouTube video in two of them under two ids, and half of a method missing."""
    for split, ids in _IDS.items():
        pairs = [[target, source] for target, source in zip(ids[::2], ids[1::2], strict=True)]
        (root / "splits").mkdir(parents=True, exist_ok=True)
        (root / "splits" / f"{split}.json").write_text(json.dumps(pairs), encoding="utf-8")
        both = [*pairs, *(pair[::-1] for pair in pairs)]
        write_videos(root, (f"original_sequences/youtube/c23/videos/{name}.mp4" for name in ids))
        write_videos(root, (f"manipulated_sequences/Deepfakes/c23/videos/{a}_{b}.mp4" for a, b in both))
        a, b = pairs[0]
        write_videos(root, [f"manipulated_sequences/FaceSwap/c23/videos/{a}_{b}.mp4"])


def deeperforensics(root: Path) -> None:
    """Six actors on six targets, each pair in the list of one split, and the actors' recordings."""
    (root / "lists" / "splits").mkdir(parents=True)
    for index, split in enumerate(SPLITS):
        actors = [f"M{100 + 2 * index}", f"W{101 + 2 * index}"]
        forged = [f"{200 + 2 * index + place}_{actor}.mp4" for place, actor in enumerate(actors)]
        (root / "lists" / "splits" / f"{split}.txt").write_text("\n".join(forged) + "\n", encoding="utf-8")
        write_videos(root / "manipulated_videos" / "end_to_end", forged)
        recordings = (f"{actor}/light_down/happy/{actor}_a_camera_front.mp4" for actor in actors)
        write_videos(root / "source_videos", recordings)


def celeb_df(root: Path) -> None:
    """Twelve people whose swaps tie them all, and a list in which 1 means real."""
    people = range(12)
    fakes = [
        (target, source) for target, source in product(people, people) if (source - target) % 12 in (1, 2)
    ]
    reals = [f"Celeb-real/id{person}_{scene:04d}.mp4" for person, scene in product(people, range(2))]
    synthetic = [f"Celeb-synthesis/id{target}_id{source}_0000.mp4" for target, source in fakes]
    youtube = [f"YouTube-real/{number:05d}.mp4" for number in range(6)]
    write_videos(root, [*reals, *synthetic, *youtube])
    tested = [f"1 {path}" for path in (*reals[-2:], *youtube[-2:])] + [f"0 {path}" for path in synthetic[-3:]]
    (root / "List_of_testing_videos.txt").write_text("\n".join(tested) + "\n", encoding="utf-8")


def dfdc(root: Path) -> None:
    """Two of the fifty parts."""
    for part in (3, 17):
        listed: dict[str, dict[str, str | None]] = {}
        for number in range(6):
            real, fake = f"r{part}x{number}.mp4", f"f{part}x{number}.mp4"
            listed[real] = {"label": "REAL", "split": "train", "original": None}
            listed[fake] = {"label": "FAKE", "split": "train", "original": real}
        folder = root / f"dfdc_train_part_{part}"
        write_videos(folder, listed)
        (folder / "metadata.json").write_text(json.dumps(listed), encoding="utf-8")


def dfdc_preview(root: Path) -> None:
    listed = {}
    for person in range(12):
        use = {"set": "test" if person > 8 else "train", "augmentations": []}
        real = {"label": "real", "target_id": person, "swapped_id": None, **use}
        listed[f"original_videos/{person}/{person}_A_001.mp4"] = real
        fake = {"label": "fake", "target_id": person, "swapped_id": person, **use}
        listed[f"method_A/{person}_{person}/{person}_{person}_A_001.mp4"] = fake
    write_videos(root, listed)
    (root / "dataset.json").write_text(json.dumps(listed), encoding="utf-8")


def classroom(root: Path) -> None:
    write_videos(root, (f"CELEB-REAL/r{number}.mp4" for number in range(8)))
    write_videos(root, (f"celeb-fake/f{number}.mp4" for number in range(8)))
    write_videos(root, (f"Testing/t{number}.mp4" for number in range(3)))


def folders(root: Path) -> None:
    write_videos(root, (f"Real/a/r{number}.mp4" for number in range(8)))
    write_videos(root, (f"FAKE/f{number}.mp4" for number in range(8)))


def manifest(root: Path) -> None:
    lines = ["path,label,identity,method"]
    for person in range(8):
        lines += [f"x/{person}.mp4,real,p{person},", f"y/{person}.mp4,fake,p{person};p{person ^ 1},swap"]
    write_videos(root, (line.split(",")[0] for line in lines[1:]))
    (root / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")


def pictures(*clips: str) -> list[str]:
    return [f"{clip}/{number}.png" for clip in clips for number in range(2)]


OUTLINES: dict[str, dict[str, str]] = {
    "fakeavceleb": dict.fromkeys(
        (
            "RealVideo-RealAudio/African/men/id00076/00109.mp4",
            "FakeVideo-FakeAudio/African/men/id00076/00109_10_id00476_wavtolip.mp4",
        ),
        "",
    ),
    "wilddeepfake": dict.fromkeys(pictures("real_train/1/real/5", "fake_test/2/fake/7"), ""),
    "forgerynet": dict.fromkeys(("Training/video/3/a.mp4", "Training/video/16/b.mp4"), "")
    | {"Training/video_list.txt": "1 3/a.mp4 0 9 1 0 9 1 1 3\n1 16/b.mp4 0 9 0 0 0 0\n"},
    "uadfv": dict.fromkeys(["real/0007.mp4", *pictures("fake/frames/0007_fake")], ""),
}
"""Texts by their paths: an original and a fake of each, of which no video is to be opened."""


DATASETS: dict[str, Callable[[Path], None]] = {
    "faceforensics": faceforensics,
    "deeperforensics": deeperforensics,
    "celeb-df": celeb_df,
    "dfdc": dfdc,
    "dfdc-preview": dfdc_preview,
    "classroom": classroom,
    "folders": folders,
    "manifest": manifest,
}
