"""Class imbalance: in which order are classes learned and copied, and what sets it; when do minorities part."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from eigenclock.checks import InputError, shown
from ..study import Part, Preset, Say, Study
from . import fashion_runs, part_fashion, part_mlp, part_random_features, part_speciation, part_spectrum
from .mixtures import Mixture as Mixture, class_wiener_loss as class_wiener_loss
from .random_features import (
    RandomFeatures as RandomFeatures,
    rf_exact_losses as rf_exact_losses,
    rf_moments as rf_moments,
)
from .speciation import (
    clone_agreement as clone_agreement,
    return_probability as return_probability,
    speciation_time as speciation_time,
)
from .spectrum_equations import (
    SharedPhase as SharedPhase,
    hermite_coefficients as hermite_coefficients,
    rf_density as rf_density,
    rf_resolvent as rf_resolvent,
)

RECONSTRUCTION = (
    "A reconstruction: only the abstract of arXiv:2605.06367 is known here. Models, sizes, clocks and thresholds are ours; "
    "nothing below repeats a figure of the paper, and no verdict is about it."
)

PARTS: dict[str, Any] = {
    "random_features": part_random_features,
    "spectrum": part_spectrum,
    "mlp": part_mlp,
    "speciation": part_speciation,
}
"""Module of every part on data of our own, with `PRESETS` and `run`."""


@dataclass(frozen=True)
class ClassImbalance(Study):
    """Clocks of classes (after the abstract of arXiv:2605.06367)."""

    random_features: part_random_features.Options
    spectrum: part_spectrum.Options
    mlp: part_mlp.Options
    speciation: part_speciation.Options
    fashion: fashion_runs.Options
    copies: fashion_runs.Options
    name = "class_imbalance"
    title = "Class imbalance: which class is learned first, which is copied"
    status = RECONSTRUCTION

    @classmethod
    def preset(cls, name: Preset) -> "ClassImbalance":
        own = {part: module.PRESETS[name] for part, module in PARTS.items()}
        return cls(**own, fashion=fashion_runs.PRESETS[name], copies=fashion_runs.COPIES_PRESETS[name])

    def with_data(self, data: tuple[str, ...]) -> "ClassImbalance":
        """The part on real images with a file of labelled images, or a folder of IDX files."""
        if len(data) != 1:
            raise InputError(f"data must be one file or folder of labelled images, got {len(data)}")
        fashion, copies = (replace(options, data=data[0]) for options in (self.fashion, self.copies))
        return replace(self, fashion=fashion, copies=copies)

    def parts(self) -> dict[str, Callable[[Path, Say], Part]]:
        modules = {**PARTS, "fashion": part_fashion, "copies": part_fashion}
        return {part: partial(module.run, getattr(self, part)) for part, module in modules.items()}


def run(study: ClassImbalance, *, folder: str | Path, part: str, say: Say = lambda words: None) -> xr.Dataset:
    """Everything that one part measured; InputError for a part that is not there, or one without data."""
    parts = study.parts()
    if part not in parts:
        raise InputError(f"part must be one of {', '.join(parts)}, got {shown(part)}")
    dataset = parts[part](Path(folder), say).dataset
    if dataset is None:
        raise InputError(f"part {part} was not run: it needs data")
    return dataset


STUDY = ClassImbalance
