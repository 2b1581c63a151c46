"""The constant between predicted and measured time, from modes that have emerged, are on their way, or not yet (*ours*, T13).

For mode k of predicted time p_k, ln t_k = m + b·(ln p_k − x̄) + d·(falling) + residual: b near 1 (one constant for all times), d
near 0 (one constant for rising and falling modes), residuals of one spread. A mode that is only on its way has passed
some fraction of its log-distance; the ratio of measured to predicted time of that passage stands for its own, with more error
the earlier it is. A mode that has not moved yet will emerge after the last step, and a mode that a late probe found learned
emerged before its first: a censored (Tobit) regression.
Its four unknowns have weak priors and are found at the posterior's mode, with the curvature there as their uncertainty.
Residuals of neighbouring modes are alike, so that many modes of one status count as no more than `EFFECTIVE_MODES` independent
ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
import scipy.stats
from jaxtyping import Bool, Float

EFFECTIVE_MODES = 8.0
"""As how many independent modes those of one status count."""

SLOPE_PRIOR = 0.4
"""Standard deviation of b about 1."""

DIRECTION_PRIOR = 0.6
"""Standard deviation of d about 0."""

SPREAD_PRIOR = (0.4, 0.8)
"""Median of the residuals' spread in ln t, and the standard deviation of its logarithm."""

DRIFT = 0.6
"""Standard deviation of the error of a forecast, as a share of the ln time that it looks ahead: a run's speed drifts."""

INFLATION = 2.4
"""By which spreads are widened, so that intervals of modes cover on finished runs what they say (`examples.study_pages`)."""

PARTIAL_NOISE = 2.0
"""Standard deviation in ln t of what a mode that has barely moved says about its emergence; falls to 0 on the way."""

Modes = Float[np.ndarray, " mode"]
Flags = Bool[np.ndarray, " mode"]


@dataclass(frozen=True, eq=False)
class Status:
    """What is known of every mode so far.

    `x`: ln of predicted time; `falling`; `y`: ln of measured time of the modes in `seen`, `noise` its standard deviation (0 where
    the mode has emerged, more where it is on its way); `waiting`: not moved by `last`, ln of the last step; `before`: learned
    before `first`.
    """

    x: Modes
    falling: Flags
    y: Modes
    noise: Modes
    seen: Flags
    waiting: Flags
    before: Flags
    last: float
    first: float


