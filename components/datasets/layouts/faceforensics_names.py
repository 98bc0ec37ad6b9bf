"""What a path in a copy of FaceForensics++ says: the forgery method, the people, the recordings.

Originals are `<id>.mp4`, forgeries `<target>_<source>.mp4`: the source's face on the target's video. Deep
Fake Detection, beside them, has `<actor>__<scene>.mp4` and `<target>_<source>__<scene>__<8
characters>.mp4`.
Source: https://github.com/ondyari/FaceForensics/tree/master/dataset

Nobody names the people of the YouTube videos, so an id stands for its person, and all ids of a YouTube
video for one. That is the best that names can do, and not the whole truth: 043 and 343 show the same
politician, and authors who looked counted 885 people in the 1,000 videos (One Shot Face Swapping on
Megapixels, CVPR 2021).
"""

import re
from dataclasses import dataclass
from typing import Literal

from components.datasets.layouts.base import GENUINE_METHOD

FACEFORENSICS_METHODS = (
    "Deepfakes",
    "Face2Face",
    "FaceSwap",
    "NeuralTextures",
    "FaceShifter",
    "DeepFakeDetection",
)

# The 1,000 sequences come from 977 YouTube videos: these ids have one and the same in the dataset's own
# `conversion_dict.json`. Those of 605, 639, 755, 837, 875, 954 and 982 straddle the official splits.
SAME_VIDEO = (
    *(("331", "332"), ("524", "525"), ("566", "567"), ("605", "606"), ("614", "615"), ("618", "619")),
    *(("639", "640"), ("685", "686", "687"), ("755", "756"), ("766", "767"), ("769", "770"), ("787", "788")),
    *(("837", "838"), ("875", "876"), ("883", "884"), ("937", "938"), ("942", "943"), ("954", "955")),
    *(("967", "968"), ("973", "974"), ("982", "983"), ("993", "994")),
)
_VIDEO_OF_ID = {number: "=".join(group) for group in SAME_VIDEO for number in group}

_METHOD_OF_FOLDER = {method.casefold(): method for method in FACEFORENSICS_METHODS}
_GENUINE_FOLDERS = ("youtube", "actors")

# The published shape, or the flat one of a much downloaded copy: `original/000.mp4`, `Deepfakes/000_003.mp4`.
# Forgeries have masks that are videos too (`Deepfakes/masks/videos/000_003.mp4`); no folder of them fits.
_PATH = re.compile(
    r"(?:(?P<part>original_sequences|manipulated_sequences)/)?"
    r"(?!(?:raw|c[0-9]+|videos|masks?|images|models)/)(?P<folder>[^/]+)/"
    r"(?:(?P<compression>raw|c[0-9]+)/)?(?:videos/)?(?P<stem>[^/]+)\.[^./]+",
    re.IGNORECASE,
)
_YOUTUBE_STEM = re.compile(r"(?P<target>[0-9]{3})(?:_(?P<source>[0-9]{3}))?")
_ACTORS_STEM = re.compile(
    r"(?P<target>[0-9]{2})(?:_(?P<source>[0-9]{2}))?__(?P<scene>.+?)(?P<code>__[A-Z0-9]{8})?", re.IGNORECASE
)

Family = Literal["youtube", "actors"]


@dataclass(frozen=True)
class VideoName:
    """What a path says about its video.

    Attributes:
        family: whose videos it was made from: FaceForensics++'s own, or Deep Fake Detection's.
        folder: "youtube", "actors", or the method's folder, in the letter case in which it was published.
        compression: "raw", "c23" and so on; empty where the folders do not tell.
        stem: the file's name without suffix.
        numbers: the id of the video or actor; of target and source for a forgery.
        scene: what an actor does; empty for YouTube.
    """

    family: Family
    folder: str
    compression: str
    stem: str
    numbers: tuple[str, ...]
    scene: str = ""

    @property
    def genuine(self) -> bool:
        """Whether it is an original."""
        return self.folder in _GENUINE_FOLDERS

    @property
    def method(self) -> str:
        """The forgery method: the name of its folder."""
        return GENUINE_METHOD if self.genuine else self.folder

    @property
    def identities(self) -> tuple[str, ...]:
        """The people in it; a forgery carries both."""
        named = youtube_video if self.family == "youtube" else actor
        return tuple(sorted({named(number) for number in self.numbers}))

    @property
    def sources(self) -> tuple[str, ...]:
        """The recordings it was made from; of a forged actor only the target's scene is told."""
        if self.family == "actors":
            return (f"{actor(self.numbers[0])}__{self.scene}",)
        return self.identities


def youtube_video(number: str) -> str:
    """Returns the YouTube video of an id, which stands for its person too: "faceforensics/youtube/071"."""
    return f"faceforensics/youtube/{_VIDEO_OF_ID.get(number, number)}"


def actor(number: str) -> str:
    """Returns an actor of Deep Fake Detection: "faceforensics/actor/01"."""
    return f"faceforensics/actor/{number}"


def parse_path(path: str) -> VideoName | None:
    """Reads a path inside the dataset, in any letter case; None for what is no video of the dataset."""
    match = _PATH.fullmatch(path)
    folder = _folder((match["part"] or "").casefold(), match["folder"]) if match else None
    if match is None or folder is None:
        return None
    family: Family = "actors" if folder in {"actors", "DeepFakeDetection"} else "youtube"
    return _video_name(family, folder, (match["compression"] or "").casefold(), match["stem"])


def _folder(part: str, folder: str) -> str | None:
    name = folder.casefold()
    if part == "original_sequences":
        return name if name in _GENUINE_FOLDERS else None
    if part == "manipulated_sequences":
        return _METHOD_OF_FOLDER.get(name, folder)
    return "youtube" if name == "original" else _METHOD_OF_FOLDER.get(name)


def _video_name(family: Family, folder: str, compression: str, stem: str) -> VideoName | None:
    match = (_YOUTUBE_STEM if family == "youtube" else _ACTORS_STEM).fullmatch(stem)
    if match is None:
        return None
    groups = match.groupdict()
    forged = folder not in _GENUINE_FOLDERS
    # An original must not be called like a forgery, nor a forgery like an original.
    if any((groups[part] is not None) != forged for part in ("source", "code") if part in groups):
        return None
    numbers = (match["target"], match["source"]) if forged else (match["target"],)
    return VideoName(family, folder, compression, stem, numbers, groups.get("scene", "").casefold())
