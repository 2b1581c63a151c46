"""A recipe in the words of others: EDM's training script, and diffusers' schedulers and scripts."""

from typing import Any

from ..recipe.densities import BetaSchedule, CosineTime, LogNormal, UniformTime
from ..recipe.objectives import EDM, Denoising, Epsilon, FlowMatching, Objective, Velocity
from ..recipe.weights import MinSNR
from .candidates import WEIGHTS, named
from .sampling import SamplingAdvice

PREDICTION = {Epsilon: "epsilon", Velocity: "v_prediction", Denoising: "sample", FlowMatching: "flow_prediction"}
"""`prediction_type` of diffusers."""


def settings(objective: Objective, sampling: SamplingAdvice, data: str) -> dict[str, dict[str, Any]]:
    """Names and values of the options that say this recipe in EDM's code and in diffusers; what has no name there is said.

    `data`: what is done to them before, in words.
    """
    return {name: {"data": data, **of(objective, sampling)} for name, of in (("edm", _edm), ("diffusers", _diffusers))}


def _edm(objective: Objective, sampling: SamplingAdvice) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(objective, EDM):
        found["sigma_data"] = objective.sigma_data
        if isinstance(objective.density, LogNormal):
            found |= {"P_mean": objective.density.mean, "P_std": objective.density.std}
        else:
            found["sigma"] = drawing(objective.density)
        if objective.weight != "uniform":
            found["weight"] = _instead(objective)
    else:
        found["precond"] = "ve or vp of its own: the objective is not EDM's"
    found |= {"sigma_min": sampling.sigma_min, "sigma_max": sampling.sigma_max}
    return found | ({} if sampling.steps is None else {"num_steps": sampling.steps})


def _diffusers(objective: Objective, sampling: SamplingAdvice) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(objective, EDM):
        found |= {"scheduler": "EDMEulerScheduler", "sigma_data": objective.sigma_data}
        found |= {"sigma_min": sampling.sigma_min, "sigma_max": sampling.sigma_max}
    elif isinstance(objective, FlowMatching):
        found["scheduler"] = "FlowMatchEulerDiscreteScheduler"
        if isinstance(objective.density, LogNormal):
            found |= {
                "weighting_scheme": "logit_normal",
                "logit_mean": objective.density.mean,
                "logit_std": objective.density.std,
            }
        elif isinstance(objective.density, UniformTime):
            found["weighting_scheme"] = "none"
        else:
            found["sigma"] = drawing(objective.density)
    elif type(objective) in PREDICTION:
        found |= {"scheduler": "DDPMScheduler", "prediction_type": PREDICTION[type(objective)]}
        match objective.density:
            case BetaSchedule() as schedule:
                found["beta_schedule"] = "scaled_linear" if schedule.scaled else "linear"
                found |= {"beta_start": schedule.start, "beta_end": schedule.end}
                found["num_train_timesteps"] = schedule.steps
            case CosineTime():
                found["beta_schedule"] = "squaredcos_cap_v2"
            case density:
                found["sigma"] = drawing(density)
    else:
        found["scheduler"] = "none has this objective: ec.as_denoiser(network, objective=...) and its .loss"
    if isinstance(objective.weight, MinSNR):
        found["snr_gamma"] = objective.weight.gamma
    elif objective.weight != "uniform":
        found["weight"] = _instead(objective)
    return found | ({} if sampling.steps is None else {"num_inference_steps": sampling.steps})


def drawing(density: Any) -> str:
    """How a density is drawn, as a line of NumPy."""
    match density:
        case None:
            return "exp(uniform(log(0.002), log(80)))"
        case LogNormal(mean, std):
            return f"exp({mean:g} + {std:g}*normal())"
        case UniformTime():
            return "(1-t)/t, t = uniform(0, 1)"
        case CosineTime():
            return "tan(pi/2*t), t = uniform(0, 1)"
        case _:
            return f"draws of {density}"


def _instead(objective: Objective) -> str:
    return f"{named(objective.weight, WEIGHTS, 'own')} in place of its own"