@dataclass(frozen=True, eq=False)
class TimeScale:
    """The posterior of (m, b, d, ln spread) about its mode."""

    mean: Float[np.ndarray, " four"]
    covariance: Float[np.ndarray, "four four"]
    centre: tuple[float, float]
    status: Status

    @classmethod
    def of(cls, status: Status) -> "TimeScale | None":
        """The fit; None before any mode has moved."""
        seen = status.seen
        if not seen.any():
            return None
        centre = float(np.median(status.x[seen])), float(status.falling[seen].mean())
        x, falling = status.x - centre[0], status.falling - centre[1]
        emerged, partial = seen & (status.noise == 0), seen & (status.noise > 0)
        groups = [(group, min(1.0, EFFECTIVE_MODES / group.sum())) for group in (emerged, partial) if group.any()]
        waiting, before = (
            (flags, min(1.0, EFFECTIVE_MODES / max(1, flags.sum()))) for flags in (status.waiting, status.before)
        )

        def negative_log_posterior(parameters: Any) -> float:
            m, b, d, log_spread = parameters
            spread, location = np.exp(log_spread), m + b * x + d * falling
            total = 0.5 * ((b - 1) / SLOPE_PRIOR) ** 2 + 0.5 * (d / DIRECTION_PRIOR) ** 2
            total += 0.5 * ((log_spread - np.log(SPREAD_PRIOR[0])) / SPREAD_PRIOR[1]) ** 2
            for group, weight in groups:
                variance = spread**2 + status.noise[group] ** 2
                error = (status.y[group] - location[group]) ** 2 / variance
                total += weight * 0.5 * (error + np.log(variance)).sum()
            total -= waiting[1] * scipy.stats.norm.logsf((status.last - location[waiting[0]]) / spread).sum()
            total -= before[1] * scipy.stats.norm.logcdf((status.first - location[before[0]]) / spread).sum()
            return float(total)

        start = np.array([np.median(status.y[seen]), 1.0, 0.0, np.log(SPREAD_PRIOR[0])])
        found = scipy.optimize.minimize(negative_log_posterior, start, method="BFGS", options={"gtol": 1e-4})
        return cls(found.x, np.linalg.inv(_hessian(negative_log_posterior, found.x)), centre, status)

    @property
    def spread(self) -> float:
        """Standard deviation of ln t about the law."""
        return float(np.exp(self.mean[3]))

    @property
    def factor(self) -> float:
        """Measured over predicted time where modes have been seen."""
        return float(np.exp(self.mean[0] - self.centre[0]))

    def _design(self, modes: Flags) -> Float[np.ndarray, "three chosen"]:
        status = self.status
        chosen = status.falling[modes]
        return np.stack([np.ones(chosen.size), status.x[modes] - self.centre[0], chosen - self.centre[1]])

    def _own(self, modes: Flags) -> tuple[Any, Any, Any]:
        """How much each mode's own passage counts, what it says, and the spread that remains."""
        status = self.status
        known = status.seen[modes]
        weight = np.where(known, self.spread**2 / (self.spread**2 + status.noise[modes] ** 2), 0.0)
        return weight, np.where(known, status.y[modes], 0.0), self.spread * np.sqrt(np.maximum(1 - weight, 0.02))

    def interval(self, modes: Flags, coverage: float) -> list[Float[np.ndarray, " chosen"]]:
        """Low end, expected value and high end of ln t of modes that have not emerged, given that it lies beyond the last step.

        Expected is the most likely value, or the median where that has passed already.
        """
        design, last = self._design(modes), self.status.last
        weight, own, left = self._own(modes)
        uncertain = np.einsum("im,ij,jm->m", design, self.covariance[:3, :3], design)
        location = (1 - weight) * (self.mean[:3] @ design) + weight * own
        ahead = DRIFT * np.maximum(location - last, 0)
        spread = np.sqrt(left**2 + (1 - weight) ** 2 * np.maximum(uncertain, 0) + ahead**2) * INFLATION
        remaining = scipy.stats.norm.sf((last - location) / spread)
        low, median, high = (
            self._beyond(location + spread * scipy.stats.norm.isf(remaining * (1 - level)))
            for level in ((1 - coverage) / 2, 0.5, (1 + coverage) / 2)
        )
        return [low, np.where(location > last, np.maximum(location, low), median), high]

    def draws(self, modes: Flags, n: int) -> Float[np.ndarray, "draw chosen"]:
        """Draws of ln t beyond the last step, with the spreads of `interval`.

        Constant, slope, direction and drift are common to all modes of a draw, a residual to an eighth of the modes, neighbours
        in predicted time: what many modes decide together is hardly surer than what one decides alone.
        """
        rng, design, last = np.random.default_rng(0), self._design(modes), self.status.last
        weight, own, left = self._own(modes)
        shift = rng.multivariate_normal(np.zeros(3), self.covariance[:3, :3], n, check_valid="ignore") @ design
        centre = (1 - weight) * (self.mean[:3] @ design) + weight * own
        ahead = DRIFT * np.maximum(centre - last, 0)
        location = centre + INFLATION * ((1 - weight) * shift + ahead * rng.standard_normal((n, 1)))
        rank = np.argsort(np.argsort(self.status.x[modes], kind="stable"), kind="stable")
        block = rank * int(EFFECTIVE_MODES) // max(1, rank.size)
        uniform = rng.uniform(size=(n, int(EFFECTIVE_MODES)))[:, block]
        remaining = scipy.stats.norm.sf((last - location) / (INFLATION * left))
        return self._beyond(location + INFLATION * left * scipy.stats.norm.isf(remaining * uniform))

    def _beyond(self, log_time: Any) -> Any:
        return np.where(np.isfinite(log_time), np.maximum(log_time, self.status.last), self.status.last)


def _hessian(function: Any, at: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
    """Second derivatives by central differences, made positive definite."""
    step = 1e-3 * np.eye(at.size)
    matrix = np.array(
        [
            [function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b) for b in step]
            for a in step
        ]
    ) / (4e-6)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, 1e-3)) @ vectors.T
