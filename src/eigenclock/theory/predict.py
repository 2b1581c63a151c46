"""The theory's one entry point: spectrum and recipe in, learning curve out."""

from typing import Any

import numpy as np

from ..checks import flag, noise_levels, training_time
from ..curve.learning_curve import LearningCurve
from ..recipe.architectures import Architecture, OneLayer
from ..recipe.objectives import Denoising, Objective
from ..recipe.optimizers import GradientFlow, Optimizer
from ..recipe.recipe import Recipe
from ..recipe.samplers import ProbabilityFlow, Sampler
from ..spectrum.spectrum import Spectrum, check_spectrum
from .routes import route
from .solution import Wanted

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
    keep_covariance: bool = False,
) -> LearningCurve:
    """Generated variance of every mode over training, from theory (T1–T14).

    The closed form is used where one exists (`sampler.method`), quadrature or the sampler's own steps otherwise; networks that
    mix modes (`Affine`, unaligned starts, local convolutions with channels) go by matrices. Nothing larger than `(time, mode)`
    is kept unless asked for.

    **Parameters**

    - `spectrum`: variances of the modes. The mean is taken as known, the theory acts on centred data, except for `Affine`.
      Convolutions see only its stationary part (`Spectrum.stationary`), which becomes the curve's target.
    - `objective`, `architecture`, `optimizer`, `sampler`: the recipe.
    - `time`: (time,) training times in optimizer steps, increasing, 0 and inf allowed. Default: 200 points, 1e-3 to 1e5.
    - `sigma`: noise levels at which gain and loss are kept; by default the sampler's own.
    - `keep_gain`, `keep_loss`: keep the denoiser's gain along each mode, the loss, as (time, mode, sigma).
    - `keep_covariance`: keep the generated covariance in mode coordinates, as (time, mode, mode).

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
    check_spectrum(spectrum)
    for name, value in (("keep_gain", keep_gain), ("keep_loss", keep_loss), ("keep_covariance", keep_covariance)):
        flag(name, value)
    times = training_time(DEFAULT_TIME if time is None else time)
    kept = np.empty(0)
    if keep_gain or keep_loss:
        kept = sampler.levels if sigma is None else noise_levels(sigma)
    seen = architecture.sees(spectrum)
    recipe, bound = recipe.aligned(seen), recipe.bound(seen)
    solution = route(architecture)(bound, seen, Wanted(times, kept, keep_gain, keep_loss, keep_covariance))

    dataset = seen.to_dataset()
    dataset.coords["time"] = ("time", times)
    dataset["variance"] = (("time", "mode"), solution.variance)
    dataset["initial"] = ("mode", solution.initial)
    if kept.size:
        dataset.coords["sigma"] = ("sigma", kept)
    for name, (dims, values) in solution.extra.items():
        dataset[name] = (dims, values)
    dataset.attrs["stationary"] = int(architecture.stationary)
    dataset.attrs["correlated"] = int(architecture.mixes(seen))
    return LearningCurve(dataset, recipe=recipe, source="theory")
