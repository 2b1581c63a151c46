"""What is advised: recipes by the training they need, what does not matter, how to sample (T24)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..checks import choice, integer
from ..clocks.words import as_html
from ..recipe.recipe import Recipe
from ..recipe.samplers import Sampler
from ..spectrum.spectrum import Spectrum
from .candidates import WORDS, Candidate
from .configuration import as_yaml
from .sampling import SamplingAdvice
from .terms import settings

ALIKE = 1.5
"""Recipes whose times differ by less than this factor count as equally good."""

CHOICES = ("objective", "sigma_data", "density", "weight", "standardization")
"""Columns of the table that say what is chosen."""

CALLED = {
    "objective": "objective",
    "sigma_data": "σ_data",
    "density": "noise density",
    "weight": "loss weight",
    "standardization": "standardisation",
}
"""Choices in words."""


@dataclass(frozen=True, eq=False, repr=False)
class Advice:
    """Recipes ranked by the training after which samples are close to the data, and stay so; `print` says it in words.

    - `table`: a row per recipe, best first: its choices, `close_0.5`, … units of training until the distance from the data stays
      below each fraction of their norm (NaN never; `steps_…` of a network, once `calibrate`d), `times_best` relative to
      the best one without the data's spectrum in it, `verdict` and `note`.
    - `candidates`: the recipes in that order. - `distance`: (recipe, unit) distance from the data over training, by theory.
    - `spectrum`: of the data, as it was taken. - `sampler`: the one that recipes were judged under. - `sampling`: noise levels
      and steps that the data need, scaled as for the best plain recipe.
    - `by`: fraction that ranks. - `default`: row of EDM's own settings on the data as they are.
    - `doubts`: what the advice could not know. - `stable_lr`: largest learning rate of gradient descent on the theory's linear
      model of the best recipe; says nothing of Adam.
    """

    table: pd.DataFrame
    candidates: tuple[Candidate, ...]
    distance: xr.DataArray
    spectrum: Spectrum
    sampler: Sampler
    sampling: SamplingAdvice
    by: float
    default: int
    doubts: tuple[str, ...]
    stable_lr: float
    calibrated: str = ""

    @property
    def best(self) -> Recipe:
        """The first recipe of the table, with the sampler it was judged under; its data as `.table.standardization` says."""
        return self.recipe(0)

    @property
    def plain(self) -> Recipe:
        """The best recipe without the data's spectrum in it: what every trainer has."""
        return self.recipe(self.first_plain)

    def recipe(self, row: int) -> Recipe:
        """The recipe of a row of the table, from 0; InputError for one that is not there."""
        integer("row", row, at_least=0, at_most=len(self.candidates) - 1)
        return Recipe(objective=self.candidates[row].objective, sampler=self.sampler)

    @property
    def first_plain(self) -> int:
        """Row of the best recipe without the data's spectrum in it."""
        return next((i for i, one in enumerate(self.candidates) if not one.spectral), 0)

    @property
    def indifferent(self) -> dict[str, list[Any]]:
        """Choices that do not matter much here: values within a factor 1.5 of the best plain recipe, all else being as in it."""
        best, found = self.table.iloc[self.first_plain], {}
        column = f"close_{self.by:g}"
        if not best[column] > 0:
            return {}
        good = self.table[self.table[column] <= ALIKE * best[column]]
        for name in CHOICES:
            same = np.ones(len(good), dtype=bool)
            for other in CHOICES:
                if other != name:
                    same &= _equal(good[other], best[other])
            values = list(dict.fromkeys(good[same][name].tolist()))
            if len(values) > 1:
                found[name] = values
        return found

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The best plain recipe and the sampler's levels as options of EDM's code ("edm") and of diffusers ("diffusers")."""
        chosen = self.candidates[self.first_plain]
        return settings(chosen.objective, self.sampling, WORDS[chosen.standardization])

    def yaml(self, row: int = 0, *, standardize: Any = False) -> str:
        """A config of the recipe of a row, the best by default, that `eigenclock run --config` takes.

        `standardize`: what had been done to the data before their spectrum was taken, as the command line says it: False
        nothing, True one factor, "pixel" one for each coordinate. InputError for a row that is not there, or a recipe that no
        file can hold, with a weight or density that is a function.
        """
        integer("row", row, at_least=0, at_most=len(self.candidates) - 1)
        choice("standardize", standardize, (False, True, "pixel"))
        return as_yaml(self.candidates[row], self.sampler, self.sampling, standardize)

    @property
    def fractions(self) -> list[float]:
        """Shares of the data's norm in whose order the table has times."""
        return [float(str(name).removeprefix("close_")) for name in self.table if str(name).startswith("close_")]

    def __repr__(self) -> str:
        return f"Advice({len(self.table)} recipes; {self.candidates[0].name} first)"

    def _repr_html_(self) -> str:
        return as_html(str(self), self.table.head(12))

    def __str__(self) -> str:
        return "\n".join(self.sentences())

    def sentences(self) -> list[str]:
        """The advice in words, a line each."""
        column, plain = f"close_{self.by:g}", self.first_plain
        first, default = self.table.iloc[plain], self.table.iloc[self.default]
        near, lines = f"within {self.by:g} of the data's norm", []
        if self.table["verdict"].eq("unreachable").all():
            lines.append(
                f"Unreachable: of a perfect denoiser this sampler makes samples {self.sampling.given:.0%} of the data's norm "
                f"away, farther than {self.by:g}: more steps, not another recipe"
            )
        elif np.isnan(first[column]):
            lines.append(f"None of {len(self.table)} recipes comes {near}")
        elif first[column] == 0:
            lines.append(
                f"Nothing to rank: by theory an untrained network is {near} already under {first['recipe']}; ask for less"
            )
        else:
            compared = "" if plain == self.default else _against(default[column], first[column])
            words = f"Train with: {first['recipe']}; samples {near} after {number(first[column])} units of training"
            lines.append(words + compared)
        if plain > 0:
            soonest = self.table.iloc[0]
            when = f"after {number(soonest[column])} units"
            if soonest[column] == 0:
                when = "there from the start, as it has the data's covariance in its network"
            lines.append(f"Sooner still: {soonest['recipe']}, {when}")
        for name, values in self.indifferent.items():
            lines.append(f"In it does not matter here (factor {ALIKE:g}): {CALLED[name]} {_listed(name, values)}")
        lines.append(f"Sampling: {self.sampling}")
        if self.calibrated:
            lines.append(self.calibrated)
        else:
            lines.append("A unit is no step: only the order and ratios carry over; `calibrate` them on your network")
        return [*lines, *(f"Note: {doubt}" for doubt in self.doubts)]


