"""The denoiser of a network under an objective: by numbers for most, along a spectrum's modes for `SpectralEDM`."""

from typing import Any

from torch import nn

from ...checks import InputError, say
from ...recipe.objectives import Objective
from ...recipe.spectral_edm import SIGMA_MIN, SpectralEDM
from ...spectrum.spectrum import Spectrum
from ..losses import NetworkDenoiser
from ..networks.notes import trained_under
from .spectral import SpectralDenoiser
from .start import frozen, starts_at_zero


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
    has been trained, by `train` or by descending the `.loss` of a denoiser, is known as that. InputError for a network that was
    trained under another objective or spectrum, or a spectrum of too few samples (T22).
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
    made = SpectralDenoiser(network, objective, known, sigma_min=sigma_min)
    if made.floored or made.dead:
        say(f"{made.floored} modes are floored, {made.dead} directions have no variance and stay at the mean", level=4)
    if before is not None:
        if before.asked != made.asked:
            raise InputError(f"network was trained with {before.asked}, got {made.asked}: build it anew")
        if not before.same_covariance(made.note()):
            raise InputError(
                "network was trained with another spectrum: give that one, SpectralEDM(spectrum), or build the network anew"
            )
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
