"""One layer with a bias on data whose mean is not known, F(x) = W x + b (T14; Prop. D.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from ...checks import InputError, number_option
from ...spectrum.spectrum import Spectrum
from ..objectives import Objective
from ..optimizers import Optimizer, Time
from .base import Levels
from .matrices import Denoiser, MatrixArchitecture
from .trainable import MatrixNetwork, Modes, Single


@dataclass(frozen=True)
class Affine(MatrixArchitecture):
    """F(x) = W x + b trained from W(0) = init·I, b(0) = bias·μ, on data of mean μ.

    [W b] runs to its optimum as e^{−2·lr·w·M·τ}, M the second moment of (x, 1). W learns the mean's direction as if it were
    variance until the bias takes it over: at noise levels above a mode's own size, the gain of a mode that overlaps the mean
    overshoots. The W of different noise levels do not commute, so the generated mean and covariance come from the matrix route.

    **Parameters**

    - `init`: gain of every mode at time 0, dimensionless.
    - `bias`: share of the data's mean that the bias starts with, dimensionless.

    Needs a spectrum with a mean and with all its modes. `Spectrum(variance, mean=...)` takes the mean in mode coordinates.

    ```python
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum([1.0, 0.1], mean=[0.5, 1.0])
    >>> curve = ec.predict(spectrum, architecture=ec.Affine(), time=[0.0, 3.0, float("inf")])
    >>> print(curve.generated_mean.values.round(3))  # overshoots; ends a sampler's bias short of the mean, from sigma_max = 80
    [[0.    0.   ]
     [0.497 1.031]
     [0.494 0.996]]

    ```
    """

    init: float = 0.1
    bias: float = 0.0
    learns_mean: ClassVar[bool] = True

    def __post_init__(self) -> None:
        number_option(self, "init")
        number_option(self, "bias")

    def denoisers(
        self, objective: Objective, spectrum: Spectrum, sigma: Levels, optimizer: Optimizer, time: Time
    ) -> Iterator[Denoiser]:
        mean, d = self.mean(spectrum), spectrum.n_modes
        regression, row = objective.regression(spectrum.variance, sigma), objective.row(sigma)
        size, vectors = np.linalg.eigh(_second_moment(spectrum.variance, mean, row.a, row.s))
        best = np.zeros((sigma.size, d, d + 1))
        best[:, range(d), range(d)] = regression.optimum.T
        best[:, :, d] = (row.c - row.a * regression.optimum).T * mean
        start = np.zeros((d, d + 1))
        start[range(d), range(d)], start[:, d] = self.init, self.bias * mean
        own, last = (
            best[:, range(d), range(d)] - self.init,
            best[:, :, d] - start[:, d],
        )  # best − start has nothing else
        hessian = 2 * regression.rate * size.T
        slope, diagonal = regression.gain_slope[:, None], range(d)
        for moment in time:
            progress = optimizer.progress(hessian, np.array([moment]))[0].T
            way = _symmetric(vectors, progress)
            shift = start[:, d] + own * way[:, :d, d] + last * way[:, d:, d]
            # slope·(start + own·way + last ⊗ way's last row) + offset
            linear = way[:, :d, :d] * (slope * own)[:, :, None]
            linear += (slope * last)[:, :, None] * way[:, d:, :d]
            linear[:, diagonal, diagonal] += slope * self.init + regression.gain_offset[:, None]
            yield Denoiser(linear, slope / row.a[:, None] * shift)

    def gain_by(self, optimizer: Optimizer) -> str:
        return "eigenproblem"

    def largest_curvature(self, objective: Objective, spectrum: Spectrum, sigma: Levels) -> float:
        row, regression = objective.row(sigma), objective.regression(spectrum.variance, sigma)
        moment = _second_moment(spectrum.variance, self.mean(spectrum), row.a, row.s)
        return float((2 * regression.rate * np.linalg.eigvalsh(moment)[:, -1]).max())

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        mean = np.zeros(modes.shape[1]) if spectrum.mean is None else spectrum.mean.ravel()
        mean = mean @ modes if spectrum.basis is None else mean
        return Single(np.column_stack([self.init * np.eye(modes.shape[1]), self.bias * mean]))

    def mean(self, spectrum: Spectrum) -> Float[np.ndarray, " mode"]:
        """The data's mean in mode coordinates."""
        if spectrum.mean is None:
            raise InputError(
                "Affine needs a spectrum with a mean, got none: Spectrum(variance, mean=...) or from_samples"
            )
        return spectrum.mean if spectrum.basis is None else spectrum.basis.to_modes(spectrum.mean[None])[0]


def _symmetric(
    vectors: Float[np.ndarray, "sigma n n"], values: Float[np.ndarray, "sigma n"]
) -> Float[np.ndarray, "sigma n n"]:
    """V·diag(values)·Vᵀ at every noise level; where no value is negative as a product with its own transpose, half the work."""
    if (values < 0).any():
        return (vectors * values[:, None, :]) @ vectors.swapaxes(1, 2)
    out = np.empty_like(vectors)
    for one, size, target in zip(vectors, np.sqrt(values), out, strict=True):  # of cache size: in one go it is not
        half = one * size
        np.matmul(half, half.T, out=target)
    return out


def _second_moment(
    variance: Float[np.ndarray, " mode"], mean: Float[np.ndarray, " mode"], a: np.ndarray, s: np.ndarray
) -> Float[np.ndarray, "sigma d1 d1"]:
    """E (X, 1)(X, 1)ᵀ of the network's input X = a·x₀ + s·z."""
    d = variance.size
    moment = np.empty((a.size, d + 1, d + 1))
    moment[:, :d, :d] = (a**2)[:, None, None] * (np.diag(variance) + np.outer(mean, mean))
    moment[:, range(d), range(d)] += (s**2)[:, None]
    moment[:, :d, d] = moment[:, d, :d] = a[:, None] * mean
    moment[:, d, d] = 1
    return moment
