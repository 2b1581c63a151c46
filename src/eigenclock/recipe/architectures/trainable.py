"""Networks F(x) = W x (+ b) with W made of trainable matrices, and the chain rule written out for each.

Brute force trains them as they stand; `training.networks.linear` has PyTorch differentiate them.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy
from jaxtyping import Float, Int

from ...spectrum.bases import Fourier

Parameters: TypeAlias = Float[np.ndarray, "..."]
Matrices: TypeAlias = Float[np.ndarray, "sigma d e"]
Levels: TypeAlias = Float[np.ndarray, " sigma"]
Modes: TypeAlias = Float[np.ndarray, "mode d"]
"""Directions of the modes in data space."""


class MatrixNetwork(ABC):
    """A network F(x) = W x, W of shape (d, d), or (d, d+1) with a bias as its last column."""

    @abstractmethod
    def start(self, levels: int) -> Parameters:
        """Parameters of all levels at time 0."""

    @abstractmethod
    def weights(self, parameters: Parameters) -> Matrices:
        """W of every level."""

    @abstractmethod
    def pull_back(self, parameters: Parameters, gradient: Matrices) -> Parameters:
        """Gradient with respect to the parameters from the gradient with respect to W."""


@dataclass(frozen=True, eq=False)
class Single(MatrixNetwork):
    """W itself is trained."""

    init: Float[np.ndarray, "d e"]

    def start(self, levels: int) -> Parameters:
        return np.broadcast_to(self.init, (levels, *self.init.shape)).copy()

    def weights(self, parameters: Parameters) -> Matrices:
        return parameters

    def pull_back(self, parameters: Parameters, gradient: Matrices) -> Parameters:
        return gradient


@dataclass(frozen=True, eq=False)
class Tied(Single):
    """W = P Pᵀ, P is trained."""

    def weights(self, parameters: Parameters) -> Matrices:
        return parameters @ parameters.swapaxes(-1, -2)

    def pull_back(self, parameters: Parameters, gradient: Matrices) -> Parameters:
        return (gradient + gradient.swapaxes(-1, -2)) @ parameters


@dataclass(frozen=True, eq=False)
class Chain(MatrixNetwork):
    """W = (skip·I + V_L) ⋯ (skip·I + V_1), every V is trained."""

    d: int
    init: tuple[float, ...]
    skip: float

    def start(self, levels: int) -> Parameters:
        layers = np.array(self.init)[:, None, None] * np.eye(self.d)
        return np.broadcast_to(layers, (levels, *layers.shape)).copy()

    def _layers(self, parameters: Parameters) -> Parameters:
        return parameters + parameters.dtype.type(self.skip) * np.eye(self.d, dtype=parameters.dtype)

    def weights(self, parameters: Parameters) -> Matrices:
        layers = self._layers(parameters)
        product = layers[:, 0]
        for i in range(1, len(self.init)):
            product = layers[:, i] @ product
        return product

    def pull_back(self, parameters: Parameters, gradient: Matrices) -> Parameters:
        layers, out = self._layers(parameters), np.empty_like(parameters)
        behind = [np.broadcast_to(np.eye(self.d, dtype=parameters.dtype), gradient.shape)]
        for i in range(len(self.init) - 1):
            behind.append(layers[:, i] @ behind[-1])
        ahead = gradient
        for i in reversed(range(len(self.init))):
            out[:, i] = ahead @ behind[i].swapaxes(1, 2)
            ahead = layers[:, i].swapaxes(1, 2) @ ahead
        return out


@dataclass(frozen=True, eq=False)
class Convolution(MatrixNetwork):
    """W[p, q] = w[q − p] where the displacement is in the kernel, 0 elsewhere: w is trained."""

    gather: "scipy.sparse.csr_array"
    init: Float[np.ndarray, " weight"]
    d: int

    def start(self, levels: int) -> Parameters:
        return np.tile(self.init, (levels, 1))

    def weights(self, parameters: Parameters) -> Matrices:
        return np.ascontiguousarray((self.gather @ parameters.T).T).reshape(-1, self.d, self.d)

    def pull_back(self, parameters: Parameters, gradient: Matrices) -> Parameters:
        return np.ascontiguousarray((self.gather.T @ gradient.reshape(len(gradient), -1).T).T)


@dataclass(frozen=True, eq=False)
class AcrossLevels(MatrixNetwork):
    """W(σ) = init·I + Σ_j φ_j(σ)·V_j: the V are trained by all levels together."""

    features: Float[np.ndarray, "sigma feature"]
    init: float
    d: int

    def start(self, levels: int) -> Parameters:
        return np.zeros((self.features.shape[1], self.d, self.d))

    def weights(self, parameters: Parameters) -> Matrices:
        return self.init * np.eye(self.d) + np.tensordot(self.features, parameters, axes=1)

    def pull_back(self, parameters: Parameters, gradient: Matrices) -> Parameters:
        return np.tensordot(self.features.T, gradient, axes=1)


def circular_convolution(basis: Fourier, kernel: int | None, init: float) -> Convolution:
    """Every pair of coordinates finds its weight by displacement and channels; far ones have none."""
    grid, c = basis.grid, basis.channels
    position = np.stack([axis.ravel() for axis in np.indices(grid)])
    apart = (position[:, None, :] - position[:, :, None]) % np.array(grid)[:, None, None]
    place: Int[np.ndarray, "p q"] = np.ravel_multi_index(tuple(apart), grid)
    if kernel is None:
        known = np.arange(int(np.prod(grid)))
    else:
        ring = [np.minimum(np.arange(n), n - np.arange(n)) <= kernel // 2 for n in grid]
        known = np.flatnonzero(ring[0] if len(grid) == 1 else np.outer(ring[0], ring[1]).ravel())
    slot = np.full(int(np.prod(grid)), -1)
    slot[known] = np.arange(known.size)
    # weights are indexed (displacement, output channel, input channel)
    output, inside = np.divmod(np.arange(c * c), c)
    table = slot[place][:, None, :, None] * c * c + (np.arange(c)[:, None, None] * c + np.arange(c))
    table = np.where(slot[place][:, None, :, None] >= 0, table, -1).reshape(-1)
    used = np.flatnonzero(table >= 0)
    gather = scipy.sparse.csr_array((np.ones(used.size), (used, table[used])), shape=(table.size, known.size * c * c))
    start = np.zeros((known.size, c * c))
    start[slot[0], output == inside] = init
    return Convolution(gather, start.ravel(), int(np.prod(grid)) * c)
