"""The theory's brute-force twin: real matrices, real descent, real particles, the same LearningCurve."""

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from . import divergences
from .architectures import Architecture, OneLayer
from .brute_force.descent import Gradient, PairMoments, Progress, matrix_network, minibatch_gradient, trained_weights
from .brute_force.pairs import denoise, loss_weight
from .brute_force.particles import push, sampling_levels
from .checks import InputError, finite_array, integer, noise_levels, training_time
from .curve import LearningCurve
from .objectives import Denoising, Objective
from .optimizers import GradientFlow, Optimizer
from .recipe import Recipe
from .samplers import ProbabilityFlow, Sampler
from .spectrum import Spectrum

MOST_STEPS = 1e7
"""Steps of descent, or of the ODE solver, beyond which brute force is refused."""

DOP853_REACH = 5.0
"""Stiffness × step that the explicit ODE solver stays stable at, roughly."""

LARGEST_SIMULATION = 2**32
"""Bytes of weight matrices beyond which brute force is refused."""


def simulate(
    spectrum: Spectrum,
    *,
    objective: Objective = Denoising(),
    architecture: Architecture = OneLayer(),
    optimizer: Optimizer = GradientFlow(),
    sampler: Sampler = ProbabilityFlow(),
    time: Any,
    sigma: Any = None,
    keep_gain: bool = False,
    keep_loss: bool = False,
    samples: Any = None,
    batch_size: int | None = None,
    n_particles: int | None = 4096,
    keep_particles: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> LearningCurve:
    """Train full d×d matrices by explicit descent at every noise level of the sampler, and push particles through it.

    Knows no eigenbasis and none of the theory's formulas; the spectrum's modes serve only to read the result. Gradient flow
    is integrated as an ODE; discrete optimizers take their steps.

    **Parameters**

    - `spectrum`, `objective`, `architecture`, `optimizer`, `sampler`, `sigma`, `keep_gain`, `keep_loss`: as in `predict`.
      Abstract modes are first hidden behind a random rotation.
    - `time`: (time,) finite training times in optimizer steps.
    - `samples`: (n, *shape) real data to train on; without them the training data are the spectrum's Gaussian.
    - `batch_size`: samples per step, drawn with replacement, each with fresh noise; None trains on the full moments.
    - `n_particles`: generated samples behind each recorded variance; None transports the covariance matrix itself.
    - `keep_particles`: how many of them to keep in the curve, in mode coordinates, as `particles` (time, particle, mode).
    - `seed`: of batches, noise and particles, each its own stream. Particle i starts from the same noise as sample i of
      `LearningCurve.sample` with this seed.
    - `progress`: called with (steps done, steps in all).

    Raises InputError for an infinite time, a diverging learning rate, minibatches under gradient flow, or too large a problem.

    ```python
    >>> import eigenclock as ec
    >>> recipe = dict(optimizer=ec.GradientDescent(lr=1e-4), sampler=ec.Heun(steps=8), time=[0, 10, 1000])
    >>> spectrum = ec.Spectrum([4.0, 1.0, 0.25])
    >>> brute_force = ec.simulate(spectrum, n_particles=None, **recipe)
    >>> bool(abs(brute_force.variance / ec.predict(spectrum, **recipe).variance - 1).max() < 1e-8)
    True

    ```
    """
    times = training_time(time)
    if np.isinf(times).any():
        raise InputError("time must be finite for simulate, got inf")
    if batch_size is not None:
        integer("batch_size", batch_size, at_least=1)
    integer("seed", seed, at_least=0)
    integer("keep_particles", keep_particles, at_least=0)
    if batch_size is not None and isinstance(optimizer, GradientFlow):
        raise InputError("optimizer must be GradientDescent or HeavyBall for minibatches, got GradientFlow")
    if n_particles is not None and n_particles < max(2, keep_particles):
        raise InputError(f"n_particles must be >= 2 and >= keep_particles={keep_particles}, got {n_particles}")

    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(4)]
    modes = _mode_vectors(spectrum, streams[0])
    wanted = None if sigma is None else noise_levels(sigma)
    own = sampling_levels(sampler)
    kept = np.empty(0) if not (keep_gain or keep_loss) else own if wanted is None else wanted
    levels = np.concatenate([own, kept])
    d = modes.shape[1]
    needed = levels.size * d * d * 8
    if needed > LARGEST_SIMULATION:
        raise InputError(
            f"simulate needs {levels.size} matrices of {d}×{d} ({needed / 2**30:.0f} GiB), at most "
            f"{LARGEST_SIMULATION / 2**30:.0f} GiB allowed: use smaller data or fewer noise levels"
        )

    data = _centred(spectrum, samples)
    rows = np.sqrt(spectrum.variance)[:, None] * modes if data is None else data / np.sqrt(len(data))
    moments = PairMoments.of(objective, rows, levels if batch_size is None else kept)
    network = matrix_network(architecture)
    _refuse_endless(objective, optimizer, levels, moments, times)
    gradient: Gradient = moments.gradient
    if batch_size is not None:
        gradient = minibatch_gradient(objective, _Batches(data, rows, streams[1]), levels, batch_size, streams[2])
    dtype = np.float64 if batch_size is None else np.float32
    kept_moments = PairMoments(moments.xx[-kept.size :], moments.yx[-kept.size :], moments.yy[-kept.size :])

    start = np.broadcast_to(network.start(d), (levels.size, d, d)).astype(dtype)
    noise = _starting_noise(modes, n_particles, seed, streams[3]).astype(dtype)
    record = _Recorder(objective, sampler, own, kept, kept_moments, modes, noise, n_particles is None)
    initial = record(network.weights(start))
    states = [
        record(weights)
        for weights in trained_weights(network, gradient, objective, optimizer, levels, start, times, progress)
    ]

    dataset = spectrum.to_dataset()
    dataset.coords["time"] = ("time", times)
    dataset["initial"] = ("mode", initial["variance"])
    dataset["variance"] = (("time", "mode"), np.stack([state["variance"] for state in states]))
    dataset["alignment"] = ("time", np.array([state["alignment"] for state in states]))
    if spectrum.n_modes < d:
        dataset["null_variance"] = ("time", np.array([state["null_variance"] for state in states]))
        dataset["null_initial"] = ((), initial["null_variance"])
    if keep_particles and n_particles is not None:
        cloud = np.stack([state["particles"][:keep_particles] for state in states])
        dataset["particles"] = (("time", "particle", "mode"), cloud)
    for name, keep in (("gain", keep_gain), ("loss", keep_loss)):
        if keep:
            dataset.coords["sigma"] = ("sigma", kept)
            dataset[name] = xr.Variable(("time", "mode", "sigma"), np.stack([state[name] for state in states]))
    return LearningCurve(dataset, recipe=Recipe(objective, architecture, optimizer, sampler), source="simulation")


