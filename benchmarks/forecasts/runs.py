"""The runs behind the forecasts, and how each was trained: `python -m benchmarks.forecasts.runs` makes them again.

Eighteen runs set constants first, of other pairs of data and network than those that judge. Seventy-eight were judged in
earlier rounds, or repeat such runs, and what was seen in them changed the forecast; they count as seen. Ten were trained
for the last round, not looked at before the forecast was as it is, and judged once. Names of runs that learn slowly end in "mid"
and "slow": more is to begin after a tenth of them.

What is kept of a run is a small table: variance along the modes over time, its error, and the loss.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr

import eigenclock as ec
from eigenclock.curve.learning_curve import LearningCurve
from eigenclock.files import write_netcdf
from eigenclock.training.losses import loss
from eigenclock.training.streams import Stream, stream_seed
from eigenclock_studies.networks import Case, Recipe, Run, losses, place_of, trained
from eigenclock_studies.spectral_bias.images import Images
from examples.own_loop import Small

CURVES = Path(__file__).parent / "curves"
FASHION = Path("../shared/data/fashion_mnist.npz")
KEPT = ("variance", "log_variance_error", "generated_mean")
SAMPLES = 192
SAMPLER = ec.Heun(steps=20)


Role = Literal["constants", "seen", "judged"]
"""What a run is for: it sets constants, was judged or looked at and then learned from, or was judged once."""


@dataclass(frozen=True)
class GaussianData:
    """Gaussian samples of a spectrum divided by its mean, and that spectrum as it is in the samples."""

    kind: str
    dimension: int
    n: int = 10_000

    def load(self) -> tuple[Any, ec.Spectrum]:
        """Samples (n, d) in float32."""
        rng = np.random.default_rng(7)
        match self.kind:
            case "log-normal":
                variance = np.exp(rng.standard_normal(self.dimension))
            case "power 1":
                variance = 1 / np.arange(1, self.dimension + 1)
            case _:
                variance = np.arange(1, self.dimension + 1) ** -2.0
        scale = np.sqrt(np.sort(variance / variance.mean())[::-1])
        samples = (rng.standard_normal((self.n, self.dimension)) * scale).astype(np.float32)
        return samples, ec.Spectrum.from_samples(samples)


@dataclass(frozen=True)
class GaussianField:
    """Gaussian images whose power falls as 1/(1 + f²), f in cycles per image: only a spectrum, but one for convolutions."""

    edge: int = 16
    n: int = 10_000

    def load(self) -> tuple[Any, ec.Spectrum]:
        """Samples (n, edge, edge) in float32, and the spectrum that is in them."""
        cycles = np.fft.fftfreq(self.edge, 1 / self.edge)
        filtered = (1 + cycles[:, None] ** 2 + cycles**2) ** -0.5
        noise = np.random.default_rng(7).standard_normal((self.n, self.edge, self.edge))
        images = np.fft.ifft2(np.fft.fft2(noise) * filtered).real
        samples = (images / images.std()).astype(np.float32)
        return samples, ec.Spectrum.from_samples(samples)


@dataclass(frozen=True)
class Made:
    """A run: its case and seed, its role, and, where it has a loop of its own, which."""

    case: Case
    seed: int
    role: Role
    loop: str = ""
    objective: Any = ec.EDM(density=ec.LogNormal())  # noqa: RUF009 (a frozen dataclass)

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{self.case.name}_seed{self.seed}"


def _case(name: str, source: Any, network: Any, steps: int, lr: float, **more: Any) -> Case:
    options = {"batch_size": 256, "probes": 60, "probe_samples": SAMPLES, "gain_levels": 0, "sampler": SAMPLER} | more
    return Case(name, source, Recipe(network=network, steps=steps, optimizer=ec.Adam(lr), **options))


def _epsilon(name: str, source: Any, lr: float, seed: int, role: Role, *, skip: bool = True) -> Made:
    case = _case(name, source, ec.MLP(), 6000, lr, batch_size=128)
    return Made(case, seed, role, "epsilon" if skip else "epsilon without skip", ec.Epsilon(path="vp"))


def runs() -> list[Made]:
    """All of them, those that set constants first."""
    digits, natural, field = Images("digits"), Images("natural16", 10_000), GaussianField()
    fashion = Images(f"{FASHION}:train_x", 10_000)
    chain, unet, dit, conv = ec.MLP(512, 5), ec.UNet(16, (1, 2)), ec.DiT(2, 64, 3), ec.ConvNet(32, 2)
    small = {"batch_size": 64}
    digit_chain = _case("digits_chain", digits, chain, 3000, 3e-4)
    digit_conv = _case("digits_convnet", digits, conv, 2000, 3e-4, **small)
    normed = _case("natural16_normed", natural, ec.NormedMLP(512, 5), 3000, 3e-4)
    laws = [
        _case(f"gaussian_{kind.replace(' ', '')}", GaussianData(kind, 128), ec.MLP(256, 5), 3000, 1e-4)
        for kind in ("log-normal", "power 1", "power 2")
    ]
    digit_unet = _case("digits_unet", digits, unet, 3000, 1e-4, **small)
    digit_dit = _case("digits_dit_cosine_ema", digits, dit, 4000, 1e-3, **small)
    field_chain = _case("field_chain", field, chain, 5000, 1e-4)
    field_unet = _case("field_unet", field, unet, 2000, 3e-4, **small)
    field_dit = _case("field_dit", field, dit, 3000, 3e-4, **small)
    field_conv = _case("field_convnet_cosine_ema", field, conv, 3000, 1e-3, **small)
    fashion_chain = _case("fashion_chain", fashion, chain, 5000, 3e-4)
    natural_chain = _case("natural16_chain", natural, chain, 5000, 3e-4)
    natural_unet = _case("natural16_unet", natural, unet, 2000, 3e-4, **small)
    fashion_dit = _case("fashion_dit_cosine_ema", fashion, dit, 4000, 1e-3, **small)
    slow_fashion = _case("fashion_chain_slow", fashion, chain, 5000, 1e-4)
    slow_natural = _case("natural16_chain_slow", natural, chain, 5000, 1e-4)
    slow_unet = _case("natural16_unet_slow", natural, unet, 3000, 1e-4, **small)
    fashion_unet = _case("fashion_unet_cosine_ema", fashion, unet, 3000, 3e-4, **small)
    natural_dit = _case("natural16_dit", natural, dit, 4000, 3e-4, **small)
    mid_fashion = _case("fashion_chain_mid", fashion, chain, 5000, 2e-4)
    mid_natural = _case("natural16_chain_mid", natural, chain, 5000, 2e-4)
    mid_unet = _case("natural16_unet_mid", natural, unet, 3000, 2e-4, **small)
    plain_unet = _case("fashion_unet", fashion, unet, 3000, 2e-4, **small)
    natural_averaged = _case("natural16_dit_cosine_ema", natural, dit, 4000, 1e-3, **small)
    return [
        *(Made(case, seed, "constants") for case in (digit_chain, digit_conv, normed) for seed in (0, 1)),
        *(Made(case, 0, "constants") for case in (*laws, field_chain, field_unet, digit_unet, field_dit)),
        *(Made(case, 0, "constants", AVERAGED) for case in (digit_dit, field_conv)),
        _epsilon("digits_epsilon_skip", digits, 1e-4, 0, "constants"),
        _epsilon("field_epsilon_skip", field, 1e-4, 0, "constants"),
        _epsilon("digits_epsilon", digits, 1e-3, 0, "constants", skip=False),
        *(Made(case, seed, "seen") for case in (fashion_chain, natural_chain) for seed in (0, 1)),
        Made(natural_unet, 0, "seen"),
        Made(fashion_dit, 0, "seen", AVERAGED),
        _epsilon("natural16_epsilon_skip", natural, 1e-3, 0, "seen"),
        _epsilon("natural16_epsilon", natural, 1e-3, 0, "seen", skip=False),
        Made(slow_fashion, 2, "seen"),
        Made(slow_natural, 2, "seen"),
        Made(slow_unet, 1, "seen"),
        Made(fashion_dit, 1, "seen", AVERAGED),
        _epsilon("natural16_epsilon_skip_slow", natural, 1e-4, 1, "seen"),
        Made(fashion_unet, 0, "seen", AVERAGED),
        Made(natural_dit, 0, "seen"),
        *(Made(mid_unet, seed, "seen") for seed in (2, 3)),
        Made(mid_fashion, 3, "seen"),
        Made(mid_natural, 3, "seen"),
        Made(fashion_dit, 2, "seen", AVERAGED),
        *(_epsilon("natural16_epsilon_skip_mid", natural, 3e-4, seed, "seen") for seed in (2, 3)),
        *(Made(plain_unet, seed, "seen") for seed in (1, 2)),
        *(Made(natural_averaged, seed, "seen", AVERAGED) for seed in (1, 2)),
        *(Made(case, 5, "seen") for case in (mid_fashion, slow_fashion, mid_natural, slow_natural)),
        *(Made(case, 5, "seen") for case in (mid_unet, slow_unet)),
        *(Made(fashion_dit, seed, "seen", AVERAGED) for seed in (5, 6)),
        _epsilon("natural16_epsilon_skip_mid", natural, 3e-4, 5, "seen"),
        _epsilon("natural16_epsilon_skip_slow", natural, 1e-4, 5, "seen"),
        Made(plain_unet, 5, "seen"),
        Made(natural_averaged, 5, "seen", AVERAGED),
        *(Made(case, 11, "seen") for case in (mid_fashion, slow_fashion, mid_natural, slow_natural)),
        *(Made(case, 11, "seen") for case in (mid_unet, slow_unet)),
        *(Made(fashion_dit, seed, "seen", AVERAGED) for seed in (11, 12)),
        _epsilon("natural16_epsilon_skip_mid", natural, 3e-4, 11, "seen"),
        _epsilon("natural16_epsilon_skip_slow", natural, 1e-4, 11, "seen"),
        *(
            Made(case, seed, "seen")
            for seed in (21, 31)
            for case in (mid_fashion, slow_fashion, mid_natural, slow_natural)
        ),
        *(Made(case, seed, "seen") for seed in (21, 31) for case in (mid_unet, slow_unet)),
        *(Made(fashion_dit, seed, "seen", AVERAGED) for seed in (21, 22, 31, 32)),
        *(_epsilon("natural16_epsilon_skip_mid", natural, 3e-4, seed, "seen") for seed in (21, 31)),
        *(_epsilon("natural16_epsilon_skip_slow", natural, 1e-4, seed, "seen") for seed in (21, 31)),
        *(Made(case, 51, "seen") for case in (mid_fashion, slow_fashion, mid_natural, slow_natural)),
        *(Made(case, 51, "seen") for case in (mid_unet, slow_unet)),
        *(Made(fashion_dit, seed, "seen", AVERAGED) for seed in (51, 52)),
        _epsilon("natural16_epsilon_skip_mid", natural, 3e-4, 51, "seen"),
        _epsilon("natural16_epsilon_skip_slow", natural, 1e-4, 51, "seen"),
        *(Made(case, 61, "judged") for case in (mid_fashion, slow_fashion, mid_natural, slow_natural)),
        *(Made(case, 61, "judged") for case in (mid_unet, slow_unet)),
        *(Made(fashion_dit, seed, "judged", AVERAGED) for seed in (61, 62)),
        _epsilon("natural16_epsilon_skip_mid", natural, 3e-4, 61, "judged"),
        _epsilon("natural16_epsilon_skip_slow", natural, 1e-4, 61, "judged"),
    ]


AVERAGED = "cosine and EMA"
"""The loop whose rate falls as a cosine and whose averaged weights are watched."""

EMA = 0.995
"""Decay of the averaged weights of the run that has them, per step."""


def own_loop(made: Made) -> tuple[LearningCurve, Any, Any]:
    """Curve, steps and losses of a run in a loop of one's own, with a plain PyTorch schedule and average where it has them."""
    recipe, seed = made.case.recipe, made.seed
    samples, spectrum = made.case.source.load()
    torch.manual_seed(stream_seed(seed, Stream.INIT))
    objective, rng = made.objective, np.random.default_rng(seed)
    if made.loop.startswith("epsilon"):
        network: Any = Small(spectrum.dimension, 512, skip=made.loop == "epsilon")
    else:
        network = recipe.network.build(samples.shape[1:], spectrum=spectrum, seed=stream_seed(seed, Stream.INIT))
    optimizer = torch.optim.Adam(network.parameters(), recipe.optimizer.lr)
    averaged, schedule = None, None
    if made.loop == AVERAGED:
        averaged = torch.optim.swa_utils.AveragedModel(
            network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(EMA)
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.steps)
    watched = ec.as_denoiser(network if averaged is None else averaged.module, objective=objective)
    steps = ec.log_steps(1, recipe.steps, recipe.probes)
    probe = ec.Probe(
        spectrum, sampler=recipe.sampler, steps=steps, n_samples=SAMPLES, data=samples, sigma=(), seed=seed
    )
    data, kept = torch.as_tensor(np.ascontiguousarray(samples), dtype=torch.float32), []
    probe(0, watched)
    for step in range(1, recipe.steps + 1):
        x = data[torch.as_tensor(rng.integers(0, len(data), recipe.batch_size))]
        uniform = rng.uniform(np.log(SAMPLER.sigma_min), np.log(SAMPLER.sigma_max), len(x))
        density = objective.density
        level = uniform if density is None else density.mean + density.std * rng.standard_normal(len(x))
        sigma = torch.as_tensor(np.exp(level), dtype=torch.float32)
        value = loss(network, objective, x, sigma, torch.randn_like(x))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        if averaged is not None:
            averaged.update_parameters(network)
        if step % 10 == 0:
            kept.append((step, float(value.detach())))
        probe(step, watched)
    at, values = np.array(kept).T
    return probe.curve(), at, values


