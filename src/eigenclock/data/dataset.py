"""A data set: samples, perhaps held-out samples, and where they are from."""

from dataclasses import dataclass, replace

import numpy as np

from ..checks import InputError, integer, number


@dataclass(frozen=True, eq=False)
class DataSet:
    """Samples to train on and, where there are any, held-out samples of the same shape.

    - `samples`, `test`: (n, d) vectors, (n, h, w) or (n, h, w, c) images, float.
    - `name`, `source`: what to call it, and where it is from.

    Raises InputError for any other shape or fewer than two samples.
    """

    samples: np.ndarray
    test: np.ndarray | None
    name: str
    source: str

    def __post_init__(self) -> None:
        if self.samples.dtype.kind not in "fiub":
            raise InputError(f"data must be real numbers, got dtype {self.samples.dtype}")
        if self.samples.ndim not in (2, 3, 4) or 0 in self.samples.shape[1:]:
            raise InputError(f"data must have shape (n, d), (n, h, w) or (n, h, w, c), got {self.samples.shape}")
        if len(self.samples) < 2:
            raise InputError(f"data must hold at least 2 samples, got {len(self.samples)}")

    def limited(self, n: int | None, *, seed: int = 0) -> "DataSet":
        """At most `n` training samples, chosen at random; all of them for None."""
        integer("seed", seed, at_least=0)
        if n is None or n >= len(self.samples):
            return self
        integer("n", n, at_least=2)
        chosen = np.random.default_rng(seed).permutation(len(self.samples))[:n]
        return replace(self, samples=self.samples[np.sort(chosen)])

    def standardized(self, sigma_data: float = 0.5) -> "DataSet":
        """Shifted and scaled, all coordinates alike, to mean 0 and standard deviation `sigma_data` (EDM's convention)."""
        number("sigma_data", sigma_data, above=0)
        values = np.asarray(self.samples, dtype=np.float64)
        if not np.isfinite(values).all():
            raise InputError(
                f"data must be finite, got {int((~np.isfinite(values)).sum())} NaN or inf entries in {self.name}"
            )
        mean, spread = values.mean(), values.std()
        if spread == 0:
            raise InputError(f"data must vary, got constant data in {self.name}")
        scale = sigma_data / spread
        test = None if self.test is None else (np.asarray(self.test, dtype=np.float64) - mean) * scale
        return replace(self, samples=(values - mean) * scale, test=test)
