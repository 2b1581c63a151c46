"""Autoencoders of flat samples: two networks with a bottleneck, or one tied layer that is the gradient of a potential."""

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from ..checks import InputError
from ..training.streams import Stream, stream_seed
from .convolutions import ConvolutionalDecoder, ConvolutionalEncoder
from .model_config import ModelConfig


class Autoencoder(nn.Module):
    """Encoder (n, D) → (n, d), or 2d for means and log variances, and decoder (n, d) → (n, D)."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, *, variational: bool = False) -> None:
        super().__init__()
        self.encoder, self.decoder, self.variational = encoder, decoder, variational

    def encode(self, x: Tensor) -> Tensor:
        """The latent; of a variational encoder its mean."""
        found: Tensor = self.encoder(x)
        return found.chunk(2, dim=1)[0] if self.variational else found

    def decode(self, z: Tensor) -> Tensor:
        """Samples of latents."""
        found: Tensor = self.decoder(z)
        return found

    def denoise(self, x: Tensor) -> Tensor:
        """The induced denoising map."""
        return self.decode(self.encode(x))


def perceptron(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """inputs–width–width–outputs with SiLU, PyTorch's own start (fan-in)."""
    sizes = (inputs, width, width, outputs)
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def mlp_autoencoder(dimension: int, width: int, latent: int, *, variational: bool) -> Autoencoder:
    """D–width–width–d and back."""
    outputs = 2 * latent if variational else latent
    return Autoencoder(
        perceptron(dimension, width, outputs), perceptron(latent, width, dimension), variational=variational
    )


def convolutional_autoencoder(shape: tuple[int, ...], width: int, latent: int, *, variational: bool) -> Autoencoder:
    """Convolutions on images (h, w, channels), flat outside, with a linear bottleneck."""
    h, w, c = shape[0], shape[1], shape[2] if len(shape) == 3 else 1
    channels = 8
    flat, outputs = channels * (h // 4) * (w // 4), 2 * latent if variational else latent
    encoder = nn.Sequential(
        nn.Unflatten(1, (h, w, c)),
        ChannelsFirst(),
        ConvolutionalEncoder(c, channels, width),
        nn.Flatten(),
        nn.Linear(flat, outputs),
    )
    decoder = nn.Sequential(
        nn.Linear(latent, flat),
        nn.Unflatten(1, (channels, h // 4, w // 4)),
        ConvolutionalDecoder(channels, c, width),
        ChannelsLast(),
        nn.Flatten(),
    )
    return Autoencoder(encoder, decoder, variational=variational)


class ChannelsFirst(nn.Module):
    """(n, h, w, c) → (n, c, h, w)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 1, 2)


class ChannelsLast(nn.Module):
    """(n, c, h, w) → (n, h, w, c)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)


class Conservative(Autoencoder):
    """D(x) = x̄ + W diag(a) φ(Wᵀ(x − x̄) + b) + c with one W (D, m), φ = SiLU: its Jacobian is symmetric.

    The optimal denoiser and the projection are gradients too. After training `reduce` takes the latent as the leading principal
    directions P of the activations: E(x) = Pᵀ(φ(·) − m), G(z) = x̄ + W diag(a)(Pz + m) + c; `denoise` stays the whole map until
    then and passes the bottleneck afterwards.
    """

    principal: Tensor
    activation_mean: Tensor

    def __init__(self, dimension: int, width: int, latent: int) -> None:
        super().__init__(nn.Identity(), nn.Identity())
        self.weight = nn.Parameter(torch.randn(dimension, width) / dimension**0.5)
        self.scale = nn.Parameter(torch.full((width,), dimension / width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.shift = nn.Parameter(torch.zeros(dimension))
        self.register_buffer("principal", torch.zeros(width, latent))
        self.register_buffer("activation_mean", torch.zeros(width))

    def activations(self, x: Tensor) -> Tensor:
        """φ(Wᵀx + b)."""
        return nn.functional.silu(x @ self.weight + self.bias)

    def whole(self, x: Tensor) -> Tensor:
        """The map before it is reduced."""
        return (self.activations(x) * self.scale) @ self.weight.T + self.shift

    def potential(self, x: Tensor) -> Tensor:
        """The function (n,) whose gradient `whole` is: Σ a Φ(Wᵀx + b) + c·x, Φ' = φ, by Gauss–Legendre from b."""
        nodes, weights = torch.linspace(0, 1, 2001, dtype=x.dtype), torch.full((2001,), 1 / 2000, dtype=x.dtype)
        weights[[0, -1]] /= 2
        inner = x @ self.weight
        along = nn.functional.silu(self.bias + nodes[:, None, None] * inner)
        return ((weights[:, None, None] * along).sum(0) * inner * self.scale).sum(1) + x @ self.shift

    @torch.no_grad()
    def reduce(self, x: Tensor) -> None:
        """Take the bottleneck from the activations of clean samples."""
        found = self.activations(x)
        self.activation_mean.copy_(found.mean(dim=0))
        _, _, directions = torch.linalg.svd((found - self.activation_mean).double(), full_matrices=False)
        latent = self.principal.shape[1]
        self.principal.zero_()
        self.principal[:, : min(latent, len(directions))].copy_(directions[:latent].T)

    def encode(self, x: Tensor) -> Tensor:
        return (self.activations(x) - self.activation_mean) @ self.principal

    def decode(self, z: Tensor) -> Tensor:
        return ((z @ self.principal.T + self.activation_mean) * self.scale) @ self.weight.T + self.shift

    def denoise(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x)) if bool(self.principal.any()) else self.whole(x)


def build_autoencoder(config: ModelConfig, shape: tuple[int, ...], latent: int, *, variational: bool) -> Autoencoder:
    """The autoencoder that a configuration names, its weights drawn with its seed from a stream of their own."""
    dimension = int(np.prod(shape))
    with torch.random.fork_rng():
        torch.manual_seed(stream_seed(config.seed, Stream.INIT))
        match config.architecture:
            case "conservative":
                if variational:
                    raise InputError("architecture must be mlp or convolutional for a variational first stage")
                return Conservative(dimension, config.width, latent)
            case "convolutional":
                return convolutional_autoencoder(shape, config.width, latent, variational=variational)
            case _:
                return mlp_autoencoder(dimension, config.width, latent, variational=variational)