def train(made: Made, folder: Path) -> None:
    """Train a run, and keep its table."""
    if (target := CURVES / f"{made.name}.nc").exists():
        return
    torch.set_num_threads(1)
    if made.loop:
        curve, at, values = own_loop(made)
    else:
        curve = trained(folder, Run(made.case, made.seed))[""]
        at, values = losses(place_of(folder, Run(made.case, made.seed)))
    keep(curve, at, values, target)


def keep(curve: LearningCurve, at: Any, values: Any, path: Path) -> None:
    """Write what judging needs of a run, in single precision."""
    full = curve.dataset
    small = full[[name for name in (*KEPT, "target", "initial", "initial_mean", "target_mean") if name in full]]
    small = small.astype(np.float32).assign_coords(time=full["time"], logged=np.asarray(at, dtype=np.float64))
    small["training_loss"] = ("logged", np.asarray(values, dtype=np.float32))
    small.attrs = {"first_step": full.attrs["first_step"], "correlated": 0, "n_samples": SAMPLES}
    write_netcdf(path, small)


def load(name: str) -> tuple[LearningCurve, Any, Any]:
    """Curve, steps and losses of a kept run."""
    dataset = xr.load_dataset(CURVES / f"{name}.nc", engine="h5netcdf")
    at, values = dataset["logged"].values, dataset["training_loss"].values
    dataset = dataset.drop_vars(["logged", "training_loss"]).astype(np.float64)
    return LearningCurve(dataset, recipe=None, source="measurement"), at, values.astype(np.float64)


def main(which: str = "all", out: str = "runs/forecasts") -> None:
    """Train what is not kept yet: "all", "even" or "odd" ones of the list, or those with this in their name."""
    CURVES.mkdir(exist_ok=True)
    every = runs()
    chosen = {"all": every, "even": every[::2], "odd": every[1::2]}.get(which) or [m for m in every if which in m.name]
    for made in chosen:
        train(made, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
