"""What a network is shown, asked for and used as, written out sample by sample for each objective."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import scipy
from jaxtyping import Float

from ..recipe.densities import CosineTime, LogNormal, UniformTime
from ..recipe.objectives import EDM, EDM_SIGMA_DATA, Denoising, Epsilon, FlowMatching, Objective, Score, Velocity
from ..recipe.weighting import NoiseWeight
from .colour import Coloured

Array: TypeAlias = Float[np.ndarray, "..."]
Level: TypeAlias = Array | float | np.floating[Any]
Network: TypeAlias = Callable[[Array], Array]


def training_pair(objective: Objective, clean: Array, noise: Array, sigma: Level) -> tuple[Array, Array]:
    """The network's input and target for a clean sample, standard noise of the same shape, and noise level (broadcast)."""
    noisy, alpha = clean + sigma * noise, 1 / np.sqrt(1 + sigma**2)
    preserving = alpha * clean + alpha * sigma * noise
    match objective:
        case Denoising():
            return (noisy if objective.path == "ve" else preserving), clean
        case Epsilon():
            return (noisy if objective.path == "ve" else preserving), noise
        case Velocity():
            return preserving, alpha * noise - alpha * sigma * clean
        case Score():
            return noisy, -noise / sigma
        case FlowMatching():
            t = 1 / (1 + sigma)
            return t * clean + (1 - t) * noise, clean - noise
        case EDM():
            c_skip, c_out, c_in = preconditioning(objective, sigma)
            return c_in * noisy, (clean - c_skip * noisy) / c_out
        case Coloured():
            return objective.training_pair(clean, noise, sigma)
        case _:
            raise TypeError(f"no brute force for objective {objective}")


def denoise(objective: Objective, network: Network, noisy: Array, sigma: Level) -> Array:
    """Estimate of the clean sample behind `noisy` = clean + sigma·noise, by a network trained for `objective`."""
    alpha, t = 1 / np.sqrt(1 + sigma**2), 1 / (1 + sigma)
    match objective:
        case Denoising():
            return network(noisy if objective.path == "ve" else alpha * noisy)
        case Epsilon():
            return noisy - sigma * network(noisy if objective.path == "ve" else alpha * noisy)
        case Velocity():
            return alpha * (alpha * noisy) - alpha * sigma * network(alpha * noisy)
        case Score():
            return noisy + sigma**2 * network(noisy)
        case FlowMatching():
            return t * noisy + (1 - t) * network(t * noisy)
        case EDM():
            c_skip, c_out, c_in = preconditioning(objective, sigma)
            return c_skip * noisy + c_out * network(c_in * noisy)
        case Coloured():
            return objective.denoise(network, noisy, sigma)
        case _:
            raise TypeError(f"no brute force for objective {objective}")


def preconditioning(objective: EDM, sigma: Level) -> tuple[Any, Any, Any]:
    """c_skip, c_out, c_in of Karras et al. (2022), Table 1."""
    data = objective.sigma_data
    root = np.sqrt(data**2 + sigma**2)
    return data**2 / root**2, sigma * data / root, 1 / root


def loss_weight(objective: Objective, sigma: Array) -> Array:
    """Weight of the squared error at each level; the rest of it is a matrix where one is assumed (`Coloured.metric`)."""
    if isinstance(objective.weight, NoiseWeight):
        return np.asarray(objective.weight.of(objective, sigma))
    if callable(objective.weight):
        return np.asarray(objective.weight(sigma))
    return {"uniform": np.ones_like(sigma), "edm": 1 / EDM_SIGMA_DATA**2 + 1 / sigma**2, "snr": 1 / sigma**2}[
        objective.weight
    ]


def draw_density(objective: Objective, sigma: Array) -> Array:
    """Density in ln σ with which each level is drawn; one where every level is trained alone."""
    match objective.density:
        case None:
            return np.ones_like(sigma)
        case LogNormal(mean, std):
            return scipy.stats.norm.pdf(np.log(sigma), mean, std)
        case UniformTime():
            return scipy.stats.logistic.pdf(np.log(sigma))
        case CosineTime():
            return scipy.stats.hypsecant.pdf(np.log(sigma))
        case density:
            return density(sigma)
