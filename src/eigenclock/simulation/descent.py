"""Training of matrix networks at many noise levels by explicit steps, on full moments or on minibatches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy
from jaxtyping import Float

from ..checks import InputError
from ..recipe.architectures.trainable import MatrixNetwork
from ..recipe.objectives import Objective
from ..recipe.optimizers import GradientFlow, HeavyBall, Optimizer, whole_steps
from .pairs import training_pair

Matrices: TypeAlias = Float[np.ndarray, "sigma d e"]
Parameters: TypeAlias = Float[np.ndarray, "..."]
Levels: TypeAlias = Float[np.ndarray, " sigma"]
Times: TypeAlias = Float[np.ndarray, " time"]
States: TypeAlias = Iterator[Parameters]
Slope: TypeAlias = Callable[[Parameters], Parameters]
Gradient: TypeAlias = Callable[[Matrices], Matrices]
Progress: TypeAlias = Callable[[int, int], None]

FLOW_TOLERANCE = 1e-11
"""Relative tolerance of the ODE solver that integrates gradient flow."""


@dataclass(frozen=True, eq=False)
class PairMoments:
    """Second moments of network inputs X and targets Y at every noise level: all that full-batch training sees.

    With a mean the input is (X, 1), so that weights of shape (d, d+1) have a bias.
    """

    xx: Float[np.ndarray, "sigma e e"]
    yx: Float[np.ndarray, "sigma d e"]
    yy: Float[np.ndarray, "sigma d d"]

    @classmethod
    def of(
        cls,
        objective: Objective,
        clean: Float[np.ndarray, "n d"],
        levels: Levels,
        mean: Float[np.ndarray, " d"] | None = None,
    ) -> "PairMoments":
        """Sums over rows of `clean` (scaled so that their sum of outer products is the covariance) and over unit noises."""
        (n, d), sigma = clean.shape, levels[:, None, None]
        samples, noises = np.broadcast_to(clean, (levels.size, n, d)), np.broadcast_to(np.eye(d), (levels.size, d, d))
        signal = training_pair(objective, samples, np.zeros_like(samples), sigma)
        noise = training_pair(objective, np.zeros_like(noises), noises, sigma)

        def moment(left: int, right: int) -> Float[np.ndarray, "sigma d d"]:
            return signal[left].swapaxes(1, 2) @ signal[right] + noise[left].swapaxes(1, 2) @ noise[right]

        xx, yx, yy = moment(0, 0), moment(1, 0), moment(1, 1)
        if mean is None:
            return cls(xx=xx, yx=yx, yy=yy)
        middle = np.broadcast_to(mean, (levels.size, 1, d))
        x, y = training_pair(objective, middle, np.zeros_like(middle), sigma)
        one = np.ones((levels.size, 1, 1))
        wide = np.concatenate([x, one], axis=2)
        xx = np.pad(xx, ((0, 0), (0, 1), (0, 1))) + wide.swapaxes(1, 2) @ wide
        yx = np.pad(yx, ((0, 0), (0, 0), (0, 1))) + y.swapaxes(1, 2) @ wide
        return cls(xx=xx, yx=yx, yy=yy + y.swapaxes(1, 2) @ y)

    def gradient(self, weights: Matrices) -> Matrices:
        """Gradient of E|W X − Y|²."""
        return 2 * (weights @ self.xx - self.yx)

    def residual(self, weights: Matrices) -> Float[np.ndarray, "sigma d d"]:
        """E (W X − Y)(W X − Y)ᵀ."""
        cross = self.yx @ weights.swapaxes(1, 2)
        return weights @ self.xx @ weights.swapaxes(1, 2) - cross - cross.swapaxes(1, 2) + self.yy


def minibatch_gradient(
    objective: Objective,
    draw_clean: Callable[[tuple[int, int]], Float[np.ndarray, "sigma batch d"]],
    levels: Levels,
    batch_size: int,
    noise: np.random.Generator,
    bias: bool = False,
) -> Gradient:
    """A function W -> gradient of the mean of |W X − Y|² over a fresh batch and fresh noise at each level."""
    sigma = levels.astype(np.float32)[:, None, None]

    def gradient(weights: Matrices) -> Matrices:
        clean = draw_clean((levels.size, batch_size))
        x, y = training_pair(objective, clean, noise.standard_normal(clean.shape, dtype=np.float32), sigma)
        if bias:
            x = np.concatenate([x, np.ones_like(x[..., :1])], axis=2)
        error = x @ weights.swapaxes(1, 2) - y
        return error.swapaxes(1, 2) @ x * np.float32(2 / batch_size)

    return gradient


def trained_weights(
    network: MatrixNetwork,
    gradient: Gradient,
    importance: Levels,
    optimizer: Optimizer,
    start: Parameters,
    time: Float[np.ndarray, " time"],
    progress: Progress | None = None,
) -> Iterator[Matrices]:
    """W of every level at each training time, in order; `importance` multiplies the loss of every level."""
    scale = importance.astype(start.dtype)[:, None, None]

    def slope(parameters: Parameters) -> Parameters:
        return network.pull_back(parameters, scale * gradient(network.weights(parameters)))

    steps = _flow_states if isinstance(optimizer, GradientFlow) else _step_states
    for i, parameters in enumerate(steps(slope, optimizer, start, time, progress)):
        if not np.isfinite(parameters).all():
            raise InputError(
                f"lr must be smaller, got {optimizer.lr:g}: the simulated weights overflow by step {time[i]:g}"
            )
        yield network.weights(parameters)


def _step_states(
    slope: Slope, optimizer: Optimizer, start: Parameters, time: Times, progress: Progress | None
) -> States:
    """Plain or heavy-ball descent in whole steps."""
    lr = start.dtype.type(optimizer.lr)
    momentum = start.dtype.type(optimizer.momentum if isinstance(optimizer, HeavyBall) else 0)
    parameters, velocity, done = start.copy(), np.zeros_like(start), 0
    wanted = whole_steps(time).astype(int)
    with np.errstate(over="ignore", invalid="ignore"):
        for target in wanted:
            while done < target:
                velocity = momentum * velocity - lr * slope(parameters)
                parameters = parameters + velocity
                done += 1
                if progress is not None:
                    progress(done, int(wanted[-1]))
            yield parameters


def _flow_states(
    slope: Slope, optimizer: Optimizer, start: Parameters, time: Times, progress: Progress | None
) -> States:
    """Gradient flow by an adaptive eighth-order Runge–Kutta method, from one recorded time to the next."""
    parameters, now = start.copy(), 0.0
    for i, target in enumerate(time):
        if target > now:
            solution = scipy.integrate.solve_ivp(
                lambda _, flat: -optimizer.lr * slope(flat.reshape(start.shape)).ravel(),
                (now, target),
                parameters.ravel(),
                method="DOP853",
                t_eval=[target],
                rtol=FLOW_TOLERANCE,
                atol=1e-13,
            )
            parameters, now = solution.y[:, -1].reshape(start.shape), target
        if progress is not None:
            progress(i + 1, time.size)
        yield parameters
