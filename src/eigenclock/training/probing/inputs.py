"""What a probe feeds a denoiser: balanced noise to draw samples from, clean samples behind gain and losses."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ...checks import InputError, finite_array, instance, numeric_array, shown
from ...curve.marginals import FILTERS, Marginals, filter_kurtosis
from ...recipe.objectives import Objective
from ...recipe.samplers import Sampler
from ...spectrum.spectrum import Spectrum, check_spectrum
from ..streams import Stream
from .records import said_of_fit

REFERENCE = 4096
"""Clean samples, at most, whose marginals those of generated samples are held against."""

Coordinates = Float[np.ndarray, "n mode"]


def to_modes(spectrum: Spectrum, samples: Any) -> Coordinates:
    """Mode coordinates about zero; of abstract modes the samples are the coordinates."""
    return samples if spectrum.basis is None else spectrum.basis.to_modes(samples)


def from_modes(spectrum: Spectrum, coordinates: Coordinates) -> Any:
    """Samples of these mode coordinates about zero."""
    return coordinates if spectrum.basis is None else spectrum.basis.from_modes(coordinates)


def mean_in_modes(spectrum: Spectrum) -> Float[np.ndarray, " mode"]:
    """The data's mean along the modes."""
    return np.zeros(spectrum.n_modes) if spectrum.mean is None else to_modes(spectrum, spectrum.mean[None])[0]


def balanced_noise(spectrum: Spectrum, shape: tuple[int, ...], n: int, seed: int, index: int) -> Any:
    """Standard noise (n, *shape) of mean 0 and variance 1 along every mode, exactly; `index` of several streams of a seed."""
    rng = np.random.default_rng([seed, int(Stream.PROBE), index])
    plain = rng.standard_normal((n, *shape))
    along = to_modes(spectrum, plain)
    balanced = (along - along.mean(axis=0)) / along.std(axis=0)
    return plain + from_modes(spectrum, balanced - along)


def checked_data(name: str, spectrum: Spectrum, shape: tuple[int, ...], data: Any, seed: int) -> Any:
    """Up to `REFERENCE` of the user's clean samples (n, *shape), drawn with the seed; warns of data of another spectrum."""
    samples = numeric_array(name, data, "an array of samples (n, ...)")
    if samples.shape[1:] != shape:
        raise InputError(f"{name} must hold samples of shape {shape}, got {samples.shape[1:]}")
    if len(samples) < 2:
        raise InputError(f"{name} must hold at least 2 samples, got {len(samples)}")
    chosen = finite_array(name, samples[chosen_rows(len(samples), seed)], "finite")
    said_of_fit(name, to_modes(spectrum, chosen), mean_in_modes(spectrum), spectrum.variance)
    return chosen


def checked_told(objective: Any, schedule: Any, decode: Any) -> tuple[Objective | None, Any, Any]:
    """What a probe is told of the training besides its data; InputError for what is of the wrong kind."""
    if objective is not None:
        instance("objective", objective, Objective, "an objective of the theory, such as EDM()")
    if decode is not None and not callable(decode):
        raise InputError(f"decode must be a function of samples (n, ...), got {shown(decode)}")
    return objective, schedule, decode


def chosen_rows(n: int, seed: int) -> Int[np.ndarray, " row"]:
    """Which of `n` samples are looked at, and in which order."""
    return np.random.default_rng([seed, int(Stream.DATA)]).permutation(n)[:REFERENCE]


def gaussian_data(spectrum: Spectrum, n: int, seed: int) -> Any:
    """`n` Gaussian samples (n, *shape) of the spectrum, where there are no data."""
    scale = np.sqrt(spectrum.variance)
    rng = np.random.default_rng([seed, int(Stream.DATA)])
    clean = from_modes(spectrum, rng.standard_normal((n, scale.size)) * scale)
    return clean if spectrum.mean is None else clean + spectrum.mean


def marginals_of(spectrum: Spectrum, data: Any) -> Marginals:
    """Marginals along the modes of checked data, or of Gaussian data of the spectrum where there are none."""
    scale = np.sqrt(spectrum.variance)
    if data is None:
        return Marginals.gaussian(mean_in_modes(spectrum), scale)
    return Marginals.of_samples(to_modes(spectrum, data), scale)


def facts_of(marginals: Marginals, shape: tuple[int, ...], data: Any, n: int, seed: int) -> dict[str, Any]:
    """What the data's marginals and filters are, and what `n` samples leave; Gaussian where there are no data."""
    facts = {"data_kurtosis": marginals.kurtosis, "marginal_floor": marginals.floor(n, seed=seed)}
    if len(shape) > 1:
        facts["data_filter_kurtosis"] = np.zeros(len(FILTERS)) if data is None else filter_kurtosis(data)
    return facts


def others(also: Any, shape: tuple[int, ...], spectrum: Spectrum) -> dict[str, Spectrum | Sampler]:
    """Spectra and samplers by name that a probe of a spectrum follows besides its own; InputError for any that it cannot."""
    if also is not None and not isinstance(also, Mapping):
        raise InputError(f"also must be spectra and samplers by name, got {shown(also)}")
    for name, other in (also or {}).items():
        if isinstance(other, Sampler):
            other.check_walk()
            continue
        check_spectrum(other)
        if other.basis is None or len(other.basis.shape) != len(shape):
            raise InputError(f"also[{name!r}] must have a basis of samples or patches like {shape}")
    return {name: one.bound(spectrum) if isinstance(one, Sampler) else one for name, one in (also or {}).items()}