def _mode_vectors(spectrum: Spectrum, rng: np.random.Generator) -> Float[np.ndarray, "mode d"]:
    """The modes as flat vectors; a random rotation for abstract ones, so that nothing is diagonal."""
    if spectrum.basis is None:
        rotation, _ = np.linalg.qr(rng.standard_normal((spectrum.n_modes, spectrum.n_modes)))
        return rotation
    return spectrum.basis.from_modes(np.eye(spectrum.n_modes)).reshape(spectrum.n_modes, -1)


def _centred(spectrum: Spectrum, samples: Any) -> Float[np.ndarray, "n d"] | None:
    if samples is None:
        return None
    if spectrum.basis is None:
        raise InputError("samples need a spectrum with a basis, made by from_samples; got an abstract spectrum")
    array = finite_array("samples", samples, "a finite array of samples")
    if array.shape[1:] != spectrum.basis.shape or len(array) == 0:
        raise InputError(f"samples must have shape (n, {str(spectrum.basis.shape)[1:-1]}), got {array.shape}")
    flat = array.reshape(len(array), -1)
    return flat if spectrum.mean is None else flat - spectrum.mean.ravel()


def _refuse_endless(
    objective: Objective, optimizer: Optimizer, levels: Any, moments: PairMoments, times: Float[np.ndarray, " time"]
) -> None:
    """Explicit methods take about stiffness × time steps: say so before, not after a day."""
    steps = times[-1]
    if isinstance(optimizer, GradientFlow):
        stiffness = 2 * loss_weight(objective, levels) * np.linalg.norm(moments.xx, 2, axis=(1, 2))
        steps = optimizer.lr * stiffness.max() * times[-1] / DOP853_REACH
    if steps > MOST_STEPS:
        raise InputError(
            f"time must end earlier for simulate, got {times[-1]:g}: that takes about {steps:.2g} steps of brute force, "
            f"at most {MOST_STEPS:.0g} allowed (stiffness grows as lr·sigma_max²)"
        )


