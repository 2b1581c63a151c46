"""Train and test clocks: when each mode begins to overfit, and when to stop (T16)."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from ..checks import InputError, noise_levels, training_time
from ..recipe.architectures import Architecture, OneLayer
from ..recipe.objectives import Denoising, Objective, Regression
from ..recipe.optimizers import GradientFlow, Optimizer
from ..recipe.recipe import Recipe
from ..recipe.spectral_edm import SIGMA_MIN
from ..spectrum.moments import check_samples
from ..spectrum.spectrum import Spectrum, check_spectrum

ROUNDING = 1e-9
"""Relative difference of losses, or of gains, below which two are the same."""


@dataclass(frozen=True, eq=False, repr=False)
class Generalization:
    """Loss on the training data and on held-out data, mode by mode, over training.

    `dataset` holds `train_loss` and `test_loss` (time, mode, sigma), `best_time` (mode, sigma): the time of least test loss,
    inf where it falls for ever and 0 where the start is best; `overfits` (mode, sigma): whether training for ever is worse;
    `train_total` and `test_total` (time,): summed over modes and, weighted by the objective's density, over noise levels.
    """

    dataset: xr.Dataset

    @property
    def best_time(self) -> xr.DataArray:
        """Best stopping time of each mode at each noise level, (mode, sigma), in optimizer steps."""
        return self.dataset["best_time"]

    @property
    def overfits(self) -> xr.DataArray:
        """Whether a mode's test loss rises again, (mode, sigma)."""
        return self.dataset["overfits"]

    @property
    def stopping_time(self) -> float:
        """Recorded time of least total test loss, in optimizer steps."""
        return float(self.dataset["time"].values[self.dataset["test_total"].values.argmin()])

    def __repr__(self) -> str:
        sizes, share = self.dataset.sizes, float(self.overfits.mean())
        return (
            f"Generalization({sizes['mode']} modes × {sizes['sigma']} noise levels: {100 * share:.0f} % overfit; least total "
            f"test loss at step {self.stopping_time:,.4g})"
        )


def generalization(
    spectrum: Spectrum,
    *,
    test: Any = None,
    objective: Objective = Denoising(),
    architecture: Architecture = OneLayer(),
    optimizer: Optimizer = GradientFlow(),
    time: Any,
    sigma: Any,
) -> Generalization:
    """Predict overfitting from the training spectrum and held-out data (T16).

    The network learns the sample variances; along the training data's modes the test loss needs only the held-out second
    moment of each mode, w(κ_test·f² − 2χ_test·f + ρ_test). A mode overfits where the gain passes the test optimum on its
    way to the training optimum: the best time to stop is that passage. Under discrete optimizers and coupled levels the gain may
    swing: the best time is then the best of the given ones.

    **Parameters**

    - `spectrum`: of the training data; `test`: (n, *shape) held-out samples, taken about the training mean. Without them
      `spectrum.test_variance` is used.
    - `objective`, `architecture`, `optimizer`, `time`: as in `predict`. The architecture must keep modes apart.
    - `sigma`: (sigma,) noise levels.

    Raises InputError without held-out data, or for an architecture that mixes modes.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum([1.0, 0.1], test_variance=[0.9, 0.02])
    >>> result = ec.generalization(spectrum, time=np.geomspace(0.01, 100, 400), sigma=[0.3])
    >>> print(result.best_time.values.ravel().round(2))
    [2.1  0.56]

    ```
    """
    Recipe(objective, architecture, optimizer)
    check_spectrum(spectrum)
    if architecture.route != "modes":
        raise InputError(
            f"architecture must keep modes apart for train and test clocks, got {type(architecture).__name__}"
        )
    times, levels = training_time(time), noise_levels(sigma)
    held_out, null_variance = _held_out(spectrum, test)
    seen = architecture.sees(replace_test(spectrum, held_out))
    held_out = held_out if seen.test_variance is None else seen.test_variance
    objective = objective.bound(seen, SIGMA_MIN)
    trained = architecture.regression(objective, seen, levels)
    tested = objective.regression(held_out, levels)
    gain = architecture.network_gain(trained, optimizer, times)
    train_loss, test_loss = trained.loss(gain), tested.loss(gain)

    share = objective_share(objective, levels)
    train_total, test_total = ((loss * share).sum(axis=(1, 2)) for loss in (train_loss, test_loss))
    if (
        null_variance is not None
    ):  # directions in which the training data do not vary, or little, but the held-out data do
        missing = spectrum.dimension - spectrum.n_modes
        beyond = objective.some(np.array([seen.n_modes]))
        empty, outside = (
            beyond.regression(np.array([value]), levels) for value in (spectrum.variance_beyond, null_variance)
        )
        untrained = architecture.network_gain(empty, optimizer, times)
        train_total += missing * (empty.loss(untrained) * share).sum(axis=(1, 2))
        test_total += missing * (outside.loss(untrained) * share).sum(axis=(1, 2))

    whole = np.concatenate([[0.0], times[(times > 0) & np.isfinite(times)], [np.inf]])
    passage = isinstance(optimizer, GradientFlow) and architecture.levels_apart
    best, overfits = _best_stop(whole, architecture.network_gain(trained, optimizer, whole), tested, passage=passage)
    labels = ("time", "mode", "sigma")
    dataset = xr.Dataset(
        {
            "train_loss": (labels, train_loss, {"long_name": "training loss"}),
            "test_loss": (labels, test_loss, {"long_name": "held-out loss"}),
            "best_time": (labels[1:], best, {"long_name": "best stopping time", "units": "optimizer steps"}),
            "overfits": (labels[1:], overfits, {"long_name": "overfits"}),
            "train_total": (("time",), train_total, {"long_name": "total training loss"}),
            "test_total": (("time",), test_total, {"long_name": "total held-out loss"}),
        },
        coords={
            "time": ("time", times, {"long_name": "training time", "units": "optimizer steps"}),
            "sigma": ("sigma", levels, {"long_name": "noise level", "units": "data units"}),
            "mode": np.arange(seen.n_modes),
        },
    )
    return Generalization(dataset)


