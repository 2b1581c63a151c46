"""When to stop: least denoising error of held-out samples, as a probe measured it, per mode and noise level (T16)."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from ..checks import InputError, instance
from ..curve.learning_curve import LearningCurve

RISE = 0.01
"""A mode overfits only where its last held-out loss exceeds the least by more than this share,"""

SCATTERS_ABOVE = 5.0
"""and by more than so many times the scatter of its ln loss from record to record: the least of fifty records lies some two below
their mean, the last may lie two above it, and scatter is only estimated. What lasts over several records is taken for a course.
"""

FEW = 1.5
"""Scatter that n differences show is taken to be larger by the share FEW/n: few of them may look smooth by chance."""

MEDIAN = 1.4826
"""Standard deviation of a normal quantity over the median of its absolute value."""

STEPS = {"units": "optimizer steps"}


@dataclass(frozen=True, eq=False, repr=False)
class Stopping:
    """Best recorded steps to stop a real training, and what going on to its end cost.

    `dataset` holds `best_time` (mode, sigma) and `level_best_time` (sigma,), of all modes together: the recorded step of
    least held-out loss, NaN where that is the last record, so that the best may be yet to come; `rise` (mode, sigma) and
    `level_rise` (sigma,): held-out loss at the last record over the least, less 1; `scatter` (mode, sigma): standard
    deviation of ln loss about a smooth course, as training jumps from record to record; `train_total` and `test_total`
    (time,): loss of all modes, at each noise level relative to the first record, averaged over levels.
    """

    dataset: xr.Dataset

    @property
    def best_time(self) -> xr.DataArray:
        """Best recorded step of each mode at each noise level, (mode, sigma), in optimizer steps; NaN: not yet."""
        return self.dataset["best_time"]

    @property
    def overfits(self) -> xr.DataArray:
        """Whether a mode's held-out loss has risen again, by more than one per cent and its own scatter, (mode, sigma)."""
        least = np.maximum(RISE, np.expm1(SCATTERS_ABOVE * self.dataset["scatter"].values))
        return (self.dataset["rise"] > least).rename("overfits").assign_attrs(long_name="overfits")

    @property
    def stopping_time(self) -> float:
        """Recorded step of least total held-out loss, in optimizer steps; NaN where it is the last: not yet."""
        return float(_best(self.dataset["test_total"].values, self.dataset["time"].values)[0])

    def __repr__(self) -> str:
        total, last = self.dataset["test_total"].values, float(self.dataset["time"].values[-1])
        best, rise = _best(total, self.dataset["time"].values)
        when = (
            f"total held-out loss is least at the last record, step {last:,.0f}: not yet"
            if np.isnan(best)
            else f"least total held-out loss at step {best:,.0f}, {100 * rise:.2g} % below that at step {last:,.0f}"
        )
        sizes, share = self.dataset.sizes, float(self.overfits.mean())
        return f"Stopping({sizes['mode']} modes × {sizes['sigma']} noise levels: {100 * share:.0f} % overfit; {when})"


