"""The spectrum of a data set: the variance of each mode, and the basis that turns modes into data."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np
import xarray as xr
from jaxtyping import Complex, Float

from ..checks import InputError, choice, finite_array
from ..files import read_netcdf, write_netcdf
from .bases import Basis, BasisName, Fourier, OnGrid
from .checked import checked_fields
from .cross_validation import cross_validated, remembering, samples_of
from .estimation import checked_covariance, cross_spectra, pca, stationary_waves, waves_of_power
from .largest import variance_beyond
from .laws import log_normal, power_law
from .notebook import as_html, in_words
from .reading import fields_of_batches, fields_of_samples, variance_of_test
from .spatial import cycles_per_image, feature_size
from .split import held_out_share
from .stored import FORMAT, dataset_of, fields_of


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    """Variances of the modes of a data distribution, with the mean and basis where they are known.

    Abstract modes, `Spectrum([4.0, 1.0, 0.25])`, keep the order in which they are given; all other constructors sort them by
    falling variance. Variances are those of the samples at hand, normalised by n: they are what training sees.

    **Parameters**

    - `variance`: (mode,) non-negative, in squared data units; InputError for a negative one, or one that is not finite.
    - `mean`: mean of the data, of a sample's shape, or None.
    - `basis`: maps samples to mode coordinates and back, or None for abstract modes.
    - `test_variance`: (mode,) variance of held-out samples along the same modes, or None.
    - `n_samples`: number of samples behind the variances, or None.
    - `null_variance`: mean variance of the directions that the modes leave out, where they have some: by cross-validation, or
      what the largest modes alone (`modes=`) leave. None where the modes hold all the variance of the samples.

    ```python
    >>> import eigenclock as ec
    >>> ec.Spectrum.power_law(4, exponent=1).variance
    array([1.        , 0.5       , 0.33333333, 0.25      ])

    ```
    """

    variance: Float[np.ndarray, " mode"]
    mean: Float[np.ndarray, "..."] | None = None
    basis: Basis | None = None
    test_variance: Float[np.ndarray, " mode"] | None = None
    n_samples: int | None = None
    null_variance: float | None = None

    def __init__(
        self,
        variance: Any,
        *,
        mean: Any = None,
        basis: Basis | None = None,
        test_variance: Any = None,
        n_samples: int | None = None,
        null_variance: float | None = None,
    ) -> None:
        known = {"mean": mean, "basis": basis, "test_variance": test_variance, "n_samples": n_samples}
        for name, value in checked_fields(variance, **known, null_variance=null_variance).items():
            object.__setattr__(self, name, value)

    def _repr_html_(self) -> str:
        """For notebooks: a sentence, and about eight modes, spread in the logarithm of their rank."""
        return as_html(self)

    def __repr__(self) -> str:
        return in_words(self)

    @property
    def n_modes(self) -> int:
        """Number of modes held."""
        return self.variance.size

    @property
    def rank(self) -> int:
        """Number of modes with variance above zero."""
        return int(np.count_nonzero(self.variance))

    @property
    def dimension(self) -> int:
        """Number of coordinates of a sample; directions beyond the modes have `null_variance` each, none where it is None."""
        return self.n_modes if self.basis is None else self.basis.dimension

    @property
    def variance_beyond(self) -> float:
        """Mean variance of the samples along directions beyond the modes: 0 unless `modes=` kept the largest alone."""
        return variance_beyond(self)

    @property
    def positions(self) -> int:
        """Number of positions of the grid: coordinates of one channel. Abstract modes have one channel."""
        return self.dimension // (self.basis.channels if isinstance(self.basis, OnGrid) else 1)

    @cached_property
    def cycles(self) -> Float[np.ndarray, " mode"]:
        """(mode,) frequency of each mode's image, in cycles across its larger edge (`spectrum.spatial`); NaN of no images.

        ```python
        >>> import eigenclock as ec
        >>> ec.Spectrum.from_power([[9.0, 4.0, 1.0, 4.0]] * 4).cycles.round(2)[[0, 4, 15]]
        array([0.  , 1.  , 2.83])

        ```
        """
        return cycles_per_image(self.basis, self.n_modes)

    @property
    def feature_size(self) -> Float[np.ndarray, " mode"]:
        """(mode,) half a period of each mode in pixels, edge/(2·cycles): inf of a constant, NaN where samples are no images."""
        return feature_size(self.cycles, self.basis)

    def to_modes(self, samples: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n mode"]:
        """Mode coordinates (n, mode) of samples (n, *shape), about the mean."""
        basis = self._need_basis()
        given = finite_array("samples", samples, "samples (n, ...) of finite numbers")
        if given.shape[1:] != basis.shape:
            raise InputError(f"samples must have shape (n, {str(basis.shape)[1:-1]}), got {given.shape}")
        return basis.to_modes(given if self.mean is None else given - self.mean)

    def from_modes(self, coordinates: Float[np.ndarray, "n mode"]) -> Float[np.ndarray, "n ..."]:
        """Samples (n, *shape) from mode coordinates (n, mode), mean added."""
        samples = self._need_basis().from_modes(finite_array("coordinates", coordinates, "(n, mode) finite numbers"))
        return samples if self.mean is None else samples + self.mean

    def covariance(self) -> Float[np.ndarray, "d d"]:
        """The d×d covariance matrix (diagonal for abstract modes)."""
        if self.basis is None:
            return np.diag(self.variance)
        modes, beyond = self.basis.from_modes(np.eye(self.n_modes)).reshape(self.n_modes, -1), self.variance_beyond
        return modes.T @ ((self.variance - beyond)[:, None] * modes) + beyond * np.eye(self.dimension)

    def _need_basis(self) -> Basis:
        if self.basis is None:
            raise InputError("this spectrum is abstract (variances only): samples need one made by from_samples")
        return self.basis

    @classmethod
    def from_samples(
        cls,
        x: Any,
        *,
        basis: BasisName = "pca",
        test: Any = None,
        modes: int | None = None,
        held_out: float | None = None,
        seed: int = 0,
    ) -> "Spectrum":
        """Spectrum of samples: (n, d) vectors, (n, h, w) images or (n, h, w, c) images with channels.

        In memory, on disk (zarr, h5py: read by blocks of rows), or a dask array, of which every block's moments are computed
        where it lies, by the scheduler that is active, a cluster's too. Moments are in float64. With fewer samples than
        coordinates, PCA goes through the n×n Gram matrix and keeps only the modes with variance; no d×d matrix is formed.

        **Parameters**

        - `basis`: "pca"; "dct" has cosines, for natural images; "fourier" takes the grid axes as periodic.
        - `test`: held-out samples, whose variance along the same modes becomes `test_variance`; or `held_out`: share in (0, 0.5]
          of `x` that is held out at random, by `seed`.
        - `modes`: number of largest modes to keep, of PCA; `null_variance` is the mean of all others. Exact up to 4,096
          coordinates, and for a quarter of all; beyond, randomised, with four power iterations on 2k directions (scikit-learn,
          dask), and of arrays on disk as in `from_batches`. - `seed`: of both.

        Raises InputError for non-finite entries, fewer than two samples, constant data, or a shape that is none of these.

        ```python
        >>> import numpy as np
        >>> import eigenclock as ec
        >>> images = np.random.default_rng(0).standard_normal((10, 8, 8))
        >>> spectrum = ec.Spectrum.from_samples(images)
        >>> spectrum.n_modes, spectrum.dimension, spectrum.basis.mode_image(0).shape
        (9, 64, (8, 8))

        ```
        """
        choice("basis", basis, get_args(BasisName))
        fields, samples = fields_of_samples(x, basis, modes, held_out_share(held_out, seed, test), seed)
        made = cls(**fields)
        return remembering(made if test is None else made.with_test(test), samples)

    @classmethod
    def from_batches(
        cls,
        batches: Iterable[Any],
        *,
        basis: BasisName = "pca",
        modes: int | None = None,
        held_out: float | None = None,
        seed: int = 0,
    ) -> "Spectrum":
        """Spectrum of data that do not fit in memory: any iterable of batches shaped like `from_samples`' x, read once.

        Loaders of tensors or of (images, labels), dictionaries of batches or of single samples ("image", "pixel_values", …).
        Memory is one batch plus the second moments: d×d for PCA, one c×c block per frequency for cosines, 2c×2c for Fourier.

        **Parameters**

        - `modes`: number of largest modes to keep, of PCA; beyond 4,096 coordinates by incremental PCA of 3k directions, whose
          memory is that of some 54k samples. Variances are never too large; of natural images too small by 0.5 % at most.
        - `held_out`: share in (0, 0.5] of samples whose variance along the modes becomes `test_variance`. Sample i of n is one
          where `numpy.random.default_rng(seed).random(n)[i] < held_out`, whatever the batches. - `seed`: of the split.

        Raises InputError as `from_samples` does, and for batches of different shapes.

        ```python
        >>> import numpy as np
        >>> import eigenclock as ec
        >>> loader = (np.random.default_rng(i).standard_normal((32, 8, 8, 3)) for i in range(20))
        >>> spectrum = ec.Spectrum.from_batches(loader, basis="dct", held_out=0.1)
        >>> spectrum.n_modes, spectrum.n_samples, spectrum.test_variance.shape
        (192, 583, (192,))

        ```
        """
        choice("basis", basis, get_args(BasisName))
        return cls(**fields_of_batches(batches, basis, modes, held_out_share(held_out, seed)))

    @classmethod
    def from_power(cls, power: Any, *, channels: bool = False) -> "Spectrum":
        """Stationary data on a periodic grid, from their power spectrum: the orthonormal Fourier transform's mean square.

        `power`: (n,) or (h, w), in the order of numpy's fft, equal at ±k; with `channels`, (n, c, c) or (h, w, c, c) Hermitian
        cross-spectral matrices, conjugate at ±k. Modes are sorted by falling variance. InputError for a negative power, or one
        that differs at ±k.

        ```python
        >>> import eigenclock as ec
        >>> ec.Spectrum.from_power([4.0, 1.0, 0.5, 1.0]).variance
        array([4. , 1. , 1. , 0.5])

        ```
        """
        variance, basis = waves_of_power(power, channels=channels)
        return cls(variance, basis=basis)

    @property
    def cross_spectrum(self) -> Complex[np.ndarray, "frequency c c"]:
        """Cross-spectral matrix of every frequency of the grid; the power spectrum where there is one channel.

        InputError unless the basis is Fourier.
        """
        if not isinstance(self.basis, Fourier):
            raise InputError('a power spectrum needs Fourier modes: Spectrum.from_samples(x, basis="fourier")')
        return cross_spectra(self.basis, self.variance)

    def stationary(self) -> "Spectrum":
        """What a convolution sees of the data: Fourier modes with the mean variance of ±k, as of all circular shifts.

        InputError for PCA modes. Abstract modes are taken for Fourier modes as they are.
        """
        if self.basis is None:
            return self
        if not isinstance(self.basis, Fourier):
            way = 'use Spectrum.from_samples(x, basis="fourier")'
            raise InputError(f"convolutions need Fourier modes, got {type(self.basis).__name__}: {way}")
        return replace(self, **stationary_waves(self.basis, self.variance, self.test_variance))

    def with_test(self, test: Any) -> "Spectrum":
        """The same spectrum with `test_variance` measured on held-out samples, about their own mean."""
        held_out = variance_of_test(test, self._need_basis(), self.mean)
        return remembering(replace(self, test_variance=held_out), samples_of(self))

    def cross_validated(
        self, samples: Any = None, *, groups: Any = None, folds: int | None = None, seed: int = 0
    ) -> "Spectrum":
        """The same modes with the variances that samples have along modes of others, which those of few samples overstate (T22).

        The modes of all folds but one are ranked, and the one left out gives the variance along each rank; `null_variance` is
        that of the directions that the modes leave out. Warns where a tenth of the variances change by more than a quarter.

        **Parameters**

        - `samples`: (n, *shape); by default those given to `from_samples`, to which it holds on. - `groups`: (n,) labels of
          samples that belong together, as patches of one image do: never in two folds. - `folds`: 10, for few samples n/2.
        InputError without samples, for fewer than four, or for samples that are not the spectrum's any more.

        ```python
        >>> import numpy as np
        >>> import eigenclock as ec
        >>> white = ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((200, 20)))
        >>> bool(white.variance.max() > 1.5), bool(white.cross_validated().variance.max() < 1.3)
        (True, True)

        ```
        """
        return replace(self, **cross_validated(self, samples, Spectrum.from_samples, groups, folds, seed))

    @classmethod
    def from_covariance(cls, c: Any, mean: Any = None) -> "Spectrum":
        """Spectrum of a (d, d) covariance matrix; modes are its eigenvectors."""
        matrix, centre = checked_covariance(c, mean)
        variance, components = pca(matrix, (len(matrix),))
        return cls(variance, mean=centre, basis=components)

    @classmethod
    def power_law(cls, n: int, *, exponent: float, scale: float = 1.0) -> "Spectrum":
        """Abstract modes of variance scale·k^(−exponent), k = 1 … n."""
        return cls(power_law(n, exponent, scale))

    @classmethod
    def log_normal(cls, n: int, *, seed: int, mean: float = 0.0, std: float = 1.0) -> "Spectrum":
        """Abstract modes whose ln variance is normal(mean, std), drawn with `seed` and sorted by falling variance."""
        return cls(log_normal(n, seed, mean, std))

    def save(self, path: str | Path) -> None:
        """Write to NetCDF, atomically. Numbers read back are identical to the bit; `--data` takes the file where it is enough."""
        write_netcdf(path, self.to_dataset().assign_attrs(format=FORMAT))

    @classmethod
    def load(cls, path: str | Path) -> "Spectrum":
        """Read what `save` wrote, or the spectrum behind a saved learning curve; InputError for anything else."""
        return cls.from_dataset(read_netcdf(path, "spectrum"))

    def to_dataset(self) -> xr.Dataset:
        """Everything, as labelled arrays (what a NetCDF file holds)."""
        return dataset_of(**{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> "Spectrum":
        """The spectrum that `to_dataset` wrote; InputError for a dataset that holds none."""
        return cls(**fields_of(dataset))


def check_spectrum(spectrum: Any) -> None:
    """Raise unless it is a Spectrum."""
    if not isinstance(spectrum, Spectrum):
        raise InputError(
            f"spectrum must be a Spectrum, got {type(spectrum).__name__}: Spectrum(variance) or Spectrum.from_samples(x)"
        )
