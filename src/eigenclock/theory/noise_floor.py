"""How far minibatches keep the gain from its optimum: the noise floor of stochastic descent, with or without momentum (*ours*).

One layer W, one noise level. A step moves the error E = W − W* by −2ηw·mean over B fresh pairs of (E X − ε)Xᵀ, ε = Y − W*X. For
Gaussian data ε is independent of X, and the second moment s_ij of E_ij, row i, column j in the data's modes, closes:

    mean step (1 − h_j),  h_j = 2ηw·κ_j,
    noise of E_ij per step  (h_j²/B)·[(T_i + floor_i)/κ_j + s_ij],  T_i = Σ_k κ_k·s_ik.

With momentum β a constant noise ν leaves the variance g_j·ν, g_j = (1+β)/[(1−β)·h_j·(2(1+β) − h_j)], as of an AR(2)
process. So

    s_ij = a_j·(T_i + floor_i)/κ_j,  a_j = g_j·h_j²/B / (1 − g_j·h_j²/B),
    T_i = floor_i·q/(1 − q),  q = Σ_j a_j.

q is the same for all rows. It grows with lr/B; at q = 1 the noise feeds itself and descent diverges, however small the residuals.
"""

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from ..checks import InputError, integer, noise_levels
from ..recipe.objectives import Denoising, Objective
from ..recipe.optimizers import GradientDescent, HeavyBall, Optimizer
from ..recipe.recipe import Recipe
from ..recipe.spectral_edm import SIGMA_MIN
from ..spectrum.spectrum import Spectrum, check_spectrum


def noise_floor(
    spectrum: Spectrum, *, objective: Objective = Denoising(), optimizer: Optimizer, batch_size: int, sigma: Any
) -> xr.Dataset:
    """Stationary spread of one layer's gain under minibatch descent, exact for Gaussian data and fresh batches.

    **Parameters**

    - `spectrum`: all modes of the data; directions without variance count too, since their weights are noisy as well.
    - `objective`: its density is not used: each noise level has batches of its own.
    - `optimizer`: `GradientDescent` or `HeavyBall`.
    - `batch_size`: samples per step and noise level.
    - `sigma`: (sigma,) noise levels.

    Returns a Dataset: `gain_std` (mode, sigma), standard deviation of the denoiser's gain ψ_k about its optimum; `excess_loss`
    (mode, sigma), mean loss above the minimum; `feedback` (sigma,), the q above. InputError where q >= 1: descent diverges.

    ```python
    >>> import eigenclock as ec
    >>> floor = ec.noise_floor(ec.Spectrum([1.0, 0.1]), optimizer=ec.GradientDescent(lr=0.01), batch_size=16, sigma=[0.5])
    >>> print(floor.gain_std.values.round(4))
    [[0.0113]
     [0.0067]]

    ```
    """
    Recipe(objective, optimizer=optimizer)
    check_spectrum(spectrum)
    integer("batch_size", batch_size, at_least=1)
    if not isinstance(optimizer, GradientDescent | HeavyBall):
        raise InputError(f"optimizer must be GradientDescent or HeavyBall for a noise floor, got {optimizer}")
    levels = noise_levels(sigma)
    objective = objective.bound(spectrum, SIGMA_MIN)
    regression = objective.regression(spectrum.variance, levels)
    hessian = 2 * regression.weight * regression.curvature
    optimizer.check_stable(hessian)
    share = _noise_share(optimizer, optimizer.lr * hessian, batch_size)
    feedback = share.sum(axis=0)
    outside = spectrum.dimension - spectrum.n_modes
    if outside:
        empty = objective.some(np.array([spectrum.n_modes])).regression(np.zeros(1), levels)
        feedback += outside * _noise_share(optimizer, 2 * optimizer.lr * empty.weight * empty.curvature, batch_size)[0]
    alone = np.any(share < 0, axis=0)  # the noise of one weight feeds itself
    if alone.any() or (feedback >= 1).any():
        worst = int(np.where(alone, np.inf, feedback).argmax())
        size = "beyond 1" if alone[worst] else f"{feedback[worst]:.2f}"
        raise InputError(
            f"batch_size must be larger or lr smaller, got {batch_size} and {optimizer.lr:g}: minibatch noise feeds itself "
            f"at noise level {levels[worst]:.3g} (feedback {size}, must be < 1)"
        )
    residual = regression.floor / (1 - feedback)  # T_i + floor_i
    gain_variance = share * residual / regression.curvature * regression.gain_slope**2
    labels = ("mode", "sigma")
    return xr.Dataset(
        {
            "gain_std": (labels, np.sqrt(gain_variance), {"long_name": "standard deviation of the gain", "units": "1"}),
            "excess_loss": (labels, regression.weight * residual * feedback, {"long_name": "loss above its minimum"}),
            "feedback": (("sigma",), feedback, {"long_name": "share of the noise that noise makes"}),
        },
        coords={
            "sigma": ("sigma", levels, {"long_name": "noise level", "units": "data units"}),
            "mode": np.arange(spectrum.n_modes),
        },
    )


def _noise_share(
    optimizer: GradientDescent | HeavyBall, step: Float[np.ndarray, "mode sigma"], batch_size: int
) -> Float[np.ndarray, "mode sigma"]:
    """a_j of the module's docstring; negative where the noise of a single weight already feeds itself."""
    momentum = optimizer.momentum if isinstance(optimizer, HeavyBall) else 0.0
    kept = (1 + momentum) * step / ((1 - momentum) * (2 * (1 + momentum) - step)) / batch_size
    return kept / (1 - kept)
