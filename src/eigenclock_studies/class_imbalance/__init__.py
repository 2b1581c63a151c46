"""Class imbalance: in which order are classes learned and copied, and what sets it; when do minorities part."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from eigenclock.checks import InputError
from ..study import Plan, Study
from . import (
    fashion_runs,
    part_fashion,
    part_learned,
    part_mlp,
    part_random_features,
    part_speciation,
    part_spectrum,
    part_ten,
)
from .mixtures import Mixture as Mixture, class_wiener_loss as class_wiener_loss
from .random_features import (
    RandomFeatures as RandomFeatures,
    rf_exact_losses as rf_exact_losses,
    rf_moments as rf_moments,
)
from .speciation import return_probability as return_probability, speciation_time as speciation_time
from .spectrum_equations import (
    SharedPhase as SharedPhase,
    hermite_coefficients as hermite_coefficients,
    rf_density as rf_density,
    rf_resolvent as rf_resolvent,
)

ON_IMAGES = ("ten", "fashion", "copies")
"""Parts on real images, which need data."""


class ClassImbalance(Study):
    """Clocks of classes (after the abstract of arXiv:2605.06367)."""

    name = "class_imbalance"
    title = "Class imbalance: which class is learned first, which is copied"
    status = (
        "A reconstruction: only the abstract of arXiv:2605.06367 is known here. Models, sizes, clocks and thresholds are ours; "
        "nothing below repeats a figure of the paper, and no verdict is about it."
    )
    plans: ClassVar[Mapping[str, Plan]] = {
        "random_features": Plan(
            part_random_features.PRESETS, part_random_features.run, "Random features: exact gradient flow"
        ),
        "spectrum": Plan(part_spectrum.PRESETS, part_spectrum.run, "The spectrum behind it"),
        "mlp": Plan(part_mlp.PRESETS, part_mlp.run, "A trained network on mixtures"),
        "speciation": Plan(part_speciation.PRESETS, part_speciation.run, "Speciation with the exact score"),
        "learned": Plan(part_learned.PRESETS, part_learned.run, "Speciation as it is learned"),
        "ten": Plan(fashion_runs.TEN_PRESETS, part_ten.run, "Fashion-MNIST: ten classes, balanced"),
        "fashion": Plan(
            fashion_runs.PRESETS, part_fashion.run, "Fashion-MNIST: three classes, balanced and imbalanced"
        ),
        "copies": Plan(fashion_runs.COPIES_PRESETS, part_fashion.run, "Fashion-MNIST: few images, copies"),
    }

    def take_data(self, data: tuple[str, ...]) -> None:
        """The parts on real images with a file of labelled images, or a folder of IDX files."""
        if len(data) != 1:
            raise InputError(f"data must be one file or folder of labelled images, got {len(data)}")
        self.options |= {part: replace(self.options[part], data=data[0]) for part in ON_IMAGES}


STUDY = ClassImbalance
