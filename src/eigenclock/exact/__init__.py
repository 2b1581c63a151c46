"""Laws of data whose best denoiser is known in closed form: rules on bits, and curves and spheres at small noise."""

from .bits import (
    BLOCK,
    LEDGER_EDM,
    LEVELS,
    boxplus,
    empirical_denoiser,
    factorised,
    loss_ledger,
    parity_denoiser,
    parity_logpdf,
    permutation_denoiser,
    rule_denoiser,
    weight_denoiser,
)
from .manifolds import Circle, Ellipse, Sphere
from .rules import GroupParity, GroupWeight, NoRule, Permutation, Rule

__all__ = [
    "BLOCK",
    "LEDGER_EDM",
    "LEVELS",
    "Circle",
    "Ellipse",
    "GroupParity",
    "GroupWeight",
    "NoRule",
    "Permutation",
    "Rule",
    "Sphere",
    "boxplus",
    "empirical_denoiser",
    "factorised",
    "loss_ledger",
    "parity_denoiser",
    "parity_logpdf",
    "permutation_denoiser",
    "rule_denoiser",
    "weight_denoiser",
]
