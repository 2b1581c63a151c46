"""Networks that mix modes: whole matrices of all noise levels, carried through the sampler time by time (T14, App. E.1.2)."""

from typing import cast

import numpy as np
from jaxtyping import Float

from ..curve import divergences
from ..recipe.architectures import MatrixArchitecture
from ..recipe.architectures.matrices import Denoiser
from ..recipe.recipe import Recipe
from ..recipe.samplers import Sampler
from ..recipe.samplers.transport import transported
from ..spectrum.spectrum import Spectrum
from .solution import Solution, Wanted


def along_matrices(recipe: Recipe, spectrum: Spectrum, wanted: Wanted) -> Solution:
    """Generated mean and covariance; divergences in their full matrix form."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _along_matrices(recipe, spectrum, wanted)


def _along_matrices(recipe: Recipe, spectrum: Spectrum, wanted: Wanted) -> Solution:
    architecture, sampler = cast(MatrixArchitecture, recipe.architecture), recipe.sampler
    n, variance = spectrum.n_modes, spectrum.variance
    target_mean = architecture.mean(spectrum)
    starts_at_zero = wanted.time[0] == 0
    time = wanted.time if starts_at_zero else np.concatenate([[0.0], wanted.time])
    levels = sampler.matrix_levels
    every = np.concatenate([levels, wanted.sigma]) if wanted.gain or wanted.loss else levels

    means, covariances, gains, losses = [], [], [], []
    statistics = np.empty((time.size, 3))
    diagonal = np.empty((time.size, n))
    for i, denoiser in enumerate(architecture.denoisers(recipe.objective, spectrum, every, recipe.optimizer, time)):
        shift = None if denoiser.shift is None else denoiser.shift[: levels.size]
        mean, covariance = carried(sampler, Denoiser(denoiser.linear[: levels.size], shift))
        diagonal[i] = np.nan_to_num(
            np.diag(covariance), nan=np.inf, posinf=np.inf
        )  # an exploding start has no finite variance
        means.append(mean)
        statistics[i] = _statistics(covariance, mean, variance, target_mean)
        if wanted.covariance:
            covariances.append(covariance)
        if wanted.gain or wanted.loss:
            own = denoiser.linear[levels.size :]
            gains.append(np.einsum("skk->ks", own))
            losses.append(_loss(recipe, spectrum, target_mean, wanted.sigma, denoiser, levels.size))

    kept = slice(0 if starts_at_zero else 1, None)
    extra: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        name: (("time",), statistics[kept, i]) for i, name in enumerate(("kl", "wasserstein", "alignment"))
    }
    if architecture.learns_mean:
        extra["generated_mean"] = ("time", "mode"), np.stack(means)[kept]
        extra["initial_mean"] = ("mode",), means[0]
        extra["target_mean"] = ("mode",), target_mean
    if wanted.covariance:
        extra["covariance"] = ("time", "mode", "mode_"), np.stack(covariances)[kept]
        extra["initial_covariance"] = ("mode", "mode_"), covariances[0]
    if wanted.gain:
        extra["gain"] = ("time", "mode", "sigma"), np.stack(gains)[kept]
    if wanted.loss:
        extra["loss"] = ("time", "mode", "sigma"), np.stack(losses)[kept]
    return Solution(diagonal[kept], diagonal[0], extra)


def _statistics(
    covariance: Float[np.ndarray, "d d"],
    mean: Float[np.ndarray, " d"],
    variance: Float[np.ndarray, " d"],
    target: Float[np.ndarray, " d"],
) -> tuple[float, float, float]:
    """KL, Wasserstein distance and alignment; infinite, and unknown, for an explosion.

    As `divergences.kl_full` and `wasserstein_full` have them, of a target whose covariance is diagonal.
    """
    if not np.isfinite(covariance**2).all():
        return np.inf, np.inf, np.nan
    seen = variance > 0
    made, known, off = covariance[np.ix_(seen, seen)], variance[seen], mean - target
    kl = (np.diag(made) / known).sum() - known.size + (off[seen] ** 2 / known).sum()
    kl += np.log(known).sum() - np.linalg.slogdet(made)[1]
    root = np.sqrt(variance)
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root[:, None] * covariance * root), 0)).sum()
    squared = np.trace(covariance) + variance.sum() - 2 * cross + (off**2).sum()
    return float(kl) / 2, float(np.sqrt(max(squared, 0.0))), float(divergences.alignment_of(covariance))


def carried(sampler: Sampler, denoiser: Denoiser) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d d"]]:
    """Mean and covariance of the samples that a sampler makes of noise with D(y) = linear·y + shift."""
    d = denoiser.linear.shape[-1]
    if denoiser.shift is None:
        identity = np.eye(d)
        steps = sampler.steps_of(list(identity - denoiser.linear), np.matmul, identity)
        covariance, _ = transported(steps, sampler.sigma_max**2, identity, False)
        return np.zeros(d), covariance
    slope = np.zeros((len(denoiser.linear), d + 1, d + 1))
    np.negative(denoiser.linear, out=slope[:, :d, :d])
    np.negative(denoiser.shift, out=slope[:, :d, d])
    slope[:, range(d), range(d)] += 1
    identity = np.eye(d + 1)
    covariance, mean = transported(
        sampler.steps_of(list(slope), np.matmul, identity), sampler.sigma_max**2, identity, True
    )
    assert mean is not None
    return mean, covariance


def _loss(
    recipe: Recipe, spectrum: Spectrum, mean: np.ndarray, sigma: np.ndarray, denoiser: Denoiser, skip: int
) -> Float[np.ndarray, "mode sigma"]:
    """Expected loss of each mode's output, around its optimum."""
    regression, row = recipe.objective.regression(spectrum.variance, sigma), recipe.objective.row(sigma)
    linear = denoiser.linear[skip:]
    best = regression.denoiser_gain(regression.optimum).T
    error = linear - best[:, :, None] * np.eye(spectrum.n_modes)
    spread = np.einsum("skj,sj->ks", error**2, spectrum.variance + sigma[:, None] ** 2)
    if denoiser.shift is not None:
        spread += (np.einsum("skj,j->ks", linear, mean) + denoiser.shift[skip:].T - mean[:, None]) ** 2
    return regression.weight * (spread * (row.a / regression.gain_slope) ** 2 + regression.floor)
