"""What the dataset of a learning curve holds: variables, dims, labels and units."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from ..checks import InputError, instance, number, training_time

LABELS: dict[Hashable, dict[str, str]] = {
    "time": {"long_name": "training time", "units": "optimizer steps"},
    "mode": {"long_name": "mode"},
    "sigma": {"long_name": "noise level", "units": "data units"},
    "variance": {"long_name": "generated variance", "units": "data units²"},
    "initial": {"long_name": "generated variance before training", "units": "data units²"},
    "target": {"long_name": "data variance", "units": "data units²"},
    "reachable": {
        "long_name": "variance that the sampler makes of the optimal denoiser",
        "units": "data units²",
    },
    "null_variance": {
        "long_name": "generated variance of directions in which the data do not vary",
        "units": "data units²",
    },
    "test_variance": {"long_name": "held-out data variance", "units": "data units²"},
    "gain": {"long_name": "denoiser gain", "units": "1"},
    "loss": {"long_name": "training loss per mode", "units": "squared units of the regression target"},
    "train_loss": {"long_name": "denoising error of training samples per mode", "units": "data units²"},
    "test_loss": {
        "long_name": "held-out loss per mode",
        "units": "squared units of the regression target; a probe's: data units²",
    },
    "train_null_loss": {
        "long_name": "denoising error of training samples per direction in which the data do not vary",
        "units": "data units²",
    },
    "test_null_loss": {
        "long_name": "denoising error of held-out samples per direction in which the training data do not vary",
        "units": "data units²",
    },
    "alignment": {"long_name": "alignment with the data's modes", "units": "1"},
    "covariance": {"long_name": "generated covariance in mode coordinates", "units": "data units²"},
    "generated_mean": {"long_name": "generated mean along each mode", "units": "data units"},
    "target_mean": {"long_name": "data mean along each mode", "units": "data units"},
    "log_variance_error": {"long_name": "standard error of ln generated variance", "units": "1"},
    "filter": {"long_name": "local filter of images"},
    "kurtosis": {"long_name": "excess kurtosis along each mode", "units": "1"},
    "data_kurtosis": {"long_name": "excess kurtosis of the data along each mode", "units": "1"},
    "filter_kurtosis": {"long_name": "excess kurtosis of local filters", "units": "1"},
    "data_filter_kurtosis": {"long_name": "excess kurtosis of local filters of the data", "units": "1"},
    "marginal_distance": {
        "long_name": "Wasserstein-1 distance of each mode's marginal from the data's",
        "units": "standard deviations of the data",
    },
    "marginal_floor": {
        "long_name": "distance of each mode's marginal that sampling alone would leave",
        "units": "standard deviations of the data",
    },
    "kl": {"long_name": "KL(generated ‖ data)", "units": "nats"},
    "wasserstein": {"long_name": "Wasserstein-2 distance", "units": "data units"},
    "gain_r2": {"long_name": "share of the denoised variance that a linear gain explains", "units": "1"},
    "noise": {"long_name": "noise from which the kept samples were generated, in mode coordinates", "units": "1"},
    "particles": {"long_name": "generated samples in mode coordinates", "units": "data units"},
}

NEEDED = {"time": ("time",), "variance": ("time", "mode"), "initial": ("mode",), "target": ("mode",)}
"""What every learning curve has, and its dims."""


def check_dataset(dataset: Any) -> None:
    """Raise unless a dataset is one of a learning curve, its times in order."""
    instance("dataset", dataset, xr.Dataset, "an xarray Dataset")
    variables = dataset.variables  # without the labelled arrays that dataset[name] makes: every prediction passes here
    for name, dims in NEEDED.items():
        found = variables.get(name)
        if found is None or found.dims != dims:
            raise InputError(
                f"dataset must have {name} with dims {dims}, got {'none' if found is None else found.dims}"
            )
        if found.dtype.kind not in "fiu":
            raise InputError(f"{name} must be numbers, got {found.dtype}")
    training_time(variables["time"].values)


def one_time(value: Any) -> float:
    """One training time >= 0; inf is allowed."""
    return value if isinstance(value, float) and value == np.inf else number("time", value, at_least=0)
