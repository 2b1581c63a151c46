"""The denoiser of a network under an objective: by numbers for most, along a spectrum's modes for `SpectralEDM`."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from ...checks import InputError, say
from ...recipe.objectives import Objective
from ...recipe.spectral_edm import SIGMA_MIN, SpectralEDM
from ...spectrum.bases import OnGrid
from ...spectrum.spectrum import Spectrum
from ..losses import NetworkDenoiser
from .spectral import SpectralDenoiser
from .start import frozen, starts_at_zero

TRAINED = "_trained_under"
"""Attribute of a network that `train` has trained: a `Training`."""

SAMPLES_OF_A_WAVE = 10
"""Fewest samples for each channel from which variances of waves, whose places in the grid are known, are taken as they are."""


@dataclass(frozen=True)
class Training:
    """What a network was trained under: name of the objective, what a `SpectralEDM` asked of it, what is subtracted of it."""

    objective: str
    asked: str = ""
    start: nn.Module | None = None


def denoiser_of(
    network: Any,
    objective: Objective,
    *,
    spectrum: Spectrum | None = None,
    trained: bool = False,
    sigma_min: float = SIGMA_MIN,
) -> NetworkDenoiser:
    """The denoiser; `spectrum`: of the data, for a `SpectralEDM` that has none of its own.

    A network that is not `trained` and does not start at zero has what it gives at first subtracted, and that is said; one that
    `train` has trained is known as that. InputError for a network that was trained under another objective, or a spectrum of
    too few samples (T22).
    """
    before = trained_under(network)
    if before is not None and (before.objective == SpectralEDM.__name__) != isinstance(objective, SpectralEDM):
        raise InputError(
            f"network was trained with {before.objective}, got {type(objective).__name__}: its output means something else, "
            "build it anew"
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
    if before is not None:
        if before.asked != made.asked:
            raise InputError(f"network was trained with {before.asked}, got {made.asked}: build it anew")
        made.start = before.start
    elif not trained and isinstance(network, nn.Module):
        made.start = _start_of(network, made.shape)
    return made


def _start_of(network: nn.Module, shape: tuple[int, ...]) -> nn.Module | None:
    """A frozen copy of an untrained network, None if it starts at zero."""
    zero = starts_at_zero(network, shape)
    if zero:
        return None
    why = "does not start at zero" if zero is False else "needs more than (x, sigma), so that its start is not known"
    start = frozen(network)
    say(f"the network {why}: what it gives now is subtracted (trained=True keeps it)", level=5)
    return start


def trained_under(network: Any) -> Training | None:
    """What `train` has trained a network under, or one within it."""
    if not isinstance(network, nn.Module):
        return None
    return next((vars(module)[TRAINED] for module in network.modules() if TRAINED in vars(module)), None)


def mark_trained(denoiser: NetworkDenoiser, *networks: nn.Module) -> None:
    """Leave a note on networks that their output means what a denoiser's objective asks for."""
    name = type(denoiser.objective).__name__
    note = Training(name)
    if isinstance(denoiser, SpectralDenoiser):
        note = Training(name, denoiser.asked, denoiser.start)
    for network in networks:
        vars(network)[TRAINED] = note


def _check_enough(spectrum: Spectrum) -> None:
    """Raise where directions that few samples never saw would stay at the mean for ever (T22)."""
    n, basis = spectrum.n_samples, spectrum.basis
    wanted = SAMPLES_OF_A_WAVE * basis.channels if isinstance(basis, OnGrid) else spectrum.dimension
    if n is not None and n <= wanted and spectrum.null_variance is None:
        raise InputError(
            f"spectrum must be cross-validated, {n:,} samples do not show {spectrum.dimension:,} dimensions: "
            "spectrum.cross_validated()"
        )
