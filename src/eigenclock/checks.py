"""What user input must satisfy: one-line errors that name the argument, the value seen and what is allowed."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from jaxtyping import Float


class InputError(ValueError):
    """The user gave something that cannot be used. The message is one line; the command line exits with 2."""


def finite_array(name: str, value: Any, allowed: str) -> Float[np.ndarray, "..."]:
    """`value` as a float64 array of finite numbers, or an InputError that says where the first bad entry is."""
    try:
        if hasattr(value, "detach"):  # a PyTorch tensor, maybe with a gradient, maybe on a GPU
            value = value.detach().cpu().double().numpy()
        if np.iscomplexobj(value):
            raise TypeError
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be {allowed}, got {type(value).__name__} that is not numeric") from None
    bad = ~np.isfinite(array)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"{name} must be {allowed}, got {array[index]} at index {index} ({int(bad.sum())} such entries)"
        )
    return array


def number(
    name: str, value: Any, *, above: float | None = None, at_least: float | None = None, below: float | None = None
) -> None:
    """Raise unless `value` is one finite real number in the stated open or closed range."""
    _in_range(name, value, Real, "a finite number", above, at_least, below)


def integer(name: str, value: Any, *, at_least: int) -> None:
    """Raise unless `value` is a whole number, at least `at_least`."""
    _in_range(name, value, Integral, "a whole number", None, at_least, None)


def _in_range(
    name: str, value: Any, kind: type[Any], noun: str, above: float | None, at_least: float | None, below: float | None
) -> None:
    lower = f" > {above:g}" if above is not None else f" >= {at_least:g}" if at_least is not None else ""
    upper = f" < {below:g}" if below is not None else ""
    allowed = " and".join(part for part in (lower, upper) if part)
    inside = (
        isinstance(value, kind)
        and not isinstance(value, bool | np.bool_)
        and bool(np.isfinite(value))
        and (above is None or value > above)
        and (at_least is None or value >= at_least)
        and (below is None or value < below)
    )
    if not inside:
        raise InputError(f"{name} must be {noun}{allowed}, got {value!r}")


def choice(name: str, value: Any, allowed: Sequence[Any]) -> None:
    """Raise unless `value` is one of `allowed`."""
    if value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def noise_levels(sigma: Any) -> Float[np.ndarray, " sigma"]:
    """One axis of noise levels, all > 0."""
    levels = np.atleast_1d(finite_array("sigma", sigma, "a 1-D array of noise levels > 0"))
    if levels.ndim != 1 or levels.size == 0 or levels.min() <= 0:
        raise InputError(f"sigma must be a 1-D array of noise levels > 0, got {sigma!r}")
    return levels


def training_time(time: Any) -> Float[np.ndarray, " time"]:
    """Times in optimizer steps: one axis, non-negative, strictly increasing; 0 and inf are allowed."""
    try:
        array = np.asarray(time, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"time must be a 1-D array of optimizer steps, got {type(time).__name__}") from None
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"time must be a non-empty 1-D array of optimizer steps, got shape {array.shape}")
    if np.isnan(array).any() or array.min() < 0:
        bad = array[np.isnan(array) | (array < 0)][0]
        raise InputError(f"time must be >= 0 (0 and inf allowed), got {bad}")
    unsorted = np.flatnonzero(array[1:] <= array[:-1])
    if unsorted.size:
        i = int(unsorted[0])
        raise InputError(f"time must be strictly increasing, got {array[i]:g} before {array[i + 1]:g} at index {i}")
    return array
