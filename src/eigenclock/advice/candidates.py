"""The recipes that are compared where nobody names any: objectives, preconditionings, noise densities, loss weights."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ..checks import InputError, instance, shown
from ..recipe.densities import BetaSchedule, CosineTime, Density, LogNormal, UniformTime
from ..recipe.objectives import EDM, Denoising, Epsilon, FlowMatching, Objective, Velocity
from ..recipe.recipe import Recipe
from ..recipe.spectral_edm import SpectralEDM
from ..recipe.weights import P2, MinSNR, Sigmoid
from .groups import Standardization

DENSITIES: dict[str, Density] = {
    "EDM's log-normal": LogNormal(-1.2, 1.2),
    "log-normal (−2.5, 1.2)": LogNormal(-2.5, 1.2),
    "log-normal (0, 1.2)": LogNormal(0.0, 1.2),
    "logit-normal t": LogNormal(0.0, 1.0),
    "uniform t": UniformTime(),
    "cosine": CosineTime(),
    "DDPM's β": BetaSchedule(),
}
"""Noise densities by what they are called."""

WEIGHTS: dict[str, Any] = {
    "own": "uniform",
    "SNR": MinSNR(gamma=1e6),
    "Min-SNR-5": MinSNR(),
    "P2": P2(),
    "sigmoid": Sigmoid(),
}
"""Loss weights by what they are called; an objective's own counts its squared error once, EDM's as Karras et al. do. SNR is ε's
own, whatever is regressed: the signal-to-noise ratio of the clean sample's error, without a limit that data reach."""

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""EDM's σ_data, in units of the data's root mean square deviation."""

NAMES = {
    EDM: "EDM",
    Epsilon: "ε",
    Velocity: "v",
    FlowMatching: "flow",
    Denoising: "x₀",
    SpectralEDM: "SpectralEDM",
}
"""Objectives by the symbol of what they predict."""


@dataclass(frozen=True)
class Candidate:
    """A recipe as the table names it: an objective, and what is done to the data before.

    - `label`, `density`, `weight`: names that the user gave to all of it, to its density, to its weight.
    """

    objective: Objective
    standardization: Standardization = "none"
    label: str = ""
    density: str = ""
    weight: str = ""

    @property
    def spectral(self) -> bool:
        """Whether the data's spectrum is in the network, which not every trainer has."""
        return isinstance(self.objective, SpectralEDM)

    @property
    def choices(self) -> dict[str, Any]:
        """What is chosen, by the table's columns."""
        objective = self.objective
        return {
            "objective": NAMES.get(type(objective), type(objective).__name__) + _path(objective),
            "sigma_data": float(objective.sigma_data) if isinstance(objective, EDM) else float("nan"),
            "density": self.density or named(objective.density, DENSITIES, "every level alone"),
            "weight": self.weight or _weight(objective),
            "standardization": self.standardization,
        }

    @property
    def name(self) -> str:
        """In words: "EDM, σ_data 0.5, cosine, P2"."""
        if self.label:
            return self.label if self.standardization == "none" else f"{self.label}, {WORDS[self.standardization]}"
        chosen = self.choices
        parts = [chosen["objective"]]
        if isinstance(self.objective, EDM):
            parts.append(f"σ_data {self.objective.sigma_data:.3g}")
        parts.append(chosen["density"])
        if chosen["weight"] != "own":
            parts.append(chosen["weight"])
        if self.standardization != "none":
            parts.append(WORDS[self.standardization])
        return ", ".join(parts)


WORDS = {"none": "data as they are", "scale": "scaled to 0.5", "pixel": "every coordinate scaled to 0.5"}
"""Standardisations in words."""


def _path(objective: Objective) -> str:
    """The path where an objective has one that is not its usual."""
    if isinstance(objective, Epsilon | Denoising) and objective.path == "ve":
        return " (exploding)"
    return f" (power {objective.power:g})" if isinstance(objective, SpectralEDM) and objective.power != 1 else ""


def _weight(objective: Objective) -> str:
    if isinstance(objective, SpectralEDM):
        return f"{objective.loss} loss"
    weight = objective.weight
    return weight.upper() if isinstance(weight, str) and weight != "uniform" else named(weight, WEIGHTS, "own")


def named(value: Any, known: Mapping[str, Any], nothing: str) -> str:
    """What a density or a weight is called; `nothing` for none."""
    if value is None:
        return nothing
    for name, one in known.items():
        if one == value and type(one) is type(value):
            return name
    text = str(value)
    return text if text.isprintable() and " at 0x" not in text else type(value).__name__


def usual(
    scale: float,
    standardization: Standardization = "none",
    densities: Mapping[str, Density] = MappingProxyType(DENSITIES),
    weights: Mapping[str, Any] = MappingProxyType(WEIGHTS),
) -> list[Candidate]:
    """Every usual objective with every density and weight; `scale`: root mean square deviation of the data."""
    objectives: list[Any] = [EDM(sigma_data=_rounded(factor * scale)) for factor in FACTORS]
    if not any(one.sigma_data == EDM().sigma_data for one in objectives):
        objectives.append(EDM())
    made = [
        Candidate(replace(one, density=density, weight=weight), standardization, density=drawn, weight=weighed)
        for one in (*objectives, Epsilon(path="vp"), Velocity(), FlowMatching(), Denoising(path="vp"))
        for drawn, density in densities.items()
        for weighed, weight in (dict(weights) | ({"EDM": "edm"} if isinstance(one, Denoising) else {})).items()
        if not (isinstance(one, Epsilon) and weight == WEIGHTS["SNR"])  # its own
    ]
    return [*made, *spectral(standardization)]


def spectral(standardization: Standardization = "none") -> list[Candidate]:
    """The data's spectrum in place of σ_data: in full with both losses, and half way."""
    own = SpectralEDM(density=DENSITIES["EDM's log-normal"])
    made = (replace(own, loss="mode"), own, replace(own, loss="mode", power=0.5))
    return [Candidate(one, standardization) for one in made]


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def listed(name: str, given: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """Densities or weights of the user's, in a row or by name; the usual ones for None. InputError for none at all."""
    if given is None:
        return dict(known)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"{name} must be in a row or by name, got {shown(given)}")
    if isinstance(given, Mapping):
        found = {str(key): one for key, one in given.items()}
    else:
        row = list(given)
        names = [named(one, known, str(one)) for one in row]
        found = {
            n if names.count(n) == 1 else f"{n} {i + 1}": one for i, (n, one) in enumerate(zip(names, row, strict=True))
        }
    if not found:
        raise InputError(f"{name} must hold at least one, got none")
    return found


def as_candidates(recipes: Any) -> list[Candidate]:
    """The user's own recipes: objectives, by name or in a row; InputError for anything else."""
    if isinstance(recipes, Mapping):
        items = [(str(name), one) for name, one in recipes.items()]
    elif isinstance(recipes, Iterable) and not isinstance(recipes, str):
        items = [("", one) for one in recipes]
    else:
        raise InputError(f"recipes must be objectives, by name or in a row, got {shown(recipes)}")
    if not items:
        raise InputError("recipes must hold at least one objective, got none")
    found = []
    for name, one in items:
        objective: Any = one.objective if isinstance(one, Recipe) else one
        instance("recipes", objective, Objective, "objectives of the theory, such as EDM()")
        found.append(Candidate(objective, label=name))
    return found
