"""Basins of attraction: from which noise level a corner of the cube is still found again, by class of corner."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from eigenclock.exact.rules import Rule
from eigenclock.recipe.samplers import Heun
from eigenclock.training.sampling import sample

LEVELS = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Noise levels that corners start from."""

CLASSES = ("T", "R", "I", "C")
"""Corners: training samples, valid ones seen by nobody, the latter with one bit flipped (invalid), the control set."""

CORNERS, DRAWS, STEPS = 32, 8, 10
"""Corners of every class, noises for each, and steps of the sampler."""


def corners(rule: Rule, train: Any, control: Any, rng: np.random.Generator) -> Float[np.ndarray, "four corner D"]:
    """(class, corner, D) corners ±1 of every class."""
    known = {row.tobytes() for row in np.concatenate([train, control]).astype(np.int64)}
    new = np.stack([row for row in rule.sample(4 * CORNERS, rng) if row.tobytes() not in known][:CORNERS])
    flipped = new.copy()
    flipped[np.arange(len(new)), rng.integers(0, rule.D, len(new))] ^= 1
    chosen = [part[rng.integers(0, len(part), len(new))] for part in (train, control)]
    return np.stack([rule.encode(part) for part in (chosen[0], new, flipped, chosen[1])])


def returns(
    denoiser: Callable[[Any, Any], Any],
    starts: Float[np.ndarray, "four corner D"],
    noise: Float[np.ndarray, "draw corner D"],
) -> Float[np.ndarray, "four sigma"]:
    """(class, σ) share of corners found again: corner + σ·noise through the model's probability flow, read as bits."""
    found = np.empty((len(starts), len(LEVELS)))
    for j, sigma in enumerate(LEVELS):
        begun = starts[:, None] / sigma + noise
        flow = Heun(steps=STEPS, sigma_min=0.05, sigma_max=sigma)
        flat = torch.as_tensor(begun.reshape(-1, starts.shape[-1]), dtype=torch.float32)
        ends = sample(denoiser, flow, flat).numpy().reshape(begun.shape)
        found[:, j] = ((ends > 0) == (starts[:, None] > 0)).all(axis=-1).mean(axis=(1, 2))
    return found


class Basins:
    """Measures a denoiser's basins, always from the same corners and the same noise.

    Gives `r_T_0.3` … by class and noise level, `E_R` = mean over σ of r_R − r_I (valid corners attract), and `D_m` = mean of
    r_T − r_R (training samples attract more), `D_control` the same with the control set in place of the training set, and
    `ahead` = D_m − E_R: above 0 where the training set, not the rule, has the larger basins.
    """

    def __init__(self, rule: Rule, train: Any, control: Any, rng: np.random.Generator) -> None:
        self.starts = corners(rule, train, control, rng)
        self.noise = rng.standard_normal((DRAWS, *self.starts.shape[1:]))

    def __call__(self, denoiser: Callable[[Any, Any], Any]) -> dict[str, float]:
        rates = returns(denoiser, self.starts, self.noise)
        named = {f"r_{c}_{s:g}": rates[i, j] for i, c in enumerate(CLASSES) for j, s in enumerate(LEVELS)}
        mean = dict(zip(CLASSES, rates.mean(axis=1), strict=True))
        found = {"E_R": mean["R"] - mean["I"], "D_m": mean["T"] - mean["R"], "D_control": mean["C"] - mean["R"]}
        return named | found | {"ahead": found["D_m"] - found["E_R"]}
