"""Networks of other people as denoisers: any prediction target, and diffusers models with their scheduler."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..checks import InputError, choice, finite_array, flag, integer, say, shown
from ..recipe.objectives import EDM, Objective
from .losses import shaped_like
from .options import Denoiser
from .preconditioning.choice import denoiser_of


def as_denoiser(
    network: Any,
    objective: Any = None,
    *,
    scheduler: Any = None,
    condition: Callable[[Tensor], Tensor] | None = None,
    channels_first: bool = False,
    trained: bool = False,
) -> Denoiser:
    """A network as denoiser(x, sigma) → estimate of the clean x, as `Probe` calls it.

    **Parameters**

    - `network`: callable. Without `scheduler` it is called as network(a·x, condition(sigma)), sigma of shape (n,), and returns
      the `objective`'s own target (T2): x₀, ε, v, score, flow velocity x₀ − noise, or EDM's raw F.
    - `objective`: what it predicts; default `EDM()`. - `condition`: turns σ of the variance-exploding frame into what the network
      is conditioned on, e.g. `lambda sigma: sigma.log() / 4` (EDM's c_noise) or `lambda sigma: 1 / (1 + sigma)` (the time of flow
      matching); default σ itself.
    - `scheduler`: of diffusers, with a `UNet2DModel` or any model called as model(x, timestep), a float32 (n,): DDPM-like
      (`alphas_cumprod`; prediction_type "epsilon", "sample", "v_prediction"), EDM (`precondition_inputs`) or flow matching
      (`sigmas` in [0, 1]). Any object with `alphas_cumprod` (timestep,) and `config` with `prediction_type` will do.
    - `trained`: of a `SpectralEDM`, that the network has been trained already. One that has not should start at zero, and what it
      gives at first is subtracted where it does not: a frozen copy of it is called too, and kept in the `state_dict`.
    - What else the denoiser is called with goes to the network: labels, as a probe with `labels` gives them, to models of
      diffusers as `class_labels`. A module in half precision is called in it; all else is float32.
    - `channels_first`: the network wants images (n, c, h, w) while samples are (n, h, w) or (n, h, w, c); always so with
      diffusers.

    Warns once of noise levels outside a scheduler's, and of timesteps without signal (zero terminal SNR). InputError for a
    scheduler of another kind, or a network whose output is not shaped like its input (twice the channels: a learned variance).

    ```python
    >>> import torch
    >>> import eigenclock as ec
    >>> epsilon = lambda x, sigma: x * (sigma / (1 + sigma**2))[:, None]  # the best ε-prediction for data of variance 1
    >>> denoiser = ec.as_denoiser(epsilon, objective=ec.Epsilon())
    >>> denoiser(torch.ones(2, 3), torch.tensor(1.0))[0]
    tensor([0.5000, 0.5000, 0.5000])

    ```
    """
    if not callable(network):
        raise InputError(f"network must be a function or module (x, condition), got {shown(network)}")
    if condition is not None and not callable(condition):
        raise InputError(f"condition must be a function of sigma, got {shown(condition)}")
    flag("channels_first", channels_first)
    flag("trained", trained)
    if objective is not None and not isinstance(objective, Objective):
        raise InputError(f"objective must be an objective of the theory, such as EDM(), got {shown(objective)}")
    if scheduler is not None:
        if objective is not None:
            raise InputError("objective and scheduler exclude each other: a scheduler says what its model predicts")
        return ChannelsFirst(_of_scheduler(network, scheduler))
    of_diffusers = any(kind.__module__.partition(".")[0] == "diffusers" for kind in type(network).__mro__)
    if of_diffusers and condition is None:
        raise InputError(f"scheduler must be given for a model of diffusers, got none for {type(network).__name__}")
    called: nn.Module = _Conditioned(network, condition)
    if channels_first:
        called = ChannelsFirst(called)
    made = denoiser_of(called, objective or EDM(), trained=trained)
    made.given = (network,)
    return made


class _Conditioned(nn.Module):
    """A network called with something else than σ. A module, so that modes and devices reach the network within."""

    def __init__(self, network: Any, condition: Callable[[Tensor], Tensor] | None) -> None:
        super().__init__()
        self.network, self.condition = network, condition

    def forward(self, x: Tensor, sigma: Tensor, *given: Any, **more: Any) -> Tensor:
        seen, level = in_own_precision(self.network, x, sigma if self.condition is None else self.condition(sigma))
        out = self.network(seen, level, *given, **more)
        return out if out is seen or seen is x else shaped_like(out, seen).to(x.dtype)


def in_own_precision(network: Any, *seen: Any) -> tuple[Any, ...]:
    """Inputs in the precision of a network's weights where that is half, so that all else stays in single precision."""
    modules = network.parameters() if isinstance(network, nn.Module) else ()
    kind = next((weight.dtype for weight in modules if weight.is_floating_point()), None)
    if kind not in (torch.bfloat16, torch.float16):
        return seen
    return tuple(one.to(kind) if isinstance(one, Tensor) and one.is_floating_point() else one for one in seen)


class ChannelsFirst(nn.Module):
    """Samples (n, h, w) or (n, h, w, c) for a network or denoiser of images (n, c, h, w)."""

    channels_first = True

    def __init__(self, denoiser: nn.Module) -> None:
        super().__init__()
        self.denoiser = denoiser

    def forward(self, x: Tensor, sigma: Any, *given: Any, **more: Any) -> Tensor:
        if x.ndim not in (3, 4):
            raise InputError(f"channels_first needs images (n, h, w) or (n, h, w, c), got {tuple(x.shape)}")
        images = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)
        out = shaped_like(self.denoiser(images, sigma, *given, **more), images)
        return out[:, 0] if x.ndim == 3 else out.permute(0, 2, 3, 1)


