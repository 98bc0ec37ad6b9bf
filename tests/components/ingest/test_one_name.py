"""A name that is written in several ways is one name, in every field and layout, and across datasets."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from components.datasets.found import list_datasets
from components.datasets.spellings import Names
from components.ingest.content import Content
from components.ingest.manifest import ListedVideo, make_samples
from components.splits.assignment import assign
from components.splits.audit import find_leaks
from components.splits.groups import Sample
from components.splits.lock import Lock
from components.video.examine import Examined
from components.video.frames import VideoInfo
from tests.components.ingest.samples import outcomes, params, remembered, rows

INFO = VideoInfo(frames=24, fps=25.0, width=320, height=240, duration=0.96, codec="h264", bytes=7)
WAYS = ("José Pérez", "Jose\u0301 Pe\u0301rez", "JOSÉ PÉREZ", " josé\u00a0 pérez ")
OTHERS = [f"{label}/{n}.mp4" for n in range(8) for label in ("real", "fake")]


def samples_in(data: Path, names: Names) -> list[Sample]:
    """What the assignment is given, were all files sound and of different contents."""
    videos = [
        ListedVideo(dataset.name, entry, Content(entry.path, 7, 0, settled=True), Examined(INFO, None))
        for dataset in list_datasets(data)
        for entry in dataset.listing.entries
    ]
    return [sample for _, sample in make_samples(videos, names)]


def make(data: Path, paths: Iterable[str], texts: Mapping[str, str]) -> Path:
    for path, text in {**dict.fromkeys(paths, ""), **texts}.items():
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_text(text, encoding="utf-8")
    return data


@pytest.mark.parametrize("field", ["identity", "source"])
@pytest.mark.parametrize("datasets", [("one",), ("one", "two")], ids="+".join)
def test_people_and_recordings_never_stand_in_two_splits(
    tmp_path: Path, field: str, datasets: tuple[str, ...]
) -> None:
    texts = {}
    for number, dataset in enumerate(datasets):
        # Names of recordings are those of one dataset; people are the same in all.
        ways = WAYS if field == "source" else WAYS[number :: len(datasets)]
        lines = [f"x/{label} {n},{label},{way}" for n, way in enumerate(ways) for label in ("real", "fake")]
        lines += [f"{path},{path[:4]},{path[5:]}" for path in OTHERS]
        texts[f"{dataset}/manifest.csv"] = "\n".join([f"path,label,{field}", *lines])
    names = Names()
    samples = samples_in(make(tmp_path / "data", [], texts), names)
    found = assign(samples, params(), Lock.empty())
    assert find_leaks(rows(samples, found)) == []
    for start in datasets if field == "source" else ("",):
        written = [s.video_id.startswith(start) and "/x/" in s.video_id for s in samples]
        assert len({a.split for a, ours in zip(found, written, strict=True) if ours}) == 1
    (note,) = (line for line in names.notes() if line.startswith(f"{field}: "))
    assert " is written in 4 ways (" in note


NFC, NFD = "José", "Jose\u0301"
ORIGINAL = "dfdc_train_part_0"
LISTED = {f"{NFC}.mp4": {"label": "REAL"}, "b.mp4": {"label": "FAKE", "original": f"{NFD.upper()}.MP4"}}
PREVIEW = {
    f"original_videos/{NFC}/a.mp4": {"label": "real", "target_id": NFC, "set": "train"},
    "method_A/b.mp4": {"label": "fake", "target_id": 1, "swapped_id": NFD.upper(), "set": "train"},
}
FACEFORENSICS = (("Original_Sequences/YouTube", "071.mp4"), ("manipulated_sequences/SWAP", "071_054.MP4"))
LAYOUTS: dict[str, tuple[list[str], dict[str, str]]] = {
    "folders": ([f"Real/{NFC} 1.mp4", f"FAKE/{NFD}  1.MP4"], {}),
    "manifest": (
        [f"{NFD}/a.mp4", "b.mp4"],
        {"manifest.csv": f"path,label,source\n{NFC}/A.mp4,real,\nb.mp4,fake,{NFC.upper()}/a\n"},
    ),
    "faceforensics": (
        [
            "Original_Sequences/youtube/c23/videos/071.mp4",
            "manipulated_sequences/SWAP/c23/videos/071_054.MP4",
        ],
        {},
    ),
    "deeperforensics": (
        ["source_videos/M101/M101_up_camera_front.mp4", "Manipulated_Videos/end/000_m101.mp4"],
        {},
    ),
    "celeb-df": (["Celeb-real /id1_0007.mp4", "CELEB-SYNTHESIS/ID1_id2_0007.mp4"], {}),
    "dfdc": (
        [f"{ORIGINAL}/{NFD}.mp4", f"{ORIGINAL}/b.mp4"],
        {f"{ORIGINAL}/metadata.json": json.dumps(LISTED)},
    ),
    "dfdc-preview": (
        [f"original_videos/{NFD}/a.mp4", "method_A/b.mp4"],
        {"dataset.json": json.dumps(PREVIEW)},
    ),
    "classroom": (["Celeb-Real/id1_0007.mp4", "Celeb-FAKE /Id1_id2_0007.mp4"], {}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_ties_what_is_written_in_two_ways(tmp_path: Path, layout: str) -> None:
    paths, texts = LAYOUTS[layout]
    data = make(tmp_path / "data", paths, texts)
    assert [dataset.layout for dataset in list_datasets(data)] == [layout]
    samples = samples_in(data, Names())
    assert len(samples) == 2
    found = assign(samples, params(max_group_share=1.0), Lock.empty())
    assert len({assignment.group for assignment in found}) == 1


@pytest.mark.parametrize("named", WAYS[:3])
@pytest.mark.parametrize("there", WAYS[:3])
def test_a_role_is_that_of_the_dataset_however_it_is_written(tmp_path: Path, named: str, there: str) -> None:
    data = make(tmp_path / "data", [*OTHERS, *(f"{there}/{path}" for path in OTHERS)], {})
    samples = samples_in(data, Names())
    found = outcomes(samples, datasets={named: "test"})
    assert {o for s, o in zip(samples, found, strict=True) if s.dataset == there} == {"test"}
    assert {o for s, o in zip(samples, found, strict=True) if s.dataset != there} == {"train", "val", "test"}


def test_whoever_was_assigned_by_another_spelling_stays(tmp_path: Path) -> None:
    """Locks of before knew each way of writing a name by itself; a new video may be the first by name."""
    lines = [f"{path},{path[:4]},{WAYS[0]}" for path in ("real/x.mp4", "fake/x.mp4")]
    lines += [f"{path},{path[:4]},Person {path[5:]}" for path in OTHERS]
    header = "path,label,identity"
    data = make(tmp_path / "data", [], {"manifest.csv": "\n".join([header, *lines])})
    samples = samples_in(data, Names())
    before = assign(samples, params(), Lock.empty())
    raw = {s.identities[0]: a.split for s, a in zip(samples, before, strict=True) if a.split}
    old = Lock({_hash_of_before(name): split for name, split in raw.items()})

    make(data, [], {"manifest.csv": "\n".join([header, *lines, f"fake/0 new.mp4,fake,{WAYS[2]}"])})
    names = Names()
    samples = samples_in(data, names)
    after = assign(samples, params(seed=5), old.adopting(names.ways_of_people()))
    splits = {s.video_id: a.split for s, a in zip(samples, after, strict=True)}
    assert splits["fake/0 new"] == splits["real/x"] == raw[WAYS[0]]
    assert {s.identities[0]: splits[s.video_id] for s in samples if "Person" in s.identities[0]} == {
        name: split for name, split in raw.items() if "Person" in name
    }
    assert remembered(samples, after).split_of(WAYS[3]) == raw[WAYS[0]]


def _hash_of_before(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:12]


def test_files_whose_names_are_equal_are_two_videos_of_one_group(tmp_path: Path) -> None:
    data = make(tmp_path / "data", [f"real/{NFC}.mp4", f"real/{NFD}.mp4", f"fake/{NFC.upper()}.mp4"], {})
    samples = samples_in(data, Names())
    assert len({sample.video_id for sample in samples}) == 3
    assert len({assignment.group for assignment in assign(samples, params(), Lock.empty())}) == 1


def test_names_of_files_in_two_split_folders_tie_nobody(tmp_path: Path) -> None:
    paths = [f"{split}/{label}/0.mp4" for split in ("train", "test") for label in ("real", "fake")]
    samples = samples_in(make(tmp_path / "data", paths, {}), Names())
    assert [sample.identities for sample in samples] == [("unnamed:test/0",)] * 2 + [("unnamed:train/0",)] * 2
    assert find_leaks(rows(samples, assign(samples, params(), Lock.empty()))) == []
