"""The denoiser of a network under an objective: by numbers for most, along a spectrum's modes for `SpectralEDM`."""

from typing import Any

from torch import nn

from ...checks import InputError, say
from ...recipe.objectives import Objective
from ...recipe.spectral_edm import SpectralEDM
from ...spectrum.spectrum import Spectrum
from ..losses import NetworkDenoiser
from .spectral import SpectralDenoiser, frozen, starts_at_zero


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
    """
    if not isinstance(objective, SpectralEDM):
        return NetworkDenoiser(network, objective)
    known = objective.spectrum if spectrum is None else spectrum
    if known is None:
        raise InputError("objective must have the spectrum of the data, SpectralEDM(spectrum), got SpectralEDM()")
    _check_enough(known)
    made = SpectralDenoiser(network, objective, known, sigma_min=sigma_min)
    if made.floored or made.dead:
        say(f"{made.floored} modes are floored, {made.dead} directions have no variance and stay at the mean", level=4)
    if not trained and isinstance(network, nn.Module) and not starts_at_zero(network, made.mean):
        made.start = frozen(network)
        say("the network does not start at zero: what it gives now is subtracted (trained=True keeps it)", level=4)
    return made


def _check_enough(spectrum: Spectrum) -> None:
    """Raise where directions that few samples never saw would stay at the mean for ever (T22)."""
    n = spectrum.n_samples
    if n is not None and n <= spectrum.dimension and spectrum.null_variance == 0:
        raise InputError(
            f"spectrum must be cross-validated, {n:,} samples do not show {spectrum.dimension:,} dimensions: "
            "spectrum.cross_validated()"
        )
