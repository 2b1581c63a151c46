"""Score-induced latent diffusion: the collapse clock and the refine clock."""

from collections.abc import Mapping
from typing import ClassVar

from ..study import Plan, Study
from . import part_arms, part_collapse, part_density, part_dimension, part_order, part_theory
from .manifolds import ManifoldData as ManifoldData, make_data as make_data


class ScoreLatentDiffusionStudy(Study):
    """When is the manifold learned, when the density on it (after the abstract of arXiv:2605.20235)."""

    name = "score_latent_diffusion"
    title = "Score latent diffusion: the manifold first, then the density"
    status = (
        "Reconstruction of SiLD from the abstract-level claims of arXiv:2605.20235. Architectures, losses and thresholds are "
        "ours; no number of the paper is reproduced."
    )
    plans: ClassVar[Mapping[str, Plan]] = {
        "theory": Plan(part_theory.PRESETS, part_theory.run, "The linear case, exactly"),
        "collapse": Plan(part_collapse.PRESETS, part_collapse.run, "Collapse: the manifold"),
        "arms": Plan(part_arms.PRESETS, part_arms.run, "Rivals on the same networks"),
        "dimension": Plan(part_dimension.PRESETS, part_dimension.run, "Intrinsic and ambient dimension"),
        "density": Plan(part_density.PRESETS, part_density.run, "Refine: a known density"),
        "order": Plan(part_order.PRESETS, part_order.run, "Without stages: which error falls first"),
    }


STUDY = ScoreLatentDiffusionStudy
