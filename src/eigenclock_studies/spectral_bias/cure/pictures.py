"""Data of the cure: images with held-out ones, the same whitened, and Gaussian data of the same mean and covariance."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from eigenclock.data import load
from eigenclock.spectrum.bases import Basis, BasisName
from eigenclock.spectrum.spectrum import Spectrum

SIGMA_DATA = 0.5
"""Standard deviation of all samples: what EDM's preconditioning is made for."""

HELD_OUT = 500
"""Held-out images by which denoising is judged."""

Images = Float[np.ndarray, "_ ..."]


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the data, in their own units: samples, held-out ones, and the spectrum that methods may use.

    `modes`: its basis. `centre`: (*shape) mean of the samples.
    """

    train: Images
    held_out: Images
    spectrum: Spectrum
    modes: Basis
    centre: Float[np.ndarray, "..."]

    def rescaled(self, samples: Images, power: float) -> Images:
        """Samples about the mean, along every mode times (√variance/σ_data)^power: −1 whitens, 1 undoes it."""
        scale = (np.sqrt(self.spectrum.variance) / SIGMA_DATA) ** power
        return self.modes.from_modes(self.modes.to_modes(samples) * scale)

    def gaussian(self, n: int, rng: np.random.Generator) -> Images:
        """Gaussian samples of the same mean and variances."""
        along = rng.standard_normal((n, self.spectrum.n_modes)) * np.sqrt(self.spectrum.variance)
        return self.centre + self.modes.from_modes(along)


@dataclass(frozen=True)
class Pictures:
    """Images by a bundled name or a path, a frozen dataclass so that another process reads them again.

    - `data`: name or path. - `n`: training images. - `basis`: modes of the spectrum; principal components are cross-validated.
    - `whitened`: trained on with equal variance along every mode. - `gaussian`: replaced by Gaussian data of the same moments.
    """

    data: str
    n: int = 10_000
    basis: BasisName = "pca"
    whitened: bool = False
    gaussian: bool = False

    @property
    def name(self) -> str:
        """What to call them."""
        return Path(self.data.split(":")[0]).stem + ("_gaussian" if self.gaussian else "")

    def known(self) -> Known:
        """The data in their own units, whatever is trained on."""
        return _known(replace(self, whitened=False))

    def load(self) -> tuple[Any, Spectrum]:
        """What is trained on, float32, and its spectrum."""
        known = self.known()
        if not self.whitened:
            return known.train.astype(np.float32), known.spectrum
        white = known.rescaled(known.train - known.centre, -1.0).astype(np.float32)
        return white, Spectrum.from_samples(white)


@lru_cache(maxsize=2)
def _known(source: Pictures) -> Known:
    whole = load(source.data)
    if whole.test is None:  # the last ones are held out
        most = min(HELD_OUT, len(whole.samples) // 5)
        whole = replace(whole, samples=whole.samples[:-most], test=whole.samples[-most:], labels=None)
    dataset = whole.limited(source.n).standardized(SIGMA_DATA)
    known = _of(dataset.samples, np.asarray(dataset.test)[:HELD_OUT], source.basis)
    if not source.gaussian:
        return known
    rng = np.random.default_rng(0)
    return _of(known.gaussian(len(known.train), rng), known.gaussian(len(known.held_out), rng), source.basis)


def _of(train: Images, held_out: Images, basis: BasisName) -> Known:
    spectrum = Spectrum.from_samples(train, basis=basis)
    if basis == "pca":
        spectrum = spectrum.cross_validated()
    modes = cast(Basis, spectrum.basis)  # of samples it has one
    return Known(train, held_out, spectrum, modes, train.mean(axis=0))