def stopping(curve: Any) -> Stopping:
    """Read when to stop off the held-out losses that a probe has measured (T16).

    `curve`: what a `Probe` with `test` samples recorded, its `test_loss` and `train_loss` (time, mode, sigma). As all records see
    the same samples and the same noise, steps can be told apart that differ by far less than one loss is uncertain. Losses that
    are not finite, of a run that diverged, are the worst. A model's weights at a step between two records are not known here:
    times are those of records. `generalization` predicts the same from two spectra.

    Raises InputError for a curve without held-out losses.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> rng = np.random.default_rng(0)
    >>> train, test = rng.standard_normal((2, 400, 2)) * [[[1.0, 0.1]], [[0.9, 0.05]]]
    >>> probe = ec.Probe(ec.Spectrum(train.var(axis=0)), steps=[1, 2, 3], n_samples=64, data=train, test=test, sigma=[0.1])
    >>> for step in range(4):  # a linear model whose gain grows by a fifth at each step
    ...     probe(step, lambda x, sigma: 0.2 * (step + 1) * x)
    >>> ec.stopping(probe.curve()).best_time.values  # the first mode still improves, the second has overfitted since step 0
    array([[nan],
           [ 0.]])

    ```
    """
    instance("curve", curve, LearningCurve, "a learning curve")
    data = curve.dataset
    if "test_loss" not in data or "train_loss" not in data:
        raise InputError("curve must hold held-out losses, got one without: Probe(..., data=..., test=...)")
    time = data["time"].values
    by_level = {name: _all_modes(curve, name) for name in ("train", "test")}
    best, rise = _best(data["test_loss"].values, time)
    level_best, level_rise = _best(by_level["test"], time)
    labels = ("mode", "sigma")
    dataset = xr.Dataset(
        {
            "best_time": (labels, best, {"long_name": "step of least held-out loss", **STEPS}),
            "rise": (labels, rise, {"long_name": "held-out loss at the end over the least, less 1", "units": "1"}),
            "scatter": (
                labels,
                _scatter(data["test_loss"].values),
                {"long_name": "scatter of ln held-out loss", "units": "1"},
            ),
            "level_best_time": (
                labels[1:],
                level_best,
                {"long_name": "step of least held-out loss, all modes", **STEPS},
            ),
            "level_rise": (labels[1:], level_rise, {"long_name": "the same of the loss of all modes", "units": "1"}),
            "train_total": (
                ("time",),
                _relative(by_level["train"]),
                {"long_name": "total training loss", "units": "1"},
            ),
            "test_total": (("time",), _relative(by_level["test"]), {"long_name": "total held-out loss", "units": "1"}),
        },
        coords={name: data[name] for name in ("time", "mode", "sigma")},
    )
    return Stopping(dataset)


def _all_modes(curve: LearningCurve, name: str) -> Float[np.ndarray, "time sigma"]:
    """Loss of all directions of the data space, also of those in which the training data do not vary."""
    data = curve.dataset
    loss = data[f"{name}_loss"].values.sum(axis=1)
    null = f"{name}_null_loss"
    return loss + curve.null_dimension * data[null].values if null in data else loss


def _relative(loss: Float[np.ndarray, "time sigma"]) -> Float[np.ndarray, " time"]:
    """Loss relative to the first record, averaged over noise levels; levels without any loss there are left out."""
    kept = loss[0] > 0
    return (loss[:, kept] / loss[0, kept]).mean(axis=1) if kept.any() else np.full(len(loss), np.nan)


def _best(loss: Any, time: Float[np.ndarray, " time"]) -> tuple[Any, Any]:
    """Recorded time of least loss (time, ...), NaN where it is the last, and the last loss over the least, less 1."""
    known = np.where(np.isfinite(loss), loss, np.inf)
    last = len(known) - 1
    least = last - known[::-1].argmin(axis=0)  # the latest of equal ones: what does not move has not overfitted
    smallest, end = known.min(axis=0), known[-1]
    ratio = np.divide(end, smallest, out=np.full(end.shape, np.inf), where=(smallest > 0) & (end < np.inf))
    return np.where(least < last, time[least], np.nan), np.where(end == smallest, 1.0, ratio) - 1


def _scatter(loss: Float[np.ndarray, "time mode sigma"]) -> Float[np.ndarray, "mode sigma"]:
    """Standard deviation of ln loss about a smooth course: the smaller of what second and fourth differences say, 0 if unknown.

    A smooth course has small fourth differences where it bends, and small second ones where it has a corner; scatter has both.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(loss)
        found = [_of_differences(np.diff(log, order, axis=0), norm) for order, norm in ((2, 6), (4, 70))]
    scatter = np.fmin(*found)
    return np.asarray(np.nan_to_num(scatter))


def _of_differences(difference: Float[np.ndarray, "time mode sigma"], norm: float) -> Float[np.ndarray, "mode sigma"]:
    """Standard deviation of a record from differences whose squared weights add up to `norm`, by their median; NaN if unknown."""
    size = np.where(np.isfinite(difference), np.abs(difference), np.nan)
    count = np.isfinite(size).sum(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of slices without a finite difference
        middle = np.nanmedian(size, axis=0) if len(size) else np.full(count.shape, np.nan)
    return np.asarray(middle * MEDIAN / np.sqrt(norm) * (1 + FEW / np.maximum(count, 1)))
