"""How many steps of EDM another method saves, at several points of the run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float

Values = Float[np.ndarray, " _"]


def first_below(steps: Values, values: Values, wanted: float) -> tuple[float, bool]:
    """When values first reach a wanted one, logarithmic in steps between records; (last step, False) where they never do.

    A value that is reached at the first record already was reached at or before it: that step is returned.

    ```python
    >>> import numpy as np
    >>> from eigenclock_studies.spectral_bias.cure.speed_up import first_below
    >>> step, arrived = first_below(np.array([10.0, 100.0, 1000.0]), np.array([3.0, 2.0, 1.0]), 1.5)
    >>> round(step, 1), arrived
    (316.2, True)
    >>> first_below(np.array([10.0, 100.0]), np.array([3.0, 2.0]), 1.0)
    (100.0, False)

    ```
    """
    reached = np.flatnonzero(values <= wanted)
    if reached.size == 0:
        return float(steps[-1]), False
    k = int(reached[0])
    if k == 0:
        return float(steps[0]), True
    share = (values[k - 1] - wanted) / (values[k - 1] - values[k])
    return float(np.exp(np.log(steps[k - 1]) + share * np.log(steps[k] / steps[k - 1]))), True


@dataclass(frozen=True)
class SpeedUp:
    """Steps of EDM over a method's, to the same value: geometric mean over seeds with Student's interval.

    `censored`: seeds of which EDM's run was too short to arrive; with any, `value` is a lower bound and has no interval.
    """

    value: float
    low: float
    high: float
    censored: int
    n: int

    @classmethod
    def at(cls, step: int, method: Sequence[tuple[Values, Values]], edm: Sequence[tuple[Values, Values]]) -> "SpeedUp":
        """At one of the method's records; pairs (steps, values) of the same seeds. Lower values are better."""
        found, known = [], []
        for (own_steps, own), (steps, values) in zip(method, edm, strict=True):
            when, arrived = first_below(steps, values, float(own[own_steps == step][0]))
            found.append(np.log(when / step))
            known.append(arrived)
        mean, n = float(np.mean(found)), len(found)
        if n < 2 or not all(known):
            return cls(float(np.exp(mean)), float("nan"), float("nan"), n - sum(known), n)
        reach = float(scipy.stats.t.ppf(0.975, n - 1) * np.std(found, ddof=1) / np.sqrt(n))
        return cls(float(np.exp(mean)), float(np.exp(mean - reach)), float(np.exp(mean + reach)), 0, n)

    def __str__(self) -> str:
        if self.censored:
            return f"≥ {self.value:.2g} ({self.censored} of {self.n} censored)"
        return f"{self.value:.2g}" + ("" if np.isnan(self.low) else f" [{self.low:.2g}, {self.high:.2g}]")
