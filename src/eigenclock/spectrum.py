"""The spectrum of a data set: the variance of each mode, and the basis that turns modes into data."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import scipy.linalg
import xarray as xr
from jaxtyping import Complex, Float, Inexact

from .bases import PCA, Basis, Fourier, basis_from_dataset, mirrored, spectral_waves
from .checks import InputError, choice, finite_array, integer, number
from .moments import ROWS, Moments, check_samples, check_varies

BasisName: TypeAlias = Literal["pca", "fourier"]


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    """Variances of the modes of a data distribution, with the mean and basis where they are known.

    Abstract modes, `Spectrum([4.0, 1.0, 0.25])`, keep the order in which they are given; all other constructors sort them by
    falling variance. Variances are those of the samples at hand, normalised by n: they are what training sees.

    **Parameters**

    - `variance`: (mode,) non-negative, in squared data units.
    - `mean`: mean of the data, of a sample's shape, or None.
    - `basis`: maps samples to mode coordinates and back, or None for abstract modes.
    - `test_variance`: (mode,) variance of held-out samples along the same modes, or None.
    - `n_samples`: number of samples behind the variances, or None.

    Raises InputError if a variance is negative or not finite.

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

    def __init__(
        self,
        variance: Any,
        *,
        mean: Any = None,
        basis: Basis | None = None,
        test_variance: Any = None,
        n_samples: int | None = None,
    ) -> None:
        array = finite_array("variance", variance, "a non-empty 1-D array of finite numbers >= 0")
        if array.ndim != 1 or array.size == 0:
            raise InputError(f"variance must be a non-empty 1-D array, got shape {array.shape}")
        if array.min() < 0:
            raise InputError(f"variance must be >= 0, got {array.min():g} at mode {int(array.argmin())}")
        if basis is not None and basis.n_modes != array.size:
            raise InputError(f"basis must have as many modes as variance, got {basis.n_modes} and {array.size}")
        centre = None if mean is None else finite_array("mean", mean, "an array of finite numbers").copy()
        shape = (array.size,) if basis is None else basis.shape
        if centre is not None and centre.shape != shape:
            raise InputError(f"mean must have shape {shape}, got {centre.shape}")
        held_out = None
        if test_variance is not None:
            held_out = finite_array("test_variance", test_variance, "an array of finite numbers >= 0").copy()
            if held_out.shape != array.shape or held_out.min() < 0:
                raise InputError(f"test_variance must be >= 0 and of shape {array.shape}, got shape {held_out.shape}")
        fields = {
            "variance": array.copy(),
            "mean": centre,
            "basis": basis,
            "test_variance": held_out,
            "n_samples": n_samples,
        }
        for name, value in fields.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        basis = "abstract" if self.basis is None else f"{type(self.basis).__name__} of samples {self.basis.shape}"
        return (
            f"Spectrum({self.n_modes} modes, {basis}, variance {self.variance.max():.3g} to {self.variance.min():.3g})"
        )

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
        """Number of coordinates of a sample; the modes beyond `n_modes` have no variance and were never formed."""
        return self.n_modes if self.basis is None else self.basis.dimension

    @property
    def positions(self) -> int:
        """Number of positions of the grid: coordinates of one channel. Abstract modes have one channel."""
        return self.dimension // (self.basis.channels if isinstance(self.basis, Fourier) else 1)

    def to_modes(self, samples: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n mode"]:
        """Mode coordinates (n, mode) of samples (n, *shape), about the mean."""
        basis = self._need_basis()
        coordinates = basis.to_modes(samples)
        return coordinates if self.mean is None else coordinates - basis.to_modes(self.mean[None])

    def from_modes(self, coordinates: Float[np.ndarray, "n mode"]) -> Float[np.ndarray, "n ..."]:
        """Samples (n, *shape) from mode coordinates (n, mode), mean added."""
        samples = self._need_basis().from_modes(coordinates)
        return samples if self.mean is None else samples + self.mean

    def covariance(self) -> Float[np.ndarray, "d d"]:
        """The d×d covariance matrix (diagonal for abstract modes)."""
        if self.basis is None:
            return np.diag(self.variance)
        modes = self.basis.from_modes(np.eye(self.n_modes)).reshape(self.n_modes, -1)
        return modes.T @ (self.variance[:, None] * modes)

    def _need_basis(self) -> Basis:
        if self.basis is None:
            raise InputError("this spectrum is abstract (variances only): samples need one made by from_samples")
        return self.basis

    @classmethod
    def from_samples(cls, x: Any, *, basis: BasisName = "pca", test: Any = None) -> "Spectrum":
        """Spectrum of samples: (n, d) vectors, (n, h, w) images or (n, h, w, c) images with channels.

        With fewer samples than coordinates, PCA goes through the n×n Gram matrix and keeps only the modes with variance; the
        d×d covariance is never formed. `basis="fourier"` takes the last grid axes as periodic. `test`: held-out samples, whose
        variance along the same modes becomes `test_variance`.

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
        samples = check_samples("x", x, None)
        if basis == "pca" and len(samples) < np.prod(samples.shape[1:]):
            spectrum = cls._thin(samples)
        else:
            spectrum = cls.from_batches([samples], basis=basis)
        return spectrum if test is None else spectrum.with_test(test)

    @classmethod
    def from_batches(cls, batches: Iterable[Any], *, basis: BasisName = "pca") -> "Spectrum":
        """Spectrum of data that do not fit in memory: any iterable of batches shaped like `from_samples`' x, read once.

        Memory is one batch plus the second moments: d×d for PCA, one 2c×2c block per frequency for Fourier.
        """
        choice("basis", basis, get_args(BasisName))
        moments: Moments | None = None
        shape: tuple[int, ...] = ()
        for i, given in enumerate(batches):
            batch = check_samples(f"batch {i}", given, shape or None)
            if moments is None:
                shape = batch.shape[1:]
                d = int(np.prod(shape))
                channels = shape[2] if len(shape) == 3 else 1
                moments = Moments(1, d) if basis == "pca" else Moments(d // channels, 2 * channels)
            for start in range(0, len(batch), ROWS):
                rows = batch[start : start + ROWS].astype(np.float64)
                moments.add(rows.reshape(len(rows), 1, -1) if basis == "pca" else _real_waves(rows))
        if moments is None or moments.count < 2:
            count = 0 if moments is None else moments.count
            raise InputError(f"x must hold at least 2 samples, got {count}")
        if basis == "pca":
            mean = moments.mean.reshape(shape)
            check_varies(moments.covariance[0].diagonal().max(), mean)
            return cls._from_pca(moments.covariance[0], mean, shape, moments.count)
        return cls._from_waves(moments, shape)

    @classmethod
    def _thin(cls, samples: Float[np.ndarray, "n ..."]) -> "Spectrum":
        """PCA through the n×n Gram matrix."""
        shape, n = samples.shape[1:], len(samples)
        flat = samples.reshape(n, -1).astype(np.float64)
        mean = flat.mean(axis=0)
        flat = flat - mean
        variance, left = scipy.linalg.eigh(flat @ flat.T / n, driver="evd")
        variance, left = variance[::-1], left[:, ::-1]
        keep = variance > max(variance[0], 0) * n * np.finfo(float).eps
        check_varies(variance[0], mean)
        components, _ = np.linalg.qr(flat.T @ (left[:, keep] / np.sqrt(n * variance[keep])))
        return cls(variance[keep], mean=mean.reshape(shape), basis=PCA(components.T, shape), n_samples=n)

    @classmethod
    def _from_pca(
        cls, covariance: Float[np.ndarray, "d d"], mean: Any, shape: tuple[int, ...], n: int | None
    ) -> "Spectrum":
        variance, vectors = scipy.linalg.eigh(covariance, driver="evd")
        variance, components = variance[::-1], np.ascontiguousarray(vectors[:, ::-1].T)
        variance = np.where(variance > variance[0] * variance.size * np.finfo(float).eps, variance, 0.0)
        return cls(variance, mean=mean, basis=PCA(components, shape), n_samples=n)

    @classmethod
    def _from_waves(cls, moments: Moments, shape: tuple[int, ...]) -> "Spectrum":
        """Fourier modes from the moments of real and imaginary parts."""
        grid, c = shape[:2], moments.mean.shape[-1] // 2
        mean = scipy.fft.ifftn(
            (moments.mean[:, :c] + 1j * moments.mean[:, c:]).reshape(*grid, c), axes=range(len(grid)), norm="ortho"
        )
        parts = moments.covariance
        real, imaginary, cross = parts[:, :c, :c], parts[:, c:, c:], parts[:, c:, :c]
        rotation = _eigenvectors(real + imaginary + 1j * (cross - cross.swapaxes(1, 2)), grid)
        # a mode's coordinate is Re(u*·x̂) − Im(u*·x̂), linear in the two parts
        weights = np.concatenate([rotation.real + rotation.imag, rotation.imag - rotation.real], axis=1)
        variance = np.einsum("fck,fcd,fdk->fk", weights, parts, weights, optimize=True).ravel()
        check_varies(variance.max(), mean.real)
        order = np.argsort(-variance, kind="stable")
        cutoff = variance.max() * variance.size * np.finfo(float).eps
        variance = np.where(variance > cutoff, variance, 0.0)[order]
        basis = Fourier(shape, rotation, order)
        return cls(variance, mean=mean.real.reshape(shape), basis=basis, n_samples=moments.count)

    @classmethod
    def from_power(cls, power: Any, *, channels: bool = False) -> "Spectrum":
        """Stationary data on a periodic grid, from their power spectrum: the orthonormal Fourier transform's mean square.

        `power`: (n,) or (h, w), in the order of numpy's fft, equal at ±k; with `channels`, (n, c, c) or (h, w, c, c) Hermitian
        cross-spectral matrices, conjugate at ±k. Modes are sorted by falling variance.

        ```python
        >>> import eigenclock as ec
        >>> ec.Spectrum.from_power([4.0, 1.0, 0.5, 1.0]).variance
        array([4. , 1. , 1. , 0.5])

        ```
        """
        given = np.asarray(power)
        if not channels:
            given = finite_array("power", power, "an array of finite numbers >= 0")[..., None, None]
        grid, c = given.shape[:-2], given.shape[-1]
        if len(grid) not in (1, 2) or given.shape[-2] != c or given.size == 0:
            raise InputError(f"power must have shape (n,) or (h, w), with channels (…, c, c), got {np.shape(power)}")
        if not np.isfinite(given).all():
            raise InputError("power must be finite, got an entry that is not")
        size = np.abs(given).max()
        axes = range(len(grid))
        if np.abs(given - given.conj().swapaxes(-1, -2)).max() > 1e-9 * size:
            raise InputError("power must be Hermitian in its channels, got a matrix that is not")
        if np.abs(given - mirrored(given, axes).conj()).max() > 1e-9 * size:
            raise InputError(
                "power must be the same at ±k (conjugate, with channels), as for real data, got a difference"
            )
        blocks = given.reshape(-1, c, c)
        rotation = _eigenvectors(blocks, grid)
        variance = np.einsum("fck,fcd,fdk->fk", rotation.conj(), blocks, rotation, optimize=True).real.ravel()
        if variance.min() < -1e-9 * size:
            raise InputError(f"power must be >= 0, got {variance.min():g}")
        order = np.argsort(-variance, kind="stable")
        shape = grid if c == 1 else (*(grid if len(grid) == 2 else (grid[0], 1)), c)
        return cls(np.maximum(variance, 0.0)[order], basis=Fourier(shape, rotation, order))

    @property
    def cross_spectrum(self) -> Complex[np.ndarray, "frequency c c"]:
        """Cross-spectral matrix of every frequency of the grid; the power spectrum where there is one channel.

        InputError unless the basis is Fourier.
        """
        if not isinstance(self.basis, Fourier):
            raise InputError('a power spectrum needs Fourier modes: Spectrum.from_samples(x, basis="fourier")')
        rotation = self.basis.rotation
        power = self.basis.by_frequency(self.basis.pair_means(self.variance))
        return np.einsum("fck,fk,fdk->fcd", rotation, power, rotation.conj(), optimize=True)

    def stationary(self) -> "Spectrum":
        """What a convolution sees of the data: Fourier modes with the mean variance of ±k, as of all circular shifts.

        InputError for PCA modes. Abstract modes are taken for Fourier modes as they are.
        """
        if self.basis is None:
            return self
        if not isinstance(self.basis, Fourier):
            raise InputError(
                f'convolutions need Fourier modes, got {type(self.basis).__name__}: use Spectrum.from_samples(x, basis="fourier")'
            )
        held_out = None if self.test_variance is None else self.basis.pair_means(self.test_variance)
        return Spectrum(
            self.basis.pair_means(self.variance),
            mean=self.mean,
            basis=self.basis,
            test_variance=held_out,
            n_samples=self.n_samples,
        )

    def with_test(self, test: Any) -> "Spectrum":
        """The same spectrum with `test_variance` measured on held-out samples, about their own mean."""
        held_out = check_samples("test", test, self._need_basis().shape)
        if len(held_out) < 2:
            raise InputError("test must hold at least 2 samples, got 1")
        return Spectrum(
            self.variance,
            mean=self.mean,
            basis=self.basis,
            test_variance=self.to_modes(held_out).var(axis=0),
            n_samples=self.n_samples,
        )

    @classmethod
    def from_covariance(cls, c: Any, mean: Any = None) -> "Spectrum":
        """Spectrum of a (d, d) covariance matrix; modes are its eigenvectors."""
        matrix = finite_array("c", c, "a symmetric positive semi-definite (d, d) matrix")
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
            raise InputError(f"c must be a square (d, d) matrix, got shape {matrix.shape}")
        size = np.abs(matrix).max()
        if np.abs(matrix - matrix.T).max() > 1e-10 * size:
            raise InputError(f"c must be symmetric, got an asymmetry of {np.abs(matrix - matrix.T).max():g}")
        smallest = np.linalg.eigvalsh(matrix)[0]
        if smallest < -1e-10 * size:
            raise InputError(f"c must be positive semi-definite, got an eigenvalue of {smallest:g}")
        centre = np.zeros(len(matrix)) if mean is None else finite_array("mean", mean, "a (d,) array")
        if centre.shape != (len(matrix),):
            raise InputError(f"mean must have shape ({len(matrix)},), got {centre.shape}")
        return cls._from_pca(matrix, centre, (len(matrix),), None)

    @classmethod
    def power_law(cls, n: int, *, exponent: float, scale: float = 1.0) -> "Spectrum":
        """Abstract modes of variance scale·k^(−exponent), k = 1 … n."""
        integer("n", n, at_least=1)
        number("exponent", exponent, at_least=0)
        number("scale", scale, above=0)
        return cls(scale * np.arange(1, n + 1, dtype=np.float64) ** -exponent)

    @classmethod
    def log_normal(cls, n: int, *, seed: int, mean: float = 0.0, std: float = 1.0) -> "Spectrum":
        """Abstract modes whose ln variance is normal(mean, std), drawn with `seed` and sorted by falling variance."""
        integer("n", n, at_least=1)
        number("std", std, at_least=0)
        integer("seed", seed, at_least=0)
        draws = np.random.default_rng(seed).normal(mean, std, n)
        return cls(np.sort(np.exp(draws))[::-1].copy())

    def to_dataset(self) -> xr.Dataset:
        """Everything, as labelled arrays (what a NetCDF file holds)."""
        dataset = xr.Dataset() if self.basis is None else self.basis.to_dataset()
        dataset["target"] = ("mode", self.variance)
        if self.mean is not None:
            dataset["mean"] = ("coordinate", self.mean.ravel())
        if self.test_variance is not None:
            dataset["test_variance"] = ("mode", self.test_variance)
        if self.n_samples is not None:
            dataset.attrs["n_samples"] = self.n_samples
        return dataset

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> "Spectrum":
        """The spectrum that `to_dataset` wrote."""
        basis = basis_from_dataset(dataset)
        mean = None
        if "mean" in dataset:
            flat = dataset["mean"].values
            mean = flat if basis is None else flat.reshape(basis.shape)
        count = dataset.attrs.get("n_samples")
        return cls(
            dataset["target"].values,
            mean=mean,
            basis=basis,
            test_variance=dataset["test_variance"].values if "test_variance" in dataset else None,
            n_samples=None if count is None else int(count),
        )


def _real_waves(rows: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n frequency part"]:
    """Real and imaginary parts of samples' Fourier transforms, side by side as twice as many channels."""
    waves = spectral_waves(rows, len(rows.shape[1:3]))
    return np.concatenate([waves.real, waves.imag], axis=2)


def _eigenvectors(
    blocks: Inexact[np.ndarray, "frequency c c"], grid: tuple[int, ...]
) -> Complex[np.ndarray, "frequency c c"]:
    """Eigenvectors of Hermitian matrices over a grid of frequencies, falling eigenvalue first, conjugate at ±k."""
    _, vectors = np.linalg.eigh(blocks)
    index = np.arange(len(blocks))
    opposite = mirrored(index.reshape(grid), range(len(grid))).ravel()
    alone = opposite == index
    _, real = np.linalg.eigh(blocks[alone].real)
    out = vectors.astype(np.complex128)
    out[alone] = real
    later = opposite < index
    out[later] = out[opposite[later]].conj()
    return out[..., ::-1]
