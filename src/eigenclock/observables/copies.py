"""Copies of training samples: exact nearest neighbours in chunks, and the share of samples that are copies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Bool, Float

from ..checks import InputError, choice, number, numeric_array, shown
from ..clocks.replicates import Estimate, difference, proportion
from .neighbours import both, nearest as nearest
from .rows import contained, distinct

Criterion: TypeAlias = Literal["ratio", "exact"]

RATIO = 1 / 3
"""A copy is nearer than this times the distance of the second nearest training sample (Bonnaire et al., arXiv:2505.17638)."""

FEW_ROWS = 1000
"""Training samples that are looked at for whether the data are bits."""

SINGLE = ("float32", "float16", "bfloat16")

FEATURES_AT_A_TIME = 256
"""Samples that a function of features is given at a time."""


def neighbour_ratio(samples: Any, train: Any, *, name: str = "train", device: Any = "auto") -> Float[np.ndarray, " n"]:
    """Distance to the nearest over distance to the second nearest sample of `train`: 0 for a copy, near 1 far from all.

    Among points without structure in d dimensions P(ratio < r) = r^d, whatever their number. Exact repeats in `train` count
    once. `name`: what errors call `train`. `device`: as of `nearest`.
    """
    queries, rows = both(samples, train, name)
    different = distinct(rows)
    if len(different) < 2:
        raise InputError(
            f"{name} must hold at least 2 different samples for the ratio of distances, got {len(different)}"
        )
    points = rows if len(different) == len(rows) else rows[different]
    distance, _ = nearest(queries, points, device=device)
    return distance[:, 0] / distance[:, 1]


def found_in(samples: Any, train: Any, *, name: str = "train") -> Bool[np.ndarray, " n"]:
    """Which samples are exactly, to the bit, among `train`; in single precision if either is. `name`: what errors call `train`.

    InputError for samples of bits in another coding than `train`, which would never match.
    """
    queries, points = both(samples, train, name)
    known = np.unique(points[: min(len(points), FEW_ROWS)])
    other = queries[~np.isin(queries, known)] if known.size == 2 else np.empty(0)
    if other.size:
        raise InputError(
            f"samples must take the values of {name}, {known[0]:g} and {known[1]:g}, got {other[0]:g}: decode them first"
        )
    single = any(str(getattr(one, "dtype", "")).removeprefix("torch.") in SINGLE for one in (samples, train))
    return contained(queries, points, np.float32 if single else np.float64)


def matches(
    samples: Any,
    train: Any,
    *,
    criterion: Criterion = "ratio",
    ratio: float = RATIO,
    name: str = "train",
    device: Any = "auto",
) -> Bool[np.ndarray, " n"]:
    """Which samples are copies of `train` by a criterion of `memorization`. `name`: what errors call `train`."""
    choice("criterion", criterion, get_args(Criterion))
    number("ratio", ratio, above=0, below=1)
    if criterion == "exact":
        return found_in(samples, train, name=name)
    return neighbour_ratio(samples, train, name=name, device=device) < ratio


@dataclass(frozen=True, eq=False)
class Memorization:
    """Copies of training samples among n samples.

    - `copies`: share of samples that are copies of `train`, with Wilson's interval.
    - `control`: share of the same samples that match the held-out control set: what chance gives; None without a control set.
    - `excess`: copies − control, with Newcombe's interval; None without one. (`innovation` counts
      (copies − expected)/(1 − expected).)
    - `is_copy` (n,).
    """

    copies: Estimate
    control: Estimate | None
    excess: Estimate | None
    is_copy: Bool[np.ndarray, " n"]
    criterion: str

    def record(self) -> dict[str, float]:
        """Numbers for a probe: copies, and control and excess where there are any."""
        found = {"copies": self.copies.value}
        if self.control is not None and self.excess is not None:
            found |= {"control": self.control.value, "excess": self.excess.value}
        return found

    def __str__(self) -> str:
        more = "" if self.control is None else f", control {self.control}, excess {self.excess}"
        return f"copies {self.copies}{more} (n = {self.copies.n}; {self.criterion})"


def memorization(
    samples: Any,
    train: Any,
    control: Any = None,
    *,
    criterion: Criterion = "ratio",
    ratio: float = RATIO,
    confidence: float = 0.95,
    features: Any = None,
    device: Any = "auto",
) -> Memorization:
    """Share of generated samples that are copies of training samples, with interval and control.

    **Parameters**

    - `samples`: (n, ...) generated. - `train`: (m, ...) that the model was trained on.
    - `control`: (k, ...) held-out samples of the same law, never trained on: the same test against them says what share
      looks like a copy by chance. Give as many as `train` where you can: of a larger set as many are drawn; a smaller one is
      fair for data without clusters.
    - `criterion`: "ratio", the nearest training sample is nearer than `ratio` times the second nearest (for
      real-valued data); "exact", equal to the bit (for bits and tokens; a smaller control's rate is scaled to m samples).
    - `confidence`: of all intervals.
    - `features`: samples (b, ...), a batch of them as arrays, → (b, k) numbers in which distances are taken instead: those of
      pixels say little of images; for "ratio".
    - `device`: where distances are computed if there are many and PyTorch is installed; "auto" is a GPU where there is one.

    Arrays keep their precision, integers too, and are not copied: distances are found in single precision and decided in double.
    Raises InputError for an empty training set, shapes that differ, entries that are not finite.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> rng = np.random.default_rng(0)
    >>> train, control, fresh = rng.standard_normal((3, 200, 16))
    >>> samples = np.concatenate([train[:50] + 0.01 * rng.standard_normal((50, 16)), fresh[:150]])
    >>> print(ec.memorization(samples, train, control).excess)
    0.25 [0.192, 0.314]

    ```
    """
    samples, train = some("samples", samples), some("train", train)
    if control is not None:
        control = some("control", control)
    number("confidence", confidence, above=0, below=1)
    ratio = number("ratio", ratio, above=0, below=1)
    choice("criterion", criterion, get_args(Criterion))
    if control is not None:
        control = as_many(control, len(train))
    if features is not None:
        if not callable(features):
            raise InputError(f"features must be a function of samples, got {shown(features)}")
        if criterion == "exact":
            raise InputError(
                "features must be left out where criterion='exact': equal ones may be of different samples"
            )
        both(samples, train, "train")  # in the words of samples, before features are
        samples, train = (in_features(features, one, name) for name, one in (("samples", samples), ("train", train)))
        control = None if control is None else in_features(features, control, "control")
    copied = matches(samples, train, criterion=criterion, ratio=ratio, device=device)
    n = len(copied)
    copies = proportion(int(copied.sum()), n, confidence=confidence)
    name = f"nearest below {ratio:.3g} of the second nearest" if criterion == "ratio" else "exact matches"
    if control is None:
        return Memorization(copies, None, None, copied, name)
    held = matches(samples, control, criterion=criterion, ratio=ratio, name="control", device=device)
    chance = proportion(int(held.sum()), n, confidence=confidence)
    if criterion == "exact":
        scale = max(1.0, len(train) / len(control))
        chance = chance.mapped(lambda share: min(1.0, scale * share))
    return Memorization(copies, chance, difference(copies, chance), copied, name)


def some(name: str, values: Any) -> Any:
    array = numeric_array(name, values, "finite numbers of shape (n, ...)")
    if array.ndim == 0:
        raise InputError(f"{name} must hold at least one sample, got shape ()")
    return array


def answered(name: str, function: Any, samples: Any) -> Any:
    """What a user's function says of samples; InputError where it does not take them."""
    try:
        return function(samples)
    except TypeError as error:
        raise InputError(f"{name} must be a function of samples, got TypeError: {error}") from error


def in_features(function: Callable[[Any], Any], samples: Any, name: str) -> Any:
    """Samples as what a function gives for them, batch by batch; InputError unless that is a row of numbers for each."""
    parts: list[Any] = []
    for start in range(0, len(samples), FEATURES_AT_A_TIME):
        some = samples[start : start + FEATURES_AT_A_TIME]
        found = numeric_array("features", answered("features", function, some), "a function to numbers (b, k)")
        if found.ndim != 2 or len(found) != len(some) or found.shape[1] == 0:
            raise InputError(
                f"features must give {len(some)} rows (b, k) for as many of {name}, got shape {found.shape}"
            )
        if parts and found.shape[1] != parts[0].shape[1]:
            raise InputError(f"features must give rows of one length, got {parts[0].shape[1]} and {found.shape[1]}")
        parts.append(found)
    return np.concatenate(parts)


def as_many(control: Any, m: int) -> Any:
    """The control set, or as many of a larger one as there are training samples."""
    if len(control) <= m:
        return control
    return control[np.sort(np.random.default_rng(0).permutation(len(control))[:m])]
