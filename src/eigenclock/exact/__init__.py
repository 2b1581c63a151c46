"""Laws of data whose best denoiser is known in closed form: rules on bits, and curves and spheres at small noise."""

from .bits import (
    boxplus as boxplus,
    empirical_denoiser as empirical_denoiser,
    factorised as factorised,
    parity_denoiser as parity_denoiser,
    parity_logpdf as parity_logpdf,
    rule_denoiser as rule_denoiser,
)
from .ledger import LEDGER_EDM as LEDGER_EDM, LEVELS as LEVELS, loss_ledger as loss_ledger
from .manifolds import Circle as Circle, Ellipse as Ellipse, Sphere as Sphere
from .rules import (
    GroupParity as GroupParity,
    GroupWeight as GroupWeight,
    NoRule as NoRule,
    Permutation as Permutation,
    Rule as Rule,
)
