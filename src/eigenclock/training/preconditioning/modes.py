"""A spectrum's modes as torch modules: samples to coordinates and back by matrices, which compile and go to any device."""

from abc import ABC, abstractmethod

import numpy as np
import scipy
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...spectrum.bases import PCA, Basis, Cosines, Fourier


class Modes(nn.Module, ABC):
    """An orthonormal change of coordinates. `order`: (coordinate,) index of the spectrum's mode of every coordinate.

    Coordinates beyond the spectrum's modes, where there are any, are those of the directions that it leaves out.
    """

    shape: tuple[int, ...]
    order: Tensor

    @abstractmethod
    def analyze(self, x: Tensor) -> Tensor:
        """Coordinates (n, d) of samples (n, *shape) about zero."""

    @abstractmethod
    def synthesize(self, coordinates: Tensor) -> Tensor:
        """Samples (n, *shape) of coordinates (n, d)."""


class Rotation(Modes):
    """Principal components, completed to a whole basis where samples were few."""

    components: Tensor

    def __init__(self, basis: PCA) -> None:
        super().__init__()
        self.shape = basis.shape
        rows = basis.components
        if len(rows) < basis.dimension:
            rest = np.linalg.qr(np.concatenate([rows.T, np.eye(basis.dimension)], axis=1))[0][:, len(rows) :]
            rows = np.concatenate([rows, rest.T])
        self.register_buffer("components", torch.as_tensor(np.ascontiguousarray(rows)))
        self.register_buffer("order", torch.arange(len(rows)))

    def analyze(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.components.T

    def synthesize(self, coordinates: Tensor) -> Tensor:
        return (coordinates @ self.components).reshape(len(coordinates), *self.shape)


class Waves(Modes):
    """Waves on a grid, by one matrix per axis, and a matrix for every frequency, which mixes its channels.

    Cosines are one part. Of the Fourier transform there are two: of cos and sin along both axes, cos·cos − sin·sin is the real
    part and sin·cos + cos·sin less the imaginary one.
    """

    down: Tensor
    across: Tensor
    mixing: Tensor

    def __init__(self, basis: Cosines | Fourier) -> None:
        super().__init__()
        self.shape, self.channels = basis.shape, basis.channels
        self.grid = (*basis.grid, 1)[:2]
        rotation, self.parts = basis.rotation, 1
        if isinstance(basis, Fourier):
            # Re − Im of conj(R)·(Re + i·Im) is Re·(R' + R'') − (−Im)·(R'' − R'), R = R' + i·R''
            rotation = np.concatenate([rotation.real + rotation.imag, rotation.real - rotation.imag], axis=1)
            self.parts = 2
        waves = [_axis_waves(n, isinstance(basis, Fourier)) for n in self.grid]
        for name, values in (("down", waves[0]), ("across", waves[1]), ("mixing", rotation)):
            self.register_buffer(name, torch.as_tensor(np.array(values, order="C")))
        inverse = np.empty(basis.n_modes, dtype=np.int64)
        inverse[basis.order] = np.arange(basis.n_modes)
        self.register_buffer("order", torch.as_tensor(inverse))

    def analyze(self, x: Tensor) -> Tensor:
        h, w = self.grid
        planes = x.reshape(len(x), h, w, self.channels).movedim(-1, 1)
        waves = self.down @ planes @ self.across.T
        if self.parts == 2:
            (cc, cs), (sc, ss) = (torch.split(half, w, dim=-1) for half in torch.split(waves, h, dim=-2))
            waves = torch.cat([cc - ss, sc + cs], dim=1)
        return self._mixed(waves.flatten(2), self.mixing).flatten(1)

    def synthesize(self, coordinates: Tensor) -> Tensor:
        h, w = self.grid
        table = coordinates.reshape(len(coordinates), h * w, self.channels).mT
        waves = self._mixed(table, self.mixing.mT).mT.reshape(len(table), -1, h, w)
        if self.parts == 2:
            real, rest = torch.split(waves, self.channels, dim=1)
            halves = torch.cat([real, rest], dim=-1), torch.cat([rest, -real], dim=-1)
            waves = torch.cat(halves, dim=-2)
        images = self.down.T @ waves @ self.across
        return images.movedim(1, -1).reshape(len(table), *self.shape)

    def _mixed(self, waves: Tensor, mixing: Tensor) -> Tensor:
        """(n, f, out) of (n, in, f): at every frequency times its matrix (in, out)."""
        if self.channels == 1 and self.parts == 1:
            return waves.mT * mixing[..., 0]
        return (waves.permute(2, 0, 1) @ mixing).transpose(0, 1)


def _axis_waves(n: int, periodic: bool) -> Float[np.ndarray, "wave n"]:
    """Rows are the waves of one axis: cosines (DCT-II), or cos, then sin, of the Fourier transform; orthonormal."""
    if not periodic:
        return scipy.fft.dct(np.eye(n), axis=0, norm="ortho")
    phase = 2 * np.pi / n * np.outer(np.arange(n), np.arange(n))
    return np.concatenate([np.cos(phase), np.sin(phase)]) / np.sqrt(n)


def modes_of(basis: Basis) -> Modes:
    """The module of a basis."""
    return Rotation(basis) if isinstance(basis, PCA) else Waves(basis)  # type: ignore[arg-type]
