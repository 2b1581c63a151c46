"""What brute force notes at each training time: particles pushed through the sampler, and moments of what comes out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError
from ..curve import divergences
from ..recipe.objectives import Objective
from ..recipe.samplers import Sampler
from .colour import Coloured
from .descent import PairMoments
from .pairs import denoise, loss_weight
from .particles import push


@dataclass(frozen=True, eq=False)
class Recorder:
    """Reads variances, mean, alignment, gain and loss off trained weights.

    - `own`, `kept`: the sampler's noise levels, and those at which gain and loss are kept; `moments` belong to the latter.
    - `modes`: (mode, d); `noise`: standard noise to start particles from, or the identity to transport a covariance.
    - `learns_mean`: whether the mean is generated, not known; `stream`: of the sampler's noise.
    """

    objective: Objective
    sampler: Sampler
    own: Float[np.ndarray, " own"]
    kept: Float[np.ndarray, " kept"]
    moments: PairMoments
    test_moments: PairMoments | None
    modes: Float[np.ndarray, "mode d"]
    noise: Float[np.ndarray, "n d"]
    transport: bool
    learns_mean: bool
    stream: np.random.SeedSequence

    def __call__(self, weights: Float[np.ndarray, "sigma d e"]) -> dict[str, Any]:
        generated, mean = self._generate(weights[: self.own.size])
        coordinates, middle = generated @ self.modes.T, mean @ self.modes.T
        centred = coordinates if self.transport else coordinates - middle
        covariance = centred.T @ centred / (1 if self.transport else len(centred))
        if not np.isfinite(covariance).all():
            raise InputError("lr must be smaller: the simulated samples overflow")
        state = {
            "variance": np.diag(covariance).copy(),
            "alignment": float(divergences.alignment_of(covariance)),
            "particles": coordinates,
            "null_variance": self._null_variance(generated, np.diag(covariance)),
            "covariance": covariance,
        }
        if self.learns_mean:
            state["generated_mean"] = middle
        if self.kept.size:
            trained, sigma = weights[self.own.size :].astype(np.float64), self.kept[:, None, None]
            linear = trained[..., : self.modes.shape[1]]
            images = denoise(self.objective, lambda y: y @ linear.swapaxes(1, 2), self.modes[None], sigma)
            state["gain"] = np.einsum("skd,kd->ks", images, self.modes)
            for name, moments in (("loss", self.moments), ("test_loss", self.test_moments)):
                if moments is not None:
                    residual = moments.residual(trained)
                    if isinstance(self.objective, Coloured):
                        residual = self.objective.metric(self.kept) @ residual
                    power = np.einsum("kd,sde,ke->ks", self.modes, residual, self.modes, optimize=True)
                    state[name] = power * loss_weight(self.objective, self.kept)
        return state

    def _generate(self, weights: Float[np.ndarray, "own d e"]) -> tuple[np.ndarray, np.ndarray]:
        """Particles and their mean; in transport, rows whose outer products add up to the covariance, and the mean."""
        levels, d = self.own.astype(weights.dtype), self.modes.shape[1]
        rng = np.random.default_rng(self.stream)

        def fresh(x: np.ndarray, std: float) -> np.ndarray:
            return x + np.asarray(std, dtype=x.dtype) * rng.standard_normal(x.shape, dtype=x.dtype.type)

        def as_rows(x: np.ndarray, std: float) -> np.ndarray:
            """Independent noise adds its covariance: d more rows."""
            return np.concatenate([x, std * np.eye(d)])

        if not self.transport:
            particles = push(self.sampler, self.objective, weights, levels, self.noise, fresh).astype(np.float64)
            return particles, particles.mean(axis=0)
        linear = np.ascontiguousarray(weights[..., :d])
        rows = push(self.sampler, self.objective, linear, levels, self.noise, as_rows).astype(np.float64)
        still = np.zeros((1, d), dtype=weights.dtype)
        return rows, push(self.sampler, self.objective, weights, levels, still, lambda x, _: x)[0].astype(np.float64)

    def _null_variance(self, generated: Float[np.ndarray, "n d"], along_modes: Float[np.ndarray, " mode"]) -> float:
        """Mean generated variance over the directions outside the modes."""
        n_modes, d = self.modes.shape
        total = (generated**2).sum() if self.transport else generated.var(axis=0).sum() * len(generated)
        outside = total / (1 if self.transport else len(generated)) - along_modes.sum()
        return float(max(outside, 0.0) / max(d - n_modes, 1))
