"""Learning the manifold before the density, for linear networks: denoising risk over σ², collapse clock, refine clock.

Data N(0, Σ) of rank k in D dimensions, a denoiser D(x) at one small noise level σ, ρ = E|D(x₀ + σz) − x₀|²/σ². A denoiser
that has found the subspace projects onto it: ρ → k. Times are the package's: steps × rate of descent on the whole risk.
A reconstruction in the setting of arXiv:2605.20235, not its theorems.
"""

from typing import Any

import numpy as np
import scipy
import xarray as xr
from jaxtyping import Float

from ..checks import LARGEST, InputError, finite_array, integer, noise_level, number, say, shown
from ..recipe.architectures import Architecture, OneLayer
from ..recipe.objectives import Denoising, Objective
from ..recipe.optimizers import GradientFlow, Optimizer
from ..spectrum.estimation import checked_covariance
from ..spectrum.spectrum import Spectrum
from .predict import predict

Modes = Float[np.ndarray, " mode"]
Matrix = Float[np.ndarray, "d d"]

RANGE = (1e-9, 1e15)
"""Times, in optimizer steps over the fastest rate, between which a clock is looked for."""

SMOOTHED = 0.75
"""ρ/k below which a noise level smooths the density away: ρ is low there without any manifold found."""


def subspace(variance: Any, dimension: int) -> Modes:
    """Variances of a Gaussian on a subspace, descending; InputError unless all are positive and fewer than `dimension`."""
    integer("dimension", dimension, at_least=2)
    found = finite_array("variance", variance, "a 1-D array of variances > 0")
    if found.ndim != 1 or not 0 < found.size < dimension or not 0 < found.min() <= found.max() <= LARGEST**2:
        raise InputError(f"variance must hold 1 to {dimension - 1} variances > 0, got {shown(variance)}")
    return np.sort(found)[::-1]


def denoising_risk(gain: Any, variance: Any, sigma: float, *, multiplicity: Any = 1) -> Float[np.ndarray, "*any"]:
    """ρ = Σ [λ(1 − ψ)²/σ² + ψ²] of a denoiser with gain ψ along every mode; (..., mode) → (...).

    **Parameters**

    - `gain`: (..., mode), of any curve: `curve.gain` at one noise level. - `variance`: (mode,), 0 off the manifold.
    - `sigma`: noise level, in data units. - `multiplicity`: (mode,) how many modes each entry stands for.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> float(ec.collapse.denoising_risk(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.5, 0.0]), 0.1))  # the projection: k
    2.0

    ```
    """
    sigma = noise_level("sigma", sigma)
    psi, power = (
        finite_array("gain", gain, "gains (..., mode)"),
        finite_array("variance", variance, "variances (mode,)"),
    )
    count = finite_array("multiplicity", multiplicity, "numbers of modes")
    if (
        psi.ndim == 0
        or power.ndim == 0
        or count.size not in (1, power.shape[-1])
        or psi.shape[-1] not in (1, power.shape[-1])
    ):
        raise InputError(f"gain (..., mode) must have the modes of variance (mode,), got {psi.shape} and {power.shape}")
    multiplicity = count
    return np.asarray((multiplicity * (power * (1 - psi) ** 2 / sigma**2 + psi**2)).sum(axis=-1))


def optimal_risk(variance: Any, sigma: float, width: int) -> float:
    """ρ of the best linear bottleneck: Σ_{i≤q} λ/(λ + σ²) + Σ_{i>q} λ/σ², q = min(width, k).

    From width k on it is below k, and → k as σ → 0.
    """
    power = np.sort(np.ravel(finite_array("variance", variance, "variances > 0")))[::-1]
    if power.size == 0 or power[-1] < 0 or power[0] > LARGEST**2:
        raise InputError(f"variance must be 1-D, from 0 to {LARGEST**2:g}, got {shown(variance)}")
    sigma = noise_level("sigma", sigma)
    integer("width", width, at_least=1)
    kept, lost = power[:width], power[width:]
    return float((kept / (kept + sigma**2)).sum() + lost.sum() / sigma**2)


def optimal_map(covariance: Any, sigma: float, width: int) -> Matrix:
    """M_q = U_q diag(λ/(λ + σ²)) U_qᵀ, the best linear map through a bottleneck, from a covariance (d, d)."""
    sigma = noise_level("sigma", sigma)
    integer("width", width, at_least=1)
    values, vectors = np.linalg.eigh(checked_covariance(covariance, None)[0])
    values, vectors = np.maximum(values[::-1][:width], 0), vectors[:, ::-1][:, :width]
    return (vectors * (values / (values + sigma**2))) @ vectors.T


