"""Class imbalance: in which order are classes learned and copied, and what sets it; when do minorities part."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import xarray as xr

from eigenclock.checks import InputError

from ..study import Part, Preset, Say, Study
from . import fashion_runs, part_fashion, part_mlp, part_random_features, part_speciation, part_spectrum
from .mixtures import Mixture, class_wiener_loss
from .random_features import RandomFeatures, rf_exact_losses, rf_moments
from .speciation import clone_agreement, return_probability, speciation_time
from .spectrum_equations import SharedPhase, hermite_coefficients, rf_density, rf_resolvent

RECONSTRUCTION = (
    "A reconstruction: only the abstract of arXiv:2605.06367 is known here. Models, sizes, clocks and thresholds are ours; "
    "nothing below repeats a figure of the paper, and no verdict is about it."
)


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
        return cls(
            part_random_features.PRESETS[name],
            part_spectrum.PRESETS[name],
            part_mlp.PRESETS[name],
            part_speciation.PRESETS[name],
            fashion_runs.PRESETS[name],
            fashion_runs.COPIES_PRESETS[name],
        )

    def with_data(self, data: tuple[str, ...]) -> "ClassImbalance":
        """The part on real images with a file of labelled images, or a folder of IDX files."""
        if len(data) != 1:
            raise InputError(f"data must be one file or folder of labelled images, got {len(data)}")
        return replace(
            self,
            fashion=replace(self.fashion, data=data[0]),
            copies=replace(self.copies, data=data[0]),
        )

    def parts(self) -> dict[str, Callable[[Path, Say], Part]]:
        return {
            "random_features": lambda folder, say: part_random_features.run(self.random_features, folder, say),
            "spectrum": lambda folder, say: part_spectrum.run(self.spectrum, folder, say),
            "mlp": lambda folder, say: part_mlp.run(self.mlp, folder, say),
            "speciation": lambda folder, say: part_speciation.run(self.speciation, folder, say),
            "fashion": lambda folder, say: part_fashion.run(self.fashion, folder, say),
            "copies": lambda folder, say: part_fashion.run(self.copies, folder, say),
        }


def run(study: ClassImbalance, *, folder: str | Path, part: str, say: Say = lambda words: None) -> xr.Dataset:
    """Everything that one part measured; InputError for a part that is not there, or one without data."""
    parts = study.parts()
    if part not in parts:
        raise InputError(f"part must be one of {', '.join(parts)}, got {part!r}")
    dataset = parts[part](Path(folder), say).dataset
    if dataset is None:
        raise InputError(f"part {part} was not run: it needs data")
    return dataset


STUDY = ClassImbalance

__all__ = [
    "STUDY",
    "ClassImbalance",
    "Mixture",
    "RandomFeatures",
    "SharedPhase",
    "class_wiener_loss",
    "clone_agreement",
    "hermite_coefficients",
    "return_probability",
    "rf_density",
    "rf_exact_losses",
    "rf_moments",
    "rf_resolvent",
    "run",
    "speciation_time",
]
