import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.batch.plan import VideoFile, plan_batch


def row(video: VideoFile) -> dict[str, Any]:
    return {"path": video.path, "bytes": video.bytes, "mtime_ns": video.mtime_ns, "status": "ok"}


A, B, C = (VideoFile(f"{name}.mp4", 100, 1) for name in "abc")


def test_all_of_it_at_first() -> None:
    made = plan_batch([C, A, B], [], shard_size=2)
    assert [shard.videos for shard in made.shards] == [(A, B), (C,)]
    assert (made.stale, made.done) == (frozenset(), 0)


def test_nothing_when_all_is_done() -> None:
    made = plan_batch([A, B], [row(A), row(B)])
    assert (made.shards, made.stale, made.done) == ((), frozenset(), 2)


@pytest.mark.parametrize("changed", [VideoFile("a.mp4", 101, 1), VideoFile("a.mp4", 100, 2)])
def test_a_changed_file_is_scored_again_and_its_row_is_stale(changed: VideoFile) -> None:
    made = plan_batch([changed, B], [row(A), row(B)])
    assert [shard.videos for shard in made.shards] == [(changed,)]
    assert made.stale == {"a.mp4"}


def test_a_vanished_file_keeps_its_row() -> None:
    assert plan_batch([B], [row(A), row(B)]).stale == frozenset()


def test_another_content_has_another_name() -> None:
    names = {
        plan_batch(videos, []).shards[0].name for videos in ([A], [B], [A, B], [VideoFile("a.mp4", 100, 2)])
    }
    assert len(names) == 4


def test_a_video_that_cannot_be_looked_at_is_scored_once() -> None:
    unseen = VideoFile("a.mp4", None, None)
    assert plan_batch([unseen], []).shards[0].videos == (unseen,)
    assert plan_batch([unseen], [row(unseen)]).done == 1
    assert plan_batch([A], [row(unseen)]).stale == {"a.mp4"}


# Names of any bytes, some of which print as others are called.
names = st.one_of(
    st.sampled_from([b"a", b"b", b"c", b"v\xff", rb"v\xff", rb"v\\xff", b"v\\\xff", b"a\nb", rb"a\x0ab"]),
    st.binary(min_size=1, max_size=3).filter(lambda name: not {0, ord("/")} & set(name)),
)
videos = st.builds(VideoFile, names.map(os.fsdecode), st.integers(1, 2), st.integers(1, 2))
by_path = st.lists(videos, unique_by=lambda video: video.file)


@given(by_path, by_path, st.integers(1, 3), st.randoms())
def test_every_video_is_either_done_or_in_one_shard(
    found: list[VideoFile], scored: list[VideoFile], size: int, random: Any
) -> None:
    made = plan_batch(found, [row(video) for video in scored], size)
    planned = [video for shard in made.shards for video in shard.videos]
    assert sorted(planned) == sorted(set(found) - set(scored))
    assert made.done == len(set(found) & set(scored))
    assert all(1 <= len(shard.videos) <= size for shard in made.shards)
    random.shuffle(found)
    assert plan_batch(found, [row(video) for video in scored], size) == made
