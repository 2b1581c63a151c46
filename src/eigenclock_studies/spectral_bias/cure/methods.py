"""The rivals: how one network is trained on one data set, all else equal."""

from dataclasses import dataclass

from eigenclock.recipe.densities import LogNormal
from eigenclock.recipe.objectives import EDM, Objective
from eigenclock.recipe.spectral_edm import SpectralEDM
from eigenclock.recipe.weights import MinSNR
from eigenclock.training.optimizers import Adam, Descent
from .muon import Muon

DENSITY = LogNormal()


@dataclass(frozen=True)
class Method:
    """A way to train: an objective, an optimizer, and whether the data are whitened first. `name`: of its runs."""

    name: str
    title: str
    objective: Objective
    optimizer: Descent = Adam(3e-4)  # noqa: RUF009 (a frozen dataclass)
    whitened: bool = False


EDM_ALONE = Method("edm", "EDM", EDM(density=DENSITY))
MODE = Method("mode", "SpectralEDM, mode loss", SpectralEDM(loss="mode", density=DENSITY))
SAMPLE = Method("sample", "SpectralEDM, sample loss", SpectralEDM(loss="sample", density=DENSITY))
MIN_SNR = Method("min_snr", "EDM, Min-SNR-5", EDM(density=DENSITY, weight=MinSNR()))
WHITENED = Method("whitened", "EDM on whitened data", EDM(density=DENSITY), whitened=True)
MUON = Method("muon", "EDM, Muon", EDM(density=DENSITY), Muon(3e-4))

ALL = (EDM_ALONE, MODE, SAMPLE, MIN_SNR, WHITENED)
TWO = (EDM_ALONE, MODE)
LOSSES = (MODE, SAMPLE)
"""What claims are made of."""
