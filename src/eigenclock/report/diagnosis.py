"""The figure of a diagnosed latent space."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure


def diagnosis_figure(result: xr.Dataset) -> Figure:
    """Spectrum with predicted clocks, change of images under perturbation, and spatial structure per sample."""
    picture = Figure(figsize=(11, 3.4), layout="constrained")
    left, middle, right = picture.subplots(1, 3)
    mode = np.arange(1, result["spectrum"].size + 1)
    left.plot(mode, result["spectrum"], color="#0072B2", label="variance")
    left.plot(mode, result["tau_lin"], ".", color="#D55E00", label="predicted clock (steps × rate)")
    left.set(xscale="log", yscale="log", xlabel="mode of the standardised latents")
    left.legend(frameon=False, fontsize=8)
    middle.plot(result["rho"], result["lpc_rho"], "o-", color="#0072B2")
    middle.set(xscale="log", xlabel="perturbation ρ (share of the latent's norm)", ylabel="change of the image")
    right.hist(result["ssc_each"], bins=20, range=(0, 1), color="#0072B2")
    chance = float(result["chance"].sel(metric="ssc"))
    if np.isfinite(chance):
        right.axvline(chance, color="#D55E00", label="by chance")
        right.legend(frameon=False, fontsize=8)
    right.set(xlabel="spatial structure per sample (SSC)", ylabel="samples")
    for ax, name in ((middle, "lpc"), (right, "ssc")):
        if np.isnan(float(result["value"].sel(metric=name))):
            ax.text(0.5, 0.5, "not measured", ha="center", va="center", transform=ax.transAxes, color="0.4")
    return picture
