"""What samples and denoised samples say about a model, mode by mode (T15, T17); NumPy only."""

import numpy as np
from jaxtyping import Float

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