class _Batches:
    """Clean samples for each step and level: real ones drawn with replacement, or fresh Gaussian ones."""

    def __init__(
        self, data: Float[np.ndarray, "n d"] | None, rows: Float[np.ndarray, "mode d"], rng: np.random.Generator
    ) -> None:
        self.data = None if data is None else data.astype(np.float32)
        self.rows = rows.astype(np.float32)
        self.rng = rng

    def __call__(self, shape: tuple[int, int]) -> Float[np.ndarray, "sigma batch d"]:
        if self.data is not None:
            return self.data[self.rng.integers(0, len(self.data), shape)]
        return self.rng.standard_normal((*shape, len(self.rows)), dtype=np.float32) @ self.rows


def _starting_noise(
    modes: Float[np.ndarray, "mode d"], n_particles: int | None, seed: int, rest: np.random.Generator
) -> Float[np.ndarray, "n d"]:
    """Standard noise in data space, drawn along the modes; the identity when a covariance is to be transported."""
    n_modes, d = modes.shape
    if n_particles is None:
        return np.eye(d)
    noise = np.random.default_rng(seed).standard_normal((n_particles, n_modes)) @ modes
    if n_modes < d:
        other = rest.standard_normal((n_particles, d))
        noise += other - (other @ modes.T) @ modes
    return noise


class _Recorder:
    """Reads variances, alignment, gain and loss off trained weights."""

    def __init__(
        self,
        objective: Objective,
        sampler: Sampler,
        own: Float[np.ndarray, " own"],
        kept: Float[np.ndarray, " kept"],
        moments: PairMoments,
        modes: Float[np.ndarray, "mode d"],
        noise: Float[np.ndarray, "n d"],
        transport: bool,
    ) -> None:
        self.objective, self.sampler, self.own, self.kept = objective, sampler, own, kept
        self.moments, self.modes, self.noise, self.transport = moments, modes, noise, transport

    def __call__(self, weights: Float[np.ndarray, "sigma d d"]) -> dict[str, Any]:
        levels = self.own.astype(weights.dtype)
        generated = push(self.sampler, self.objective, weights[: self.own.size], levels, self.noise)
        coordinates = generated.astype(np.float64) @ self.modes.T
        centred = coordinates if self.transport else coordinates - coordinates.mean(axis=0)
        covariance = centred.T @ centred / (1 if self.transport else len(centred))
        if not np.isfinite(covariance).all():
            raise InputError("lr must be smaller: the simulated samples overflow")
        state = {
            "variance": np.diag(covariance).copy(),
            "alignment": float(divergences.alignment(covariance)),
            "particles": coordinates,
            "null_variance": self._null_variance(generated.astype(np.float64), np.diag(covariance)),
        }
        if self.kept.size:
            trained, sigma = weights[self.own.size :].astype(np.float64), self.kept[:, None, None]
            images = denoise(self.objective, lambda y: y @ trained.swapaxes(1, 2), self.modes[None], sigma)
            state["gain"] = np.einsum("skd,kd->ks", images, self.modes)
            residual = self.moments.residual(trained)
            power = np.einsum("kd,sde,ke->ks", self.modes, residual, self.modes, optimize=True)
            state["loss"] = power * loss_weight(self.objective, self.kept)
        return state

    def _null_variance(self, generated: Float[np.ndarray, "n d"], along_modes: Float[np.ndarray, " mode"]) -> float:
        """Mean generated variance over the directions outside the modes."""
        n_modes, d = self.modes.shape
        total = (generated**2).sum() if self.transport else generated.var(axis=0).sum() * len(generated)
        outside = total / (1 if self.transport else len(generated)) - along_modes.sum()
        return float(max(outside, 0.0) / max(d - n_modes, 1))
