"""A network's denoiser when its objective is a `SpectralEDM`: input, skip, output and loss along the data's modes (T19)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...checks import InputError
from ...recipe.spectral_edm import SIGMA_MIN, SpectralEDM
from ...spectrum.spectrum import Spectrum
from ..losses import NetworkDenoiser, shaped_like
from ..networks.notes import Training
from .modes import modes_of
from .start import frozen

ASKED = "_extra_state"
"""Key of a state that says what its network is asked for."""

START = "start."
"""What keys of a state begin with that are of the frozen start."""

RELATIVE = 1e-12
"""Share of the largest variance below which variances are compared no further."""

TINY = 1e-30
"""Smallest product of variances under a root, where a mode is dead and counts for nothing."""


class SpectralDenoiser(NetworkDenoiser):
    """D(y, σ) = μ + c_skip(y − μ) + c_out·F(c_in(y − μ), σ), all three matrices along a spectrum's modes.

    What it assumes of the data lies in buffers, in single precision at least, on the network's device: its `state_dict` is
    complete, and it goes to any other with `.to`. Everything but the network is computed without autocast.

    **Parameters**

    - `network`: module or callable (x, sigma) → like x. - `objective`: a `SpectralEDM`. - `spectrum`: of the data, with a basis.
    - `sigma_min`: smallest noise level that will be sampled, whose square is the default floor.
    - `start`: what is subtracted of the network: a frozen copy of it as it started, None where that is zero.
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
        sigma_min: float = SIGMA_MIN,
        start: nn.Module | None = None,
    ) -> None:
        super().__init__(network, objective)
        self.chosen = objective
        if spectrum.basis is None:
            raise InputError("objective.spectrum must have a basis, made by Spectrum.from_samples, got abstract modes")
        bound = objective.bound(spectrum, sigma_min)
        self.modes = modes_of(spectrum.basis)
        known = np.append(bound.assumed, np.full(len(self.modes.order) - bound.assumed.size, bound.outside))
        mean = np.zeros(spectrum.basis.shape) if spectrum.mean is None else objective.power * spectrum.mean
        self.register_buffer("assumed", torch.as_tensor(known)[self.modes.order])
        self.register_buffer("mean", torch.as_tensor(mean))
        self.register_buffer("mean_variance", torch.as_tensor(bound.mean_variance, dtype=torch.float64))
        self.start = start
        self.shape = spectrum.basis.shape
        self.floored, self.dead = bound.floored, int((known == 0).sum())
        parameter = next(network.parameters(), None) if isinstance(network, nn.Module) else None
        self.kind = None if parameter is None else parameter.dtype
        device = torch.get_default_device() if parameter is None else parameter.device
        exact = torch.float64 if (self.kind or torch.get_default_dtype()) == torch.float64 else torch.float32
        for module in (self, self.modes):
            for name, buffer in module.named_buffers(recurse=False):
                setattr(module, name, buffer.to(device, exact if buffer.is_floating_point() else None))
        self.register_load_state_dict_pre_hook(_start_as_in_state)  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor, sigma: Any, *given: Any, **more: Any) -> Tensor:
        level = torch.as_tensor(sigma, device=x.device).to(self.assumed).reshape(-1).expand(len(x))
        with torch.autocast(x.device.type, enabled=False):
            along = self.modes.analyze(self._samples(x) - self.mean)
        out = self._output(self.network, along, level, x, more, given)
        with torch.autocast(x.device.type, enabled=False):
            skip = self.assumed / (self.assumed + level[:, None] ** 2).clamp_min(TINY)
            clean = skip * along + level[:, None] * skip.sqrt() * self.modes.analyze(out)
            return self._like(self.mean + self.modes.synthesize(clean), x).to(x.dtype)

    def loss_at(self, clean: Tensor, sigma: Tensor, noise: Tensor, *, network: Any = None, **more: Any) -> Tensor:
        level = sigma.to(self.assumed)
        with torch.autocast(clean.device.type, enabled=False):
            data, white = self.modes.analyze(self._samples(clean) - self.mean), self.modes.analyze(self._samples(noise))
            s, wide = self.assumed, level[:, None]
            total = s + wide**2
            target = (
                torch.where(s > 0, wide * data / (s * total).clamp_min(TINY).sqrt(), 0) - (s / total).sqrt() * white
            )
        called = self.network if network is None else network
        out = self._output(called, data + wide * white, level, clean, more)
        with torch.autocast(clean.device.type, enabled=False):
            error = self.modes.analyze(out) - target
            by_mode = self.chosen.loss == "mode"
            weight = (s > 0).to(s) if by_mode else (1 + (wide / self.chosen.sigma_data) ** 2) * s / total
            return (weight * error.square()).sum() / len(clean)

    def _output(
        self,
        network: Callable[..., Any],
        along: Tensor,
        level: Tensor,
        like: Tensor,
        more: dict[str, Any],
        given: tuple[Any, ...] = (),
    ) -> Tensor:
        """What the network makes of mode coordinates (n, d), less what it started with, as samples (n, *shape)."""
        with torch.autocast(like.device.type, enabled=False):
            variance = self.assumed if self.chosen.input == "mode" else self.mean_variance
            total = variance + level[:, None] ** 2
            seen = self.modes.synthesize(torch.where(total > 0, total.clamp_min(TINY).rsqrt(), 0) * along)
            seen = self._like(seen, like).to(self.kind or like.dtype)
        called = level.to(seen.dtype)
        out = shaped_like(network(seen, called, *given, **more), seen)
        if self.start is not None:
            with torch.no_grad():
                first = shaped_like(self.start(seen, called, *given, **more), seen)
            out = out - first
        return self._samples(out)

    def _samples(self, x: Tensor) -> Tensor:
        """Samples as the spectrum has them, (n, *shape), of those and of images (n, c, h, w)."""
        exact = x.to(self.assumed.dtype)
        if x.shape[1:] == self.shape:
            return exact
        h, w, c = (*self.shape, 1)[:3] if len(self.shape) > 1 else (0, 0, 0)
        if x.shape[1:] == (c, h, w):
            return exact.permute(0, 2, 3, 1).reshape(len(x), *self.shape)
        raise InputError(
            f"samples must have the spectrum's shape (n, {str(self.shape)[1:-1].rstrip(',')}), got {tuple(x.shape)}"
        )

    def _like(self, samples: Tensor, x: Tensor) -> Tensor:
        """Samples (n, *shape) laid out as x is."""
        if x.shape[1:] == self.shape:
            return samples
        return samples.reshape(len(samples), *x.shape[2:], x.shape[1]).permute(0, 3, 1, 2)

    def train(self, mode: bool = True) -> "SpectralDenoiser":
        """As PyTorch's; the frozen start stays in evaluation mode."""
        super().train(mode)
        if self.start is not None:
            self.start.eval()
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "SpectralDenoiser":
        """As PyTorch's, but for half precision, in which variances of fine modes would be zero."""
        before = [(module, name, buffer) for module in (self, self.modes) for name, buffer in module._buffers.items()]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for module, name, old in before:
            new = module._buffers[name]
            if old is not None and new is not None and new.is_floating_point() and new.element_size() < 4:
                module._buffers[name] = old.to(new.device)
        if isinstance(self.network, nn.Module):
            self.kind = next((parameter.dtype for parameter in self.network.parameters()), self.kind)
        return self

    def note(self) -> Training:
        shape = (1, *self.shape)
        with torch.no_grad():
            noise = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=self.assumed.dtype)
            known = self.assumed.clamp_min(RELATIVE * float(self.assumed.max()) + TINY)
            along = self.modes.analyze(noise.to(known)) * known.log()
            seen = self.modes.synthesize(along) + self.mean / known.mean().sqrt()
        return Training(self.predicts, self.asked, self.start, seen.cpu())

    @property
    def asked(self) -> str:
        """What the network is asked for: its weights mean nothing else."""
        return str(replace(self.chosen, spectrum=None, density=None, loss="sample"))

    def get_extra_state(self) -> Tensor:
        """`asked`, as bytes: weights alone would not say it."""
        return torch.tensor(list(self.asked.encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """InputError for weights that were asked for something else."""
        found = bytes(state.cpu().tolist()).decode()
        if found != self.asked:
            raise InputError(f"state_dict must be of a network trained with {self.asked}, got {found}")

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As PyTorch's; InputError, in one line, for the weights of another network or objective."""
        before = self.start
        try:
            return super().load_state_dict(state_dict, strict, assign)
        except RuntimeError as error:
            self.start = before
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"state_dict must be of this network under SpectralEDM: {reason}") from None
        except InputError:
            self.start = before
            raise


def _start_as_in_state(module: SpectralDenoiser, state: Mapping[str, Any], prefix: str, *_: Any) -> None:
    """Before a whole state is loaded: a start where the state has one, none where it has none."""
    if prefix + ASKED not in state:  # of the network alone, say
        return
    has = any(key.startswith(prefix + START) for key in state)
    if not has:
        module.start = None
    elif module.start is None:
        module.start = frozen(module.network)
