"""Down to which noise a sample keeps its class: noised real samples, denoised again, for any denoiser."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Float, Int

from ..checks import (
    InputError,
    finite_array,
    instance,
    integer,
    need_memory,
    noise_levels,
    number,
    numeric_array,
    random_seed,
    say,
    shown,
)
from ..clocks.passage import Clock, Passages
from ..clocks.replicates import proportion
from ..recipe.samplers import EulerMaruyama
from .class_gate import most_probable
from .copies import answered, some

HALF = 0.5
"""Normalised return probability at the speciation level."""

LOWEST = 0.02
"""Where a walk ends unless told, relative to the lowest level asked for."""

WITHIN = 1.25
"""Factor within which a speciation level counts as that of the end."""

FAR = 10.0
"""Distance, in units of the reach, at which a level that is none stands."""

MOST_STEPS = 100_000
"""Of a walk, each of which calls the denoiser."""

FEWEST = 10
"""Samples of a class from which its return is read."""


@dataclass(frozen=True, eq=False, repr=False)
class ReturnProbability:
    """How often samples of each class, noised to a level and denoised from there, come back to it.

    - `sigma` (level,): noise levels, in data units. - `returns` (level, class, class): share of samples of the first class that
      end in the second; rows add up to less than 1 where some end in none.
    - `probability` (level, class): R_k, of coming back. - `low`, `high`: its Wilson interval from the noise of counting.
    - `normalised` (level, class): r_k = (R_k − π_k)/(1 − π_k), 1 without noise, 0 where all memory of the class is lost.
    - `speciation` (class,): the level, in data units, below which r_k >= 1/2: above it a class is not decided yet. 0 where r_k is
      below 1/2 at every level, inf where it is above at every one, NaN for a class of fewer than ten samples.
      `speciation_low`, `speciation_high`: its interval, that of R_k: wide for a majority, whose noise 1/(1 − π_k) enlarges.
    - `proportions` (class,): π_k. - `n` (class,): samples behind each.
    """

    sigma: Float[np.ndarray, " level"]
    returns: Float[np.ndarray, "level class class"]
    proportions: Float[np.ndarray, " class"]
    n: Int[np.ndarray, " class"]
    confidence: float = 0.95

    @property
    def probability(self) -> Float[np.ndarray, "level class"]:
        """R_k at every level."""
        return np.diagonal(self.returns, axis1=1, axis2=2)

    @property
    def low(self) -> Float[np.ndarray, "level class"]:
        """Lower end of R_k's interval."""
        return self._interval()[..., 0]

    @property
    def high(self) -> Float[np.ndarray, "level class"]:
        """Upper end of R_k's interval."""
        return self._interval()[..., 1]

    def _interval(self) -> Float[np.ndarray, "level class 2"]:
        found = np.full((*self.probability.shape, 2), np.nan)
        for k in np.flatnonzero(self.n):
            for level, share in enumerate(self.probability[:, k]):
                one = proportion(round(share * self.n[k]), int(self.n[k]), confidence=self.confidence)
                found[level, k] = one.low, one.high
        return found

    @property
    def normalised(self) -> Float[np.ndarray, "level class"]:
        """r_k at every level."""
        return (self.probability - self.proportions) / (1 - self.proportions)

    @property
    def speciation(self) -> Float[np.ndarray, " class"]:
        """Level at which r_k falls through 1/2, linear in ln σ between levels.

        r_k falls with σ, so that its best falling fit is read: the last crossing of r_k itself is one of noise, and too high.
        """
        return self._crossings(self.probability)

    @property
    def speciation_low(self) -> Float[np.ndarray, " class"]:
        """The same for the lower end of R_k's interval."""
        return self._crossings(self.low)

    @property
    def speciation_high(self) -> Float[np.ndarray, " class"]:
        """The same for the upper end of R_k's interval."""
        return self._crossings(self.high)

    def _crossings(self, probability: Float[np.ndarray, "level class"]) -> Float[np.ndarray, " class"]:
        normalised = (probability - self.proportions) / (1 - self.proportions)
        return np.array(
            [
                _crossing(self.sigma, scipy.optimize.isotonic_regression(r, increasing=False).x)
                if n >= FEWEST
                else np.nan
                for r, n in zip(normalised.T, self.n, strict=True)
            ]
        )

    def clock(self, steps: Any, records: Sequence["ReturnProbability"], *, within: float = WITHIN) -> list[Passages]:
        """When the speciation level of each class came within a factor of this result's: a `Passages` per class.

        **Parameters**

        - `steps`: (record,) optimizer steps of `records`, results along training on the same levels. - `within`: the factor, > 1.

        This result is what they should come to: of the exact denoiser, or of a trained one. A step counts where the next record
        agrees, so that the noise of counting does not read early; an r_k that is above, or below, 1/2 at every level has no
        level, and does not agree with one. Classes whose level here is 0, inf or NaN are unknown.
        """
        number("within", within, above=1)
        for one in records:
            instance("records", one, ReturnProbability, "results of return_probability")
        time = numeric_array("steps", steps, "increasing steps >= 0").astype(np.float64)
        if time.shape != (len(records),) or not len(records):
            raise InputError(f"steps must be as many as records, got shape {time.shape} for {len(records)}")
        if any(len(one.n) != len(self.n) for one in records):
            raise InputError(f"records must be of the same {len(self.n)} classes")
        if any(not np.array_equal(one.sigma, self.sigma) for one in records):
            raise InputError(
                f"records must be at the same {len(self.sigma)} levels of sigma as what they are to come to"
            )
        goal, reach = self.speciation, float(np.log(within))
        seen = np.stack([one.speciation for one in records])
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.abs(np.log(seen / goal))
        away = np.where(np.isinf(away), FAR * reach, away)
        known = np.isfinite(goal) & (goal > 0)
        return [
            Clock(f"speciation level of class {k}", reach, "falling", smooth="twice").of(
                time, away[:, k] if known[k] else np.full(len(time), np.nan)
            )
            for k in range(len(goal))
        ]

    def record(self) -> dict[str, float]:
        """Numbers for a probe: `speciation_k` of each class, in data units, where it has one."""
        return {f"speciation_{k}": float(level) for k, level in enumerate(self.speciation) if np.isfinite(level)}

    def to_dataframe(self) -> pd.DataFrame:
        """A row per level and class: R, its interval, r."""
        levels, classes = self.probability.shape
        return pd.DataFrame(
            {
                "sigma": np.repeat(self.sigma, classes),
                "class": np.tile(np.arange(classes), levels),
                "probability": self.probability.ravel(),
                "low": self.low.ravel(),
                "high": self.high.ravel(),
                "normalised": self.normalised.ravel(),
            }
        )

    def __repr__(self) -> str:
        levels = ", ".join(f"{k}: {level:.3g}" for k, level in enumerate(self.speciation))
        return f"ReturnProbability({len(self.sigma)} levels; classes are decided below σ = {levels})"


