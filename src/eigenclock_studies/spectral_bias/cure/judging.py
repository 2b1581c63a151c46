"""What the cure is judged by, none of it built into any method: denoising of held-out images, and the samples themselves."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from eigenclock.checks import InputError
from eigenclock.curve.marginals import FILTERS, Marginals, filter_kurtosis
from eigenclock.files import read_netcdf, write_netcdf
from eigenclock.observables.copies import matches
from eigenclock.recipe.samplers import Heun
from eigenclock.training.devices import device_of
from eigenclock.training.probing.inputs import balanced_noise
from eigenclock.training.sampling import sample
from .features import features_of
from .pictures import SIGMA_DATA, Images, Known, Pictures

SIGMA = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 2.0, 5.0)
"""Noise levels at which denoising is judged, for data of standard deviation 0.5."""

KEPT = 16
"""Samples kept to be looked at."""


@dataclass(frozen=True)
class Judging:
    """Looks at a denoiser after some steps, and keeps what it finds in the run's folder.

    `source`: what the run is trained on; samples of a run on whitened data are carried back. `samples`: generated ones.
    """

    source: Pictures
    steps: tuple[int, ...]
    samples: int = 512
    feature_steps: int = 400
    sampler_steps: int = 40

    def __call__(self, folder: Path, step: int, denoiser: Any, samples: Any) -> None:
        file = file_of(folder, step)
        if file.exists() and read_netcdf(file, "judged").attrs.get("judging") == self.key:
            return
        known = self.source.known()
        drawn = self._drawn(known, denoiser)
        along = _modes(known, drawn)
        with np.errstate(divide="ignore", invalid="ignore"):  # of modes without variance
            log_variance = np.log(along.var(axis=0) / known.spectrum.variance)
        found = {
            "denoising": ("sigma", self._denoising(known, denoiser)),
            "marginal_distance": ("mode", _marginals(self._plain).distance(along)),
            "log_variance": ("mode", log_variance),
            "filter_kurtosis": ("filter", filter_kurtosis(drawn)),
            "frechet": ((), features_of(self._plain, self.feature_steps).distance(drawn)),
            "copies": ((), float(matches(drawn[:256], known.train, name="train").mean())),
            "images": (("image", *(f"axis_{i}" for i in range(drawn.ndim - 1))), drawn[:KEPT].astype(np.float32)),
        }
        write_netcdf(
            file,
            xr.Dataset(found, {"sigma": np.array(SIGMA), "filter": list(FILTERS)}, {"step": step, "judging": self.key}),
        )

    @property
    def key(self) -> str:
        """The settings that what was found depends on; not at which other steps it was looked."""
        return repr(replace(self, steps=()))

    @property
    def _plain(self) -> Pictures:
        return Pictures(**{**vars(self.source), "whitened": False})

    def _drawn(self, known: Known, denoiser: Any) -> Images:
        """Samples in the data's own units, from one balanced noise for all runs."""
        drawn_from = balanced_noise(known.spectrum, known.train.shape[1:], self.samples, 0, 0)
        noise = torch.as_tensor(drawn_from, dtype=torch.float32, device=device_of(denoiser))
        drawn = sample(denoiser, Heun(steps=self.sampler_steps), noise, chunk=256).cpu().double().numpy()
        return known.centre + known.rescaled(drawn, 1.0) if self.source.whitened else drawn

    def _denoising(self, known: Known, denoiser: Any) -> Float[np.ndarray, " sigma"]:
        """Squared error on held-out images by noise level, over that of the best Gaussian denoiser.

        Of a run on whitened data both are of whitened images with white noise: another task, with a yardstick of its own.
        """
        clean, variance = known.held_out - known.centre, known.spectrum.variance
        if self.source.whitened:
            clean, variance = known.rescaled(clean, -1.0), np.full(variance.shape, SIGMA_DATA**2)
            centre = np.zeros_like(known.centre)
        else:
            centre = known.centre
        rng, ratio = np.random.default_rng(0), np.empty(len(SIGMA))
        for i, sigma in enumerate(SIGMA):
            noisy = clean + sigma * rng.standard_normal(clean.shape)
            gaussian = known.modes.from_modes(known.modes.to_modes(noisy) * (variance / (variance + sigma**2)))
            ratio[i] = _error(self._denoised(denoiser, noisy + centre, sigma) - centre, clean) / _error(gaussian, clean)
        return ratio

    def _denoised(self, denoiser: Any, noisy: Images, sigma: float) -> Images:
        with torch.no_grad():
            parts = torch.split(torch.as_tensor(noisy, dtype=torch.float32, device=device_of(denoiser)), 250)
            return torch.cat([denoiser(part, torch.tensor(sigma)) for part in parts]).cpu().double().numpy()


def file_of(folder: Path, step: int) -> Path:
    """Where what was found after a step lies."""
    return folder / f"judged_{step:06d}.nc"


def judged(folder: Path, judging: Judging) -> xr.Dataset:
    """What was found of a run, (step, ...); InputError where a step was not looked at, or by other settings."""
    found = []
    for step in judging.steps:
        one = read_netcdf(file_of(folder, step), "judged") if file_of(folder, step).exists() else None
        if one is None or one.attrs.get("judging") != judging.key:
            raise InputError(
                f"the run was trained past step {step} without being judged there by these settings: take another folder"
            )
        found.append(one)
    return xr.concat(found, dim="step", combine_attrs="drop").assign_coords(step=list(judging.steps))


def control(source: Pictures, samples: int, feature_steps: int) -> dict[str, str | float]:
    """What held-out images, and Gaussian ones, score as samples: the floor, and where a covariance alone arrives."""
    plain = Pictures(**{**vars(source), "whitened": False})
    known, features = plain.known(), features_of(plain, feature_steps)
    gaussian = known.gaussian(samples, np.random.default_rng(1))
    return {
        "data": source.name,
        "frechet_held_out": features.distance(known.held_out[:samples]),
        "frechet_gaussian": features.distance(gaussian),
        "laplacian_data": float(filter_kurtosis(known.train)[2]),
        "copies_held_out": float(matches(known.held_out[:256], known.train, name="train").mean()),
    }


@lru_cache(maxsize=2)
def _marginals(source: Pictures) -> Marginals:
    known = source.known()
    return Marginals.of_samples(_modes(known, known.train), np.sqrt(known.spectrum.variance))


def _modes(known: Known, samples: Images) -> Float[np.ndarray, "n mode"]:
    return known.modes.to_modes(samples)


def _error(one: Images, other: Images) -> float:
    return float(((one - other) ** 2).sum())