def _equal(column: pd.Series, value: Any) -> Any:
    if isinstance(value, float):
        return (column.to_numpy() == value) | (np.isnan(value) & column.isna().to_numpy())
    return (column == value).to_numpy()


def _listed(name: str, values: list[Any]) -> str:
    shown = [
        WORDS[value] if name == "standardization" else number(value) if name == "sigma_data" else value
        for value in values
    ]
    return ", ".join(shown)


def _against(default: float, best: float) -> str:
    if np.isnan(default):
        return "; EDM's own settings never get there"
    ratio = default / best
    if ratio < ALIKE:
        return f"; EDM's own settings {number(default)}: as good"
    return f"; EDM's own settings {number(default)}, {ratio:.2g} times as long"


def number(value: float, unknown: str = "never") -> str:
    """A time in words; `unknown` for NaN."""
    if np.isnan(value):
        return unknown
    if value >= 1e5:
        return f"{value:.1e}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def row_words(row: pd.Series, by: float) -> str:
    """When a network is expected to be close by the recipe of a calibrated row."""
    step, low, high = (row[f"{name}_{by:g}"] for name in ("steps", "steps_low", "steps_high"))
    if not np.isfinite(step):
        after = f"after step {low:,.0f}" if np.isfinite(low) else "beyond what can be forecast"
        return f"{row['recipe']} comes within {by:g} of the data's norm {after}"
    return f"{row['recipe']} is within {by:g} of the data's norm by step {step:,.0f} ({low:,.0f} to {high:,.0f})"
