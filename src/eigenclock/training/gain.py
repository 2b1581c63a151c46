"""What samples and denoised samples say about a model, mode by mode (T15, T17)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..spectrum.spectrum import Spectrum
from .options import Denoiser

Coordinates = Float[np.ndarray, "n mode"]
Modes = Float[np.ndarray, " mode"]


def gain_and_r2(denoised: Coordinates, noisy: Coordinates) -> tuple[Modes, Modes]:
    """Measured gain ψ̂_k = Cov(D_k, y_k)/Var(y_k) and R², the squared correlation: what a linear gain explains (T15)."""
    out, seen = denoised - denoised.mean(axis=0), noisy - noisy.mean(axis=0)
    both, power, total = (out * seen).mean(axis=0), (seen**2).mean(axis=0), (out**2).mean(axis=0)
    gain = both / np.where(power > 0, power, 1)
    return gain, np.where(total > 0, gain * both / np.where(total > 0, total, 1), 1.0)


def sample_alignment(coordinates: Coordinates) -> float:
    """Share of the covariance that lies along the modes, Σ_k Σ_kk²/‖Σ‖_F² (T17), from n samples, without its d×d matrix.

    Squares of sample covariances are too large by about 1/n times the squared trace; both sums are corrected for it as for
    Gaussian samples, so that few samples of aligned modes give 1, not less. Between 0 and 1.
    """
    n, m = coordinates.shape
    if n < 4:
        return float("nan")
    centred = coordinates - coordinates.mean(axis=0)
    variance = (centred**2).sum(axis=0) / (n - 1)
    product = centred @ centred.T if n < m else centred.T @ centred
    squares, trace = (product**2).sum() / (n - 1) ** 2, variance.sum()
    whole = (n - 1) ** 2 / ((n - 2) * (n + 1)) * (squares - trace**2 / (n - 1))
    diagonal = (variance**2).sum() * (n - 1) / (n + 1)
    return float(np.clip(diagonal / whole, 0, 1)) if whole > 0 else 1.0


def gain_record(
    denoiser: Denoiser,
    clean: Tensor,
    noise: Tensor,
    sigma: Float[np.ndarray, " sigma"],
    to_modes: Callable[[Any], Coordinates],
    chunk: int,
) -> dict[str, Any]:
    """Gain and R² of a denoiser at noise levels, (mode, sigma), from clean samples (n, *shape) and standard noise."""
    gains, fits = [], []
    for one in sigma:
        noisy = clean + float(one) * noise
        level = torch.tensor(float(one), dtype=clean.dtype, device=clean.device)
        out = torch.cat([denoiser(part, level).clone() for part in torch.split(noisy, chunk)])
        gain, r2 = gain_and_r2(to_modes(out.double().cpu().numpy()), to_modes(noisy.double().cpu().numpy()))
        gains.append(gain)
        fits.append(r2)
    return {"gain": np.stack(gains, axis=1), "gain_r2": np.stack(fits, axis=1)}


def sample_record(samples: Any, along: Coordinates, spectrum: Spectrum, mean: Modes, keep: int) -> dict[str, Any]:
    """What generated samples (n, *shape), `along` the modes, say: variance, mean, alignment, and a few of them about `mean`."""
    variance = along.var(axis=0)
    record = {
        "variance": variance,
        "generated_mean": along.mean(axis=0),
        "alignment": sample_alignment(along),
        "particles": (along - mean)[:keep],
    }
    null = spectrum.dimension - spectrum.n_modes
    if null:
        total = samples.reshape(len(samples), -1).var(axis=0).sum()
        record["null_variance"] = max(float(total - variance.sum()), 0.0) / null
    return record
