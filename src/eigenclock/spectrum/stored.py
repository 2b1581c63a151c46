"""A spectrum as a labelled dataset, which a NetCDF file holds, and back."""

from typing import Any

import xarray as xr

from ..checks import InputError
from .bases import basis_from_dataset

FORMAT = "eigenclock spectrum 1"


def dataset_of(
    *, variance: Any, mean: Any, basis: Any, test_variance: Any, n_samples: int | None, null_variance: float | None
) -> xr.Dataset:
    """The fields of a spectrum as labelled arrays."""
    dataset = xr.Dataset() if basis is None else basis.to_dataset()
    dataset["target"] = ("mode", variance)
    if mean is not None:
        dataset["mean"] = ("coordinate", mean.ravel())
    if test_variance is not None:
        dataset["test_variance"] = ("mode", test_variance)
    if n_samples is not None:
        dataset.attrs["n_samples"] = n_samples
    if null_variance is not None:
        dataset.attrs["null_variance"] = null_variance
    return dataset


def fields_of(dataset: xr.Dataset) -> dict[str, Any]:
    """The fields of a spectrum that `dataset_of` was given; InputError for a dataset that holds none."""
    try:
        basis = basis_from_dataset(dataset)
        mean = None
        if "mean" in dataset:
            flat = dataset["mean"].values
            mean = flat if basis is None else flat.reshape(basis.shape)
        count = dataset.attrs.get("n_samples")
        return {
            "variance": dataset["target"].values,
            "mean": mean,
            "basis": basis,
            "test_variance": dataset["test_variance"].values if "test_variance" in dataset else None,
            "n_samples": None if count is None else int(count),
            "null_variance": None if (null := dataset.attrs.get("null_variance")) is None else float(null),
        }
    except Exception as error:  # whatever a dataset of another program may lack
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise InputError(f"dataset must hold a spectrum, got one that does not ({reason})") from None
