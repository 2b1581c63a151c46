"""Closeness: when generated samples are near the data for good, and when they are nearest (T18)."""

from typing import Any

import numpy as np
import xarray as xr

from ..checks import InputError, finite_array
from ..clocks.settling import stays_below
from . import divergences

CLOSE = (0.5, 0.25, 0.1)
"""Default distances from the data, as shares of their root-mean-square norm."""


def relative_distance(distance: Any, total: Any) -> Any:
    """A Wasserstein-2 distance as a share of the data's root-mean-square norm √total; NaN for data that do not vary.

    `total`: variance of the data in all directions, `LearningCurve.total_variance`, or that of each.
    """
    norm = np.sqrt(np.sum(total))
    return distance / norm if norm > 0 else distance * np.nan


def closeness(distance: xr.DataArray, target: Any, reachable: Any, total: float, fractions: Any) -> xr.DataArray:
    """First time after which a distance (time,) stays at or below each fraction of the data's norm."""
    given = finite_array("fractions", fractions, "shares > 0 of the data's norm")
    if given.ndim > 1 or given.size == 0 or (given <= 0).any():
        raise InputError(f"fractions must be shares > 0 of the data's norm, got {fractions}")
    levels = np.atleast_1d(given).astype(np.float64)
    moments = stays_below(relative_distance(distance.values, total), distance["time"].values, levels)
    floor = float(relative_distance(divergences.wasserstein_of_modes(reachable, target), total))
    attrs = {"long_name": "time from which samples stay close", "units": "optimizer steps", "sampler_share": floor}
    return xr.DataArray(moments, dims="fraction", coords={"fraction": levels}, attrs=attrs)


def best_time(distance: xr.DataArray) -> float:
    """Time of the smallest value; NaN where none is finite."""
    values, time = distance.values, distance["time"].values
    known = np.isfinite(values) & np.isfinite(time)
    return float(time[known][values[known].argmin()]) if known.any() else float("nan")
