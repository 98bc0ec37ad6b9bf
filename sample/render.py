"""Frames of a talking head: paint, light, pose, compose, and the camera."""

from collections.abc import Iterator

import cv2
import numpy as np

from sample import geometry
from sample import scene as scenes
from sample.features import Expression, paint_features
from sample.geometry import EXTENT, Pose
from sample.paint import PaintedHead
from sample.scene import Camera, Light, RenderedFrame, RenderedScene
from sample.talking import Motion
from sample.texture import Raster

_WRAP = np.array([0.42, 0.26, 0.2], np.float32)  # light that bleeds around the edge of skin, reddest furthest


def render_rgb(
    head: PaintedHead, scene: RenderedScene, motion: Motion, rng: np.random.Generator
) -> Iterator[tuple[RenderedFrame, Raster]]:
    """Yields each frame as the sensor saw it, before any compression, with its inner face's mask (H, W)."""
    for index, (pose, expression) in enumerate(zip(motion.poses, motion.expressions, strict=True)):
        light = _surroundings(scene, motion.drift[index], motion.sway[index])
        mask = _draw_head(light, head, scene, pose, expression)
        yield expose(light, scene.camera, rng), mask


def _surroundings(scene: RenderedScene, drift: np.ndarray, sway: np.ndarray) -> Raster:
    picture = _shifted(scene.background, scene, drift)
    torso = _shifted(scene.torso, scene, sway)
    return np.asarray(torso[..., :3] + picture * (1 - torso[..., 3:]))


def _shifted(layer: Raster, scene: RenderedScene, shift: np.ndarray) -> Raster:
    edge = scenes.margin(scene.height)
    move = np.array([[1, 0, shift[0] - edge], [0, 1, shift[1] - edge]], np.float32)
    size = (scene.width, scene.height)
    return cv2.warpAffine(layer, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _draw_head(
    picture: Raster, head: PaintedHead, scene: RenderedScene, pose: Pose, expression: Expression
) -> Raster:
    """Compose the head into the picture in place; return the inner face's mask (H, W)."""
    left, top, right, bottom = _region(pose, scene)
    map_u, map_v = geometry.face_map(head.depth, pose, (left, top), (bottom - top, right - left))
    fall = cv2.remap(head.drop, map_u, map_v, cv2.INTER_LINEAR) * (expression.mouth * geometry.RESOLUTION)
    map_v = map_v - fall
    painted = _lit(head, paint_features(head.albedo, head.person, expression), scene.light, pose)
    layer = cv2.remap(painted, map_u, map_v, cv2.INTER_LINEAR)
    region = picture[top:bottom, left:right]
    region *= 1 - layer[..., 3:]
    region += layer[..., :3]
    mask = np.zeros(picture.shape[:2], np.float32)
    mask[top:bottom, left:right] = cv2.remap(head.inner_face, map_u, map_v, cv2.INTER_LINEAR)
    return mask


def _region(pose: Pose, scene: RenderedScene) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what the canvas can reach, px."""
    reach = EXTENT * pose.scale
    left, top = max(0, int(pose.x - reach)), max(0, int(pose.y - reach))
    return left, top, min(scene.width, int(pose.x + reach)), min(scene.height, int(pose.y + reach))


def _lit(head: PaintedHead, albedo: Raster, light: Light, pose: Pose) -> Raster:
    """Returns the canvas under the light, (SIZE, SIZE, 4): colour times coverage, and coverage."""
    rotation = pose.rotation()
    # Turning the light is cheaper than turning every normal.
    towards = rotation.T @ light.direction
    halfway = rotation.T @ _unit(light.direction + np.array([0, 0, 1], np.float32))
    facing = head.normals @ towards
    shade = np.empty_like(albedo)
    for channel, wrap in enumerate(_WRAP):
        reach = wrap * head.skin + 0.1
        key = np.clip((facing + reach) / (1 + reach), 0, None)
        shade[..., channel] = light.key[channel] * key + light.ambient[channel] * head.occlusion
    gloss = head.gloss * np.clip(head.normals @ halfway, 0, 1) ** 18
    colour = albedo * shade + (gloss * head.occlusion)[..., None] * light.key
    if head.glasses is not None:
        colour = colour * (1 - head.glasses[..., 3:]) + head.glasses[..., :3]
    return np.dstack([colour * head.cover[..., None], head.cover])


def _unit(vector: Raster) -> Raster:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def expose(light: Raster, camera: Camera, rng: np.random.Generator) -> RenderedFrame:
    """Returns what the camera writes for a picture in linear light: (H, W, 3), 8 bit."""
    seen = cv2.GaussianBlur(light, (0, 0), camera.blur) * camera.vignette[..., None]
    grey = 255 * np.clip(seen * (camera.exposure * camera.balance), 0, 1) ** (1 / camera.gamma)
    noise = rng.standard_normal(grey.shape, dtype=np.float32)
    # Sensor noise is mostly the same in all channels once demosaicked.
    noise = 0.8 * noise[..., :1] + 0.45 * noise
    return np.clip(grey + camera.noise * noise + 0.5, 0, 255).astype(np.uint8)
