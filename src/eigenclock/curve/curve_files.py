"""Learning curves as NetCDF files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import xarray as xr

from ..checks import InputError
from ..files import read_netcdf, write_netcdf
from ..recipe.recipe import Recipe

FORMAT = "eigenclock learning curve 1"

Curve = TypeVar("Curve")


def write_curve(path: str | Path, dataset: xr.Dataset, recipe: Recipe | None, source: str) -> None:
    """Write a curve's dataset, recipe and source, atomically."""
    parts = json.dumps(recipe.to_dict() if recipe else None, default=lambda value: value.item())
    write_netcdf(path, dataset.assign_attrs(format=FORMAT, source=source, recipe=parts))


def read_curve(path: str | Path, made: Callable[..., Curve]) -> Curve:
    """A curve of what `write_curve` wrote, `made(dataset, recipe=, source=)`; InputError for anything else."""
    dataset = read_netcdf(path, "learning curve")
    try:
        attrs = dict(dataset.attrs)
        if attrs.pop("format") != FORMAT:
            raise ValueError("written by another version")
        recipe, source = json.loads(attrs.pop("recipe")), str(attrs.pop("source"))
        dataset.attrs = attrs
        return made(dataset, recipe=Recipe.from_dict(recipe) if recipe else None, source=source)
    except Exception as error:  # whatever a file that another program wrote may lack
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"not a readable learning curve: {path} ({reason})") from None
