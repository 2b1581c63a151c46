"""Generated modes that are correlated: their covariance read along other modes, and its root for samples."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from .checks import InputError
from .spectrum import Spectrum

NOT_KEPT = "modes of this curve are correlated, and their covariance was not kept: pass keep_covariance=True"


def along_other_modes(curve: xr.Dataset, own: Spectrum, spectrum: Spectrum, *, correlated: bool) -> xr.Dataset:
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
    if correlated:
        covariance, start = curve["covariance"].values, curve["initial_covariance"].values
        dataset["variance"] = ("time", "mode"), np.einsum("kd,tde,ke->tk", turned, covariance, turned, optimize=True)
        dataset["initial"] = "mode", np.einsum("kd,de,ke->k", turned, start, turned, optimize=True)
    else:
        dataset["variance"] = ("time", "mode"), curve["variance"].values @ turned.T**2
        dataset["initial"] = "mode", curve["initial"].values @ turned.T**2
    dataset.attrs["correlated"] = 1
    return dataset


def square_root(covariance: Float[np.ndarray, "mode mode"]) -> Float[np.ndarray, "mode mode"]:
    """Symmetric square root of a covariance, rounding below zero cut off."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
