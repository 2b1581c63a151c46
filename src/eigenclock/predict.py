"""The theory's one entry point: spectrum and recipe in, learning curve out."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from .architectures import Architecture, OneLayer
from .checks import InputError, noise_levels, training_time
from .closed_forms import ClosedForm, closed_form
from .curve import LearningCurve
from .objectives import Denoising, Objective
from .optimizers import GradientFlow, Optimizer
from .recipe import Recipe
from .samplers import ProbabilityFlow, Sampler
from .spectrum import Spectrum

BLOCK = 2**18
"""Gains computed at a time (2 MiB each array): large enough to amortise Python, small enough to stay in cache."""

DEFAULT_TIME = np.geomspace(1e-3, 1e5, 200)


def predict(
    spectrum: Spectrum,
    *,
    objective: Objective = Denoising(),
    architecture: Architecture = OneLayer(),
    optimizer: Optimizer = GradientFlow(),
    sampler: Sampler = ProbabilityFlow(),
    time: Any = None,
    sigma: Any = None,
    keep_gain: bool = False,
    keep_loss: bool = False,
) -> LearningCurve:
    """Generated variance of every mode over training, from theory (T1–T7).

    The closed form is used where one exists (`sampler.method`), quadrature or the sampler's own steps otherwise. Nothing
    larger than `(time, mode)` is held unless `keep_gain` or `keep_loss` asks for it.

    **Parameters**

    - `spectrum`: variances of the modes. The mean is taken as known: the theory acts on centred data.
    - `objective`, `architecture`, `optimizer`, `sampler`: the recipe.
    - `time`: (time,) training times in optimizer steps, increasing, 0 and inf allowed. Default: 200 points, 1e-3 to 1e5.
    - `sigma`: noise levels at which gain and loss are kept; by default the sampler's own.
    - `keep_gain`, `keep_loss`: keep the denoiser's gain, the loss, as (time, mode, sigma).

    Raises InputError if times are unsorted or negative, or the learning rate diverges on some mode.

    ```python
    >>> import eigenclock as ec
    >>> curve = ec.predict(ec.Spectrum([1.0, 0.01]), time=[0.0, 10.0, float("inf")])
    >>> print(curve.variance.values[:, 0].round(5))  # of the mode of variance 1: untrained, early, converged
    [3.0000e-05 9.9985e-01 9.9985e-01]
    >>> clock = ec.predict(ec.Spectrum.power_law(32, exponent=2.0)).emergence()
    >>> round(clock.power_law("rising").exponent, 2)  # the inverse law: time ∝ 1/variance, nearly
    -1.03

    ```
    """
    recipe = Recipe(objective, architecture, optimizer, sampler)
    times = training_time(DEFAULT_TIME if time is None else time)
    kept = None
    if keep_gain or keep_loss:
        kept = recipe.sampler.levels if sigma is None else noise_levels(sigma)
    solve = _variance_solver(recipe)

    dataset = spectrum.to_dataset()
    dataset.coords["time"] = ("time", times)
    modes, whole = spectrum.n_modes, spectrum.n_modes == spectrum.dimension
    # one more mode of no variance stands for all directions that the spectrum leaves out
    variance = spectrum.variance if whole else np.append(spectrum.variance, 0.0)
    with np.errstate(over="ignore"):  # a start that explodes has infinite variance
        generated, initial = solve(variance, times), solve(variance, np.zeros(1))[0]
    dataset["variance"] = (("time", "mode"), generated[:, :modes])
    dataset["initial"] = ("mode", initial[:modes])
    if not whole:
        dataset["null_variance"] = ("time", generated[:, modes])
        dataset["null_initial"] = ((), initial[modes])
    if kept is not None:
        dataset.coords["sigma"] = ("sigma", kept)
        regression = objective.regression(spectrum.variance, kept)
        network_gain = architecture.network_gain(regression, optimizer, times)
        if keep_gain:
            dataset["gain"] = (("time", "mode", "sigma"), regression.denoiser_gain(network_gain))
        if keep_loss:
            dataset["loss"] = (("time", "mode", "sigma"), regression.loss(network_gain))
    return LearningCurve(dataset, recipe=recipe, source="theory")


def _variance_solver(recipe: Recipe) -> ClosedForm:
    """The closed form if there is one and the sampler wants it, else the sampler on the gain, block by block."""
    method = recipe.sampler.method if isinstance(recipe.sampler, ProbabilityFlow) else "quadrature"
    exact = closed_form(recipe) if method != "quadrature" else None
    if exact is not None:
        return exact
    if method == "closed_form":
        raise InputError(
            f'method must be "auto" or "quadrature" for this recipe, got "closed_form": none exists for {recipe}'
        )
    return lambda variance, time: _blockwise(recipe, variance, time)


def _blockwise(
    recipe: Recipe, variance: Float[np.ndarray, " mode"], time: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "time mode"]:
    """The sampler applied to the gain, over blocks of modes and, where one mode alone is too large, of times."""
    levels = recipe.sampler.levels
    rows = min(time.size, max(1, BLOCK // levels.size))
    columns = max(1, BLOCK // (rows * levels.size))
    out = np.empty((time.size, variance.size))
    for first in range(0, variance.size, columns):
        modes = slice(first, first + columns)
        regression = recipe.objective.regression(variance[modes], levels)
        for start in range(0, time.size, rows):
            times = slice(start, start + rows)
            gain = regression.denoiser_gain(recipe.architecture.network_gain(regression, recipe.optimizer, time[times]))
            out[times, modes] = recipe.sampler.variance(gain)
            finer = recipe.sampler.refined(gain)
            if finer is not None:
                unresolved, sampler = finer
                chosen = np.arange(variance.size)[modes][unresolved]
                again = _blockwise(replace(recipe, sampler=sampler), variance[chosen], time[times])
                out[times, chosen] = again
    return out
