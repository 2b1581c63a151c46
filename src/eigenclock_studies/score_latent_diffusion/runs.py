"""One trained model of one arm on one data set with one seed, and everything that is measured of it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import xarray as xr

from eigenclock.checks import InputError, choice
from eigenclock.curve.divergences import sliced_wasserstein
from eigenclock.latents.first_stage import Reconstruction, Variational
from eigenclock.latents.model_config import ModelConfig
from eigenclock.latents.score_latent import AmbientDiffusion, LatentBaseline, ScoreLatentDiffusion
from eigenclock.latents.two_stage import TwoStage
from .manifolds import ManifoldData, make_data
from .metrics import clean_error, excess, jacobian_spectrum, jacobians, of_samples

ARMS = ("sild", "ae", "vae", "ambient")
COMMON = 0.1
"""Noise at which the denoising risk of all arms is compared, in data units."""

SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.4)
VALIDATION, JUDGES, POINTS = 1000, 1000, 20
"""Samples that choices are made on, that a denoising map is judged on, and that its Jacobian is taken at."""

SEED_OF_NOISE = 1234
"""Noise of every evaluation: the same for all arms."""


def need_common(sigmas: tuple[float, ...]) -> None:
    """InputError unless the noise at which arms are compared is one of those of training."""
    if COMMON not in sigmas:
        raise InputError(f"sigmas must have {COMMON:g}, the noise at which arms are compared, got {sigmas}")


@dataclass(frozen=True)
class Run:
    """Settings of a case. `steps`: of both stages; the ambient arm has those of the first. `generate`: stage 2 too."""

    arm: str = "sild"
    data: str = "wave2"
    D: int = 64
    n: int = 2000
    k: int = 2
    d: int = 3
    sigma1: float = COMMON
    beta: float = 1e-2
    width: int = 128
    steps: tuple[int, int] = (2000, 2000)
    samples: int = 3000
    batch: int = 128
    lr: float = 1e-3
    evals: int = 30
    generate: bool = True

    def __post_init__(self) -> None:
        choice("arm", self.arm, ARMS)


def small(run: Run) -> Run:
    """The same at the size of `tiny`."""
    return replace(run, D=16, n=128, width=16, steps=(20, 10), batch=32, samples=60, evals=4)


def large(run: Run) -> Run:
    """The same at the size of `paper`."""
    return replace(run, n=20_000, width=512, steps=(50_000, 50_000), batch=256)


def config_of(run: Run, seed: int) -> ModelConfig:
    """Options of the model."""
    first, second = run.steps
    return ModelConfig(
        k=run.k,
        d=run.d,
        width=run.width,
        sigma1=run.sigma1,
        stage1_steps=first,
        stage2_steps=first if run.arm == "ambient" else second if run.generate else 1,
        batch=run.batch,
        lr=run.lr,
        n_evals=run.evals,
        seed=seed,
    )


def fitted(run: Run, seed: int, train: Any, val: Any) -> TwoStage:
    """The model of an arm with a latent space."""
    config = config_of(run, seed)
    if run.arm == "sild":
        return ScoreLatentDiffusion(config).fit(train, val)
    return LatentBaseline(config, Reconstruction() if run.arm == "ae" else Variational(run.beta)).fit(train, val)


def case(run: Run, seed: int) -> xr.Dataset:
    """Train and measure: numbers as scalars, records along training as (step,)."""
    whole = make_data(run.data, run.n + VALIDATION + 2 * run.samples, seed, D=run.D, k=run.k)
    train, val = whole.x[: run.n], whole.x[run.n : run.n + VALIDATION]
    test, more = np.split(whole.x[run.n + VALIDATION :], 2)
    judges = test[:JUDGES]
    model = fitted(run, seed, train, val)
    risks = [model.denoising_risk(judges, sigma, seed=SEED_OF_NOISE) for sigma in SIGMAS]
    found: dict[str, Any] = {"rho": risks[SIGMAS.index(COMMON)], "clean": clean_error(model.denoise, judges)}
    scale, shift = model.scale_, torch.as_tensor(model.shift_, dtype=torch.float32)
    jacobian = jacobians(lambda x: model.map.denoise((x - shift) / scale) * scale + shift, test[:POINTS])
    if whole.denoise is not None and run.arm == "sild":
        exact, sigma = whole.denoise, run.sigma1
        found["clean_bayes"] = clean_error(lambda x: exact(x, sigma), judges)
        found["rho_own"] = model.denoising_risk(judges, seed=SEED_OF_NOISE)
    if run.generate:
        x = model.sample(run.samples, seed=SEED_OF_NOISE)
        found |= of_samples(x, test, whole) | {"sw2_val": validation_distance(x, val)}
        found["sw2_real"] = sliced_wasserstein(test, more)
    more_than_numbers = {"jacobian": ("singular", jacobian_spectrum(jacobian)), "risk_at": ("sigma", np.array(risks))}
    return model.history_.assign(found | more_than_numbers).assign_coords(sigma=np.array(SIGMAS))


def validation_distance(x: Any, val: Any) -> float:
    """Sliced Wasserstein distance of generated samples to the validation samples: the mean of as many sets as there are."""
    size = min(len(x), len(val))
    sets = x[: len(x) // size * size].reshape(-1, size, x.shape[1])
    return float(np.mean([sliced_wasserstein(one, val[:size]) for one in sets]))


def excess_case(run: Run, seed: int) -> xr.Dataset:
    """Train a denoiser only, latent or ambient: its excess over the Bayes denoiser at the training noise, over σ²."""
    train, others, whole = held_out(run, run.samples, seed)
    val, judges = np.split(others, [run.samples // 2])
    over, floor = excess(denoiser(run, seed, train, val), judges, run.sigma1, whole, SEED_OF_NOISE)
    return xr.Dataset({"excess": over, "bayes": floor})


def denoiser(run: Run, seed: int, train: Any, val: Any) -> Any:
    """The trained map of noisy points at the training noise."""
    if run.arm != "ambient":
        return fitted(run, seed, train, val).denoise
    model = AmbientDiffusion(config_of(run, seed)).fit(train, val)
    return lambda x: model.denoise(x, run.sigma1)


def held_out(run: Run, n: int, seed: int) -> tuple[Any, Any, ManifoldData]:
    """Training samples, n others, and the data they are of (whose last n points those are)."""
    whole = make_data(run.data, run.n + n, seed, D=run.D, k=run.k)
    return whole.x[: run.n], whole.x[run.n :], whole
