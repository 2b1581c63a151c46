"""The theory's brute-force twin: real matrices, real descent, real particles, the same LearningCurve."""

from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from jaxtyping import Float

from ..checks import InputError, finite_array, integer, noise_levels, random_seed, training_time
from ..curve.learning_curve import LearningCurve
from ..curve.other_modes import distances
from ..recipe.architectures import Architecture, OneLayer
from ..recipe.objectives import Denoising, Objective
from ..recipe.optimizers import GradientFlow, Optimizer
from ..recipe.recipe import Recipe
from ..recipe.samplers import ProbabilityFlow, Sampler
from ..spectrum.spectrum import Spectrum, check_spectrum
from .colour import Coloured, coloured, coloured_sampler
from .descent import Gradient, PairMoments, Progress, minibatch_gradient, trained_weights
from .pairs import draw_density, loss_weight
from .particles import sampling_levels
from .record import Recorder

Levels: TypeAlias = Float[np.ndarray, " sigma"]

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
    keep_covariance: bool = False,
    samples: Any = None,
    test: Any = None,
    batch_size: int | None = None,
    n_particles: int | None = 4096,
    keep_particles: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> LearningCurve:
    """Train whole matrices by explicit descent at every noise level of the sampler, and push particles through it.

    Knows no eigenbasis and none of the theory's formulas; the spectrum's modes serve only to read the result. Gradient flow
    is integrated as an ODE; discrete optimizers take their steps.

    **Parameters**

    - `spectrum`, `objective`, `architecture`, `optimizer`, `sampler`, `sigma`, `keep_gain`, `keep_loss`,
      `keep_covariance`: as in `predict`.
      Abstract modes are first hidden behind a random rotation.
    - `time`: (time,) finite training times in optimizer steps.
    - `samples`: (n, *shape) real data to train on; without them the training data are the spectrum's Gaussian.
    - `test`: (n, *shape) held-out data: their loss is kept too, as `test_loss`, at the levels of the loss (`keep_loss`).
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
    recipe = Recipe(objective, architecture, optimizer, sampler)
    check_spectrum(spectrum)
    times = training_time(time)
    if np.isinf(times).any():
        raise InputError("time must be finite for simulate, got inf")
    if batch_size is not None:
        integer("batch_size", batch_size, at_least=1)
    random_seed(seed)
    integer("keep_particles", keep_particles, at_least=0)
    if batch_size is not None and isinstance(optimizer, GradientFlow):
        raise InputError("optimizer must be GradientDescent or HeavyBall for minibatches, got GradientFlow")
    if n_particles is not None and n_particles < max(2, keep_particles):
        raise InputError(f"n_particles must be >= 2 and >= keep_particles={keep_particles}, got {n_particles}")

    children = np.random.SeedSequence(seed).spawn(5)
    streams = [np.random.default_rng(child) for child in children]
    seen = architecture.on_grid(architecture.sees(spectrum))
    modes = _mode_vectors(seen, streams[0])
    learns_mean = architecture.learns_mean
    wanted = None if sigma is None else noise_levels(sigma)
    own = sampling_levels(sampler)
    kept = np.empty(0) if not (keep_gain or keep_loss) else own if wanted is None else wanted
    trained, share = architecture.trained_levels(np.concatenate([own, kept]))
    levels = trained if architecture.levels_apart else np.concatenate([trained, own, kept])
    d = modes.shape[1]
    needed = levels.size * d * d * 8
    if needed > LARGEST_SIMULATION:
        raise InputError(
            f"simulate needs {levels.size} matrices of {d}×{d} ({needed / 2**30:.0f} GiB), at most "
            f"{LARGEST_SIMULATION / 2**30:.0f} GiB allowed: use smaller data or fewer noise levels"
        )

    data, held_out = _centred(spectrum, samples, "samples"), _centred(spectrum, test, "test")
    mean = _mean_vector(seen, modes) if learns_mean else None
    rows = _rows(seen if spectrum.basis is None else spectrum, modes) if data is None else data / np.sqrt(len(data))
    objective = coloured(objective, seen, modes, sampler.sigma_min)
    moments = PairMoments.of(objective, rows, levels if batch_size is None else levels[:1], mean)
    test_moments = None
    if held_out is not None:
        test_moments = PairMoments.of(objective, held_out / np.sqrt(len(held_out)), kept, mean)
    network = architecture.trainable(seen, modes, levels)
    _refuse_endless(objective, optimizer, levels, moments, times, architecture.sharing(seen))
    gradient: Gradient = moments.gradient
    if batch_size is not None:
        batches = Batches(data, rows, mean, streams[1])
        gradient = minibatch_gradient(objective, batches, levels, batch_size, streams[2], bias=learns_mean)
    if isinstance(objective, Coloured):
        gradient = _weighed(gradient, objective.metric(levels))
    dtype = np.float64 if batch_size is None else np.float32
    # what a convolution sees is stationary, and so is the loss that is noted for it
    kept_moments = PairMoments.of(objective, rows if seen is spectrum else _rows(seen, modes), kept, mean)

    importance = np.zeros(levels.size)
    importance[: share.size] = share * loss_weight(objective, trained) * draw_density(objective, trained)
    start = network.start(levels.size).astype(dtype)
    noise = _starting_noise(modes, n_particles, seed, streams[3]).astype(dtype)
    transport = n_particles is None
    record = Recorder(
        objective,
        coloured_sampler(sampler, seen, modes),
        own,
        kept,
        kept_moments,
        test_moments,
        modes,
        noise,
        transport,
        learns_mean,
        children[4],
    )
    read = slice(levels.size - own.size - kept.size, None)
    initial = record(network.weights(start)[read])
    states = [
        record(weights[read])
        for weights in trained_weights(network, gradient, importance, optimizer, start, times, progress)
    ]

    dataset = seen.to_dataset()
    dataset.coords["time"] = ("time", times)
    dataset["initial"] = ("mode", initial["variance"])
    dataset["variance"] = (("time", "mode"), np.stack([state["variance"] for state in states]))
    dataset["alignment"] = ("time", np.array([state["alignment"] for state in states]))
    if learns_mean:
        dataset["generated_mean"] = (("time", "mode"), np.stack([state["generated_mean"] for state in states]))
        dataset["initial_mean"] = ("mode", initial["generated_mean"])
        dataset["target_mean"] = ("mode", modes @ mean)
    if keep_covariance:
        dataset["initial_covariance"] = (("mode", "mode_"), initial["covariance"])
        dataset["covariance"] = (("time", "mode", "mode_"), np.stack([state["covariance"] for state in states]))
    if seen.n_modes < d:
        dataset["null_variance"] = ("time", np.array([state["null_variance"] for state in states]))
        dataset["null_initial"] = ((), initial["null_variance"])
    if keep_particles and n_particles is not None:
        cloud = np.stack([state["particles"][:keep_particles] for state in states])
        dataset["particles"] = (("time", "particle", "mode"), cloud)
    for name, keep in (("gain", keep_gain), ("loss", keep_loss), ("test_loss", keep_loss and test_moments is not None)):
        if keep:
            dataset.coords["sigma"] = ("sigma", kept)
            dataset[name] = xr.Variable(("time", "mode", "sigma"), np.stack([state[name] for state in states]))
    if architecture.mixes(seen):
        everything = dataset.assign(
            covariance=(("time", "mode", "mode_"), np.stack([state["covariance"] for state in states]))
        )
        for name, values in distances(everything).items():
            dataset[name] = ("time", values)
    dataset.attrs["stationary"] = int(architecture.stationary)
    dataset.attrs["correlated"] = int(keep_covariance or architecture.mixes(seen))
    return LearningCurve(dataset, recipe=recipe, source="simulation")


def _weighed(gradient: Gradient, metric: Float[np.ndarray, "sigma d d"]) -> Gradient:
    """The gradient of a loss that weighs errors by a matrix."""
    return lambda weights: metric.astype(weights.dtype) @ gradient(weights)


def _rows(spectrum: Spectrum, modes: Float[np.ndarray, "mode d"]) -> Float[np.ndarray, "n d"]:
    """Vectors whose outer products add up to a spectrum's covariance; `modes` stand in where it is abstract."""
    own = (
        modes
        if spectrum.basis is None
        else spectrum.basis.from_modes(np.eye(spectrum.n_modes)).reshape(spectrum.n_modes, -1)
    )
    rows, beyond = np.sqrt(spectrum.variance)[:, None] * own, spectrum.variance_beyond
    if not beyond:
        return rows
    return np.concatenate([rows, np.sqrt(beyond) * (np.eye(own.shape[1]) - own.T @ own)])


