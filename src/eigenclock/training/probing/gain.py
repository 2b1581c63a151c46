"""What samples and denoised samples say about a model, mode by mode (T15 to T18, T21)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...curve.marginals import Marginals, excess_kurtosis, filter_kurtosis
from ...spectrum.spectrum import Spectrum
from ..options import Denoiser
from .conditions import in_chunks

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
    pairs: tuple[Tensor, ...],
    sigma: Float[np.ndarray, " sigma"],
    to_modes: Callable[[Any], Coordinates],
    chunk: int,
    given: tuple[Tensor | None, Tensor | None] = (None, None),
) -> dict[str, Any]:
    """Gain and R² of a denoiser at noise levels, (mode, sigma), from `pairs`: clean samples and standard noise, (n, *shape).

    And its `denoising_error`, E|D(y) − x|², (sigma,).

    With held-out samples (m, *shape), m <= n, third among the pairs, the losses of them and of the first m clean ones too, under
    the same noise. `given`: labels of clean and held-out samples.
    """
    clean, noise, *more = pairs
    found: dict[str, list[Any]] = {}
    for one in map(float, sigma):
        level, noisy = torch.tensor(one, dtype=clean.dtype, device=clean.device), clean + one * noise
        out = _answers(denoiser, noisy, level, chunk, given[0])
        gain, r2 = gain_and_r2(to_modes(out.double().cpu().numpy()), to_modes(noisy.double().cpu().numpy()))
        error = float((out - clean).double().square().sum()) / len(clean)
        seen: dict[str, Any] = {"gain": gain, "gain_r2": r2, "denoising_error": error}
        for held_out in more:
            m = len(held_out)
            tested = _answers(denoiser, held_out + one * noise[:m], level, chunk, given[1])
            seen |= loss_record("train", (out[:m] - clean[:m]).double().cpu().numpy(), to_modes)
            seen |= loss_record("test", (tested - held_out).double().cpu().numpy(), to_modes)
        for name, value in seen.items():
            found.setdefault(name, []).append(value)
    return {name: np.stack(values, axis=-1) for name, values in found.items()}


def _answers(denoiser: Denoiser, noisy: Tensor, level: Tensor, chunk: int, given: Tensor | None) -> Tensor:
    """What a denoiser gives for noisy samples, under their labels where there are any."""
    parts, some = torch.split(noisy, chunk), in_chunks(given, len(noisy), chunk)
    called = (
        denoiser(x, level) if label is None else denoiser(x, level, label) for x, label in zip(parts, some, strict=True)
    )
    return torch.cat([one.clone() for one in called])


def loss_record(name: str, missed: Any, to_modes: Callable[[Any], Coordinates]) -> dict[str, Any]:
    """Mean squared error along every mode, E(u·(D(y) − x))², of errors D(y) − x (n, *shape), as `name`_loss (T16).

    Where modes leave directions out, `name`_null_loss is the mean over those.
    """
    loss = (to_modes(missed) ** 2).mean(axis=0)
    record: dict[str, Any] = {f"{name}_loss": loss}
    null = missed[0].size - loss.size
    if null:
        total = (missed**2).sum() / len(missed)
        record[f"{name}_null_loss"] = max(float(total - loss.sum()), 0.0) / null
    return record


def log_variance_error(along: Coordinates, noise: Coordinates) -> Modes:
    """Standard error of ln variance of samples drawn from balanced noise: √(2(1 − R⁴)/n), R² the share linear in it (T18).

    What is linear in noise of exact variance 1 has no error of sampling; all of it is left where nothing is (R² = 0).
    """
    _, r2 = gain_and_r2(along, noise)
    return np.sqrt(2 * np.maximum(1 - r2**2, 0) / len(along))


def sample_record(
    samples: Any,
    along: Coordinates,
    noise: Coordinates,
    spectrum: Spectrum,
    mean: Modes,
    marginals: Marginals,
    keep: int,
) -> dict[str, Any]:
    """What samples (n, *shape), `along` the modes, drawn from `noise`, say of variance, mean and marginals."""
    variance = along.var(axis=0)
    record = {
        "variance": variance,
        "log_variance_error": log_variance_error(along, noise),
        "kurtosis": excess_kurtosis(along),
        "marginal_distance": marginals.distance(along),
        "generated_mean": along.mean(axis=0),
        "alignment": sample_alignment(along),
        "particles": (along - mean)[:keep],
    }
    if samples.ndim in (3, 4):
        record["filter_kurtosis"] = filter_kurtosis(samples)
    null = spectrum.dimension - spectrum.n_modes
    if null:
        total = samples.reshape(len(samples), -1).var(axis=0).sum()
        record["null_variance"] = max(float(total - variance.sum()), 0.0) / null
    return record
