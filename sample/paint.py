"""A person's head on the canvas: everything about it that does not move."""

from dataclasses import dataclass

import cv2
import numpy as np

from sample import geometry
from sample.geometry import RESOLUTION, SIZE
from sample.glasses import paint_glasses
from sample.hair import Hair, paint_beard, paint_brows, paint_hair, stubble_shadow
from sample.person import Person
from sample.skin import ear_cover, face_cover, paint_skin
from sample.texture import Raster, bump, mix, paired

_OVERSAMPLING = 2


@dataclass(frozen=True)
class PaintedHead:
    """A painted head; every field lies on the canvas, (SIZE, SIZE) or (SIZE, SIZE, C)."""

    person: Person
    albedo: Raster  # (…, 3) linear light, eyes shut, no mouth
    cover: Raster
    glasses: Raster | None  # (…, 4): colour times coverage, coverage
    depth: Raster
    normals: Raster  # (…, 3)
    occlusion: Raster
    gloss: Raster  # strength of the highlight
    skin: Raster  # 1 on skin, 0 on hair: decides how far light wraps around
    drop: Raster  # how far a point moves when the jaw opens fully, head units
    inner_face: Raster  # what a face swap replaces: brows to chin, cheek to cheek


def paint_head(person: Person) -> PaintedHead:
    """Paints a head. The same person always gives the same head."""
    rng = np.random.default_rng([*person.seed, 1])
    u, v = geometry.grid(_OVERSAMPLING)
    density = RESOLUTION * _OVERSAMPLING
    hair = paint_hair(person, u, v, density, rng)
    face = face_cover(person, u, v, density)
    ears = ear_cover(person, u, v, density)
    skin, lines = paint_skin(person, u, v, rng)
    beard = paint_beard(person, u, v, rng)
    albedo = _layers(person, u, v, skin, beard, hair, face, ears, rng)
    cover = np.maximum.reduce([face, ears, hair.back, hair.front])
    small = {
        "albedo": albedo,
        "cover": cover,
        "front": hair.front,
        "face": face,
        "ears": ears,
        "beard": beard,
    }
    small |= {"lines": lines, "relief": hair.relief, "hair": np.maximum(hair.back * (1 - face), hair.front)}
    return _assemble(person, {name: _shrink(field) for name, field in small.items()}, hair.lift)


def _layers(
    person: Person,
    u: Raster,
    v: Raster,
    skin: Raster,
    beard: Raster,
    hair: Hair,
    face: Raster,
    ears: Raster,
    rng: np.random.Generator,
) -> Raster:
    """Back hair, ears, face, brows, beard and front hair, from behind to before."""
    dark = np.asarray(person.hair, np.float32)
    shadow = cv2.GaussianBlur(hair.front, (0, 0), 10)
    skin = skin * (1 - stubble_shadow(person, u, v) - 0.4 * shadow * (hair.front < 1))[..., None]
    albedo = mix(hair.colour * 0.6, skin, np.maximum(ears, face))
    albedo = mix(albedo, dark * 0.85, paint_brows(person, u, v, rng) * face)
    albedo = mix(albedo, dark * 0.9 + 0.01, beard * face)
    return mix(albedo, hair.colour, hair.front)


def _assemble(person: Person, field: dict[str, Raster], lift: float) -> PaintedHead:
    u, v = geometry.grid()
    z = geometry.depth(person, u, v)
    relief = z - 0.02 * field["lines"] + 0.03 * field["beard"] * field["face"]
    relief += field["hair"] * field["relief"] + lift * field["front"]
    relief += 0.05 * field["ears"] * (1 - field["face"])
    hairy = np.clip(field["hair"] + field["beard"], 0, 1)
    return PaintedHead(
        person=person,
        albedo=np.ascontiguousarray(field["albedo"]),
        cover=field["cover"],
        glasses=paint_glasses(person),
        depth=z,
        normals=geometry.normals(relief),
        occlusion=geometry.occlusion(z),
        gloss=_gloss(person, u, v) * (1 - 0.6 * hairy),
        skin=1 - hairy,
        drop=_drop(person, u, v),
        inner_face=_inner_face(person, u, v),
    )


def _gloss(person: Person, u: Raster, v: Raster) -> Raster:
    """Forehead, nose and chin shine more than cheeks."""
    zone = bump(u, v, (0, -0.7), (0.4, 0.22)) + bump(u, v, (0, 0.1), (0.14, 0.3))
    return np.asarray(0.05 + 0.06 * zone + 0.05 * paired(u, v, (0.5, 0.1), (0.2, 0.15)), np.float32)


def _drop(person: Person, u: Raster, v: Raster) -> Raster:
    """The jaw's share in opening the mouth: full at the chin, none above the lips or below the chin."""
    below_lips = 1 / (1 + np.exp(-(v - 0.85) / 0.06))
    above_neck = 1 / (1 + np.exp((v - person.chin - 0.28) / 0.06))
    return (0.13 * below_lips * above_neck * np.exp(-((u / 0.85) ** 4))).astype(np.float32)


def _inner_face(person: Person, u: Raster, v: Raster) -> Raster:
    """Returns a rounded region from above the brows to above the chin, 1 inside."""
    top, bottom = person.brow_height - 0.26, person.chin - 0.06
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    down = np.clip((v - middle) / half, -1.2, 1.2)
    half_across = 0.85 * person.face_width * (1 - 0.2 * np.clip(down, 0, None) ** 2)
    radius = (np.abs(u / half_across) ** 2.6 + np.abs(down) ** 2.6) ** (1 / 2.6)
    return np.clip((1 - radius) * half * RESOLUTION + 0.5, 0, 1).astype(np.float32)


def _shrink(field: Raster) -> Raster:
    return cv2.resize(field, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
