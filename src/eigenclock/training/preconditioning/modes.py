"""A spectrum's modes as torch modules: samples to coordinates and back by matrices, which compile and go to any device."""

import numpy as np
import scipy.fft
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...spectrum.bases import PCA, Basis, Cosines, Fourier


class Modes(nn.Module):
    """An orthonormal change of coordinates. `order`: (coordinate,) index of the spectrum's mode of every coordinate.

    Coordinates beyond the spectrum's modes, where there are any, are those of the directions that it leaves out.
    """

    shape: tuple[int, ...]
    order: Tensor

    def analyze(self, x: Tensor) -> Tensor:
        """Coordinates (n, d) of samples (n, *shape) about zero."""
        raise NotImplementedError

    def synthesize(self, coordinates: Tensor) -> Tensor:
        """Samples (n, *shape) of coordinates (n, d)."""
        raise NotImplementedError


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
    """Waves on a grid, by one matrix per axis, and the matrix that mixes the channels of every frequency.

    A coordinate is Σ over `terms` of sign·(mixing · (across · x · alongᵀ)): one term for cosines, four for Fourier modes, whose
    cos and sin parts along two axes make the real and the imaginary part.
    """

    down: Tensor
    across: Tensor
    mixing: Tensor

    def __init__(self, basis: Cosines | Fourier) -> None:
        super().__init__()
        self.shape, self.channels = basis.shape, basis.channels
        self.grid = (*basis.grid, 1)[:2]
        down, across = (_axis_waves(n, isinstance(basis, Fourier)) for n in self.grid)
        rotation = basis.rotation
        if isinstance(basis, Fourier):
            # Re − Im of conj(R)·(Re + i·Im) is Re·(R' + R'') + Im·(R'' − R'), R = R' + i·R''
            whole, turned = rotation.real + rotation.imag, rotation.imag - rotation.real
            terms = [(0, 0, whole), (1, 1, -whole), (1, 0, -turned), (0, 1, -turned)]
        else:
            terms = [(0, 0, rotation)]
        self.terms = [(i, j) for i, j, _ in terms]
        for name, values in (
            ("down", down),
            ("across", across),
            ("mixing", np.stack([mixing for _, _, mixing in terms])),
        ):
            self.register_buffer(name, torch.as_tensor(np.ascontiguousarray(values)))
        inverse = np.empty(basis.n_modes, dtype=np.int64)
        inverse[basis.order] = np.arange(basis.n_modes)
        self.register_buffer("order", torch.as_tensor(inverse))

    def analyze(self, x: Tensor) -> Tensor:
        h, w = self.grid
        planes, total = x.reshape(len(x), h, w, self.channels).movedim(-1, 1), []
        for k, (i, j) in enumerate(self.terms):
            waves, mixing = (self.down[i] @ planes @ self.across[j].T).flatten(2), self.mixing[k]
            alone = self.channels == 1
            total.append(waves.mT * mixing[..., 0] if alone else torch.einsum("ncf,fck->nfk", waves, mixing))
        return sum(total[1:], total[0]).flatten(1)

    def synthesize(self, coordinates: Tensor) -> Tensor:
        (h, w), total = self.grid, []
        table = coordinates.reshape(len(coordinates), h * w, self.channels)
        for k, (i, j) in enumerate(self.terms):
            mixing = self.mixing[k]
            alone = self.channels == 1
            waves = (table * mixing[..., 0]).mT if alone else torch.einsum("nfk,fck->ncf", table, mixing)
            total.append(self.down[i].T @ waves.reshape(len(table), self.channels, h, w) @ self.across[j])
        return sum(total[1:], total[0]).movedim(1, -1).reshape(len(table), *self.shape)


def _axis_waves(n: int, periodic: bool) -> Float[np.ndarray, "part n n"]:
    """Rows are the waves of one axis: cosines (DCT-II), or cos and sin of the Fourier transform; orthonormal."""
    if not periodic:
        return scipy.fft.dct(np.eye(n), axis=0, norm="ortho")[None]
    phase = 2 * np.pi / n * np.outer(np.arange(n), np.arange(n))
    return np.stack([np.cos(phase), np.sin(phase)]) / np.sqrt(n)


def modes_of(basis: Basis) -> Modes:
    """The module of a basis."""
    return Rotation(basis) if isinstance(basis, PCA) else Waves(basis)  # type: ignore[arg-type]
