"""The networks that can be trained, as values that a config file can hold. Nothing here needs PyTorch until `build` is called."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..checks import (
    InputError,
    choice,
    flag,
    instance,
    integer,
    integer_option,
    need_memory,
    number_option,
    random_seed,
    sequence,
)
from ..recipe.architectures import Architecture, OneLayer
from ..spectrum.spectrum import Spectrum, check_spectrum

if TYPE_CHECKING:
    import torch


def need_torch() -> None:
    """InputError with the name of the extra where PyTorch is not installed."""
    try:
        import_module("torch")
    except ImportError:
        raise InputError("training needs PyTorch: pip install 'eigenclock[train]'") from None


SURELY_FITS = 2048
"""Options and sizes up to which a network needs no look at the memory that there is."""


class Network(ABC):
    """A network F(x, σ) that can be built for samples of a shape. Subclasses are frozen dataclasses."""

    architecture: Architecture = OneLayer(0.0)
    """The network of the theory that stands in for it."""

    @abstractmethod
    def _build(self, shape: tuple[int, ...], spectrum: Spectrum | None) -> "torch.nn.Module": ...

    def build(self, shape: tuple[int, ...], *, spectrum: Spectrum | None = None, seed: int = 0) -> "torch.nn.Module":
        """The module for samples of `shape`, its weights drawn with `seed` from a stream of their own.

        The module maps (x, sigma), x of shape (n, *shape) and sigma of shape (n,), to an output like x. InputError if the shape
        does not fit the network, or PyTorch is missing.
        """
        need_torch()
        import torch

        random_seed(seed)
        sizes = sequence("shape", shape)
        whole = tuple(integer(f"shape[{i}]", one, at_least=1, at_most=2**31) for i, one in enumerate(sizes))
        if not whole:
            raise InputError("shape must be that of a sample, (d,), (h, w) or (h, w, channels), got ()")
        if spectrum is not None:
            check_spectrum(spectrum)
        self._check_size(whole, spectrum)
        with torch.random.fork_rng():
            torch.manual_seed(int(seed) % 2**63)
            return self._build(whole, spectrum)

    def _check_size(self, shape: tuple[int, ...], spectrum: Spectrum | None) -> None:
        """InputError for a network that does not fit in memory: one that may not is first built without any."""
        import torch

        if max((value for value in (*vars(self).values(), *shape) if isinstance(value, int)), default=0) <= SURELY_FITS:
            return
        with torch.device("meta"):
            module = self._build(shape, spectrum)
        need_memory(str(self), 4.0 * sum(one.numel() * one.element_size() for one in module.parameters()))


def _image(shape: tuple[int, ...], network: Network) -> tuple[int, int, int]:
    """Height, width and channels of images; InputError for anything else."""
    if len(shape) not in (2, 3):
        raise InputError(
            f"{type(network).__name__} needs images (h, w) or (h, w, channels), got samples of shape {shape}: use MLP or Linear"
        )
    if len(shape) == 3 and shape[2] > min(shape[:2]):
        raise InputError(f"images must have their channels last, (h, w, channels), got samples of shape {shape}")
    return shape[0], shape[1], shape[2] if len(shape) == 3 else 1


@dataclass(frozen=True)
class Linear(Network):
    """A linear denoiser of the theory as a trainable module: one set of weights per noise level, linear in ln σ in between.

    **Parameters**

    - `architecture`: any architecture of the theory, with its start.
    - `levels`: number of noise levels that have weights; `Coupled` has its own.
    - `sigma_min`, `sigma_max`: lowest and highest of them, evenly spaced in ln σ; beyond them the nearest weights are used.
    """

    architecture: Architecture = field(default_factory=lambda: OneLayer(0.0))
    levels: int = 32
    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def __post_init__(self) -> None:
        instance("architecture", self.architecture, Architecture, "an architecture of the theory")
        integer_option(self, "levels", at_least=1, at_most=10**5)
        number_option(self, "sigma_min", above=0)
        number_option(self, "sigma_max", above=self.sigma_min)

    def _build(self, shape: tuple[int, ...], spectrum: Spectrum | None) -> "torch.nn.Module":
        from .networks.linear import LinearDenoiser

        if spectrum is None:
            raise InputError("Linear needs the spectrum of the data: build(shape, spectrum=spectrum)")
        levels = np.geomspace(self.sigma_min, self.sigma_max, self.levels)
        return LinearDenoiser(self.architecture, levels, shape, spectrum)


@dataclass(frozen=True)
class MLP(Network):
    """The network of Wang & Pehlevan's experiments (arXiv:2503.03206): a chain of residual blocks, then one bare linear layer.

    A block is skip(x) + Linear(SiLU(LayerNorm(Linear(SiLU(LayerNorm(x))))·(1 + scale) + shift)), scale and shift linear in
    Fourier features of ln σ. A linear path leads from the sample to the output, with no norm on it, and every layer has
    PyTorch's default start: as in the linear networks of the theory, gains of different modes do not compete. The paper has
    width 256 with 5 layers for Gaussian data, 3072 with 8 and 64 frequencies for faces.

    **Parameters**

    - `width`: of every block. - `layers`: blocks and the last linear layer together: 5 are 4 blocks and a linear layer; there is
      always a block, so that 1 is 2.
    - `frequencies`: fixed normal frequencies of ln(σ)/4; half the width unless said.
    - `zero_output`: start the last layer at zero, so that the untrained denoiser is the preconditioning alone.

    ```python
    >>> import torch
    >>> import eigenclock as ec
    >>> network = ec.MLP(width=32, layers=3, zero_output=True).build((8, 8))
    >>> network(torch.ones(2, 8, 8), torch.ones(2)).abs().max().item()
    0.0

    ```
    """

    width: int = 256
    layers: int = 5
    frequencies: int | None = None
    zero_output: bool = False

    def __post_init__(self) -> None:
        integer_option(self, "width", at_least=1)
        integer_option(self, "layers", at_least=1)
        if self.frequencies is not None:
            integer_option(self, "frequencies", at_least=1)
        flag("zero_output", self.zero_output)

    def _build(self, shape: tuple[int, ...], spectrum: Spectrum | None) -> "torch.nn.Module":
        from .networks.mlp import ResidualChain

        frequencies = max(1, self.width // 2) if self.frequencies is None else self.frequencies
        return ResidualChain(
            shape, width=self.width, layers=self.layers, frequencies=frequencies, zero_output=self.zero_output
        )


@dataclass(frozen=True)
class NormedMLP(Network):
    """An MLP in the way of U-Nets: residual blocks, the upper half of which also sees the lower's outputs; a norm at the end.

    LayerNorm before the output, as in most U-Nets and transformers, ties all gains together, and other clocks follow than in the
    chain (`docs/networks.md` has measured both). It was called MLP in version 0.1.0.

    **Parameters**

    - `width`: width of every block. - `blocks`: number of blocks; the second half also sees the outputs of the first (the U).
    - `embedding`: number of Fourier features of ln σ, which go through a small network.
    """

    width: int = 256
    blocks: int = 5
    embedding: int = 128

    def __post_init__(self) -> None:
        integer_option(self, "width", at_least=1)
        integer_option(self, "blocks", at_least=1)
        integer_option(self, "embedding", at_least=2)

    def _build(self, shape: tuple[int, ...], spectrum: Spectrum | None) -> "torch.nn.Module":
        from .networks.normed_mlp import UNetMLP

        return UNetMLP(shape, **vars(self))


@dataclass(frozen=True)
class FeedForward(Network):
    """A plain network of linear layers that sees sin and cos of fixed frequencies of ln σ beside the sample.

    Its last layer starts at zero; without hidden layers it is affine in the sample.

    **Parameters**

    - `width`: of every hidden layer. - `layers`: number of hidden layers, 0 for an affine map.
    - `frequencies`: fixed random frequencies of ln(σ)/4, normal with spread 2. - `activation`: "relu" or "silu".
    """

    width: int = 128
    layers: int = 3
    frequencies: int = 16
    activation: Literal["relu", "silu"] = "relu"

    def __post_init__(self) -> None:
        integer_option(self, "width", at_least=1)
        integer_option(self, "layers", at_least=0)
        choice("activation", self.activation, ("relu", "silu"))
        integer_option(self, "frequencies", at_least=1)

    def _build(self, shape: tuple[int, ...], spectrum: Spectrum | None) -> "torch.nn.Module":
        from .networks.feed_forward import FeedForwardNetwork

        return FeedForwardNetwork(shape, **vars(self))


@dataclass(frozen=True)
class UNet(Network):
    """A convolutional U-Net in EDM's style (Karras et al. 2022): residual blocks of 3×3 convolutions, attention, skips.

    Its last convolution starts at zero, as EDM's does: the untrained denoiser is the preconditioning alone.

    **Parameters**

    - `channels`: channels at full resolution. - `multipliers`: channels of each resolution, in units of `channels`; each next
      resolution is half the one before.
    - `blocks`: residual blocks per resolution. - `attention`: resolutions (image heights) that have self-attention.
    - `embedding`: number of Fourier features of ln σ.
    """

    channels: int = 32
    multipliers: tuple[int, ...] = (1, 2)
    blocks: int = 1
    attention: tuple[int, ...] = ()
    embedding: int = 64

    def __post_init__(self) -> None:
        integer_option(self, "channels", at_least=1)
        integer_option(self, "blocks", at_least=1)
        integer_option(self, "embedding", at_least=2)
        for name in ("multipliers", "attention"):
            values = tuple(integer(name, one, at_least=1) for one in sequence(name, getattr(self, name)))
            object.__setattr__(self, name, values)  # a file gives a list
        if not self.multipliers:
            raise InputError("multipliers must name at least one resolution, got none")

    def _build(self, shape: tuple[int, ...], spectrum: Spectrum | None) -> "torch.nn.Module":
        from .networks.unet import EDMUNet

        h, w, c = _image(shape, self)
        factor = 2 ** (len(self.multipliers) - 1)
        if h % factor or w % factor:
            raise InputError(
                f"image size must be divisible by {factor} for {len(self.multipliers)} resolutions, got {h}×{w}: "
                "use fewer multipliers or another image_size"
            )
        heights = [h // 2**i for i in range(len(self.multipliers))]
        if not set(self.attention) <= set(heights):
            raise InputError(f"attention must name resolutions among {heights}, got {list(self.attention)}")
        return EDMUNet(
            shape, c, self.channels, self.multipliers, self.blocks, self.attention, self.embedding, resample=True
        )


@dataclass(frozen=True)
class ConvNet(Network):
    """The same residual blocks of convolutions without down- or up-sampling: it only sees as far as its kernels reach.

    Its last convolution starts at zero.

    **Parameters**

    - `channels`: channels of every block. - `blocks`: number of residual blocks, two convolutions each.
    - `kernel`: edge length of every kernel, odd. - `embedding`: number of Fourier features of ln σ.
    """

    channels: int = 32
    blocks: int = 4
    kernel: int = 3
    embedding: int = 64

    def __post_init__(self) -> None:
        integer_option(self, "channels", at_least=1)
        integer_option(self, "blocks", at_least=1)
        integer_option(self, "embedding", at_least=2)
        integer_option(self, "kernel", at_least=1)
        if self.kernel % 2 == 0:
            raise InputError(f"kernel must be odd, got {self.kernel}")

    def _build(self, shape: tuple[int, ...], spectrum: Spectrum | None) -> "torch.nn.Module":
        from .networks.unet import ResidualConvolutions

        _, _, c = _image(shape, self)
        return ResidualConvolutions(shape, c, **vars(self))


@dataclass(frozen=True)
class DiT(Network):
    """A small diffusion transformer (Peebles & Xie 2023): patches as tokens, blocks conditioned on the noise level (adaLN-zero).

    **Parameters**

    - `patch`: edge length of a patch; must divide the image's. - `width`: width of a token. - `blocks`: number of blocks.
    - `heads`: attention heads; must divide `width`. - `embedding`: number of Fourier features of ln σ.
    """

    patch: int = 4
    width: int = 128
    blocks: int = 4
    heads: int = 4
    embedding: int = 64

    def __post_init__(self) -> None:
        for name in ("patch", "width", "blocks", "heads"):
            integer_option(self, name, at_least=1)
        integer_option(self, "embedding", at_least=2)
        if self.width % self.heads:
            raise InputError(f"heads must divide width = {self.width}, got {self.heads}")

    def _build(self, shape: tuple[int, ...], spectrum: Spectrum | None) -> "torch.nn.Module":
        from .networks.dit import DiffusionTransformer

        h, w, c = _image(shape, self)
        if h % self.patch or w % self.patch:
            raise InputError(f"image size must be divisible by patch = {self.patch}, got {h}×{w}")
        return DiffusionTransformer((h, w, c), **vars(self))
