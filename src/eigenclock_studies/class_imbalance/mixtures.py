"""Gaussian mixtures with class variances, centroids and proportions; the forward process; the reference loss of a class."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from eigenclock.checks import InputError, finite_array, number, shown


@dataclass(frozen=True)
class Mixture:
    """K isotropic Gaussian classes in d dimensions.

    **Parameters**

    - `variance`: (K,) sig_k² > 0. - `proportions`: (K,) > 0, summing to one within 1e-9. - `d`: dimension.
    - `norm2`: (K,) squared norms of the centroids. - `geometry`: "opposite" (two classes at ±u), "orthogonal", or "ones"
      (two classes at ± the vector of ones scaled to norm2). Which direction u is, a seed says.
    """

    variance: tuple[float, ...]
    proportions: tuple[float, ...]
    d: int
    norm2: tuple[float, ...] = (1.0, 1.0)
    geometry: str = "opposite"

    def __post_init__(self) -> None:
        check_classes(self.variance, self.proportions)
        if len(self.norm2) != len(self.variance):
            raise InputError(f"norm2 must have {len(self.variance)} entries, one per class, got {len(self.norm2)}")
        if self.geometry not in ("opposite", "orthogonal", "ones"):
            raise InputError(f"geometry must be opposite, orthogonal or ones, got {shown(self.geometry)}")
        if self.geometry != "orthogonal" and len(self.variance) != 2:
            raise InputError(f"geometry {self.geometry} needs 2 classes, got {len(self.variance)}")

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.variance)

    def centroids(self, rng: np.random.Generator) -> Float[np.ndarray, "K d"]:
        """(K, d) centroids."""
        size = np.sqrt(self.norm2)[:, None]
        if self.geometry == "ones":
            return np.array([[1.0], [-1.0]]) * size * np.ones(self.d) / np.sqrt(self.d)
        if self.geometry == "opposite":
            u = rng.standard_normal(self.d)
            return np.array([[1.0], [-1.0]]) * size * u / np.linalg.norm(u)
        basis, _ = np.linalg.qr(rng.standard_normal((self.d, self.classes)))
        return basis.T * size

    def counts(self, n: int) -> Int[np.ndarray, " K"]:
        """(K,) training samples of each class: n·proportion rounded, the rest to the largest; InputError below two."""
        counts = np.round(np.asarray(self.proportions) * n).astype(int)
        counts[int(np.argmax(self.proportions))] += n - counts.sum()
        if counts.min() < 2:
            raise InputError(f"every class must have at least 2 training samples, got {counts.tolist()} of n = {n}")
        return counts

    def draw(self, k: int, n: int, centroids: Any, rng: np.random.Generator) -> Float[np.ndarray, "n d"]:
        """n samples of class k."""
        return centroids[k] + np.sqrt(self.variance[k]) * rng.standard_normal((n, self.d))


def check_classes(variance: Any, proportions: Any) -> tuple[Any, Any]:
    """Class variances > 0 and as many proportions > 0 that sum to one; InputError that names the field."""
    sizes = finite_array("variance", variance, "class variances > 0")
    shares = finite_array("pi", proportions, "class proportions > 0 that sum to one")
    if sizes.ndim != 1 or sizes.size == 0 or sizes.min() <= 0:
        raise InputError(f"variance must be class variances > 0, got {shown(variance)}")
    if shares.shape != sizes.shape:
        raise InputError(f"pi must have one entry per class, {sizes.size}, got {shares.size}")
    if shares.min() <= 0 or abs(shares.sum() - 1) > 1e-9:
        raise InputError(f"pi must be > 0 and sum to one, got {shown(proportions)}")
    return sizes, shares


def signal(t: float) -> float:
    """e^{−t}: what is left of a sample at time t of the forward process."""
    number("t", t, above=0)
    return float(np.exp(-t))


def noise(t: float) -> float:
    """D_t = 1 − e^{−2t}: variance of the noise at time t."""
    number("t", t, above=0)
    return float(-np.expm1(-2 * t))


def noised_variance(variance: Any, t: float) -> Any:
    """G = e^{−2t} variance + D_t."""
    return np.exp(-2 * t) * np.asarray(variance, dtype=np.float64) + noise(t)


def class_wiener_loss(cov: Any, t: float) -> float:
    """L* = (1/d) Σ_i e^{−2t} l_i/(e^{−2t} l_i + D_t): loss of the best linear noise prediction that knows the class.

    **Parameters**

    - `cov`: (d, d) covariance of the class, or its eigenvalues (d,), or one variance of an isotropic class. - `t`: time > 0.
    """
    given = finite_array("cov", cov, "a covariance, its eigenvalues, or one variance")
    eigenvalues = np.linalg.eigvalsh(given) if given.ndim == 2 else np.atleast_1d(given)
    left = np.exp(-2 * t) * np.maximum(eigenvalues, 0)
    return float((left / (left + noise(t))).mean())
