"""Generated modes that are correlated: their covariance read along other modes, and its root for samples."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from ..checks import InputError
from ..spectrum.spectrum import Spectrum
from . import divergences

NOT_KEPT = "modes of this curve are correlated, and their covariance was not kept: pass keep_covariance=True"
"""To predict or simulate, or to `along`."""


def along_other_modes(
    curve: xr.Dataset, own: Spectrum, spectrum: Spectrum, *, correlated: bool, keep_covariance: bool
) -> xr.Dataset:
    """A curve's generated variance along the modes of another spectrum of the same data space, uᵀΣ̃u."""
    if own.basis is None or spectrum.basis is None or own.basis.shape != spectrum.basis.shape:
        raise InputError(
            "along needs two spectra with bases of the same sample shape, made by from_samples or from_power"
        )
    if own.n_modes != own.dimension:
        raise InputError(f"along needs a curve with all {own.dimension} modes, got {own.n_modes}")
    if correlated and "covariance" not in curve:
        raise InputError(NOT_KEPT)
    turned = own.basis.to_modes(spectrum.basis.from_modes(np.eye(spectrum.n_modes)))
    dataset = spectrum.to_dataset()
    dataset.coords["time"] = ("time", curve["time"].values)
    for name in ("generated_mean", "initial_mean", "target_mean"):
        if name in curve:
            dataset[name] = curve[name].dims, curve[name].values @ turned.T
    if correlated:
        covariance, start = curve["covariance"].values, curve["initial_covariance"].values
        dataset["variance"] = ("time", "mode"), np.einsum("kd,tde,ke->tk", turned, covariance, turned, optimize=True)
        dataset["initial"] = "mode", np.einsum("kd,de,ke->k", turned, start, turned, optimize=True)
    else:
        variance, initial = curve["variance"].values, curve["initial"].values
        dataset["variance"] = ("time", "mode"), variance @ turned.T**2
        dataset["initial"] = "mode", initial @ turned.T**2
    if keep_covariance:
        if not correlated:
            covariance, start = variance[:, :, None] * np.eye(own.n_modes), np.diag(initial)
        dataset["covariance"] = ("time", "mode", "mode_"), turned @ covariance @ turned.T
        dataset["initial_covariance"] = ("mode", "mode_"), turned @ start @ turned.T
    dataset.attrs["correlated"] = 1
    return dataset


def distances(curve: xr.Dataset) -> dict[str, np.ndarray]:
    """KL and Wasserstein distance of every time from the whole covariance, and the mean where it is generated (T17)."""
    target = curve["target"].values
    positive = target > 0
    goal = curve["target_mean"].values if "target_mean" in curve else np.zeros(target.size)
    means = (
        curve["generated_mean"].values if "generated_mean" in curve else np.broadcast_to(goal, curve["variance"].shape)
    )
    kl, wasserstein = [], []
    for mean, covariance in zip(means, curve["covariance"].values, strict=True):
        seen = covariance[np.ix_(positive, positive)]
        kl.append(divergences.kl_full(mean[positive], seen, goal[positive], np.diag(target[positive])))
        wasserstein.append(divergences.wasserstein_full(mean, covariance, goal, np.diag(target)))
    return {"kl": np.array(kl), "wasserstein": np.array(wasserstein)}


def square_root(covariance: Float[np.ndarray, "mode mode"]) -> Float[np.ndarray, "mode mode"]:
    """Symmetric square root of a covariance, rounding below zero cut off."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
