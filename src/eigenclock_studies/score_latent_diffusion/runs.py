"""One trained model of one arm on one data set with one seed, and everything that is measured of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr

from eigenclock.checks import choice
from eigenclock.curve.divergences import sliced_wasserstein
from eigenclock.latents.first_stage import FirstStage, Reconstruction, Variational, Wasserstein
from eigenclock.latents.model_config import ModelConfig
from eigenclock.latents.score_latent import AmbientDiffusion, LatentBaseline, ScoreLatentDiffusion
from eigenclock.latents.two_stage import TwoStage
from .manifolds import ManifoldData, make_data
from .metrics import POINTS, jacobian_spectrum, jacobians, kernel_leakage, of_map, of_samples, score_dimension

ARMS = ("sild", "sild_refit", "ae", "vae", "wae", "ambient")
COMMON = 0.1
"""Noise at which the denoising risk of all arms is compared, in data units."""

SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.4)
VALIDATION, RISK_POINTS = 1000, 1000
SEED_OF_NOISE = 1234
"""Noise of every evaluation: the same for all arms."""


@dataclass(frozen=True)
class Run:
    """Settings of a case. `steps`: of both stages; `ambient` has their sum, times `longer`. `generate`: stage 2 too."""

    arm: str = "sild"
    data: str = "wave2"
    D: int = 64
    n: int = 2000
    k: int = 2
    d: int = 3
    sigma1: float | None = 0.1
    beta: float = 1e-2
    width: int = 128
    steps: tuple[int, int] = (2000, 2000)
    refit: int = 0
    longer: int = 1
    noise_range: tuple[float, float] = (0.02, 5.0)
    samples: int = 3000
    batch: int = 128
    evals: int = 20
    generate: bool = True

    def __post_init__(self) -> None:
        choice("arm", self.arm, ARMS)


def config_of(run: Run, seed: int) -> ModelConfig:
    """Options of the model."""
    first, second = run.steps
    return ModelConfig(
        k=run.k,
        d=run.d,
        width=run.width,
        sigma1=run.sigma1,
        stage1_steps=first,
        stage2_steps=(first + second) * run.longer if run.arm == "ambient" else second if run.generate else 1,
        decoder_refit_steps=run.refit if run.arm == "sild_refit" else 0,
        noise_range=run.noise_range,
        batch=run.batch,
        n_evals=run.evals,
        seed=seed,
    )


def first_stage_of(run: Run) -> FirstStage:
    """The loss of a baseline."""
    losses = {"ae": Reconstruction(), "vae": Variational(run.beta), "wae": Wasserstein(10.0)}
    return losses[run.arm]


def fitted(run: Run, seed: int, train: Any, val: Any) -> TwoStage:
    """The model of an arm with a latent space."""
    config = config_of(run, seed)
    model = ScoreLatentDiffusion(config) if run.arm.startswith("sild") else LatentBaseline(config, first_stage_of(run))
    return model.fit(train, val)


def case(run: Run, seed: int) -> xr.Dataset:
    """Train and measure: numbers as scalars, records along training as (step,)."""
    whole = make_data(run.data, run.n + VALIDATION + 2 * run.samples, seed, D=run.D)
    train, val = whole.x[: run.n], whole.x[run.n : run.n + VALIDATION]
    test, more = np.split(whole.x[run.n + VALIDATION :], 2)
    floor = sliced_wasserstein(test, more)
    u = None if whole.u is None else whole.u[run.n + VALIDATION :]
    if run.arm == "ambient":
        return _ambient(run, seed, train, val, test, whole).assign(sw2_floor=floor)
    model = fitted(run, seed, train, val)
    found: dict[str, Any] = dict(of_map(model.denoise, test[:RISK_POINTS], COMMON, whole, SEED_OF_NOISE))
    risks = [model.denoising_risk(test[:RISK_POINTS], sigma, seed=SEED_OF_NOISE) for sigma in SIGMAS]
    found |= {"rho": risks[SIGMAS.index(COMMON)], "sigma1": model.sigma1_, "sw2_floor": floor}
    scale, shift = model.scale_, torch.as_tensor(model.shift_, dtype=torch.float32)
    jacobian = jacobians(lambda x: model.map.denoise((x - shift) / scale) * scale + shift, test[:POINTS])
    if whole.tangent is not None and u is not None:
        found["kernel_leakage"] = kernel_leakage(jacobian, whole.tangent(u[:POINTS]))
    rng = np.random.default_rng(SEED_OF_NOISE)
    found["score_dimension"] = score_dimension(lambda x: model.score(x, COMMON), test[0], COMMON, rng)
    dataset = model.history_.assign(
        jacobian=("singular", jacobian_spectrum(jacobian)), risk_at=("sigma", np.array(risks))
    )
    if run.generate:
        x = model.sample(run.samples, seed=SEED_OF_NOISE)
        found |= of_samples(x, test, whole) | {"sw2_val": of_samples(x[:VALIDATION], val, whole)["sw2"]}
        density = model.density
        noise = torch.randn(run.samples, density.dimension, generator=torch.Generator().manual_seed(SEED_OF_NOISE))
        plain = density.gaussian  # probability flow of a Gaussian from standard noise: its root, exactly
        root = plain.vectors @ torch.diag(plain.values.sqrt()) @ plain.vectors.T
        z = np.tile(model.latent_mean_, (run.samples, 1))
        z[:, model.kept_dims_] += (plain.mean + noise @ root).double().numpy() * model.latent_std_[model.kept_dims_]
        found |= {f"gaussian_{key}": value for key, value in of_samples(model.decode(z), test, whole).items()}
        values = np.linalg.eigvalsh(np.atleast_2d(np.cov(model.latents(train).T)))[::-1]
        dataset = dataset.assign(latent_spectrum=("latent_dim", values))
    return dataset.assign_coords(sigma=np.array(SIGMAS)).assign({key: float(value) for key, value in found.items()})


def _ambient(run: Run, seed: int, train: Any, val: Any, test: Any, whole: ManifoldData) -> xr.Dataset:
    model = AmbientDiffusion(config_of(run, seed)).fit(train, val)
    x = model.sample(run.samples, seed=SEED_OF_NOISE)
    found: dict[str, Any] = dict(of_samples(x, test, whole))
    found["sw2_val"] = of_samples(x[:VALIDATION], val, whole)["sw2"]
    risks = [model.denoising_risk(test[:RISK_POINTS], sigma, seed=SEED_OF_NOISE) for sigma in SIGMAS]
    found["rho"] = risks[SIGMAS.index(COMMON)]
    dataset = xr.Dataset(
        {
            "density_error": ("refine_step", model.curve_.dataset["density_error"].values),
            "risk_at": ("sigma", np.array(risks)),
        },
        coords={"refine_step": model.curve_.time.values, "sigma": np.array(SIGMAS)},
    )
    return dataset.assign({key: float(value) for key, value in found.items()})
