"""The denoiser of a network under an objective: by numbers for most, along a spectrum's modes for `SpectralEDM`."""

from typing import Any

from torch import nn

from ...checks import InputError, say
from ...recipe.objectives import Objective
from ...recipe.spectral_edm import SpectralEDM
from ...spectrum.bases import OnGrid
from ...spectrum.spectrum import Spectrum
from ..losses import NetworkDenoiser
from .spectral import SpectralDenoiser

TRAINED = "_trained_under"
"""Attribute of a network that `train` has trained: the name of the objective."""


def denoiser_of(
    network: Any,
    objective: Objective,
    *,
    spectrum: Spectrum | None = None,
    trained: bool = False,
    sigma_min: float = 0.002,
) -> NetworkDenoiser:
    """The denoiser; `spectrum`: of the data, for a `SpectralEDM` that has none of its own.

    A network that is not `trained` and does not start at zero has what it gives at first subtracted, and that is said.
    InputError for a network that was trained under another objective, or a spectrum of too few samples (T22).
    """
    before = trained_under(network)
    if before is not None and (before == SpectralEDM.__name__) != isinstance(objective, SpectralEDM):
        raise InputError(
            f"network was trained with {before}, got {type(objective).__name__}: its output means something else, build it anew"
        )
    if not isinstance(objective, SpectralEDM):
        return NetworkDenoiser(network, objective)
    known = objective.spectrum if objective.spectrum is not None else spectrum
    if known is None:
        raise InputError("objective must have the spectrum of the data, SpectralEDM(spectrum), got SpectralEDM()")
    _check_enough(known)
    made = SpectralDenoiser(network, objective, known, sigma_min=sigma_min)
    if made.floored or made.dead:
        say(f"{made.floored} modes are floored, {made.dead} directions have no variance and stay at the mean", level=4)
    if not trained and isinstance(network, nn.Module):
        made.check_start()
    return made


def trained_under(network: Any) -> str | None:
    """Name of the objective that `train` has trained a network under, or one within it."""
    if not isinstance(network, nn.Module):
        return None
    return next((vars(module)[TRAINED] for module in network.modules() if TRAINED in vars(module)), None)


def mark_trained(network: nn.Module, objective: Objective) -> None:
    """Leave a note on a network that its output means what an objective asks for."""
    vars(network)[TRAINED] = type(objective).__name__


def _check_enough(spectrum: Spectrum) -> None:
    """Raise where directions that few samples never saw would stay at the mean for ever (T22)."""
    n, basis = spectrum.n_samples, spectrum.basis
    unknown = basis.channels if isinstance(basis, OnGrid) else spectrum.dimension  # a wave's place in the grid is known
    if n is not None and n <= unknown and spectrum.null_variance == 0:
        raise InputError(
            f"spectrum must be cross-validated, {n:,} samples do not show {unknown:,} dimensions: spectrum.cross_validated()"
        )
