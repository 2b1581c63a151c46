"""The linear denoisers of the theory as trainable modules; PyTorch differentiates them, no gradient is written out."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...recipe.architectures import Architecture
from ...recipe.architectures.trainable import AcrossLevels, Chain, Convolution, MatrixNetwork, Single, Tied
from ...spectrum.spectrum import Spectrum

ROUNDING = 1e-5
"""Share of the way between two levels below which a noise level is one of them, but for rounding to 32 bits."""


class _ByHand(torch.autograd.Function):
    """W of a kind of network that PyTorch has no words for here: by its own weights and chain rule, in NumPy."""

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, kind: MatrixNetwork) -> Tensor:
        ctx.kind, ctx.parameters = kind, parameters.detach().cpu().numpy()
        return parameters.new_tensor(kind.weights(ctx.parameters))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.new_tensor(ctx.kind.pull_back(ctx.parameters, gradient.cpu().numpy())), None


class LinearDenoiser(nn.Module):
    """F(x, σ) = Σ_j hat_j(ln σ)·W_j x (+ bias): one matrix W_j per noise level, each made of the architecture's own parameters.

    At a level that has weights exactly those are used: trained there only, each level is the theory's network.
    """

    log_levels: Tensor
    place: Tensor
    features: Tensor

    def __init__(
        self, architecture: Architecture, levels: np.ndarray, shape: tuple[int, ...], spectrum: Spectrum
    ) -> None:
        super().__init__()
        levels, _ = architecture.trained_levels(levels)
        d = math.prod(shape)
        modes = np.eye(d)
        if spectrum.basis is not None:
            modes = spectrum.basis.from_modes(np.eye(spectrum.n_modes)).reshape(spectrum.n_modes, d)
        self.kind = architecture.trainable(spectrum, modes, levels)
        self.dimension = d
        self.register_buffer("log_levels", torch.tensor(np.log(levels)))
        self.weight = nn.Parameter(torch.tensor(self.kind.start(len(levels)), dtype=torch.get_default_dtype()))
        if isinstance(self.kind, AcrossLevels):
            self.register_buffer("features", torch.tensor(self.kind.features, dtype=torch.get_default_dtype()))
        if isinstance(self.kind, Convolution):
            gather = self.kind.gather.tocoo()
            place = np.full(d * d, -1)
            place[gather.row] = gather.col
            self.register_buffer("place", torch.tensor(place))

    def matrices(self) -> Tensor:
        """W of every level, (level, d, d), or (level, d, d+1) with a bias as last column."""
        p, kind = self.weight, self.kind
        if type(kind).__module__ != MatrixNetwork.__module__:  # one derived from those below may be another network
            return _ByHand.apply(p, kind)  # type: ignore[no-untyped-call]
        if isinstance(kind, Tied):
            return p @ p.transpose(-1, -2)
        if isinstance(kind, Single):
            return p
        if isinstance(kind, Chain):
            layers = p + kind.skip * torch.eye(self.dimension, dtype=p.dtype, device=p.device)
            product = layers[:, 0]
            for i in range(1, layers.shape[1]):
                product = layers[:, i] @ product
            return product
        if isinstance(kind, Convolution):
            padded = torch.cat([p, torch.zeros_like(p[:, :1])], dim=1)  # place −1 is the zero at the end
            return padded[:, self.place].reshape(len(p), self.dimension, self.dimension)
        assert isinstance(kind, AcrossLevels)
        identity = torch.eye(self.dimension, dtype=p.dtype, device=p.device)
        return kind.init * identity + torch.tensordot(self.features.to(p.dtype), p, dims=1)

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        flat, matrices = x.flatten(1), self.matrices()
        if matrices.shape[2] > self.dimension:
            flat = torch.cat([flat, torch.ones_like(flat[:, :1])], dim=1)
        grid, at = self.log_levels, sigma.to(self.log_levels.dtype).log()
        if len(grid) == 1:
            return (flat @ matrices[0].T).reshape(x.shape)
        low = (torch.searchsorted(grid, at, right=True) - 1).clamp(0, len(grid) - 2)
        share = ((at - grid[low]) / (grid[low + 1] - grid[low])).clamp(0, 1)
        nearest = share.round()
        share = torch.where((share - nearest).abs() < ROUNDING, nearest, share).to(flat.dtype)[:, None]
        outputs, row = flat @ matrices.transpose(1, 2), torch.arange(len(flat), device=flat.device)
        return torch.lerp(outputs[low, row], outputs[low + 1, row], share.to(outputs.dtype)).reshape(x.shape)
