"""Networks of other people as denoisers: any prediction target, and diffusers models with their scheduler."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..checks import InputError
from ..objectives import EDM, Objective
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
        return _in_layout(_diffusers(network, scheduler), channels_first=True)
    condition_on = condition or (lambda sigma: sigma)
    inner = NetworkDenoiser(lambda x, sigma: network(x, condition_on(sigma)), objective or EDM())
    return _in_layout(inner, channels_first=channels_first)


def _in_layout(denoiser: Denoiser, *, channels_first: bool) -> Denoiser:
    """Samples (n, h, w) or (n, h, w, c) to channels first and back."""
    if not channels_first:
        return denoiser

    def converted(x: Tensor, sigma: Tensor) -> Tensor:
        images = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
        out = denoiser(images, sigma)
        return out[:, 0] if x.ndim == 3 else out.permute(0, 2, 3, 1)

    return converted


def _output(result: Any) -> Tensor:
    """A diffusers model returns an object with `sample`, a tuple, or a tensor."""
    if isinstance(result, Tensor):
        return result
    return result.sample if hasattr(result, "sample") else result[0]


def _diffusers(model: Any, scheduler: Any) -> Denoiser:
    config = scheduler.config
    kind = getattr(config, "prediction_type", "epsilon")
    if hasattr(scheduler, "precondition_inputs"):
        return _edm(model, float(config.sigma_data), kind)
    if hasattr(scheduler, "alphas_cumprod"):
        return _variance_preserving(model, scheduler.alphas_cumprod, kind)
    if "FlowMatch" in type(scheduler).__name__:
        return _flow_matching(model, int(config.num_train_timesteps))
    raise InputError(
        f"scheduler must be DDPM-like (alphas_cumprod), EDM or flow matching, got {type(scheduler).__name__}"
    )


def _steps(x: Tensor, value: float) -> Tensor:
    return torch.full((len(x),), value, dtype=torch.float32, device=x.device)


def _edm(model: Any, sigma_data: float, kind: str) -> Denoiser:
    if kind not in ("epsilon", "v_prediction"):
        raise InputError(f"prediction_type of an EDM scheduler must be epsilon or v_prediction, got {kind}")
    sign = 1.0 if kind == "epsilon" else -1.0

    def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
        level = float(sigma)
        total = level**2 + sigma_data**2
        out = _output(model(x / total**0.5, _steps(x, np.log(level) / 4)))
        return sigma_data**2 / total * x + sign * level * sigma_data / total**0.5 * out

    return denoiser


def _variance_preserving(model: Any, alphas_cumprod: Tensor, kind: str) -> Denoiser:
    if kind not in ("epsilon", "sample", "v_prediction"):
        raise InputError(f"prediction_type must be epsilon, sample or v_prediction, got {kind}")
    cumulative = alphas_cumprod.double().cpu().numpy()
    log_levels = np.log((1 - cumulative) / cumulative) / 2

    def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
        level = float(sigma)
        timestep = float(np.interp(np.log(level), log_levels, np.arange(len(cumulative))))
        signal = (1 + level**2) ** -0.5
        out = _output(model(signal * x, _steps(x, timestep)))
        if kind == "sample":
            return out
        if kind == "epsilon":
            return x - level * out
        return signal**2 * x - signal * level * out

    return denoiser


def _flow_matching(model: Any, timesteps: int) -> Denoiser:
    """diffusers' flow: x_s = (1 − s)x₀ + s·z, s in [0, 1]; the model predicts z − x₀."""

    def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
        level = float(sigma)
        share = level / (1 + level)
        seen = (1 - share) * x
        return seen - share * _output(model(seen, _steps(x, share * timesteps)))

    return denoiser
