"""Scores of generated images: Fréchet distances of pooled pixels and of the judge's features, and consistency."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
import torch
from jaxtyping import Float

from eigenclock.curve.divergences import wasserstein_full
from .networks import Judge, as_tensor, classify

Images = Float[np.ndarray, "n h w c"]
Features = Float[np.ndarray, "n f"]

MOST = 4000
SOFT = 0.05
"""Share of the mean spread that is added to each feature's own."""


def pooled(images: Images) -> Features:
    """2×2 average-pooled pixels, flat."""
    n, h, w, c = images.shape
    return images.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4)).reshape(n, -1)


def frechet(a: Features, b: Float[np.ndarray, "m f"]) -> float:
    """Fréchet distance of two sets of features: squared Wasserstein distance of the Gaussians of their moments."""
    return wasserstein_full(a.mean(axis=0), np.cov(a.T), b.mean(axis=0), np.cov(b.T)) ** 2


@dataclass(frozen=True, eq=False)
class Scorer:
    """Against held-out images: `distances(images)` are both Fréchet distances, `consistency(...)` the share named right."""

    network: Judge
    real: dict[str, Features]
    scale: dict[str, Float[np.ndarray, " f"]]

    @classmethod
    def of(cls, network: Judge, images: Images) -> "Scorer":
        """The scorer of held-out images."""
        some = images[:MOST]
        real = {"pix": pooled(some), "cls": _features(network, some)}
        scale = {name: one.std(axis=0) + SOFT * one.std(axis=0).mean() for name, one in real.items()}
        return cls(network, {name: one / scale[name] for name, one in real.items()}, scale)

    def distances(self, images: Images) -> dict[str, float]:
        """By feature set; values are clipped to [0, 1] first."""
        seen = np.clip(images, 0, 1)
        found = {"pix": pooled(seen), "cls": _features(self.network, seen)}
        return {name: frechet(one / self.scale[name], self.real[name]) for name, one in found.items()}

    def pixels(self, images: Images) -> Features:
        """Pooled pixels in units of the real images' spread, of values clipped to [0, 1]."""
        return pooled(np.clip(images, 0, 1)) / self.scale["pix"]

    def consistency(self, images: Images, labels: Any) -> float:
        """Share of class-conditional samples that the judge assigns to the class asked for."""
        return float((classify(self.network, as_tensor(np.clip(images, 0, 1))) == np.asarray(labels)).mean())


def _features(network: Judge, images: Images) -> Features:
    with torch.no_grad():
        return network.features(as_tensor(images)).double().numpy()


LADDER: dict[str, tuple[float, ...]] = {
    "noise": (0.05, 0.1, 0.2, 0.4),
    "blur": (1, 2, 4),
    "mixing": (0.1, 0.25, 0.5),
    "blocks": (0.25, 0.5, 1.0),
}


def corrupted(images: Images, kind: str, amount: float, rng: np.random.Generator) -> Images:
    """Noise, repeated 3×3 box blur, mixing with other images, or shuffled 4×4 blocks."""
    if kind == "noise":
        return images + amount * rng.standard_normal(images.shape)
    if kind == "blur":
        for _ in range(int(amount)):
            images = scipy.ndimage.uniform_filter(images, (1, 3, 3, 1), mode="nearest")
        return images
    if kind == "mixing":
        return (1 - amount) * images + amount * images[rng.permutation(len(images))]
    n, h, w, c = images.shape
    blocks = images.reshape(n, h // 4, 4, w // 4, 4, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, -1, 4, 4, c)
    moved = blocks.copy()
    count = blocks.shape[1]
    share = max(2, round(amount * count))
    for i in range(n):
        which = rng.choice(count, share, replace=False)
        moved[i, which] = blocks[i, np.roll(which, 1)]
    return moved.reshape(n, h // 4, w // 4, 4, 4, c).transpose(0, 1, 3, 2, 4, 5).reshape(images.shape)


def ladder(scorer: Scorer, images: Images, seed: int = 0) -> pd.DataFrame:
    """Both distances of real images and of ever more corrupted ones: a distance that does not rise cannot judge."""
    rng, rows = np.random.default_rng(seed), [{"corruption": "none", "amount": 0.0, **scorer.distances(images)}]
    for kind, amounts in LADDER.items():
        rows += [
            {"corruption": kind, "amount": float(one), **scorer.distances(corrupted(images, kind, one, rng))}
            for one in amounts
        ]
    return pd.DataFrame(rows)


def rises(table: pd.DataFrame, feature: str, kind: str) -> bool:
    """Whether a distance strictly rises along a ladder."""
    start = float(table[table["corruption"] == "none"][feature].iloc[0])
    return bool((np.diff([start, *table[table["corruption"] == kind][feature]]) > 0).all())


def harshness(table: pd.DataFrame, feature: str) -> float:
    """Distance of one blur over that of noise of 0.2: how much more a score minds what is smooth than what is noisy."""
    at = table.set_index(["corruption", "amount"])[feature]
    return float(at["blur", 1.0] / at["noise", 0.2])
