"""What a video is, in numbers."""

from dataclasses import dataclass

from components.values import Amount, Count, Line, Size


@dataclass(frozen=True)
class VideoInfo:
    """What a video says about itself, as far as it is true; its size is that of the pictures shown."""

    frames: Count
    fps: Amount  # 0: untold
    width: Size
    height: Size
    duration: Amount  # seconds
    codec: Line
    bytes: Count
