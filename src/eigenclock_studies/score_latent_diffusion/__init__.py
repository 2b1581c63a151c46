"""Score-induced latent diffusion: the collapse clock and the refine clock."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..study import Part, Preset, Say, Study
from . import part_arms, part_collapse, part_digits, part_dimension, part_heads, part_regimes, part_theory
from .manifolds import ManifoldData as ManifoldData, make_data as make_data

RECONSTRUCTION = (
    "Reconstruction of SiLD from the abstract-level claims of arXiv:2605.20235. Architectures, losses and thresholds are ours; "
    "no number of the paper is reproduced."
)

MODULES: tuple[Any, ...] = (
    part_theory,
    part_collapse,
    part_arms,
    part_dimension,
    part_regimes,
    part_heads,
    part_digits,
)
PARTS = {module.__name__.rpartition("part_")[2]: module for module in MODULES}
"""Module of every part, with `PRESETS` and `run`."""


@dataclass(frozen=True)
class ScoreLatentDiffusionStudy(Study):
    """When is the manifold learned, when the density on it (after the abstract of arXiv:2605.20235)."""

    theory: part_theory.Options
    collapse: part_collapse.Options
    arms: part_arms.Options
    dimension: part_dimension.Options
    regimes: part_regimes.Options
    heads: part_heads.Options
    digits: part_digits.Options
    name = "score_latent_diffusion"
    title = "Score latent diffusion: the manifold first, then the density"
    status = RECONSTRUCTION

    @classmethod
    def preset(cls, name: Preset) -> "ScoreLatentDiffusionStudy":
        return cls(**{part: module.PRESETS[name] for part, module in PARTS.items()})

    def parts(self) -> dict[str, Callable[[Path, Say], Part]]:
        return {part: partial(module.run, getattr(self, part)) for part, module in PARTS.items()}


STUDY = ScoreLatentDiffusionStudy