def replace_test(spectrum: Spectrum, test_variance: Float[np.ndarray, " mode"]) -> Spectrum:
    """The spectrum with these held-out variances: what a convolution sees of it averages them over ±k, as the others."""
    return replace(spectrum, test_variance=test_variance)


def objective_share(objective: Objective, sigma: Float[np.ndarray, " sigma"]) -> Float[np.ndarray, " sigma"]:
    """How much each noise level counts in a total: its density where the objective has one, else equally."""
    density = np.ones_like(sigma) if objective.density is None else objective.density(sigma)
    return density / density.sum()


def _held_out(spectrum: Spectrum, test: Any) -> tuple[Float[np.ndarray, " mode"], float | None]:
    """Held-out second moment about the training mean along each mode, and per direction outside all modes."""
    if test is None:
        if spectrum.test_variance is None:
            raise InputError("test must be held-out samples, got None, and the spectrum has no test_variance")
        return spectrum.test_variance, None
    if spectrum.basis is None:
        raise InputError("test samples need a spectrum with a basis, made by from_samples; got an abstract spectrum")
    samples = np.asarray(check_samples("test", test, spectrum.basis.shape), dtype=np.float64)
    along = (spectrum.to_modes(samples) ** 2).mean(axis=0)
    outside = spectrum.dimension - spectrum.n_modes
    if not outside:
        return along, None
    centred = samples if spectrum.mean is None else samples - spectrum.mean
    total = (centred**2).sum() / len(samples)
    return along, float(max(total - along.sum(), 0.0) / outside)


def _best_stop(
    time: Float[np.ndarray, " time"], gain: Float[np.ndarray, "time mode sigma"], tested: Regression, *, passage: bool
) -> tuple[Float[np.ndarray, "mode sigma"], Bool[np.ndarray, "mode sigma"]]:
    """Time of least test loss and whether the end of training, at the last of `time`, infinity, is worse.

    A gain that runs monotonically (`passage`) is best where it passes the test optimum, found between records by interpolation in
    ln time, linear before the first. Any other, in steps or swinging, is best at one of the recorded times.
    """
    loss = tested.loss(gain)
    least = loss.argmin(axis=0)
    smallest = np.take_along_axis(loss, least[None], axis=0)[0]
    overfits = loss[-1] > smallest * (1 + ROUNDING)
    best = np.where(overfits, time[least], np.inf)
    if not passage:
        return best, overfits
    short = tested.optimum - gain
    size = np.abs(tested.optimum) + np.abs(gain).max(axis=0)
    overfits = (short[0] * short[-1] <= 0) & (np.abs(short[-1]) > ROUNDING * size)
    after = np.maximum((np.sign(short) != np.sign(short[0])).argmax(axis=0), 1)
    first, last = (np.take_along_axis(short, i[None], axis=0)[0] for i in (after - 1, after))
    fraction = np.where(overfits, first / np.where(first != last, first - last, 1.0), 0.0)
    start, end = time[after - 1], np.where(np.isfinite(time[after]), time[after], time[-2])
    known = (start > 0) & (end > start)
    ratio = np.where(known, end, 1.0) / np.where(known, start, 1.0)
    best = np.where(known, start * ratio**fraction, start + fraction * (end - start))
    best = np.where(short[0] == 0, 0.0, best)
    return np.where(overfits, best, np.inf), overfits
