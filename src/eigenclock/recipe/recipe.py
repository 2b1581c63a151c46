"""How a model is trained and sampled: objective, architecture, optimizer and sampler, as one value that a file can hold."""

import inspect
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from ..checks import InputError, shown
from ..spectrum.alignment import aligned
from ..spectrum.spectrum import Spectrum
from .architectures import Architecture, NoiseKernel, OneLayer, Start
from .densities import Density
from .objectives import Denoising, Objective
from .optimizers import GradientFlow, Optimizer
from .samplers import Angular, ProbabilityFlow, Sampler
from .spectral_edm import SpectralEDM as SpectralEDM
from .weighting import NoiseWeight
from .weights import MinSNR as MinSNR

PARTS = (Objective, Architecture, Optimizer, Sampler, NoiseKernel, Start, NoiseWeight, Density)
"""Bases of everything that a recipe is made of."""


@dataclass(frozen=True)
class Recipe:
    """Everything of a training run that the theory needs to know.

    **Parameters**

    - `objective`: what is regressed at each noise level.
    - `architecture`: the network, and where it starts.
    - `optimizer`: how the loss is descended; sets the unit of time.
    - `sampler`: how samples are generated from the trained denoiser.
    """

    objective: Objective = field(default_factory=Denoising)
    architecture: Architecture = field(default_factory=OneLayer)
    optimizer: Optimizer = field(default_factory=GradientFlow)
    sampler: Sampler = field(default_factory=ProbabilityFlow)

    def __post_init__(self) -> None:
        for part, base in zip(fields(self), (Objective, Architecture, Optimizer, Sampler), strict=True):
            given = getattr(self, part.name)
            if not isinstance(given, base):
                names = ", ".join(kind.__name__ for kind in concrete(base))
                raise InputError(f"{part.name} must be made by one of {names}, got {shown(given)}")

    @property
    def per_mode(self) -> dict[str, Any]:
        """Parts that assume the modes' variances, by name: the theory has them where an architecture keeps modes apart."""
        parts = {"objective": self.objective, "sampler": self.sampler}
        return {name: part for name, part in parts.items() if isinstance(part, SpectralEDM | Angular)}

    def bound(self, spectrum: Spectrum) -> "Recipe":
        """The same recipe on the modes of a spectrum, where a part of it assumes their variances.

        InputError for such a part with an architecture that mixes modes.
        """
        for name, part in self.per_mode.items():
            if self.architecture.route != "modes":
                kind = type(self.architecture).__name__
                raise InputError(f"{name} must not be {type(part).__name__} for {kind}, which mixes modes, in theory")
        known = self.aligned(spectrum)
        objective = known.objective.bound(spectrum, self.sampler.sigma_min)
        return replace(known, objective=objective, sampler=known.sampler.bound(spectrum))

    def aligned(self, spectrum: Spectrum) -> "Recipe":
        """The same recipe, spectra of its parts along the modes of this one: their variances alone then say it all."""
        found: dict[str, Any] = {
            name: replace(part, spectrum=aligned(self.architecture.sees(part.spectrum), spectrum, f"{name}.spectrum"))
            for name, part in self.per_mode.items()
            if part.spectrum is not None
        }
        return replace(self, **found)

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionary: {"objective": {"name": "Denoising", ...}, ...}."""
        stored = replace(self, architecture=self.architecture.storable())
        return {part.name: _named(getattr(stored, part.name)) for part in fields(self)}

    @classmethod
    def from_dict(cls, parts: dict[str, Any]) -> "Recipe":
        """The recipe that `to_dict` wrote."""
        return cls(**{key: _build(value) for key, value in parts.items()})

    def __str__(self) -> str:
        return " · ".join(str(getattr(self, part.name)) for part in fields(self))


def _named(part: Any) -> dict[str, Any]:
    """A dataclass as a dictionary with its name; dataclasses within it too, of a spectrum its variances."""
    if isinstance(part, Spectrum):
        return {"name": "Spectrum", "variance": part.variance.tolist(), "null_variance": part.null_variance}
    values = {item.name: getattr(part, item.name) for item in fields(part)}
    function = next((name for name, value in values.items() if callable(value) and not is_dataclass(value)), None)
    if function is not None:
        raise InputError(
            f"{function} must be a value that a file can hold, such as MinSNR(), got {shown(values[function])}"
        )
    return {"name": type(part).__name__} | {
        key: _named(value) if is_dataclass(value) else value for key, value in values.items()
    }


def _build(entry: dict[str, Any]) -> Any:
    known: dict[str, Any] = {kind.__name__: kind for base in PARTS for kind in concrete(base)}
    known |= {"Spectrum": Spectrum}
    arguments = {key: _value(value) for key, value in entry.items() if key != "name"}
    return known[entry["name"]](**arguments)


def _value(written: Any) -> Any:
    """An argument as it was before JSON: parts are parts again, lists tuples."""
    if isinstance(written, dict):
        return _build(written)
    return tuple(written) if isinstance(written, list) else written


def concrete(base: type[Any]) -> list[type[Any]]:
    """The dataclasses that derive from a part's base class and can be made."""
    return [
        kind
        for child in base.__subclasses__()
        for kind in (child, *concrete(child))
        if is_dataclass(kind) and not inspect.isabstract(kind)
    ]
