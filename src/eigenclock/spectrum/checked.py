"""The fields of a spectrum, checked: arrays of their own that nobody can change."""

from typing import Any

import numpy as np

from ..checks import LARGEST, InputError, finite_array, instance, integer, number
from .bases import Basis


def checked_fields(
    variance: Any, *, mean: Any, basis: Any, test_variance: Any, n_samples: Any, null_variance: Any
) -> dict[str, Any]:
    """All of them by name; InputError for variances that are negative or not finite, or shapes that do not fit."""
    array = finite_array("variance", variance, "a non-empty 1-D array of finite numbers >= 0")
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"variance must be a non-empty 1-D array, got shape {array.shape}")
    if array.min() < 0:
        raise InputError(f"variance must be >= 0, got {array.min():g} at mode {int(array.argmin())}")
    if array.max() > LARGEST**2:
        raise InputError(f"variance must be <= {LARGEST**2:g}, got {array.max():g} at mode {int(array.argmax())}")
    if basis is not None:
        instance("basis", basis, Basis, "a basis of modes, such as Fourier or PCA")
    if n_samples is not None:
        n_samples = integer("n_samples", n_samples, at_least=1)
    if basis is not None and basis.n_modes != array.size:
        raise InputError(f"basis must have as many modes as variance, got {basis.n_modes} and {array.size}")
    centre = None if mean is None else finite_array("mean", mean, "an array of finite numbers").copy()
    shape = (array.size,) if basis is None else basis.shape
    if centre is not None and centre.shape != shape:
        raise InputError(f"mean must have shape {shape}, got {centre.shape}")
    held_out = None
    if test_variance is not None:
        held_out = finite_array("test_variance", test_variance, "an array of finite numbers >= 0").copy()
        if held_out.shape != array.shape or held_out.min() < 0:
            raise InputError(f"test_variance must be >= 0 and of shape {array.shape}, got shape {held_out.shape}")
    if null_variance is not None:
        null_variance = number("null_variance", null_variance, at_least=0, at_most=LARGEST**2)
    found = {
        "variance": array.copy(),
        "mean": centre,
        "basis": basis,
        "test_variance": held_out,
        "n_samples": n_samples,
        "null_variance": null_variance,
    }
    for value in found.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return found
