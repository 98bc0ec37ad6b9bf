from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from components.ingest.statistics.contact_sheet import MAX_STILLS, choose_strips, draw_contact_sheet


def test_what_takes_no_part_is_not_shown(mixed) -> None:
    strips = choose_strips(mixed)
    assert [(strip.label, strip.method, strip.videos) for strip in strips] == [
        ("real", "none", 6), ("fake", "a_blend", 12), ("fake", "swap", 18),
    ]  # fmt: skip
    assert all(row["split"] for strip in strips for row in strip.shown)


@pytest.mark.parametrize(("methods", "each"), [(1, 6), (8, 6), (9, 5), (16, 3), (40, 3)])
def test_never_more_stills_than_a_person_looks_at(make_row, methods: int, each: int) -> None:
    rows = [make_row(label="fake", method=f"m{number}") for number in range(methods) for _ in range(8)]
    strips = choose_strips(rows)
    assert {len(strip.shown) for strip in strips} == {each}
    assert sum(len(strip.shown) for strip in strips) <= MAX_STILLS


def test_the_same_videos_in_any_order_and_nearly_the_same_with_one_more(make_row) -> None:
    rows = [make_row() for _ in range(200)]
    shown = {row["video_id"] for row in choose_strips(rows)[0].shown}
    assert {row["video_id"] for row in choose_strips(rows[::-1])[0].shown} == shown
    assert len(shown & {row["video_id"] for row in choose_strips([*rows, make_row()])[0].shown}) >= 5


def test_everyone_once_before_anyone_twice_and_datasets_in_turn(make_row) -> None:
    crowd = [make_row(dataset="big", identities=["ann"]) for _ in range(50)]
    others = [make_row(dataset=dataset) for dataset in ("big", "small", "tiny") for _ in range(2)]
    shown = choose_strips([*crowd, *others])[0].shown
    assert Counter(row["identities"][0] for row in shown)["ann"] <= 1
    assert {row["dataset"] for row in shown} == {"big", "small", "tiny"}


def test_a_video_without_a_picture_is_a_grey_tile(make_row, tmp_path: Path) -> None:
    rows = [make_row(), make_row()]
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[..., 0] = 255
    sheets = {}
    for name, told in {"whole": picture, "broken": "moov atom $not$ found, " * 20}.items():
        draw_contact_sheet(
            choose_strips(rows),
            {rows[0]["video_id"]: picture, rows[1]["video_id"]: told},
            tmp_path / f"{name}.png",
        )
        image = cv2.imread(str(tmp_path / f"{name}.png"))
        sheets[name] = int(((image[..., 2] > 250) & (image[..., 0] < 5)).sum())
    assert sheets["whole"] == pytest.approx(2 * sheets["broken"], rel=0.02)
    assert sheets["broken"] > 160 * 90


@pytest.mark.parametrize("shape", [(160, 90), (1, 160), (160, 1), (4, 4)])
def test_pictures_of_any_shape(make_row, shape: tuple[int, int], tmp_path: Path) -> None:
    rows = [make_row()]
    pictures = {rows[0]["video_id"]: np.full((*shape, 3), 7, np.uint8)}
    draw_contact_sheet(choose_strips(rows), pictures, tmp_path / "sheet.png")
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None


def test_a_sheet_of_nothing(tmp_path: Path) -> None:
    draw_contact_sheet([], {}, tmp_path / "sheet.png")
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None
