"""The largest learning rate at which gradient descent converges on the theory's linear model."""

from typing import Any

import numpy as np

from ..checks import InputError, instance, noise_levels
from ..recipe.architectures import Architecture, OneLayer
from ..recipe.objectives import Denoising, Objective
from ..recipe.optimizers import GradientDescent, HeavyBall
from ..recipe.samplers import Heun
from ..spectrum.spectrum import Spectrum, check_spectrum


def stable_lr(
    spectrum: Spectrum,
    *,
    objective: Objective = Denoising(),
    architecture: Architecture = OneLayer(0.0),
    optimizer: type[GradientDescent] | type[HeavyBall] | Any = GradientDescent,
    sigma: Any = None,
) -> float:
    """Largest learning rate of gradient descent on a linear model of the data (T3): above it some mode diverges.

    It says nothing of Adam, nor of a network that is not linear. Steps of a third of it are the default of `eigenclock predict`.

    **Parameters**

    - `spectrum`: of the data. - `objective`, `architecture`: of the theory. - `optimizer`: `GradientDescent`, or a `HeavyBall`,
      whose momentum β allows 1 + β times as much.
    - `sigma`: (sigma,) noise levels that are trained; those of 20 steps of Heun by default.

    InputError for values of the wrong kinds.

    ```python
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum([4.0, 0.1])
    >>> round(ec.stable_lr(spectrum, sigma=[1.0]), 6)  # curvature 2·(4 + 1²): stable below 2/10
    0.2
    >>> bool(ec.stable_lr(spectrum, objective=ec.EDM()) > 100 * ec.stable_lr(spectrum))
    True

    ```
    """
    check_spectrum(spectrum)
    instance("objective", objective, Objective, "an objective of the theory, such as EDM()")
    instance("architecture", architecture, Architecture, "an architecture of the theory")
    levels = Heun(steps=20).levels if sigma is None else np.atleast_1d(noise_levels(sigma))
    descent = optimizer() if isinstance(optimizer, type) else optimizer
    if not isinstance(descent, GradientDescent | HeavyBall):
        raise InputError(f"optimizer must be GradientDescent or HeavyBall, got {type(descent).__name__}")
    return descent.stable_step / architecture.largest_curvature(objective, spectrum, levels)
