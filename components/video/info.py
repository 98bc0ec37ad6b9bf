"""What a video is, in numbers."""

from dataclasses import dataclass

from components.values import Amount, PlainLine, Size, WholeNumber


@dataclass(frozen=True)
class VideoInfo:
    """What a video says about itself, as far as it is true; its size is that of the pictures shown."""

    frames: WholeNumber
    fps: Amount  # 0: untold
    width: Size
    height: Size
    duration: Amount  # seconds
    codec: PlainLine
    bytes: WholeNumber
