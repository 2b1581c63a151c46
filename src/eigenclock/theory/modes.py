"""Modes on their own: closed form where there is one, else the sampler on the gain, block by block (T3–T13)."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from ..checks import InputError
from ..recipe.objectives import Regression
from ..recipe.recipe import Recipe
from ..recipe.samplers import ProbabilityFlow
from ..spectrum.spectrum import Spectrum
from .closed_forms import ClosedForm, closed_form
from .solution import Solution, Wanted

BLOCK = 2**18
"""Gains computed at a time (2 MiB each array): large enough to amortise Python, small enough to stay in cache."""

UNRESOLVED = 800
"""Quadrature nodes over the whole range that, if they do not resolve a mode, give way to bisection."""

PANELS, PANEL_NODES, PANEL_TOLERANCE, MOST_HALVINGS = 12, 10, 1e-11, 40
"""Of bisection: panels to begin with, nodes in each, change of ∫ψ that ends it, and where it ends at the latest."""


def along_modes(recipe: Recipe, spectrum: Spectrum, wanted: Wanted) -> Solution:
    """Each mode's gain is a number: its generated variance follows from it alone."""
    solve = _variance_solver(recipe, recipe.architecture.sharing(spectrum))
    modes, whole = spectrum.n_modes, spectrum.n_modes == spectrum.dimension
    # one more mode, of no variance unless the largest alone were kept, stands for all that the spectrum leaves out
    variance = spectrum.variance if whole else np.append(spectrum.variance, spectrum.variance_beyond)
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
    return lambda variance, time: _blockwise(recipe, sharing, variance, np.arange(variance.size), time)


def _blockwise(
    recipe: Recipe,
    sharing: float,
    variance: Float[np.ndarray, " mode"],
    index: Int[np.ndarray, " mode"],
    time: Float[np.ndarray, " time"],
) -> Float[np.ndarray, "time mode"]:
    """The sampler applied to the gain, over blocks of modes and, where one mode alone is too large, of times."""
    sampler, levels = recipe.sampler, recipe.sampler.levels
    rows = min(time.size, max(1, BLOCK // levels.size))
    columns = max(1, BLOCK // (rows * levels.size))
    out = np.empty((time.size, variance.size))
    adaptive = isinstance(sampler, ProbabilityFlow) and recipe.architecture.levels_apart
    for first in range(0, variance.size, columns):
        modes = slice(first, first + columns)
        objective = recipe.objective.some(index[modes])
        regression: Regression = replace(objective.regression(variance[modes], levels), sharing=sharing)
        sign = np.sign(regression.cross_moment)
        kinked = (sign.max(axis=1) > sign.min(axis=1)) & (adaptive and recipe.architecture.kinks)
        if kinked.any():
            every = np.arange(variance.size)[modes]
            bent, smooth = every[kinked], every[~kinked]
            out[:, bent] = _by_bisection(recipe, sharing, variance[bent], index[bent], time)
            if smooth.size:
                out[:, smooth] = _blockwise(recipe, sharing, variance[smooth], index[smooth], time)
            continue
        for start in range(0, time.size, rows):
            times = slice(start, start + rows)
            gain = regression.denoiser_gain(recipe.architecture.network_gain(regression, recipe.optimizer, time[times]))
            out[times, modes] = sampler.some(index[modes]).variance(gain)
            finer = sampler.refined(gain)
            if finer is not None:
                unresolved, finer_sampler = finer
                chosen = np.arange(variance.size)[modes][unresolved]
                if adaptive and finer_sampler.levels.size >= UNRESOLVED:
                    again = _by_bisection(recipe, sharing, variance[chosen], index[chosen], time[times])
                else:
                    finer_recipe = replace(recipe, sampler=finer_sampler)
                    again = _blockwise(finer_recipe, sharing, variance[chosen], index[chosen], time[times])
                out[times, chosen] = again
    return out


def _by_bisection(
    recipe: Recipe,
    sharing: float,
    variance: Float[np.ndarray, " mode"],
    index: Int[np.ndarray, " mode"],
    time: Float[np.ndarray, " time"],
) -> Float[np.ndarray, "time mode"]:
    """∫ψ d ln σ over panels of ln σ that are halved, mode by mode, until halving changes nothing: for fronts and kinks."""
    sampler = recipe.sampler
    nodes, weights = np.polynomial.legendre.leggauss(PANEL_NODES)
    edges = np.linspace(np.log(sampler.sigma_min), np.log(sampler.sigma_max), PANELS + 1)
    total = np.zeros((time.size, variance.size))

    def integral(
        owner: Int[np.ndarray, " panel"], low: Float[np.ndarray, " panel"], high: Float[np.ndarray, " panel"]
    ) -> Float[np.ndarray, "time panel"]:
        out = np.empty((time.size, owner.size))
        size = max(1, BLOCK // (PANEL_NODES * time.size))
        for first in range(0, owner.size, size):
            some = slice(first, first + size)
            half = (high[some, None] - low[some, None]) / 2
            levels = np.exp(low[some, None] + half * (1 + nodes))
            objective = recipe.objective.some(index[owner[some]])
            regression = replace(objective.regression(variance[owner[some]], levels), sharing=sharing)
            network_gain = recipe.architecture.network_gain(regression, recipe.optimizer, time)
            out[:, some] = np.einsum("tpn,pn->tp", regression.denoiser_gain(network_gain), half * weights)
        return out

    owner = np.repeat(np.arange(variance.size), PANELS)
    low, high = np.tile(edges[:-1], variance.size), np.tile(edges[1:], variance.size)
    coarse = integral(owner, low, high)
    for halvings in range(MOST_HALVINGS):
        middle = (low + high) / 2
        left, right = integral(owner, low, middle), integral(owner, middle, high)
        rough = np.abs(left + right - coarse).max(axis=0) > PANEL_TOLERANCE
        rough &= halvings < MOST_HALVINGS - 1
        np.add.at(total.T, owner[~rough], (left + right)[:, ~rough].T)
        if not rough.any():
            break
        owner = np.concatenate([owner[rough]] * 2)
        low, high = np.concatenate([low[rough], middle[rough]]), np.concatenate([middle[rough], high[rough]])
        coarse = np.concatenate([left[:, rough], right[:, rough]], axis=1)
    with np.errstate(over="ignore"):
        return sampler.sigma_min**2 * np.exp(2 * total)
