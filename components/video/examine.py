"""All that the manifest tells about a video's pictures."""

from dataclasses import dataclass
from pathlib import Path

from components.video.fingerprint import SAMPLED_PICTURES, Fingerprint, make_fingerprint, shrink
from components.video.info import VideoInfo
from components.video.limits import Limits
from components.video.source import map_spread, probe


@dataclass(frozen=True)
class Examined:
    """What a video is, and what it looks like."""

    info: VideoInfo
    fingerprint: Fingerprint | None  # None where its pictures say nothing, or nothing moves


def examine(path: Path, limits: Limits) -> Examined:
    """Probes a video and takes its fingerprint.

    Raises:
        VideoFault: as `probe`, or fewer than `limits.min_frames` different pictures can be decoded.
    """
    info = probe(path, limits)
    pictures = map_spread(path, info, SAMPLED_PICTURES, limits, lambda frame: shrink(frame.image))
    return Examined(info, make_fingerprint(pictures))