def reconstruction_error(variance: Any, sigma: float, width: int) -> float:
    """Clean error E|M_q x − x|² of that map, in squared data units: Σ λσ⁴/(λ + σ²)² plus the variance that was cut off.

    Also the squared Wasserstein distance between the data and what the pipeline generates with an exact second stage.
    """
    power = np.sort(np.ravel(finite_array("variance", variance, "variances > 0")))[::-1]
    if power.size == 0 or power[-1] < 0 or power[0] > LARGEST**2:
        raise InputError(f"variance must be 1-D, from 0 to {LARGEST**2:g}, got {shown(variance)}")
    sigma = noise_level("sigma", sigma)
    integer("width", width, at_least=1)
    kept = power[:width]
    return float((kept * (sigma**2 / (kept + sigma**2)) ** 2).sum() + power[width:].sum())


def collapse_curve(
    variance: Any,
    dimension: int,
    sigma: float,
    *,
    time: Any,
    architecture: Architecture = OneLayer(),
    objective: Objective = Denoising(),
    optimizer: Optimizer = GradientFlow(),
) -> xr.DataArray:
    """ρ over training of any architecture of the theory on a Gaussian of rank k in `dimension` dimensions.

    **Parameters**

    - `variance`: (k,) along the subspace. - `sigma`: noise level of training and of ρ, in data units.
    - `time`: (time,) optimizer steps. - `architecture`, `objective`, `optimizer`: as for `predict`.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> risk = ec.collapse.collapse_curve([1.0, 0.5], 16, 0.1, time=[0.0, np.inf], architecture=ec.OneLayer(init=0.5))
    >>> [round(float(one), 2) for one in risk]  # untrained it lets half of the noise through in 16 directions; then k = 2
    [41.5, 1.97]

    ```
    """
    power = subspace(variance, dimension)
    sigma = noise_level("sigma", sigma)
    curve = predict(
        Spectrum(np.append(power, 0.0)),
        objective=objective,
        architecture=architecture,
        optimizer=optimizer,
        time=time,
        sigma=[sigma],
        keep_gain=True,
    )
    multiplicity = np.append(np.ones(power.size), dimension - power.size)
    risk = denoising_risk(curve.gain.values[:, :, 0], curve.spectrum.variance, sigma, multiplicity=multiplicity)
    return xr.DataArray(
        risk,
        dims="time",
        coords={"time": curve.time},
        attrs={
            "long_name": "denoising risk over σ²",
            "target": power.size,
            "floor": optimal_risk(power, sigma, dimension),
        },
    )


def collapse_time(
    variance: Any,
    dimension: int,
    sigma: float,
    *,
    delta: float = 0.5,
    architecture: Architecture = OneLayer(),
    objective: Objective = Denoising(),
    optimizer: Optimizer = GradientFlow(),
) -> float:
    """Collapse clock: first time, in steps, at which ρ <= (1 + delta)·k, to rounding. 0 if it starts there.

    Raises InputError where (1 + delta)·k is below what the best denoiser reaches; ∞ if it is not reached (a start of zero). Warns
    where the noise exceeds the signal: even a denoiser that gives nothing has ρ = Σλ/σ² below the target there.
    """
    power = subspace(variance, dimension)
    number("delta", delta, above=-1)
    target, floor = (1 + delta) * power.size, optimal_risk(power, sigma, dimension)
    if target <= floor:
        raise InputError(
            f"delta must put (1 + delta)·k above the Bayes risk {floor:.6g}, got {delta:g} with k = {power.size}"
        )

    if floor < SMOOTHED * power.size:
        say(
            f"the best ρ is {floor:.2g}, below {SMOOTHED:g}·k with k = {power.size}: sigma = {sigma:.3g} smooths the density "
            "away, and a low ρ is no collapse"
        )

    def excess(log_time: Any) -> Any:
        times = np.atleast_1d(np.exp(log_time))
        found = collapse_curve(
            power, dimension, sigma, time=times, architecture=architecture, objective=objective, optimizer=optimizer
        )
        return found.values - target

    scale = 1 / (optimizer.lr * (power[0] + sigma**2))
    grid = np.log(np.geomspace(*RANGE, 1000) * scale)
    below = excess(grid) <= 0
    after = int(below.argmax())
    if not below[after]:
        return float("inf")
    if after == 0:
        return 0.0
    root = scipy.optimize.brentq(lambda one: float(excess(one)[0]), grid[after - 1], grid[after], xtol=1e-13)
    return float(np.exp(root))


