"""A network's denoiser when its objective is a `SpectralEDM`: input, skip, output and loss along the data's modes (T19)."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...checks import InputError, say
from ...recipe.spectral_edm import SpectralEDM
from ...spectrum.spectrum import Spectrum
from ..losses import NetworkDenoiser, shaped_like
from .modes import modes_of


class SpectralDenoiser(NetworkDenoiser):
    """D(y, σ) = μ + c_skip(y − μ) + c_out·F(c_in(y − μ), σ), all three matrices along a spectrum's modes.

    What it assumes of the data lies in buffers: its `state_dict` is complete, and it goes to any device and dtype with `.to`.

    **Parameters**

    - `network`: module or callable (x, sigma) → like x. - `objective`: a `SpectralEDM`. - `spectrum`: of the data, with a basis.
    - `sigma_min`: smallest noise level that will be sampled, whose square is the default floor.

    `start` is what is subtracted of the network: a frozen copy of it as it started, None where that is zero (`check_start`).
    """

    assumed: Tensor
    mean: Tensor
    mean_variance: Tensor

    def __init__(
        self,
        network: Any,
        objective: SpectralEDM,
        spectrum: Spectrum,
        *,
        sigma_min: float = 0.002,
    ) -> None:
        super().__init__(network, objective)
        self.chosen = objective
        if spectrum.basis is None:
            raise InputError("objective.spectrum must have a basis, made by Spectrum.from_samples, got abstract modes")
        bound = objective.bound(spectrum, sigma_min)
        self.modes = modes_of(spectrum.basis)
        dtype = next((p.dtype for p in network.parameters()), None) if isinstance(network, nn.Module) else None
        known = np.append(bound.assumed, np.full(len(self.modes.order) - bound.assumed.size, bound.outside))
        mean = np.zeros(spectrum.basis.shape) if spectrum.mean is None else objective.power * spectrum.mean
        self.register_buffer("assumed", torch.as_tensor(known)[self.modes.order])
        self.register_buffer("mean", torch.as_tensor(mean))
        self.register_buffer("mean_variance", torch.as_tensor(bound.mean_variance, dtype=torch.float64))
        self.start: nn.Module | None = None
        self.unchecked = False
        self.shape = spectrum.basis.shape
        self.floored, self.dead = bound.floored, int((known == 0).sum())
        self.to(dtype or torch.get_default_dtype())

    def forward(self, x: Tensor, sigma: Any, **more: Any) -> Tensor:
        level = torch.as_tensor(sigma).to(x).reshape(-1).expand(len(x))
        along = self.modes.analyze(self._samples(x) - self.mean)
        total = self.assumed + level[:, None] ** 2
        out = self._output(self.network, along, level, x, more)
        clean = self.assumed / total * along + level[:, None] * (self.assumed / total).sqrt() * self.modes.analyze(out)
        return self._like(self.mean + self.modes.synthesize(clean), x)

    def loss_at(self, clean: Tensor, sigma: Tensor, noise: Tensor, *, network: Any = None, **more: Any) -> Tensor:
        with torch.autocast(clean.device.type, enabled=False):
            level = sigma.to(clean)
            data, white = self.modes.analyze(self._samples(clean) - self.mean), self.modes.analyze(self._samples(noise))
            s, wide = self.assumed, level[:, None]
            total = s + wide**2
            target = (
                torch.where(s > 0, wide * data / (s * total).clamp_min(TINY).sqrt(), 0) - (s / total).sqrt() * white
            )
        out = self._output(self.network if network is None else network, data + wide * white, level, clean, more)
        with torch.autocast(clean.device.type, enabled=False):
            error = self.modes.analyze(out.to(clean)) - target
            weight = (s > 0).to(clean) if self._by_mode else (1 + (wide / self.chosen.sigma_data) ** 2) * s / total
            return (weight * error.square()).sum() / len(clean)

    def check_start(self) -> None:
        """Keep a frozen copy of a network that does not start at zero, to subtract it.

        One that cannot be called with a sample and a noise level alone is looked at again at the first `loss`.
        """
        found = None if not isinstance(self.network, nn.Module) else starts_at_zero(self.network, self.mean)
        self.unchecked = found is None
        if found is False:
            self._keep_start()

    def _keep_start(self) -> None:
        self.start = frozen(self.network)
        say("the network does not start at zero: what it gives now is subtracted (trained=True keeps it)", level=5)

    def get_extra_state(self) -> Tensor:
        """What the network was asked for, as bytes: weights alone would not say it."""
        return torch.tensor(list(self._asked().encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """InputError for weights that were asked for something else."""
        found = bytes(state.cpu().tolist()).decode()
        if found != self._asked():
            raise InputError(f"state_dict must be of a network trained with {self._asked()}, got {found}")

    def _asked(self) -> str:
        return str(replace(self.chosen, spectrum=None, density=None))

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As PyTorch's; InputError, in one line, for the weights of another network or objective."""
        if self.start is None and any(key.startswith("start.") for key in state_dict):
            self.start = frozen(self.network)
        self.unchecked = False
        try:
            return super().load_state_dict(state_dict, strict, assign)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"state_dict must be of this network under SpectralEDM: {reason}") from None

    def _output(self, network: Any, along: Tensor, level: Tensor, like: Tensor, more: dict[str, Any]) -> Tensor:
        """What the network makes of mode coordinates (n, d), less what it started with, as samples (n, *shape)."""
        wide = level[:, None] ** 2
        scale = (self.assumed + wide if self._input_by_mode else self.mean_variance + wide).rsqrt()
        seen = self._like(self.modes.synthesize(scale * along), like)
        if self.unchecked:
            with torch.no_grad():
                starts = bool((shaped_like(network(seen, level, **more), seen) != 0).any())
            self.unchecked = False
            if starts:
                self._keep_start()
        out = shaped_like(network(seen, level, **more), seen)
        if self.start is not None:
            with torch.no_grad():
                first = shaped_like(self.start(seen, level, **more), seen)
            out = out - first
        return self._samples(out)

    def _samples(self, x: Tensor) -> Tensor:
        """Samples as the spectrum has them, (n, *shape), of those and of images (n, c, h, w)."""
        if x.shape[1:] == self.shape:
            return x
        h, w, c = (*self.shape, 1)[:3] if len(self.shape) > 1 else (0, 0, 0)
        if x.shape[1:] == (c, h, w):
            return x.permute(0, 2, 3, 1).reshape(len(x), *self.shape)
        raise InputError(
            f"samples must have the spectrum's shape (n, {str(self.shape)[1:-1].rstrip(',')}), got {tuple(x.shape)}"
        )

    def _like(self, samples: Tensor, x: Tensor) -> Tensor:
        """Samples (n, *shape) laid out as x is."""
        if x.shape[1:] == self.shape:
            return samples
        return samples.reshape(len(samples), *x.shape[2:], x.shape[1]).permute(0, 3, 1, 2)

    @property
    def _by_mode(self) -> bool:
        return self.chosen.loss == "mode"

    @property
    def _input_by_mode(self) -> bool:
        return self.chosen.input == "mode"


TINY = 1e-30
"""Smallest product of variances under a root, where a mode is dead and counts for nothing."""


def starts_at_zero(network: nn.Module, like: Tensor) -> bool | None:
    """Whether a network's output is zero on two noises of samples like this (*shape); None if it takes no such samples.

    Images are tried as they are and as (n, c, h, w).
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((2, *like.shape), generator=generator).to(like)
    layouts = [x] if x.ndim < 3 else [x, x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)]
    modes = {module: module.training for module in network.modules()}
    for module in modes:
        module.training = False
    try:
        for seen in layouts:
            try:
                with torch.no_grad():
                    out = network(seen, torch.full((2,), 0.5).to(like))
                return not bool(torch.any(shaped_like(out, seen) != 0))
            except Exception:  # whatever a network of other samples, or of other arguments, raises
                continue
        return None
    finally:
        for module, training in modes.items():
            module.training = training


def frozen(network: nn.Module) -> nn.Module:
    """A copy of a network that does not change any more."""
    return copy.deepcopy(network).eval().requires_grad_(False)
