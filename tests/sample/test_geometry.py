"""Poses are inverted rightly: a point of the head lands where rotation says it does."""

import cv2
import numpy as np
import pytest

from sample import geometry
from sample.geometry import EXTENT, RESOLUTION, SIZE, Pose
from sample.paint import PaintedHead


def pose(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Pose:
    return Pose(*np.deg2rad([yaw, pitch, roll]), x=100.0, y=100.0, scale=50.0)


@pytest.mark.parametrize("turned", [pose(), pose(24), pose(-24), pose(0, 10), pose(18, -8, 6)])
def test_a_pose_is_inverted_within_a_pixel(head: PaintedHead, turned: Pose) -> None:
    map_u, map_v = geometry.face_map(head.depth, turned, (0, 0), (200, 200))
    z = cv2.remap(head.depth, map_u, map_v, cv2.INTER_LINEAR) - 0.2
    points = np.stack([(map_u + 0.5) / RESOLUTION - EXTENT, (map_v + 0.5) / RESOLUTION - EXTENT, z])
    x, y, _ = np.tensordot(turned.rotation(), points, 1) * turned.scale + 100
    rows, columns = np.mgrid[:200, :200]
    error = np.hypot(x - columns, y - rows)
    # The middle of the face; beyond it the far cheek hides behind the nose.
    assert np.percentile(error[60:150, 70:130], 95) < 1.0
    assert np.median(error[60:150, 70:130]) < 0.2


def test_a_frontal_head_is_not_moved(head: PaintedHead) -> None:
    map_u, map_v = geometry.face_map(head.depth, pose(), (0, 0), (200, 200))
    rows, columns = np.mgrid[:200, :200]
    inside = slice(1, -1)  # at the rim, half resolution has nothing to interpolate with
    for found, pixels in ((map_u, columns), (map_v, rows)):
        expected = ((pixels - 100) / 50 + EXTENT) * RESOLUTION - 0.5
        assert np.abs(found - expected)[inside, inside].max() < 0.01


def test_a_turn_to_the_right_moves_the_nose_to_the_right(head: PaintedHead) -> None:
    nose = (int((head.person.nose_length + EXTENT) * RESOLUTION), SIZE // 2)
    tip = np.array([0, head.person.nose_length, head.depth[nose] - 0.2])
    assert (pose(20).rotation() @ tip)[0] > 0.2


@pytest.mark.parametrize("size", [(201, 199), (33, 50)])
def test_odd_regions_keep_their_size(head: PaintedHead, size: tuple[int, int]) -> None:
    assert all(part.shape == size for part in geometry.face_map(head.depth, pose(10), (3, 5), size))


def test_normals_are_unit_and_face_the_camera(head: PaintedHead) -> None:
    assert np.allclose(np.linalg.norm(head.normals, axis=2), 1, atol=1e-3)
    assert head.normals[..., 2].min() > 0
    left, right = head.normals[SIZE // 2, 90], head.normals[SIZE // 2, SIZE - 90]
    assert left[0] < 0 < right[0]


def test_hollows_get_less_light_than_the_brow(head: PaintedHead) -> None:
    shade = geometry.occlusion(head.depth)
    under_nose = int((head.person.nose_length + 0.12 + EXTENT) * RESOLUTION)
    assert shade[under_nose, SIZE // 2] < shade[int((-0.8 + EXTENT) * RESOLUTION), SIZE // 2]
