"""What user input must satisfy: one-line errors that name the argument, the value seen and what is allowed."""

import math
import os
import sys
import warnings
from collections.abc import Sequence
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

SMALLEST, LARGEST = 1e-30, 1e30
"""Magnitudes of options: beyond them the squares, ratios and products of formulas leave float64."""

MOST = 2**53
"""Largest count: beyond it float64, in which times and shares are computed, skips whole numbers."""

SHOWN = 60
"""Characters of a value that an error shows."""


class InputError(ValueError):
    """The user gave something that cannot be used. The message is one line; the command line exits with 2."""

    def __init__(self, message: object = "") -> None:
        super().__init__(" ".join(str(message).splitlines()))  # names of files, and others' reasons, may hold several


class InputWarning(UserWarning):
    """The user gave something that is read in a way they may not mean. Said once, in one line."""


def say(message: str, *, level: int = 2) -> None:
    """Warn of an input that is read in a way the user may not mean; `level` as `warnings.warn`'s, of the caller."""
    warnings.warn(message, InputWarning, stacklevel=level + 1)


def shown(value: Any) -> str:
    """A value as an error shows it: one line, cut; arrays and tensors by what they are."""
    if hasattr(value, "shape") and getattr(value, "ndim", None):
        return f"{type(value).__name__} of shape {tuple(value.shape)}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # somebody's __repr__, or an integer of more digits than Python prints
        text = type(value).__name__
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def numeric_array(name: str, value: Any, allowed: str) -> Shaped[np.ndarray, "..."]:
    """`value` as a NumPy array of real numbers, in its own precision where NumPy has it.

    Everything that holds numbers is converted here: sequences, NumPy arrays, PyTorch tensors (of any precision and device, with
    a gradient or without), whatever has `__array__`. InputError for complex numbers, texts, dates, ragged sequences, objects,
    and arrays with masked entries, whose values are not meant.
    """
    wrong = f"{name} must be {allowed}, got {type(value).__name__} that is not numeric"
    if isinstance(value, str | bytes | dict | set):
        raise InputError(wrong)
    try:
        if hasattr(value, "detach"):
            tensor = value.detach().cpu()
            tensor = tensor.to_dense() if tensor.layout != _strided() else tensor
            array = (tensor.float() if _unknown_to_numpy(tensor) else tensor).numpy()
        else:
            array = value if isinstance(value, np.ndarray) else np.asarray(value)
    except MemoryError:
        raise
    except Exception:  # whatever an object's own __array__, __len__ or __getitem__ raises
        raise InputError(wrong) from None
    masked = _masked(value)
    if masked:
        raise InputError(f"{name} must have no masked entries, got {masked}: fill or drop them first")
    if array.dtype.kind == "O":
        array = _of_objects(array, wrong)
    if array.dtype.kind not in "fiub":
        raise InputError(wrong)
    return np.asarray(array)


def _strided() -> Any:
    import torch

    return torch.strided


def _unknown_to_numpy(tensor: Any) -> bool:
    """Whether a tensor's precision (bfloat16, float8) is one that NumPy lacks."""
    return tensor.is_floating_point() and str(tensor.dtype) not in ("torch.float16", "torch.float32", "torch.float64")


def _masked(value: Any) -> int:
    """Number of masked entries, also of arrays in a list."""
    if isinstance(value, np.ma.MaskedArray):
        return int(np.ma.getmaskarray(value).sum())
    if isinstance(value, list | tuple):
        return sum(int(np.ma.getmaskarray(one).sum()) for one in value if isinstance(one, np.ma.MaskedArray))
    return 0


def _of_objects(array: Any, wrong: str) -> Float[np.ndarray, "..."]:
    """Python's numbers of any size, which NumPy keeps as objects, as float64."""
    try:
        if all(isinstance(one, Real) and not isinstance(one, Fraction | bool) for one in array.flat):
            return array.astype(np.float64)
    except OverflowError:
        raise InputError(f"{wrong} in float64, whose largest number is 1.8e308") from None
    except Exception:
        pass
    raise InputError(wrong)


def finite_array(name: str, value: Any, allowed: str) -> Float[np.ndarray, "..."]:
    """`value` as a float64 array of finite numbers, or an InputError that says where the first bad entry is."""
    array = numeric_array(name, value, allowed)
    with np.errstate(over="ignore"):  # what overflows is not finite, which is said below
        array = array.astype(np.float64, copy=False)
    bad = ~np.isfinite(array)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"{name} must be {allowed}, got {array[index]} at index {index} ({int(bad.sum())} such entries)"
        )
    return array


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """One finite real number in the stated open or closed range, as a float; InputError for anything else."""
    _in_range(name, value, Real, "a finite number", (above, at_least, below, at_most))
    return float(value)


def integer(name: str, value: Any, *, at_least: int, at_most: int = MOST) -> int:
    """A whole number from `at_least` to `at_most`, as an int; InputError for anything else."""
    _in_range(name, value, Integral, "a whole number", (None, at_least, None, None))
    if value > at_most:
        most = f"<= {at_most:,}" if at_most <= MOST else "of fewer digits"
        raise InputError(f"{name} must be a whole number {most}, got {shown(value)}")
    return int(value)


def random_seed(value: Any, name: str = "seed") -> int:
    """A seed: a whole number >= 0 of any size."""
    return integer(name, value, at_least=0, at_most=2**4096)