def _mean_vector(spectrum: Spectrum, modes: Float[np.ndarray, "mode d"]) -> Float[np.ndarray, " d"]:
    if spectrum.mean is None:
        raise InputError("Affine needs a spectrum with a mean, got none")
    return spectrum.mean.ravel() if spectrum.basis is not None else spectrum.mean @ modes


def _mode_vectors(spectrum: Spectrum, rng: np.random.Generator) -> Float[np.ndarray, "mode d"]:
    """The modes as flat vectors; a random rotation for abstract ones, so that nothing is diagonal."""
    if spectrum.basis is None:
        rotation, _ = np.linalg.qr(rng.standard_normal((spectrum.n_modes, spectrum.n_modes)))
        return rotation
    return spectrum.basis.from_modes(np.eye(spectrum.n_modes)).reshape(spectrum.n_modes, -1)


def _centred(spectrum: Spectrum, samples: Any, name: str) -> Float[np.ndarray, "n d"] | None:
    if samples is None:
        return None
    if spectrum.basis is None:
        raise InputError(f"{name} need a spectrum with a basis, made by from_samples; got an abstract spectrum")
    array = finite_array(name, samples, "a finite array of samples")
    if array.shape[1:] != spectrum.basis.shape or len(array) == 0:
        raise InputError(f"{name} must have shape (n, {str(spectrum.basis.shape)[1:-1]}), got {array.shape}")
    flat = array.reshape(len(array), -1)
    return flat if spectrum.mean is None else flat - spectrum.mean.ravel()