def return_probability(
    denoiser: Any,
    samples: Any,
    labels: Any,
    classify: Any,
    *,
    sigma: Any,
    proportions: Any = None,
    steps: int = 100,
    sigma_min: float | None = None,
    repeats: int = 1,
    confidence: float = 0.95,
    device: Any = "cpu",
    seed: int = 0,
) -> ReturnProbability:
    """How often real samples, noised to σ and denoised from there, come back to their class, at each σ; for any denoiser.

    A sample x of class k becomes x + σz; a *stochastic* sampler makes of it a draw from the model's posterior of clean samples;
    R_{k→j}(σ) = E[P(j | x + σz)] is the share that ends in class j (after Sclocchi et al., arXiv:2402.16991; Biroli et al.,
    arXiv:2402.18491). Along the deterministic flow a noisy sample has one end only, and R comes out too high.

    **Parameters**

    - `denoiser`: (x, sigma) → estimate of the clean x, on tensors, as for `sample`; also inside a probe:
      `Probe(inspect={"return": lambda d: ec.return_probability(d, ...)})` records `return_speciation_k` of every class.
    - `samples`: (n, ...) real ones. - `labels`: (n,) their classes, whole numbers from 0.
    - `classify`: samples (n, ...), arrays → labels (n,), −1 for none, or probabilities (n, class); such as a `ClassGate`'s
      `nearest`. - `sigma`: (level,) noise levels, in data units, increasing.
    - `proportions`: (class,) of the classes in what the model was trained on; default those of `labels`.
    - `steps`, `sigma_min`: of `EulerMaruyama` from each level down, which ends at a fiftieth of the lowest one unless told.
    - `repeats`: draws for each sample. - `confidence`: of intervals. - `device`: where the denoiser is called.
    - `seed`: of all noise, common to all levels.

    Raises InputError for classes without samples, levels that do not increase or are not above `sigma_min`.

    ```python
    >>> import numpy as np
    >>> import torch
    >>> import eigenclock as ec
    >>> rng, y = np.random.default_rng(0), np.repeat([0, 1], 500)
    >>> x = np.where(y, 3.0, -3.0)[:, None] + rng.standard_normal((1000, 1))
    >>> def exact(x, sigma):  # of two classes of variance 1 at ±3
    ...     total = 1 + sigma**2
    ...     return (x + sigma**2 * 3 * torch.tanh(3 * x / total)) / total
    >>> found = ec.return_probability(exact, x, y, lambda x: (x[:, 0] > 0).astype(int), sigma=[0.5, 2.0, 4.0, 8.0, 40.0])
    >>> found.probability[[0, -1]].round(1)  # classes are kept at little noise, and forgotten at much
    array([[1. , 1. ],
           [0.5, 0.5]])

    ```
    """
    import torch

    from ..training.devices import find_device
    from ..training.sampling import sample

    if not callable(denoiser):
        raise InputError(f"denoiser must be a function (x, sigma), got {shown(denoiser)}")
    if not callable(classify):
        raise InputError(f"classify must be a function of samples, got {shown(classify)}")
    x = finite_array("samples", some("samples", samples), "finite numbers of shape (n, ...)")
    known, shares = _classes(labels, len(x), proportions)
    levels = noise_levels(sigma)
    if (np.diff(levels) <= 0).any():
        raise InputError(f"sigma must be increasing noise levels, got {shown(sigma)}")
    need_memory(f"repeats = {integer('repeats', repeats, at_least=1):,}", 24.0 * repeats * x.size)
    confidence = number("confidence", confidence, above=0, below=1)
    random_seed(seed)
    integer("steps", steps, at_least=1, at_most=MOST_STEPS)
    end = LOWEST * float(levels[0]) if sigma_min is None else number("sigma_min", sigma_min, above=0)
    if end >= levels[0]:
        raise InputError(f"sigma_min must be below every level of sigma, the lowest is {levels[0]:g}, got {end:g}")
    place, classes = find_device(device), shares.size
    clean = torch.as_tensor(np.repeat(x, repeats, axis=0), dtype=torch.float32, device=place)
    known = np.repeat(known, repeats)
    counts, none = np.zeros((levels.size, classes, classes)), 0
    for a, level in enumerate(levels):  # a handful of levels
        fresh = torch.Generator(place).manual_seed(int(seed) % 2**63)
        noise = torch.randn(clean.shape, generator=fresh, device=place)
        start = clean / float(level) + noise  # times sigma_max: x + σz
        walker = EulerMaruyama(steps=steps, sigma_min=end, sigma_max=float(level))
        ends = sample(denoiser, walker, start, generator=fresh)
        ended = _ended(classify, ends.cpu().double().numpy(), classes)
        none += int((ended < 0).sum())
        np.add.at(counts[a], (known[ended >= 0], ended[ended >= 0]), 1)
    total = np.bincount(known, minlength=classes)
    if none > len(known) * levels.size / 2:
        say(
            f"classify gives no class to {none / len(known) / levels.size:.0%} of the denoised samples: R is low for that alone"
        )
    return ReturnProbability(levels, counts / np.maximum(total, 1)[:, None], shares, total, confidence)


