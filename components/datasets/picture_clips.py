"""Folders of pictures among the files of a walk: each is one clip."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from components.video.picture_files import is_clip, is_picture_name


def find_clips(files: Mapping[str, object], is_video: Callable[[str], bool]) -> dict[str, list[str]]:
    """Returns the folders whose pictures are the frames of one clip, and these pictures.

    Such a folder holds no other folder: pictures beside one are covers, or belong to nothing.

    Args:
        files: paths with "/"; None for what is no file to read.
        is_video: tells a video's path.
    """
    within: defaultdict[str, list[str]] = defaultdict(list)
    for path in files:
        within[path.rpartition("/")[0]].append(path)
    above = {str(parent) for folder in within if folder for parent in PurePosixPath(folder).parents}
    clips = {}
    for folder, paths in within.items():
        pictures = [path for path in paths if is_picture_name(path) and files[path] is not None]
        if pictures and (folder or ".") not in above:
            videos = sum(map(is_video, paths))
            if is_clip(len(pictures), videos, len(paths) - len(pictures) - videos):
                clips[folder] = pictures
    return clips
