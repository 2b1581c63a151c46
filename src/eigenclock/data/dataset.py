"""A data set: samples, perhaps held-out samples, and where they are from."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int

from ..checks import InputError, flag, integer, number, numeric_array, random_seed


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """Samples to train on and, where there are any, held-out samples of the same shape.

    - `samples`, `test`: (n, d) vectors, (n, h, w) or (n, h, w, c) images, float.
    - `name`, `source`: what to call it, and where it is from.
    - `labels`: (n,) whole class of each sample, or None; `classes`: the name of each class.

    Raises InputError for any other shape or fewer than two samples.
    """

    samples: np.ndarray
    test: np.ndarray | None
    name: str
    source: str
    labels: Any = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.samples, np.ndarray) or isinstance(self.samples, np.ma.MaskedArray):
            object.__setattr__(self, "samples", numeric_array("data", self.samples, "real numbers"))
        if self.samples.dtype.kind not in "fiub":
            raise InputError(f"data must be real numbers, got dtype {self.samples.dtype}")
        if self.samples.ndim not in (2, 3, 4) or 0 in self.samples.shape[1:]:
            raise InputError(f"data must have shape (n, d), (n, h, w) or (n, h, w, c), got {self.samples.shape}")
        if len(self.samples) < 2:
            raise InputError(f"data must hold at least 2 samples, got {len(self.samples)}")
        if self.test is not None:
            object.__setattr__(self, "test", numeric_array("test", self.test, "real numbers"))
        if self.test is not None and self.test.shape[1:] != self.samples.shape[1:]:
            raise InputError(f"test must hold samples of shape {self.samples.shape[1:]}, got {self.test.shape}")
        if self.labels is not None:
            labels = numeric_array("labels", self.labels, "a whole label for every sample")
            if labels.shape != (len(self.samples),) or labels.dtype.kind not in "iu":
                raise InputError(
                    f"labels must be {len(self.samples)} whole numbers, got {labels.dtype} of shape {labels.shape}"
                )
            object.__setattr__(self, "labels", labels)

    def __repr__(self) -> str:
        test = "" if self.test is None else f" and {len(self.test):,} test"
        classes = f", {len(self.classes)} classes" if self.classes else ""
        kind = "training" if test else ""
        counts = f"{len(self.samples):,} {kind}{test} samples".replace("  ", " ")
        return f"DataSet({self.name}: {counts} of shape {self.samples.shape[1:]}{classes})"

    def limited(self, n: int | None, *, seed: int = 0) -> "DataSet":
        """At most `n` training samples, chosen at random; all of them for None."""
        random_seed(seed)
        if n is None or integer("n", n, at_least=2) >= len(self.samples):
            return self
        rows = chosen_rows(len(self.samples), n, seed)
        return replace(self, samples=self.samples[rows], labels=None if self.labels is None else self.labels[rows])

    def standardized(self, sigma_data: float = 0.5, *, each: bool = False) -> "DataSet":
        """Shifted and scaled to mean 0 and standard deviation `sigma_data` (EDM's convention), all coordinates alike.

        `each`: every coordinate by its own mean and deviation; one that does not vary becomes 0.
        """
        number("sigma_data", sigma_data, above=0)
        flag("each", each)
        values = np.asarray(self.samples, dtype=np.float64)
        if not np.isfinite(values).all():
            raise InputError(
                f"data must be finite, got {int((~np.isfinite(values)).sum())} NaN or inf entries in {self.name}"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            mean, spread = values.mean(), values.std()
        if spread == 0:
            raise InputError(f"data must vary, got constant data in {self.name}")
        if not np.isfinite(spread):
            raise InputError(f"data must be of a size whose square float64 holds, got up to {np.abs(values).max():g}")
        if each:
            mean, spread = values.mean(axis=0), values.std(axis=0)
            spread = np.where(spread > 0, spread, np.inf)
        scale = sigma_data / spread
        test = None if self.test is None else (np.asarray(self.test, dtype=np.float64) - mean) * scale
        return replace(self, samples=(values - mean) * scale, test=test)


def chosen_rows(total: int, n: int | None, seed: int) -> Int[np.ndarray, " n"]:
    """Which `n` of `total` samples are taken, at random and in order; all for None."""
    if n is None or n >= total:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).permutation(total)[:n])
