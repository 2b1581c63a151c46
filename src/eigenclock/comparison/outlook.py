"""What a step of a run holds: how much has begun, is in its band, how fine, how near, with samples (T18)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..clocks.settling import WITHIN, log_ratio
from ..curve.closeness import relative_distance
from ..curve.divergences import wasserstein_of_modes, with_directions_beyond
from ..curve.learning_curve import LearningCurve
from ..spectrum.spatial import feature_size, pixels_in_words


@dataclass(frozen=True)
class Interval:
    """A number and its interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, draws: Float[np.ndarray, " draw"], coverage: float) -> "Interval":
        """Median and quantiles of draws."""
        tail = (1 - coverage) / 2
        low, value, high = (float(q) for q in np.quantile(draws, (tail, 0.5, 1 - tail), method="nearest"))
        return cls(value, low, high)


@dataclass(frozen=True, eq=False, repr=False)
class Outlook:
    """A step of a run as a forecast has it.

    - `begun`, `in_band`: share of the data's variance in modes that have begun, and in modes within a factor of 1.25 of what the
      sampler can reach. - `distance`: W₂ as a share of the data's norm.
    - `cycles`: finest spatial frequency, in cycles per image, up to which nine in ten modes have begun; NaN for data that are no
      images. - `feature_size`: half of its period, in pixels.
    - `variance`: (mode,) expected generated variance; `null_variance`: that of directions that the spectrum leaves out.
    """

    step: float
    begun: Interval
    in_band: Interval
    distance: Interval
    cycles: Interval
    feature_size: Interval
    variance: Float[np.ndarray, " mode"]
    null_variance: float
    _measured: LearningCurve

    def sample(self, n: int, *, seed: int = 0) -> Float[np.ndarray, "n ..."]:
        """`n` samples, in data space, of the Gaussian that is expected then; the same seed has the same noise at every step."""
        dataset = self._measured.dataset
        kept = [name for name in dataset.data_vars if "time" not in dataset[name].dims]
        small = dataset[kept].copy()
        small.coords["time"] = ("time", np.array([self.step]))
        small["variance"] = (("time", "mode"), self.variance[None])
        if "null_variance" in dataset:
            small["null_variance"] = ("time", np.array([self.null_variance]))
        small.attrs = dataset.attrs | {"correlated": 0}
        curve = LearningCurve(small, recipe=self._measured.recipe, source="forecast")
        return curve.sample(n, time=self.step, seed=seed)

    def __str__(self) -> str:
        words = [
            f"by step {self.step:,.0f}: {100 * self.begun.value:.0f} % of the variance has begun",
            f"{100 * self.in_band.value:.0f} % ({100 * self.in_band.low:.0f}–{100 * self.in_band.high:.0f}) is in its band",
        ]
        if np.isfinite(self.cycles.value) and self.cycles.value > 0:
            pixels, cycles = pixels_in_words(self.feature_size.value), self.cycles.value
            words.append(f"details down to {pixels} ({cycles:.2g} cycles per image) have begun")
        words.append(
            f"W₂ is {self.distance.value:.2g} ({self.distance.low:.2g}–{self.distance.high:.2g}) of the data's norm"
        )
        return "; ".join(words)

    def __repr__(self) -> str:
        return f"Outlook({self})"


def outlook(
    step: float,
    variance: Float[np.ndarray, "draw mode"],
    begin: Float[np.ndarray, "other mode"],
    measured: LearningCurve,
    reachable: Float[np.ndarray, " mode"],
    null: float,
    coverage: float,
) -> Outlook:
    """What draws of variances at a step, and of the steps at which modes begin, say of it."""
    target, total = measured.target.values, measured.target.values.sum()
    begun = np.nan_to_num(begin, nan=np.inf) <= step
    inside = np.abs(log_ratio(variance, reachable)) <= np.log(WITHIN)
    distance, spectrum = wasserstein_of_modes(variance, target), measured.spectrum
    if measured.null_dimension:
        distance = with_directions_beyond(distance, measured.null_dimension, null, spectrum.variance_beyond)
    finest = finest_frequency(begun, spectrum.cycles, target)
    size = feature_size(finest, spectrum.basis)
    has_begun, in_band = (Interval.of(flags @ target / total, coverage) for flags in (begun, inside))
    near = Interval.of(relative_distance(distance, measured.total_variance), coverage)
    cycles, pixels = (Interval.of(one, coverage) for one in (finest, size))
    return Outlook(step, has_begun, in_band, near, cycles, pixels, np.median(variance, axis=0), null, measured)


def finest_frequency(
    begun: np.ndarray, cycles: Float[np.ndarray, " mode"], target: Float[np.ndarray, " mode"]
) -> Float[np.ndarray, " other"]:
    """Largest frequency, in cycles per image, up to which nine in ten modes have begun; NaN where samples are no images."""
    known = np.isfinite(cycles) & (target > 0)
    if not known.any():
        return np.full(len(begun), np.nan)
    order = np.flatnonzero(known)[np.argsort(cycles[known], kind="stable")]
    share = np.cumsum(begun[:, order], axis=1) / np.arange(1, order.size + 1)
    last = np.where(share >= MOST, np.arange(order.size), -1).max(axis=1)
    return np.where(last >= 0, cycles[order][np.maximum(last, 0)], 0.0)


MOST = 0.9
"""Share of the modes up to a frequency that must have begun for it to count."""
