"""How a model is trained and sampled: objective, architecture, optimizer and sampler, as one value that a file can hold."""

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

from .architectures import Architecture, OneLayer
from .objectives import Denoising, LogNormal, Objective
from .optimizers import GradientFlow, Optimizer
from .samplers import ProbabilityFlow, Sampler


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

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionary: {"objective": {"name": "Denoising", ...}, ...}."""
        return {part.name: _named(getattr(self, part.name)) for part in fields(self)}

    @classmethod
    def from_dict(cls, parts: dict[str, Any]) -> "Recipe":
        """The recipe that `to_dict` wrote."""
        return cls(**{key: _build(value) for key, value in parts.items()})

    def __str__(self) -> str:
        return " · ".join(str(getattr(self, part.name)) for part in fields(self))


def _named(part: Any) -> dict[str, Any]:
    return {"name": type(part).__name__, **asdict(part)}


def _build(entry: dict[str, Any]) -> Any:
    arguments = {key: value for key, value in entry.items() if key != "name"}
    known = {kind.__name__: kind for base in (Objective, Architecture, Optimizer, Sampler) for kind in concrete(base)}
    if isinstance(arguments.get("density"), dict):
        arguments["density"] = LogNormal(**arguments["density"])
    return known[entry["name"]](**arguments)


def concrete(base: type[Any]) -> list[type[Any]]:
    """The public dataclasses that derive from a part's base class."""
    return [
        kind
        for child in base.__subclasses__()
        for kind in (child, *concrete(child))
        if is_dataclass(kind) and not kind.__name__.startswith("_")
    ]
