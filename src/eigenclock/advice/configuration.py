"""A recipe as a config file that `eigenclock run --config` takes."""

from dataclasses import fields, is_dataclass
from typing import Any

from ..checks import InputError, shown
from ..recipe.samplers import Sampler
from .candidates import Candidate
from .groups import Standardization
from .sampling import SamplingAdvice

STANDARDIZE: dict[Standardization, Any] = {"none": False, "scale": True, "pixel": "pixel"}
"""The command line's option `standardize`."""


def as_yaml(candidate: Candidate, sampler: Sampler, sampling: SamplingAdvice, before: Any) -> str:
    """The recipe, with the sampler that it was judged under; what the data need of a sampler stands in the comments.

    `before`: the option `standardize` that the data had been read with.
    """
    import yaml

    found = {
        "standardize": before if candidate.standardization == "none" else STANDARDIZE[candidate.standardization],
        "objective": written("objective", candidate.objective),
        "sampler": written("sampler", sampler),
    }
    text = yaml.safe_dump(found, sort_keys=False, allow_unicode=True)
    return (
        f"# {candidate.name}\n# sampling: {sampling}\n# eigenclock run --config THIS --data YOURS --out FOLDER\n{text}"
    )


def written(name: str, value: Any) -> Any:
    """A part of a recipe as the parser has it: a class and its arguments; InputError for a function."""
    if is_dataclass(value) and not isinstance(value, type):
        arguments = {one.name: written(one.name, getattr(value, one.name)) for one in fields(value)}
        return {"class_path": f"eigenclock.{type(value).__name__}", "init_args": arguments}
    if isinstance(value, tuple | list):
        return [written(name, one) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InputError(
        f"{name} must be a value that a file can hold, such as MinSNR() or LogNormal(), got {shown(value)}"
    )
