"""Random-feature denoisers on mixtures: moments of the features, and the exact gradient flow of every class's loss.

s_A(x) = (A/√p) φ(W x/√d), W frozen, A trained from 0, φ = tanh, one noise time t (after Bonnaire et al., arXiv:2505.17638;
mixtures are our reconstruction). Time: tau = steps·rate/d².
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from jaxtyping import Float

from eigenclock.checks import InputError, integer, integer_option, number, number_option, shown
from .mixtures import Mixture, noise, signal

CUT = 1e-10
"""Eigenvalues of U below this part of the largest are rounding: V lies in the range of U, so nothing moves along them."""

Square = Float[np.ndarray, "p p"]
Tall = Float[np.ndarray, "p d"]


@dataclass(frozen=True, eq=False)
class Moments:
    """U = E[φφᵀ] and V = E[φ ξᵀ] of one set of points with noise."""

    U: Square
    V: Tall
    noise2: float
    """Mean of |ξ|²/d of the draws behind them; 1 in expectation, exactly what replaces 1 in the loss of these very draws."""


def rf_moments(
    points: Float[np.ndarray, "n d"], W: Any, *, t: float, draws: int, rng: np.random.Generator, chunk: int = 4096
) -> Moments:
    """Moments of the features at `points`, with `draws` antithetic noises each, accumulated in float64.

    **Parameters**

    - `points`: (n, d). - `W`: (p, d) frozen weights. - `t`: noise time > 0. - `draws`: even number of noises per point.
    """
    integer("draws", draws, at_least=2)
    if draws % 2:
        raise InputError(f"draws must be even, they come in antithetic pairs, got {draws}")
    d, p = points.shape[1], len(W)
    weights = (W / np.sqrt(d)).astype(np.float32).T
    total_u, total_v, squares, count = np.zeros((p, p)), np.zeros((p, d)), 0.0, 0
    repeated = np.repeat(signal(t) * points, draws // 2, axis=0)
    for start in range(0, len(repeated), chunk):
        clean = repeated[start : start + chunk]
        half = rng.standard_normal(clean.shape)
        xi = np.concatenate([half, -half])
        seen = np.concatenate([clean, clean]) + np.sqrt(noise(t)) * xi
        phi = np.tanh(seen.astype(np.float32) @ weights).astype(np.float64)
        total_u += phi.T @ phi
        total_v += phi.T @ xi
        squares += float((xi**2).sum()) / d
        count += len(xi)
    return Moments((total_u + total_u.T) / (2 * count), total_v / count, squares / count)


def combine(parts: list[Moments], shares: Any) -> Moments:
    """The moments of a mixture, Σ share_k·moments_k."""
    return Moments(
        sum(s * m.U for s, m in zip(shares, parts, strict=True)),
        sum(s * m.V for s, m in zip(shares, parts, strict=True)),
        float(sum(s * m.noise2 for s, m in zip(shares, parts, strict=True))),
    )


def rf_exact_losses(
    lam: Float[np.ndarray, " p"],
    Q: Square,
    U_k: Square,
    V_k: Tall,
    V: Tall,
    tau: Any,
    t: float,
    psi_p: float,
    *,
    noise2: float = 1.0,
) -> Float[np.ndarray, " tau"]:
    """Loss of a class at training times, exactly, when A follows gradient flow from 0 on moments with U = Q diag(lam) Qᵀ.

    U^{-1} is never formed: g_i = expm1(−2 D_t lam_i tau/psi_p)/lam_i, and L = noise2 + gᵀ[(HᵀH)∘(Qᵀ U_k Q)]g/d
    + 2 Σ_i g_i [(Qᵀ V_k) H]_ii/d with H = VᵀQ.

    **Parameters**

    - `lam`, `Q`: eigenvalues (p,) and eigenvectors (p, p) of the training U. - `U_k`, `V_k`: moments that the loss is of.
    - `V`: training V (p, d). - `tau`: (tau,) times >= 0. - `t`: noise time. - `psi_p`: p/d.
    - `noise2`: mean of |ξ|²/d of the draws that the loss is of; 1 for the loss in expectation.
    """
    number("psi_p", psi_p, above=0)
    times = np.atleast_1d(np.asarray(tau, dtype=np.float64))
    if np.isnan(times).any() or times.min() < 0 or (np.diff(times) < 0).any():
        raise InputError(f"tau must be an increasing grid of times >= 0, got {shown(tau)}")
    d = V.shape[1]
    g = flow(lam, times, t, psi_p)
    H = V.T @ Q
    weight = (H.T @ H) * (Q.T @ U_k @ Q)
    linear = np.einsum("pd,dp->p", Q.T @ V_k, H)
    return noise2 + ((g @ weight) * g).sum(axis=1) / d + 2 * g @ linear / d


def flow(
    lam: Float[np.ndarray, " p"], tau: Float[np.ndarray, " tau"], t: float, psi_p: float
) -> Float[np.ndarray, "tau p"]:
    """g_i(tau) of gradient flow; 0 along eigenvalues that are rounding."""
    kept = lam > CUT * lam[-1]
    safe = np.where(kept, lam, 1.0)
    return np.where(kept, np.expm1(-2 * noise(t) / psi_p * tau[:, None] * safe) / safe, 0.0)


def steps_of(lam: Float[np.ndarray, " p"], k: Any, h: float, t: float, psi_p: float) -> Float[np.ndarray, "k p"]:
    """g_i after k steps of explicit gradient descent of size h in tau: the twin that `flow` is the limit of."""
    kept = lam > CUT * lam[-1]
    safe = np.where(kept, lam, 1.0)
    return np.where(kept, ((1 - 2 * noise(t) * safe * h / psi_p) ** np.asarray(k)[:, None] - 1) / safe, 0.0)


@dataclass(frozen=True)
class RandomFeatures:
    """One random-feature experiment: a mixture, sizes relative to d, and how finely its expectations are taken.

    `psi_p` = p/d, `psi_n` = n/d, `draws` noises per training point, `test` points per class.
    """

    mixture: Mixture
    psi_p: float
    psi_n: float
    t: float = 0.1
    draws: int = 64
    test: int = 6000

    def __post_init__(self) -> None:
        number_option(self, "psi_p", above=0)
        number_option(self, "psi_n", above=0)
        number_option(self, "t", above=0)
        integer_option(self, "test", at_least=2)


TAU = np.geomspace(1e-1, 10**5.5, 400)
"""Training times."""

SPLITS = ("draws", "train", "test")
"""Loss on the training draws themselves, on the training points with fresh noise, on independent points."""


def class_losses(setting: RandomFeatures, seed: int) -> Float[np.ndarray, "split K tau"]:
    """Exact losses of every class over training, for one draw of data and features."""
    random = [np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(4)]
    mixture, d = setting.mixture, setting.mixture.d
    p, n = round(setting.psi_p * d), round(setting.psi_n * d)
    centroids, weights = mixture.centroids(random[0]), random[1].standard_normal((p, d))
    counts = mixture.counts(n)
    points = [mixture.draw(k, int(c), centroids, random[0]) for k, c in enumerate(counts)]
    tests = [mixture.draw(k, setting.test, centroids, random[3]) for k in range(mixture.classes)]
    made: dict[str, Any] = {"t": setting.t, "W": weights}
    drawn = [rf_moments(x, draws=setting.draws, rng=random[2], **made) for x in points]
    fresh = [rf_moments(x, draws=setting.draws, rng=random[3], **made) for x in points]
    new = [rf_moments(x, draws=2, rng=random[3], **made) for x in tests]
    whole = combine(drawn, counts / counts.sum())
    lam, vectors = scipy.linalg.eigh(whole.U)
    kept: dict[str, Any] = {"tau": TAU, "t": setting.t, "psi_p": p / d}
    return np.array(
        [[rf_exact_losses(lam, vectors, m.U, m.V, whole.V, **kept) for m in split] for split in (drawn, fresh, new)]
    )