def one_layer_risk(time: Any, start: Any, basis: Any, variance: Any, sigma: float) -> Any:
    """ρ(t) of one linear layer from any start M(0) = `start`, gradient flow of rate 1; (time,) → (time,).

    Σ m* + |M(0)N|² e^{−4σ²t} + Σ (λ/σ² + 1)|(M(0) − M*)uᵢ|² e^{−4(λ + σ²)t}: off the manifold it forgets at rate σ² only.

    **Parameters**

    - `basis`: (D, k) orthonormal directions of the manifold. - `variance`: (k,) along them.
    """
    t = finite_array("time", time, "times >= 0")
    power, level = (
        finite_array("variance", variance, "variances (k,)"),
        noise_level("sigma", sigma),
    )
    matrix, axes = finite_array("start", start, "a (D, D) matrix"), finite_array("basis", basis, "(D, k) directions")
    if power.ndim != 1 or axes.ndim != 2 or axes.shape[1] != power.size or matrix.shape != (len(axes), len(axes)):
        raise InputError(
            f"start (D, D), basis (D, k) and variance (k,) must fit, got {matrix.shape}, {axes.shape} and {power.shape}"
        )
    start, basis, variance, sigma = matrix, axes, power, level
    best, total = variance / (variance + sigma**2), variance + sigma**2
    on = ((start @ basis - basis * best) ** 2).sum(axis=0)
    off = ((start - (start @ basis) @ basis.T) ** 2).sum()
    return (
        best.sum()
        + off * np.exp(-4 * sigma**2 * t)
        + (total / sigma**2 * on * np.exp(-4 * total * t[..., None])).sum(axis=-1)
    )


def refine_excess(time: Any, variance: Any, tau: float, *, null: int = 0) -> Any:
    """Excess risk of a linear score Az from A = 0, noise τ: Σ e^{−4(c + τ²)t}/(c + τ²), flow of rate 1; (time,) → (time,).

    `null`: directions without variance, as in ambient space: each adds e^{−4τ²t}/τ², the slow part a bottleneck removes.
    """
    tau = noise_level("tau", tau)
    integer("null", null, at_least=0)
    power = np.atleast_1d(finite_array("variance", variance, "variances > 0"))
    if power.ndim != 1 or power.size == 0 or power.min() < 0 or power.max() > LARGEST**2:
        raise InputError(f"variance must be 1-D, from 0 to {LARGEST**2:g}, got {shown(variance)}")
    rate, count = np.append(power, 0.0) + tau**2, np.append(np.ones(power.size), float(null))
    t = finite_array("time", time, "times >= 0")
    return (count / rate * np.exp(-4 * rate * t[..., None])).sum(axis=-1)


def refine_time(variance: Any, tau: float, *, delta: float = 0.1, null: int = 0) -> float:
    """Refine clock: time at which that excess is down to `delta` of its start, to rounding."""
    delta, tau = number("delta", delta, above=0, below=1), noise_level("tau", tau)
    start = float(refine_excess(0.0, variance, tau, null=null))
    slowest = np.log(1 / delta) / (4 * tau**2)  # every mode decays at least at rate 4τ²
    found = scipy.optimize.brentq(
        lambda t: float(refine_excess(t, variance, tau, null=null)) / start - delta, 0, slowest, xtol=1e-12
    )
    return float(found)


def density_error(k: int, n: int) -> float:
    """E KL(N(0, Σ) ‖ N(0, Σ̂)) in nats of a covariance of rank k from n samples of known mean: ≈ k(k + 1)/(4n); D is nowhere.

    The subspace itself is exact as soon as n >= k. Raises InputError unless n > k + 1, below which the mean is infinite.
    """
    integer("k", k, at_least=1, at_most=10**7)
    integer("n", n, at_least=k + 2)
    digamma = scipy.special.digamma((n - np.arange(k)) / 2)
    return float((n * k / (n - k - 1) - k + digamma.sum() + k * np.log(2 / n)) / 2)


def rotation_cost(theta: float, ratio: float) -> float:
    """What turning a direction off the manifold by θ adds to the risk, over the floor σ²λ/(λ + σ²): θ²(1 + 2r)/(r(1 + r)).

    r = σ²/λ: it diverges as σ → 0. Geometry is visible at small noise.
    """
    theta, ratio = (
        number("theta", theta, at_least=-LARGEST, at_most=LARGEST),
        noise_level("ratio", ratio),
    )
    return theta**2 * (1 + 2 * ratio) / (ratio * (1 + ratio))


def variance_cost(error: float, ratio: float) -> float:
    """What a relative error q of the variance adds, over the same floor: q²r/(1 + r)²; largest at σ² = λ, gone as σ → 0."""
    error, ratio = (
        number("error", error, at_least=-LARGEST, at_most=LARGEST),
        noise_level("ratio", ratio),
    )
    return error**2 * ratio / (1 + ratio) ** 2