def _classes(labels: Any, n: int, proportions: Any) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " K"]]:
    """Labels and proportions, checked."""
    known = numeric_array("labels", labels, f"{n} whole numbers >= 0")
    if known.shape != (n,) or known.dtype.kind not in "iu" or known.min() < 0 or known.max() >= max(n, 2):
        raise InputError(
            f"labels must be {n} whole numbers >= 0, a class per sample, got {known.dtype} of shape {known.shape}"
        )
    counts = np.bincount(known.astype(np.int64))
    shares = (
        counts / n if proportions is None else finite_array("proportions", proportions, "numbers > 0 that sum to one")
    )
    if shares.ndim != 1 or shares.size < max(2, counts.size) or shares.min() <= 0 or abs(shares.sum() - 1) > 1e-6:
        raise InputError(
            f"proportions must be > 0 and sum to one, of {max(2, counts.size)} classes or more, got {shown(shares.tolist())}"
        )
    return known.astype(np.int64), shares / shares.sum()


def _ended(classify: Callable[[Any], Any], ends: Any, classes: int) -> Int[np.ndarray, " n"]:
    """Class of every end point; −1 for none, and where the model has diverged."""
    found = numeric_array("classify", answered("classify", classify, ends), "a function that gives labels")
    if found.dtype.kind == "f" and found.shape == (len(ends), classes):
        found = most_probable(found)
    if found.shape != (len(ends),) or found.dtype.kind not in "iu" or found.min() < -1 or found.max() >= classes:
        raise InputError(
            f"classify must give {len(ends)} whole labels from −1 to {classes - 1}, got {found.dtype} of shape {found.shape}"
        )
    return np.where(np.isfinite(ends.reshape(len(ends), -1)).all(axis=1), found, -1)


def _crossing(sigma: Float[np.ndarray, " level"], r: Float[np.ndarray, " level"]) -> float:
    """Level at which r, which falls, passes 1/2, linear in ln σ: 0 where it is below everywhere, inf where above."""
    above = int((r >= HALF).sum())
    if above in (0, len(r)):
        return float("inf") if above else 0.0
    share = (r[above - 1] - HALF) / (r[above - 1] - r[above])
    return float(sigma[above - 1] ** (1 - share) * sigma[above] ** share)