def _refuse_endless(
    objective: Objective,
    optimizer: Optimizer,
    levels: Levels,
    moments: PairMoments,
    times: Float[np.ndarray, " time"],
    sharing: float,
) -> None:
    """Explicit methods take about stiffness × time steps: say so before, not after a day."""
    steps = times[-1]
    if isinstance(optimizer, GradientFlow):
        stiffness = 2 * loss_weight(objective, levels) * np.linalg.norm(moments.xx, 2, axis=(1, 2))
        steps = optimizer.lr * sharing * stiffness.max() * times[-1] / DOP853_REACH
    if steps > MOST_STEPS:
        raise InputError(
            f"time must end earlier for simulate, got {times[-1]:g}: that takes about {steps:.2g} steps of brute force, "
            f"at most {MOST_STEPS:.0g} allowed (stiffness grows as lr·sigma_max²)"
        )


class Batches:
    """Clean samples for each step and level: real ones drawn with replacement, or fresh Gaussian ones."""

    def __init__(
        self,
        data: Float[np.ndarray, "n d"] | None,
        rows: Float[np.ndarray, "mode d"],
        mean: Float[np.ndarray, " d"] | None,
        rng: np.random.Generator,
    ) -> None:
        self.data = None if data is None else data.astype(np.float32)
        self.mean = np.float32(0) if mean is None else mean.astype(np.float32)
        self.rows = rows.astype(np.float32)
        self.rng = rng

    def __call__(self, shape: tuple[int, int]) -> Float[np.ndarray, "sigma batch d"]:
        if self.data is not None:
            return self.mean + self.data[self.rng.integers(0, len(self.data), shape)]
        return self.mean + self.rng.standard_normal((*shape, len(self.rows)), dtype=np.float32) @ self.rows


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