def number_option(
    options: Any,
    name: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    label: str | None = None,
) -> None:
    """Check a numeric field of frozen options, and keep it as a Python float: a NumPy float16 or int would lose digits.

    Besides its own range every option has that of all: magnitudes up to 1e30, and from 1e-30 where it is a scale (`above`).
    """
    value = number(label or name, getattr(options, name), above=above, at_least=at_least, below=below, at_most=at_most)
    if abs(value) > LARGEST or (above is not None and abs(value) < SMALLEST):
        least = f" and >= {SMALLEST:g}" if above is not None else ""
        raise InputError(f"{name} must be a number of magnitude <= {LARGEST:g}{least}, got {value:g}")
    object.__setattr__(options, name, value)


def integer_option(options: Any, name: str, *, at_least: int, at_most: int = 10**9) -> None:
    """Check a whole field of frozen options, and keep it as a Python int."""
    object.__setattr__(options, name, integer(name, getattr(options, name), at_least=at_least, at_most=at_most))


def seed_option(options: Any, name: str = "seed") -> None:
    """Check the seed of frozen options, and keep it as a Python int."""
    object.__setattr__(options, name, random_seed(getattr(options, name), name))


def flag(name: str, value: Any) -> bool:
    """True or False, not something that merely counts as one of them."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def _in_range(
    name: str,
    value: Any,
    kind: type[Any],
    noun: str,
    bounds: tuple[float | None, float | None, float | None, float | None],
) -> None:
    above, at_least, below, at_most = bounds
    lower = f" > {above:g}" if above is not None else f" >= {at_least:g}" if at_least is not None else ""
    upper = f" < {below:g}" if below is not None else f" <= {at_most:g}" if at_most is not None else ""
    allowed = " and".join(part for part in (lower, upper) if part)
    inside = (
        isinstance(value, kind)
        and not isinstance(value, bool | np.bool_)
        and (isinstance(value, Integral) or math.isfinite(value))
        and (kind is Integral or abs(value) <= sys.float_info.max)  # Python compares integers of any size
        and (above is None or value > above)
        and (at_least is None or value >= at_least)
        and (below is None or value < below)
        and (at_most is None or value <= at_most)
    )
    if not inside:
        raise InputError(f"{name} must be {noun}{allowed}, got {shown(value)}")


def choice(name: str, value: Any, allowed: Sequence[Any]) -> None:
    """Raise unless `value` is one of `allowed`, plain values such as names."""
    plain = value is None or isinstance(value, str | int | float)
    if not plain or value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {shown(value)}")


def instance(name: str, value: Any, kind: type[Any] | tuple[type[Any], ...], allowed: str) -> None:
    """Raise unless `value` is of a kind; `allowed` says which, in words."""
    if not isinstance(value, kind):
        raise InputError(f"{name} must be {allowed}, got {shown(value)}")


def sequence(name: str, value: Any) -> Sequence[Any]:
    """A list, tuple or one-dimensional array, not text."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return list(value)
    if not isinstance(value, list | tuple | range):
        raise InputError(f"{name} must be a list or tuple, got {shown(value)}")
    return value


def channels_first(shape: tuple[int, ...]) -> bool:
    """Whether samples (n, a, b, c) look like (n, channels, h, w), PyTorch's layout: few along the first axis, many along c."""
    if len(shape) != 4:
        return False
    first, h, w = shape[1:]
    return first < min(h, w) and (w > 4 or (w == 4 and first in (1, 3))) and (first <= 4 or h == w)


def noise_level(name: str, value: Any) -> float:
    """One noise level, or another scale whose square is divided by: > 0, of magnitude 1e-30 to 1e30."""
    level = number(name, value, above=0)
    if not SMALLEST <= level <= LARGEST:
        raise InputError(f"{name} must be in {SMALLEST:g}..{LARGEST:g}, got {level:g}")
    return level


def noise_levels(sigma: Any) -> Float[np.ndarray, " sigma"]:
    """One axis of noise levels, all > 0."""
    levels = np.atleast_1d(finite_array("sigma", sigma, "a 1-D array of noise levels > 0"))
    if levels.ndim != 1 or levels.size == 0 or levels.min() <= 0:
        raise InputError(f"sigma must be a 1-D array of noise levels > 0, got {shown(sigma)}")
    if levels.min() < SMALLEST or levels.max() > LARGEST:
        raise InputError(
            f"sigma must be in {SMALLEST:g}..{LARGEST:g}, got noise levels {levels.min():g} to {levels.max():g}"
        )
    return levels


def training_time(time: Any) -> Float[np.ndarray, " time"]:
    """Times in optimizer steps: one axis, non-negative, strictly increasing; 0 and inf are allowed."""
    with np.errstate(over="ignore"):
        array = _times(time).astype(np.float64)
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


def _times(time: Any) -> Shaped[np.ndarray, "..."]:
    try:
        return numeric_array("time", time, "a 1-D array of optimizer steps")
    except InputError:
        if isinstance(time, np.ma.MaskedArray):
            raise
        raise InputError(f"time must be a 1-D array of optimizer steps, got {type(time).__name__}") from None


def need_memory(what: str, size: float) -> None:
    """Raise unless `size` bytes are free, before they are asked for: `what` names the option and its value."""
    free = free_memory()
    if size > free:
        raise InputError(f"{what} needs {size / 2**30:,.1f} GiB of memory, {free / 2**30:,.1f} GiB are free")


def free_memory() -> float:
    """Bytes that this process may still use: of the machine, within the limit set for the process; inf if not known."""
    limits = [float("inf")]
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            limits += [1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    except OSError:
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            limits.append(float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE"))
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            with open("/proc/self/statm", encoding="ascii") as pages:
                limits.append(limit - float(pages.read().split()[0]) * resource.getpagesize())
    except (ImportError, OSError):
        pass
    return max(min(limits), 0.0)
