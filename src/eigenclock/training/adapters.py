"""Networks of other people as denoisers: any prediction target, and diffusers models with their scheduler."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from ..checks import InputError
from ..recipe.objectives import EDM, Objective
from .losses import NetworkDenoiser
from .options import Denoiser


def as_denoiser(
    network: Any,
    objective: Any = None,
    *,
    scheduler: Any = None,
    condition: Callable[[Tensor], Tensor] | None = None,
    channels_first: bool = False,
) -> Denoiser:
    """A network as denoiser(x, sigma) → estimate of the clean x, as `Probe` calls it.

    **Parameters**

    - `network`: callable. Without `scheduler` it is called as network(a·x, condition(sigma)), sigma of shape (n,), and returns
      the `objective`'s own target (T2): x₀, ε, v, score, flow velocity x₀ − noise, or EDM's raw F.
    - `objective`: what it predicts; default `EDM()`. - `condition`: turns σ of the variance-exploding frame into what the network
      is conditioned on, e.g. `lambda sigma: sigma.log() / 4` (EDM's c_noise) or `lambda sigma: 1 / (1 + sigma)` (the time of flow
      matching); default σ itself.
    - `scheduler`: of diffusers, with a `UNet2DModel` or any model called as model(x, timestep): DDPM-like (`alphas_cumprod`;
      prediction_type "epsilon", "sample", "v_prediction"), EDM (`precondition_inputs`) or flow matching (`sigmas` in [0, 1]).
    - `channels_first`: the network wants images (n, c, h, w) while samples are (n, h, w) or (n, h, w, c); always so with
      diffusers.

    InputError for a scheduler of another kind.

    ```python
    >>> import torch
    >>> import eigenclock as ec
    >>> epsilon = lambda x, sigma: x * (sigma / (1 + sigma**2))[:, None]  # the best ε-prediction for data of variance 1
    >>> denoiser = ec.as_denoiser(epsilon, objective=ec.Epsilon())
    >>> denoiser(torch.ones(2, 3), torch.tensor(1.0))[0]
    tensor([0.5000, 0.5000, 0.5000])

    ```
    """
    if objective is not None and not isinstance(objective, Objective):
        raise InputError(f"objective must be an objective of the theory, such as EDM(), got {objective!r}")
    if scheduler is not None:
        if objective is not None:
            raise InputError("objective and scheduler exclude each other: a scheduler says what its model predicts")
        return ChannelsFirst(_diffusers(network, scheduler))
    inner = NetworkDenoiser(_Conditioned(network, condition), objective or EDM())
    return ChannelsFirst(inner) if channels_first else inner


class _Conditioned(nn.Module):
    """A network called with something else than σ. A module, so that modes and devices reach the network within."""

    def __init__(self, network: Any, condition: Callable[[Tensor], Tensor] | None) -> None:
        super().__init__()
        self.network, self.condition = network, condition

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.network(x, sigma if self.condition is None else self.condition(sigma))


class ChannelsFirst(nn.Module):
    """Samples (n, h, w) or (n, h, w, c) for a denoiser of images (n, c, h, w)."""

    def __init__(self, denoiser: nn.Module) -> None:
        super().__init__()
        self.denoiser = denoiser

    def forward(self, x: Tensor, sigma: Any) -> Tensor:
        if x.ndim not in (3, 4):
            raise InputError(f"channels_first needs images (n, h, w) or (n, h, w, c), got {tuple(x.shape)}")
        images = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
        out = self.denoiser(images, sigma)
        return out[:, 0] if x.ndim == 3 else out.permute(0, 2, 3, 1)


class _Diffusers(nn.Module):
    """A diffusers model and a rule that calls it at one noise level."""

    def __init__(self, model: Any, rule: Callable[[Any, Tensor, float], Tensor]) -> None:
        super().__init__()
        self.model, self.rule = model, rule

    def forward(self, x: Tensor, sigma: Any) -> Tensor:
        return self.rule(self.model, x, float(sigma))


def _output(result: Any) -> Tensor:
    """A diffusers model returns an object with `sample`, a tuple, or a tensor."""
    if isinstance(result, Tensor):
        return result
    return result.sample if hasattr(result, "sample") else result[0]


def _diffusers(model: Any, scheduler: Any) -> nn.Module:
    config = scheduler.config
    kind = getattr(config, "prediction_type", "epsilon")
    if hasattr(scheduler, "precondition_inputs"):
        return _Diffusers(model, _edm(scheduler))
    if hasattr(scheduler, "alphas_cumprod"):
        return _Diffusers(model, _variance_preserving(scheduler.alphas_cumprod, kind))
    if "FlowMatch" in type(scheduler).__name__:
        return _Diffusers(model, _flow_matching(int(config.num_train_timesteps)))
    raise InputError(
        f"scheduler must be DDPM-like (alphas_cumprod), EDM or flow matching, got {type(scheduler).__name__}"
    )


Rule: TypeAlias = Callable[[Any, Tensor, float], Tensor]


def _steps(x: Tensor, value: float) -> Tensor:
    return torch.full((len(x),), value, dtype=torch.float32, device=x.device)


def _edm(scheduler: Any) -> Rule:
    """The scheduler's own preconditioning: several have one, and they condition on different functions of σ."""

    def rule(model: Any, x: Tensor, sigma: float) -> Tensor:
        level = torch.tensor(sigma, dtype=torch.float64)
        noise = _steps(x, float(scheduler.precondition_noise(level)))
        out = _output(model(scheduler.precondition_inputs(x, level).to(x.dtype), noise))
        return scheduler.precondition_outputs(x, out, level).to(x.dtype)

    return rule


def _variance_preserving(alphas_cumprod: Tensor, kind: str) -> Rule:
    if kind not in ("epsilon", "sample", "v_prediction"):
        raise InputError(f"prediction_type must be epsilon, sample or v_prediction, got {kind}")
    cumulative = alphas_cumprod.double().cpu().numpy()
    log_levels = np.log((1 - cumulative) / cumulative) / 2

    def rule(model: Any, x: Tensor, sigma: float) -> Tensor:
        timestep = float(np.interp(np.log(sigma), log_levels, np.arange(len(cumulative))))
        signal = (1 + sigma**2) ** -0.5
        out = _output(model(signal * x, _steps(x, timestep)))
        if kind == "sample":
            return out
        if kind == "epsilon":
            return x - sigma * out
        return signal**2 * x - signal * sigma * out

    return rule


def _flow_matching(timesteps: int) -> Rule:
    """diffusers' flow: x_s = (1 − s)x₀ + s·z, s in [0, 1]; the model predicts z − x₀."""

    def rule(model: Any, x: Tensor, sigma: float) -> Tensor:
        share = sigma / (1 + sigma)
        seen = (1 - share) * x
        return seen - share * _output(model(seen, _steps(x, share * timesteps)))

    return rule
