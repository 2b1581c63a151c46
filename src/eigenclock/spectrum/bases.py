"""Bases: samples <-> coordinates along modes. Every basis is real and orthonormal; modes come in order of falling variance."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import scipy
import xarray as xr
from jaxtyping import Complex, Float, Inexact, Int, Shaped

from ..checks import InputError

Samples = Float[np.ndarray, "n ..."]
Coordinates = Float[np.ndarray, "n mode"]
BasisName: TypeAlias = Literal["pca", "dct", "fourier"]


class Basis(ABC):
    """An orthonormal set of modes of data of a given shape. Linear: it knows nothing of the data's mean."""

    shape: tuple[int, ...]

    @property
    @abstractmethod
    def n_modes(self) -> int:
        """Number of modes; fewer than the dimension when the rest has no variance and was never formed."""

    @abstractmethod
    def to_modes(self, samples: Samples) -> Coordinates:
        """Coordinates (n, mode) of samples (n, *shape)."""

    @abstractmethod
    def from_modes(self, coordinates: Coordinates) -> Samples:
        """Samples (n, *shape) from coordinates (n, mode)."""

    @abstractmethod
    def to_dataset(self) -> xr.Dataset:
        """What a NetCDF file needs to rebuild the basis."""

    def mode_image(self, mode: int) -> Float[np.ndarray, "..."]:
        """Mode `mode` as an array of the data's shape."""
        if not 0 <= mode < self.n_modes:
            raise InputError(f"mode must be in 0..{self.n_modes - 1}, got {mode}")
        return self.from_modes(np.eye(1, self.n_modes, mode))[0]

    def mode_images(self, first: int, last: int) -> Samples:
        """Modes `first` to `last`, the latter left out, as arrays (n, *shape) of the data's shape."""
        last = min(last, self.n_modes)
        return self.from_modes(np.eye(last - first, self.n_modes, first))

    def complement(self, samples: Samples) -> Samples:
        """What of the samples lies outside the modes."""
        return samples - self.from_modes(self.to_modes(samples))

    @property
    def dimension(self) -> int:
        """Number of coordinates of one sample."""
        return int(np.prod(self.shape))

    def _flat(self, samples: Samples) -> Float[np.ndarray, "n d"]:
        array = np.asarray(samples, dtype=np.float64)
        if array.shape[1:] != self.shape:
            raise InputError(f"samples must have shape (n, {str(self.shape)[1:-1]}), got {array.shape}")
        return array.reshape(len(array), self.dimension)

    def _check_coordinates(self, coordinates: Coordinates) -> Coordinates:
        array = np.asarray(coordinates, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.n_modes:
            raise InputError(f"coordinates must have shape (n, {self.n_modes}), got {array.shape}")
        return array


class PCA(Basis):
    """Eigenvectors of the data's covariance.

    **Parameters**

    - `components`: (mode, d) orthonormal rows.
    - `shape`: shape of one sample.
    """

    def __init__(self, components: Float[np.ndarray, "mode d"], shape: tuple[int, ...]) -> None:
        self.components = components
        self.shape = shape

    @property
    def n_modes(self) -> int:
        return len(self.components)

    def to_modes(self, samples: Samples) -> Coordinates:
        return self._flat(samples) @ self.components.T

    def from_modes(self, coordinates: Coordinates) -> Samples:
        return (self._check_coordinates(coordinates) @ self.components).reshape(-1, *self.shape)

    def mode_images(self, first: int, last: int) -> Samples:
        return self.components[first:last].reshape(-1, *self.shape)

    def to_dataset(self) -> xr.Dataset:
        return xr.Dataset(
            {"basis_components": (("mode", "coordinate"), self.components)},
            attrs={"basis": "pca", "sample_shape": "×".join(map(str, self.shape))},
        )


class OnGrid(Basis):
    """Modes that are waves on a 1-D or 2-D grid, channels of each frequency mixed by a unitary matrix to be uncorrelated.

    **Parameters**

    - `shape`: shape of one sample: (n,), (h, w) or (h, w, c).
    - `rotation`: (frequency, c, c) unitary, columns are the mixed channels.
    - `order`: (mode,) index of each mode in the flattened (frequency, channel) grid.
    """

    name: ClassVar[str]
    """What a file calls it."""

    def __init__(
        self, shape: tuple[int, ...], rotation: Inexact[np.ndarray, "frequency c c"], order: Int[np.ndarray, " mode"]
    ) -> None:
        self.shape = shape
        self.rotation = rotation
        self.order = order

    @property
    def n_modes(self) -> int:
        return len(self.order)

    @property
    def grid(self) -> tuple[int, ...]:
        """Shape of one channel."""
        return self.shape[:2]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.rotation.shape[-1]

    def by_frequency(self, values: Float[np.ndarray, "*any mode"]) -> Float[np.ndarray, "*any frequency c"]:
        """Values of modes in the order of the grid, (frequency, mixed channel)."""
        out = np.empty_like(values)
        out[..., self.order] = values
        return out.reshape(*values.shape[:-1], -1, self.channels)

    def of_modes(self, values: Float[np.ndarray, "*any frequency c"]) -> Float[np.ndarray, "*any mode"]:
        """The inverse of `by_frequency`."""
        return values.reshape(*values.shape[:-2], -1)[..., self.order]

    def to_dataset(self) -> xr.Dataset:
        labels = ("frequency", "channel", "mixed_channel")
        return xr.Dataset(
            {
                "basis_rotation": (labels, self.rotation.real),
                "basis_rotation_imaginary": (labels, self.rotation.imag),
                "basis_order": (("mode",), self.order),
            },
            attrs={"basis": self.name, "sample_shape": "×".join(map(str, self.shape))},
        )


class Fourier(OnGrid):
    """Real Fourier (Hartley) modes cas(2π k·x/N)/√N on a 1-D or 2-D periodic grid, with channels.

    The pair ±k spans the cosine and sine of frequency k, so its mean variance is the power spectrum. With several channels a
    unitary matrix per frequency mixes them so that they are uncorrelated: the eigenvectors of the cross-spectral matrix.

    `rotation` at −k is the conjugate of that at k.
    """

    name = "fourier"

    @property
    def extent(self) -> tuple[int, ...]:
        """Lengths of the axes along which there is more than one position."""
        return tuple(n for n in self.grid if n > 1) or (1,)

    @cached_property
    def opposite(self) -> Int[np.ndarray, " frequency"]:
        """Index of −k for every frequency k of the flattened grid."""
        index = np.arange(len(self.rotation)).reshape(self.grid)
        return mirrored(index, range(len(self.grid))).ravel()

    @cached_property
    def frequency(self) -> Float[np.ndarray, "mode axis"]:
        """Signed frequency of each mode along each axis, in cycles per sample spacing."""
        axes = np.meshgrid(*(np.fft.fftfreq(n) for n in self.grid), indexing="ij")
        return np.stack([axis.ravel() for axis in axes], axis=1)[self.order // self.channels]

    def to_modes(self, samples: Samples) -> Coordinates:
        waves = spectral_waves(self._flat(samples).reshape(len(samples), *self.shape), len(self.grid))
        mixed = np.einsum("nfc,fck->nfk", waves, self.rotation.conj(), optimize=True)
        return (mixed.real - mixed.imag).reshape(len(samples), -1)[:, self.order]

    def from_modes(self, coordinates: Coordinates) -> Samples:
        n, c = len(coordinates), self.channels
        hartley = np.zeros((n, self.dimension))
        hartley[:, self.order] = self._check_coordinates(coordinates)
        here = hartley.reshape(n, -1, c)
        opposite = here[:, self.opposite]
        mixed = ((opposite + here) + 1j * (opposite - here)) / 2
        waves = np.einsum("nfk,fck->nfc", mixed, self.rotation, optimize=True).reshape(n, *self.grid, c)
        samples = scipy.fft.ifftn(waves, axes=range(1, 1 + len(self.grid)), norm="ortho").real
        return samples.reshape(-1, *self.shape)

    def pair_means(self, values: Float[np.ndarray, " mode"]) -> Float[np.ndarray, " mode"]:
        """Mean of each mode's value and that of its partner at −k."""
        table = self.by_frequency(values)
        return self.of_modes((table + table[self.opposite]) / 2)


class Cosines(OnGrid):
    """Cosine modes (DCT-II) on a 1-D or 2-D grid, with channels: products of cos(π m(x+½)/n) with m = 0 … n−1 half cycles.

    The images mirrored at their edges are periodic, so nothing wraps around: the right waves for natural images. With several
    channels a rotation per frequency mixes them so that they are uncorrelated; real, as the waves are.
    """

    name = "dct"

    @cached_property
    def half_cycles(self) -> Int[np.ndarray, "mode axis"]:
        """Half cycles of each mode along each axis of the grid, across the whole of it."""
        axes = np.meshgrid(*map(np.arange, self.grid), indexing="ij")
        return np.stack([axis.ravel() for axis in axes], axis=1)[self.order // self.channels]

    def to_modes(self, samples: Samples) -> Coordinates:
        waves = cosine_waves(self._flat(samples).reshape(len(samples), *self.shape), len(self.grid))
        mixed = np.einsum("nfc,fck->nfk", waves, self.rotation, optimize=True)
        return mixed.reshape(len(samples), -1)[:, self.order]

    def from_modes(self, coordinates: Coordinates) -> Samples:
        waves = np.zeros((len(coordinates), self.dimension))
        waves[:, self.order] = self._check_coordinates(coordinates)
        mixed = np.einsum("nfk,fck->nfc", waves.reshape(len(waves), -1, self.channels), self.rotation, optimize=True)
        axes = range(1, 1 + len(self.grid))
        return scipy.fft.idctn(mixed.reshape(-1, *self.grid, self.channels), axes=axes, norm="ortho").reshape(
            -1, *self.shape
        )


def spectral_waves(samples: Samples, axes: int) -> Complex[np.ndarray, "n frequency c"]:
    """Orthonormal Fourier transform over the first `axes` sample axes; frequencies come flattened."""
    transformed = scipy.fft.fftn(samples, axes=range(1, 1 + axes), norm="ortho")
    channels = samples.shape[1 + axes] if samples.ndim > 1 + axes else 1
    return transformed.reshape(len(samples), -1, channels)


def cosine_waves(samples: Samples, axes: int) -> Float[np.ndarray, "n frequency c"]:
    """Orthonormal cosine transform (DCT-II) over the first `axes` sample axes; frequencies come flattened."""
    transformed = scipy.fft.dctn(samples, axes=range(1, 1 + axes), norm="ortho")
    return transformed.reshape(len(samples), -1, samples.shape[1 + axes] if samples.ndim > 1 + axes else 1)


def mirrored(table: Shaped[np.ndarray, "..."], axes: Iterable[int]) -> Shaped[np.ndarray, "..."]:
    """A table over a grid of frequencies, read at −k in place of k."""
    along = tuple(axes)
    return np.roll(np.flip(table, along), 1, along)


def basis_from_dataset(dataset: xr.Dataset) -> Basis | None:
    """The basis that `to_dataset` wrote, or None if there is none."""
    if "basis" not in dataset.attrs:
        return None
    shape = tuple(int(n) for n in dataset.attrs["sample_shape"].split("×"))
    if dataset.attrs["basis"] == "pca":
        return PCA(dataset["basis_components"].values, shape)
    rotation, order = dataset["basis_rotation"].values, dataset["basis_order"].values
    if dataset.attrs["basis"] == Cosines.name:
        return Cosines(shape, rotation, order)
    return Fourier(shape, rotation + 1j * dataset["basis_rotation_imaginary"].values, order)
