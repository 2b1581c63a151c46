"""Heun's method in every mode's own angle, where data of the assumed variances make no error (T19)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from ...checks import InputError, shown
from ...spectrum.alignment import aligned
from ...spectrum.spectrum import Spectrum
from .base import AddNoise, Clean, Gain, Product, Slope, Step, Variance
from .stepping import Stepping


@dataclass(frozen=True)
class Angular(Stepping):
    """Heun's method in θ = arctan(σ/√s), a mode's own angle, for ξ = (x − μ)/√(s + σ²): dξ = −F dθ (T19, *ours*).

    F is what a `SpectralEDM` of assumed variances s asks of its network, here of any denoiser. Where F = 0, as for Gaussian data
    of these variances, no step makes an error and the variances come out exactly; samples start from N(μ, s + σ_max²). Euler's
    and Heun's steps in σ are off by some per cent there (T6).

    **Parameters**

    - `steps`, `rho`, `sigma_min`, `sigma_max`: as for `Heun`; the last step ends at zero noise.
    - `spectrum`: modes, mean and variances s, at least sigma_min²; None takes the spectrum that the sampler is used with.

    ```python
    >>> import eigenclock as ec
    >>> perfect = ec.predict(ec.Spectrum([4.0, 0.01]), sampler=ec.Angular(steps=10), time=[float("inf")])
    >>> print(perfect.variance.values.round(6))
    [[4.   0.01]]

    ```
    """

    spectrum: Spectrum | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spectrum is not None and not isinstance(self.spectrum, Spectrum):
            raise InputError(f"spectrum must be a Spectrum or None, got {shown(self.spectrum)}")

    def bound(self, spectrum: Spectrum) -> "Angular":
        own = spectrum if self.spectrum is None else aligned(self.spectrum, spectrum, "sampler.spectrum")
        return replace(self, spectrum=own)

    def some(self, modes: Any) -> "Angular":
        known = self._known
        return replace(self, spectrum=Spectrum(np.append(known.variance, known.null_variance or 0.0)[modes]))

    @property
    def _known(self) -> Spectrum:
        if self.spectrum is None:
            raise InputError("Angular needs the spectrum of the data: Angular(spectrum=...)")
        return self.spectrum

    def _assumed(self, variance: Float[np.ndarray, " mode"]) -> Float[np.ndarray, "mode 1"]:
        return np.maximum(variance, self.sigma_min**2)[:, None]

    def variance(self, gain: Gain) -> Variance:
        s = self._assumed(self._known.variance)
        angle = np.arctan2(np.append(self.grid, 0.0), np.sqrt(s))
        turn, sigma = angle[:, 1:] - angle[:, :-1], self.grid
        slope = (gain * (s + sigma**2) - s) / (sigma * np.sqrt(s))  # F/ξ
        ahead = 1 - turn * slope
        middle = 1 - turn[:, :-1] / 2 * (slope[..., :-1] + slope[..., 1:] * ahead[..., :-1])
        with np.errstate(over="ignore"):
            return s[:, 0] * (np.prod(middle, axis=-1) * ahead[..., -1]) ** 2

    def optimal(self, variance: Float[np.ndarray, " mode"]) -> Float[np.ndarray, " mode"]:
        own = self if self.spectrum is not None else replace(self, spectrum=Spectrum(variance))
        gain = variance[:, None] / (variance[:, None] + self.grid**2)
        return own.variance(gain[None])[0]

    def steps_of(self, slope: Sequence[Slope], product: Product, identity: Any) -> Iterator[Step]:
        raise InputError("sampler must not be Angular for a network that mixes modes: Heun has steps of its own")

    @property
    def evaluations(self) -> int:
        return 2 * self.steps - 1

    def walk(self, x: Any, clean: Clean, add_noise: AddNoise) -> Any:
        known = self._known
        basis = known.basis
        if basis is None:
            raise InputError("spectrum must have a basis to sample a network, made by Spectrum.from_samples")
        s, outside = self._assumed(known.variance)[:, 0], max(known.null_variance or 0.0, self.sigma_min**2)

        def along(samples: Any) -> tuple[Any, Any]:
            """Coordinates of samples, and what is left of them."""
            coordinates = basis.to_modes(samples)
            return coordinates, samples - basis.from_modes(coordinates)

        def to_samples(parts: tuple[Any, Any], sigma: float) -> Any:
            """x of ξ, in the library of the caller's."""
            inside = basis.from_modes(parts[0] * np.sqrt(s + sigma**2)) + parts[1] * np.sqrt(outside + sigma**2)
            return _like(inside if known.mean is None else inside + known.mean, x)

        assumed: tuple[Any, Any] = (s, outside)

        def force(parts: tuple[Any, Any], sigma: float) -> tuple[Any, Any]:
            """F = (D − μ − c_skip(x − μ))/c_out."""
            found = _plain(clean(to_samples(parts, sigma), sigma), basis.shape)
            wanted = along(found if known.mean is None else found - known.mean)
            return tuple(
                (one - v / np.sqrt(v + sigma**2) * xi) * np.sqrt(v + sigma**2) / (sigma * np.sqrt(v))
                for one, xi, v in zip(wanted, parts, assumed, strict=True)
            )

        def turned(parts: tuple[Any, Any], forces: tuple[Any, Any], here: float, there: float) -> tuple[Any, Any]:
            return tuple(
                xi - f * (np.arctan2(there, np.sqrt(v)) - np.arctan2(here, np.sqrt(v)))
                for xi, f, v in zip(parts, forces, assumed, strict=True)
            )

        now = along(_plain(x, basis.shape) / self.sigma_max)
        for here, there in zip(self.grid, self.ends, strict=True):
            first = force(now, here)
            ahead = turned(now, first, here, there)
            if there > 0:
                second = force(ahead, there)
                ahead = turned(now, tuple((a + b) / 2 for a, b in zip(first, second, strict=True)), here, there)
            now = ahead
        return to_samples(now, 0.0)


def _plain(x: Any, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
    """Samples (n, *shape) as an array of NumPy's, of one of any library; images may be (n, c, h, w)."""
    values = np.asarray(x.detach().cpu().double() if hasattr(x, "detach") else x, dtype=np.float64)
    if values.shape[1:] == shape or values.ndim != 4:
        return values
    h, w, c = (*shape, 1)[:3] if len(shape) > 1 else (0, 0, 0)
    if values.shape[1:] != (c, h, w):
        raise InputError(
            f"samples must have the spectrum's shape (n, {str(shape)[1:-1].rstrip(',')}), got {values.shape}"
        )
    return np.moveaxis(values, 1, -1).reshape(len(values), *shape)


def _like(values: Float[np.ndarray, "..."], x: Any) -> Any:
    """Samples as an array like x: of its layout, library, kind and device."""
    if values.shape != tuple(x.shape):
        values = np.moveaxis(values.reshape(len(values), *x.shape[2:], x.shape[1]), -1, 1)
    return x.new_tensor(values) if hasattr(x, "new_tensor") else values.astype(x.dtype)
