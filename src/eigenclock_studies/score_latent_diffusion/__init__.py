"""Score-induced latent diffusion: the collapse clock and the refine clock."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..study import Part, Preset, Say, Study
from . import part_arms, part_collapse, part_digits, part_dimension, part_heads, part_regimes, part_theory
from .manifolds import ManifoldData, make_data

RECONSTRUCTION = (
    "Reconstruction of SiLD from the abstract-level claims of arXiv:2605.20235. Architectures, losses and thresholds are ours; "
    "no number of the paper is reproduced."
)


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
        return cls(
            part_theory.PRESETS[name],
            part_collapse.PRESETS[name],
            part_arms.PRESETS[name],
            part_dimension.PRESETS[name],
            part_regimes.PRESETS[name],
            part_heads.PRESETS[name],
            part_digits.PRESETS[name],
        )

    def parts(self) -> dict[str, Callable[[Path, Say], Part]]:
        return {
            "theory": lambda folder, say: part_theory.run(self.theory, folder, say),
            "collapse": lambda folder, say: part_collapse.run(self.collapse, folder, say),
            "arms": lambda folder, say: part_arms.run(self.arms, folder, say),
            "dimension": lambda folder, say: part_dimension.run(self.dimension, folder, say),
            "regimes": lambda folder, say: part_regimes.run(self.regimes, folder, say),
            "heads": lambda folder, say: part_heads.run(self.heads, folder, say),
            "digits": lambda folder, say: part_digits.run(self.digits, folder, say),
        }


STUDY = ScoreLatentDiffusionStudy

__all__ = ["STUDY", "ManifoldData", "ScoreLatentDiffusionStudy", "make_data"]
