"""Sprites: 16×16 images of eight shapes with exact masks, classes and hues; geometry and appearance are drawn apart."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int
from matplotlib.colors import hsv_to_rgb

Variant: TypeAlias = Literal["plain", "textured"]
SIZE = 16
SHAPES = ("disc", "square", "triangle", "plus", "ring", "bar", "star", "crescent")

Field = Float[np.ndarray, "n h w"]


@dataclass(frozen=True, eq=False)
class Sprites:
    """`images` (n, 16, 16, 3) in [0, 1]; `labels` 0–7; `masks` (n, 16, 16): background, main, distractor; `hue` in [0, 1)."""

    images: Float[np.ndarray, "n h w c"]
    labels: Int[np.ndarray, " n"]
    masks: Int[np.ndarray, "n h w"]
    hue: Float[np.ndarray, " n"]


def _distances(x: Field, y: Field, r: Field, shape: Int[np.ndarray, " n"]) -> Field:
    """Signed distance, about, to each shape's outline; negative inside."""
    size = np.hypot(x, y)
    ax, ay = np.abs(x), np.abs(y)
    fields = [
        size - r,
        np.maximum(ax, ay) - 0.85 * r,
        np.maximum(0.866 * ax + 0.5 * y, -y) - 0.5 * r,
        np.minimum(np.maximum(ax - r, ay - 0.35 * r), np.maximum(ax - 0.35 * r, ay - r)),
        np.abs(size - 0.75 * r) - 0.25 * r,
        np.maximum(ax - r, ay - 0.35 * r),
        (ax**0.6 + ay**0.6) ** (1 / 0.6) - 1.15 * r,
        np.maximum(size - r, 0.8 * r - np.hypot(x - 0.5 * r, y)),
    ]
    return np.choose(shape[:, None, None], fields)


def make_sprites(n: int, seed: int, *, variant: Variant = "plain", appearances: int = 1) -> list[Sprites]:
    """n sprites; with several `appearances`, the same geometries in other colours, one `Sprites` each."""
    rng = np.random.default_rng([seed, 31])
    shape = rng.integers(0, len(SHAPES), n)
    centre, radius, angle = rng.uniform(5, 10, (n, 2)), rng.uniform(3.2, 4.8, n), rng.uniform(-0.4, 0.4, n)
    spot, has_spot = rng.uniform(2, 13, (n, 2)), rng.uniform(size=n) < 0.5
    rows, columns = np.mgrid[:SIZE, :SIZE]
    dx, dy = columns - centre[:, 0, None, None], rows - centre[:, 1, None, None]
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    x, y = cos * dx + sin * dy, cos * dy - sin * dx
    inside = np.clip(0.5 - _distances(x, y, np.broadcast_to(radius[:, None, None], x.shape), shape), 0, 1)
    found = []
    for _ in range(appearances):
        hue, dark = rng.uniform(size=n), rng.uniform(size=n)
        value = np.full((n, SIZE, SIZE), 0.95)
        hues = np.broadcast_to(hue[:, None, None], value.shape).copy()
        cover, masks = inside, (inside > 0.5).astype(int)
        if variant == "textured":
            hues = (hues + 0.03 * x) % 1
            waves = rng.uniform(0.8, 1.6, n)[:, None, None]
            value = 0.75 + 0.2 * np.sin(waves * x + waves * y + rng.uniform(0, 6.28, n)[:, None, None])
        colour = hsv_to_rgb(np.stack([hues, np.full_like(value, 0.8), value], axis=-1))
        ground = hsv_to_rgb(np.stack([dark, np.full(n, 0.5), np.full(n, 0.2)], axis=-1))[:, None, None]
        images = cover[..., None] * colour + (1 - cover[..., None]) * ground
        if variant == "textured":
            distance = np.hypot(columns - spot[:, 0, None, None], rows - spot[:, 1, None, None]) - 1.6
            dot = np.clip(0.5 - distance, 0, 1) * has_spot[:, None, None] * (1 - inside)
            images = dot[..., None] * 0.8 + (1 - dot[..., None]) * images
            masks = np.where((dot > 0.5) & (masks == 0), 2, masks)
        found.append(Sprites(images, shape, masks, hue))
    return found