Rule: TypeAlias = Callable[[Any, Tensor, float], Tensor]


class _Scheduled(nn.Module):
    """A model called with timesteps, and the rule of its scheduler that calls it at one noise level."""

    def __init__(self, model: Any, rule: Rule, predicts: str, range_: tuple[float, float]) -> None:
        super().__init__()
        self.model, self.rule, self.predicts, self.range = model, rule, predicts, range_
        self.said = False

    def forward(self, x: Tensor, sigma: Any, labels: Any = None) -> Tensor:
        level, (low, high) = float(sigma), self.range
        if not self.said and (level > high * (1 + WITHIN) or (level < low * (1 - WITHIN) and low > NEARLY_CLEAN)):
            self.said = True
            say(
                f"noise level {level:.4g} is outside the scheduler's, {low:.4g} to {high:.4g}: its nearest timestep is used; "
                f"a sampler with sigma_min={low:.3g}, sigma_max={high:.3g} stays within",
                level=5,
            )
        return self.rule(self._called(labels), x, level)

    def _called(self, labels: Any) -> Callable[[Tensor, Tensor], Tensor]:
        """The model, under labels where there are any, in the precision of its weights."""
        forward = getattr(self.model, "forward", self.model)
        named = "class_labels" in inspect.signature(forward).parameters
        given, more = ((), {}) if labels is None else ((), {"class_labels": labels}) if named else ((labels,), {})

        def called(x: Tensor, timestep: Tensor) -> Tensor:
            (seen,) = in_own_precision(self.model, x)
            return shaped_like(self.model(seen, timestep, *given, **more), seen).to(x.dtype)

        return called


WITHIN = 1e-3
"""How far beyond the ends of a scheduler's noise levels nothing is said, relative."""

NEARLY_CLEAN = 0.02
"""A lowest level of a scheduler below which there is next to no noise: its first timestep stands for less."""

PREDICTS = {"epsilon": "Epsilon", "sample": "Denoising", "v_prediction": "Velocity"}
"""The objective behind diffusers' names of prediction types."""


def _of_scheduler(model: Any, scheduler: Any) -> nn.Module:
    config = getattr(scheduler, "config", None)
    if config is None:
        raise InputError(
            "scheduler must be one of diffusers, or any object with alphas_cumprod and config, "
            f"got {type(scheduler).__name__}"
        )

    def setting(name: str, default: Any) -> Any:
        return config.get(name, default) if isinstance(config, Mapping) else getattr(config, name, default)

    if hasattr(scheduler, "precondition_inputs"):
        return _Scheduled(model, _edm(scheduler), "EDM", (0.0, float("inf")))
    if hasattr(scheduler, "alphas_cumprod"):
        kind = setting("prediction_type", "epsilon")
        choice("prediction_type", kind, tuple(PREDICTS))
        levels, timesteps = _levels(scheduler.alphas_cumprod)
        ends = float(np.exp(levels.min())), float(np.exp(levels.max()))
        return _Scheduled(model, _variance_preserving(levels, timesteps, kind), PREDICTS[kind], ends)
    if "FlowMatch" in type(scheduler).__name__:
        count = integer("num_train_timesteps", setting("num_train_timesteps", 1000), at_least=1)
        return _Scheduled(model, _flow_matching(count), "FlowMatching", (0.0, float("inf")))
    raise InputError(
        f"scheduler must be DDPM-like (alphas_cumprod), EDM or flow matching, got {type(scheduler).__name__}"
    )


def _levels(alphas_cumprod: Any) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """ln σ of a schedule and the timesteps of them, rising; timesteps of no noise or no signal are left out, and said."""
    share = finite_array("alphas_cumprod", alphas_cumprod, "a 1-D array of signal shares in 0..1")
    if share.ndim != 1 or share.size < 2 or share.min() < 0 or share.max() > 1 or (np.diff(share) > 0).any():
        raise InputError(f"alphas_cumprod must fall within 0..1, got {share.size} values from shape {share.shape}")
    inside = (share > 0) & (share < 1)
    if inside.sum() < 2:
        raise InputError("alphas_cumprod must have at least 2 values strictly between 0 and 1")
    if share.min() == 0:
        say(
            "the schedule ends without signal (zero terminal SNR), where no σ is: its last timestep with signal is used",
            level=5,
        )
    timesteps = np.flatnonzero(inside).astype(np.float64)
    return np.log((1 - share[inside]) / share[inside]) / 2, timesteps


def _steps(x: Tensor, value: float) -> Tensor:
    return torch.full((len(x),), value, dtype=torch.float32, device=x.device)


def _edm(scheduler: Any) -> Rule:
    """The scheduler's own preconditioning: several have one, and they condition on different functions of σ."""

    def rule(model: Any, x: Tensor, sigma: float) -> Tensor:
        level = torch.tensor(sigma, dtype=torch.float64)
        noise = _steps(x, float(scheduler.precondition_noise(level)))
        seen = scheduler.precondition_inputs(x, level).to(x.dtype)
        return scheduler.precondition_outputs(x, shaped_like(model(seen, noise), seen), level).to(x.dtype)

    return rule


def _variance_preserving(levels: Float[np.ndarray, " t"], timesteps: Float[np.ndarray, " t"], kind: str) -> Rule:
    def rule(model: Any, x: Tensor, sigma: float) -> Tensor:
        timestep = float(np.interp(np.log(sigma), levels, timesteps))
        signal = (1 + sigma**2) ** -0.5
        seen = signal * x
        out = shaped_like(model(seen, _steps(x, timestep)), seen)
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
        return seen - share * shaped_like(model(seen, _steps(x, share * timesteps)), seen)

    return rule
