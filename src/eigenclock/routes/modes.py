"""Modes on their own: closed form where there is one, else the sampler on the gain, block by block (T3–T13)."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ..checks import InputError
from ..closed_forms import ClosedForm, closed_form
from ..objectives import Regression
from ..recipe import Recipe
from ..samplers import ProbabilityFlow
from ..spectrum import Spectrum
from .solution import Solution, Wanted

BLOCK = 2**18
"""Gains computed at a time (2 MiB each array): large enough to amortise Python, small enough to stay in cache."""

KINKED, TANH_SINH = 800, 601
"""Quadrature nodes that do not resolve a mode when its gain has a kink, and the nodes then spent on either side of it."""


def along_modes(recipe: Recipe, spectrum: Spectrum, wanted: Wanted) -> Solution:
    """Each mode's gain is a number: its generated variance follows from it alone."""
    solve = _variance_solver(recipe, recipe.architecture.sharing(spectrum))
    modes, whole = spectrum.n_modes, spectrum.n_modes == spectrum.dimension
    # one more mode of no variance stands for all directions that the spectrum leaves out
    variance = spectrum.variance if whole else np.append(spectrum.variance, 0.0)
    with np.errstate(over="ignore"):  # a start that explodes has infinite variance
        generated, initial = solve(variance, wanted.time), solve(variance, np.zeros(1))[0]
    extra: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    if not whole:
        extra["null_variance"] = ("time",), generated[:, modes]
        extra["null_initial"] = (), np.asarray(initial[modes])
    if wanted.gain or wanted.loss:
        regression = recipe.architecture.regression(recipe.objective, spectrum, wanted.sigma)
        network_gain = recipe.architecture.network_gain(regression, recipe.optimizer, wanted.time)
        dims = ("time", "mode", "sigma")
        if wanted.gain:
            extra["gain"] = dims, regression.denoiser_gain(network_gain)
        if wanted.loss:
            extra["loss"] = dims, regression.loss(network_gain)
    if wanted.covariance:
        extra["covariance"] = ("time", "mode", "mode_"), generated[:, :modes, None] * np.eye(modes)
    return Solution(generated[:, :modes], initial[:modes], extra)


def _variance_solver(recipe: Recipe, sharing: float) -> ClosedForm:
    method = recipe.sampler.method if isinstance(recipe.sampler, ProbabilityFlow) else "quadrature"
    exact = closed_form(recipe, sharing) if method != "quadrature" else None
    if exact is not None:
        return exact
    if method == "closed_form":
        raise InputError(
            f'method must be "auto" or "quadrature" for this recipe, got "closed_form": none exists for {recipe}'
        )
    return lambda variance, time: _blockwise(recipe, sharing, variance, time)


def _blockwise(
    recipe: Recipe, sharing: float, variance: Float[np.ndarray, " mode"], time: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "time mode"]:
    """The sampler applied to the gain, over blocks of modes and, where one mode alone is too large, of times."""
    levels = recipe.sampler.levels
    rows = min(time.size, max(1, BLOCK // levels.size))
    columns = max(1, BLOCK // (rows * levels.size))
    out = np.empty((time.size, variance.size))
    for first in range(0, variance.size, columns):
        modes = slice(first, first + columns)
        regression: Regression = replace(recipe.objective.regression(variance[modes], levels), sharing=sharing)
        for start in range(0, time.size, rows):
            times = slice(start, start + rows)
            gain = regression.denoiser_gain(recipe.architecture.network_gain(regression, recipe.optimizer, time[times]))
            out[times, modes] = recipe.sampler.variance(gain)
            finer = recipe.sampler.refined(gain)
            if finer is not None:
                unresolved, sampler = finer
                chosen = np.arange(variance.size)[modes][unresolved]
                if recipe.architecture.kinks and sampler.levels.size >= KINKED:
                    kink = _kinks(recipe, variance[chosen])
                    split = chosen[kink > 0]
                    if split.size:
                        out[times, split] = _between_kinks(
                            recipe, sharing, variance[split], kink[kink > 0], time[times]
                        )
                    chosen = chosen[~(kink > 0)]
                if chosen.size:
                    again = _blockwise(replace(recipe, sampler=sampler), sharing, variance[chosen], time[times])
                    out[times, chosen] = again
    return out


def _kinks(recipe: Recipe, variance: Float[np.ndarray, " mode"]) -> Float[np.ndarray, " mode"]:
    """Noise level at which each mode's cross-moment changes sign, where products of layers get a kink; NaN if there is none.

    By bisection in ln σ; the objectives of T2 have at most one (flow matching: σ = λ).
    """
    low, high = (
        np.full((variance.size, 1), np.log(end)) for end in (recipe.sampler.sigma_min, recipe.sampler.sigma_max)
    )

    def sign(log_sigma: Float[np.ndarray, "mode 1"]) -> Float[np.ndarray, "mode 1"]:
        return np.sign(recipe.objective.regression(variance, np.exp(log_sigma)).cross_moment)

    start, end = sign(low), sign(high)
    for _ in range(60):
        half = (low + high) / 2
        same = sign(half) == start
        low, high = np.where(same, half, low), np.where(same, high, half)
    return np.where(start * end < 0, np.exp(high), np.nan)[:, 0]


def _between_kinks(
    recipe: Recipe,
    sharing: float,
    variance: Float[np.ndarray, " mode"],
    kink: Float[np.ndarray, " mode"],
    time: Float[np.ndarray, " time"],
) -> Float[np.ndarray, "time mode"]:
    """∫ψ d ln σ on either side of a kink by the tanh–sinh rule, whose nodes crowd at the ends double exponentially."""
    sampler = recipe.sampler
    t = np.linspace(-3.4, 3.4, TANH_SINH)
    place, weight = np.tanh(np.pi / 2 * np.sinh(t)), np.pi / 2 * np.cosh(t) / np.cosh(np.pi / 2 * np.sinh(t)) ** 2
    edges = np.log(np.stack([np.full_like(kink, sampler.sigma_min), kink, np.full_like(kink, sampler.sigma_max)]))
    total = np.zeros((time.size, variance.size))
    for low, high in (edges[:2, :, None], edges[1:, :, None]):
        levels = np.exp((high + low) / 2 + (high - low) / 2 * place)
        regression = replace(recipe.objective.regression(variance, levels), sharing=sharing)
        gain = regression.denoiser_gain(recipe.architecture.network_gain(regression, recipe.optimizer, time))
        total += np.einsum("tms,ms->tm", gain, (high - low) / 2 * weight * (t[1] - t[0]))
    return sampler.sigma_min**2 * np.exp(2 * total)
