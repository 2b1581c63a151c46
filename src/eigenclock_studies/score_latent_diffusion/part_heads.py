"""Part: the second stage on latents whose score is known: readings A and B against the exact score and a Gaussian."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.clocks.passage import Clock
from eigenclock.curve.divergences import sliced_wasserstein
from eigenclock.latents.density import LatentDensity, sampler_of
from eigenclock.latents.heads import RIDGE, WithGaussian
from eigenclock.latents.model_config import ModelConfig
from eigenclock.training.devices import device_of
from eigenclock.training.sampling import sample
from ..claims import below, row, verdict
from ..study import Part, Say
from .comparison import Paired, paired, values
from .grids import Grid, run_grid
from .manifolds import SPREAD, WEIGHTS

TAUS = (0.05, 0.1, 0.2, 0.5, 1.0)
WITHIN = 1.5
"""Largest sliced W₂ over that of the exact score's sampler (the specification's figure)."""

SEED_OF_NOISE = 4321


@dataclass(frozen=True)
class Latents:
    """Mixture of the specification's six modes in two dimensions, as latents; sizes and steps of the second stage."""

    n: int = 2000
    samples: int = 3000
    steps: int = 2000
    width: int = 128


@dataclass(frozen=True)
class Options:
    """`latents`: what is learned."""

    seeds: tuple[int, ...]
    latents: Latents
    workers: int | None = None


PRESETS = {
    "tiny": Options((0,), Latents(200, 100, 30, 16), workers=1),
    "cpu": Options((0, 1, 2, 3, 4), Latents(steps=8000)),
    "paper": Options((0, 1, 2, 3, 4), Latents(20_000, 10_000, 50_000, 512)),
}


class Mixture:
    """Six modes, standardised per coordinate: samples, and the exact denoiser."""

    def __init__(self) -> None:
        angle = np.arange(6) * np.pi / 3
        centres = 1.2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        mean = WEIGHTS @ centres
        std = np.sqrt(WEIGHTS @ (centres - mean) ** 2 + SPREAD**2)
        self.centres, self.variance = (centres - mean) / std, (SPREAD / std) ** 2

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Samples (n, 2)."""
        chosen = rng.choice(6, n, p=WEIGHTS)
        return np.asarray(self.centres[chosen] + np.sqrt(self.variance) * rng.standard_normal((n, 2)))

    def denoise(self, x: np.ndarray, tau: float) -> np.ndarray:
        """E[x₀ | x]: the modes' own posterior means, weighted by their posterior."""
        total = self.variance + tau**2
        apart = x[:, None] - self.centres
        log = -(apart**2 / total).sum(axis=2) / 2 + np.log(WEIGHTS)
        weight = np.exp(log - log.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        means = self.centres + apart * self.variance / total
        return np.asarray((weight[..., None] * means).sum(axis=1))

    def mode_divergence(self, x: np.ndarray) -> float:
        """KL of the frequencies of nearest modes from the true weights."""
        mode = ((x[:, None] - self.centres) ** 2 / self.variance).sum(axis=2).argmin(axis=1)
        share = np.bincount(mode, minlength=6) / len(x) + 1e-6
        return float((share * np.log(share / WEIGHTS)).sum())


def case(latents: Latents, seed: int) -> xr.Dataset:
    """Both readings, the Gaussian and the exact score on the same latents and the same noise."""
    mixture, rng = Mixture(), np.random.default_rng([seed, 5])
    train, test, more = (mixture.draw(n, rng) for n in (latents.n, latents.samples, latents.samples))
    config = ModelConfig(k=1, width=latents.width, stage2_steps=latents.steps, n_evals=24, seed=seed)
    a = LatentDensity(config, 2).fit(train, test)
    b = LatentDensity(replace(config, stage2="B"), 2).fit(train, test)
    noise = torch.randn(latents.samples, 2, generator=torch.Generator().manual_seed(SEED_OF_NOISE))
    root = a.gaussian.vectors @ torch.diag(a.gaussian.values.sqrt()) @ a.gaussian.vectors.T

    def exact(x: torch.Tensor, tau: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(mixture.denoise(x.double().numpy(), float(tau)), dtype=x.dtype)

    wide = float(np.sqrt(1 + 1 / 20.0**2))
    drawn = {
        "A": a.push(noise),
        "B": b.push(noise),
        "exact": sample(exact, sampler_of(a.config), noise * wide),
        "gaussian": a.gaussian.mean + noise @ root,
    }
    found = {"sw2_floor": sliced_wasserstein(test, more)}
    for name, z in drawn.items():
        x = z.double().numpy()
        found[f"sw2_{name}"] = sliced_wasserstein(x, test)
        found[f"mode_kl_{name}"] = mixture.mode_divergence(x)
    errors = np.array(
        [[_score_error(head, mixture, test, tau, seed) for tau in TAUS] for head in (a.denoiser, b.denoiser)]
    )
    ridge = b.ridge
    assert ridge is not None
    level = ridge.nearest(0.5)
    flow = level.flow
    assert flow is not None
    moment = flow.vectors @ np.diag(flow.values) @ flow.vectors.T
    x = test + level.tau * rng.standard_normal(test.shape)
    features, truth = level.features(x), (mixture.denoise(x, level.tau) - x) / level.tau**2

    def error(weights: np.ndarray) -> float:
        score = -x / (1 + level.tau**2) + features @ weights / level.tau
        return float(((score - truth) ** 2).sum() / (truth**2).sum())

    lr, weights, step = 0.5 / (flow.values.max() + RIDGE), np.zeros_like(flow.target), 0
    stops = np.unique(np.round(np.geomspace(1, 20 * latents.steps, 80)).astype(int))
    explicit, closed, flowed = [], [], []
    for stop in stops:
        for _ in range(stop - step):
            weights = weights - lr * (moment @ weights + RIDGE * weights - flow.target)
        step = int(stop)
        explicit.append(error(weights))
        closed.append(error(flow.descended(step, lr)))
        flowed.append(error(flow.weights(step * lr)))
    floor, refine = error(flow.weights(np.inf)), {}
    target = floor + 0.1 * (error(np.zeros_like(flow.target)) - floor)
    for name, curve in (("explicit", explicit), ("closed", closed), ("flow", flowed)):
        refine[name] = float(Clock("error", target, "falling").of(stops * lr, np.array(curve)).time[0])
    return xr.Dataset(
        {
            "score_error": (("reading", "tau"), errors),
            "density_error": ("step", a.curve.dataset["density_error"].values),
            "refine_explicit": refine["explicit"],
            "refine_closed": refine["closed"],
            "refine_flow": refine["flow"],
            **found,
        },
        coords={"reading": ["A", "B"], "tau": np.array(TAUS), "step": a.curve.time.values},
    )


def _score_error(denoiser: WithGaussian, mixture: Mixture, test: np.ndarray, tau: float, seed: int) -> float:
    """E|s − s*|²/E|s*|² at one noise level; of reading B at the level nearest to it."""
    if hasattr(denoiser.denoiser, "nearest"):
        tau = denoiser.denoiser.nearest(tau).tau
    x = test + tau * np.random.default_rng([seed, 9]).standard_normal(test.shape)
    with torch.no_grad():
        noisy = torch.as_tensor(x, dtype=torch.float32, device=device_of(denoiser))
        found = denoiser(noisy, torch.tensor(tau)).cpu().double().numpy()
    exact = mixture.denoise(x, tau)
    return float(((found - exact) ** 2).sum() / ((exact - x) ** 2).sum())


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    grid = run_grid({"latents": options.latents}, options.seeds, folder, say, options.workers, of=case, under="heads")
    runs, enough = grid["latents"], len(options.seeds) >= 5
    rows = []
    for reading in ("A", "B"):
        over = paired(values(runs, f"sw2_{reading}"), values(runs, "sw2_exact"))
        gaussian = paired(values(runs, f"sw2_{reading}"), values(runs, "sw2_gaussian"))
        plain = paired(values(runs, "sw2_gaussian"), values(runs, "sw2_exact"))
        rows.append(
            row(
                f"C2: the second stage learns the density (reading {reading})",
                f"sliced W₂ {np.median(values(runs, f'sw2_{reading}')):.3f}, "
                f"exact score {np.median(values(runs, 'sw2_exact')):.3f}; "
                f"KL of modes {np.median(values(runs, f'mode_kl_{reading}')):.4f}",
                f"over the exact score's sampler {over}, allowed {WITHIN:g}",
                f"the Gaussian alone must fail: over the exact score {plain}; the reading over it {gaussian}; "
                f"two draws of the truth are {np.median(values(runs, 'sw2_floor')):.3f} apart",
                verdict(
                    _within(over),
                    below(gaussian.ratio, 0),
                    control=bool(np.exp(plain.ratio.low) > WITHIN),  # the Gaussian must fail the bound
                    enough=enough,
                ),
            )
        )
    ratio = values(runs, "refine_explicit") / values(runs, "refine_closed")
    flow = values(runs, "refine_flow") / values(runs, "refine_closed")
    rows.append(
        row(
            "check: the refine clock of reading B has a closed form",
            f"explicit descent over its closed form: largest |ratio − 1| {np.abs(ratio - 1).max():.1e}",
            f"{len(runs)} seeds",
            f"gradient flow instead of descent at half the largest stable rate: {', '.join(f'{one:.3f}' for one in flow)}",
            "passed (an identity)" if (np.abs(ratio - 1) < 1e-6).all() else "FAILED",
            paper="ours",
        )
    )
    errors = np.median([one["score_error"].values for one in runs], axis=0)
    table = pd.DataFrame({"tau": TAUS, "relative score error, A": errors[0], "relative score error, B": errors[1]})
    return Part(rows, {"scores": table}, {"refine": _figure(grid)}, xr.concat(runs, dim="seed"), (), ("scores",))


def _within(over: Paired) -> bool | None:
    """Whether a ratio is within what is allowed, with its whole interval; None where that straddles the bound."""
    bound = np.log(WITHIN)
    return True if over.ratio.high <= bound else False if over.ratio.low > bound else None


def _figure(grid: Grid) -> Figure:
    picture = Figure(figsize=(9.5, 3.6), layout="constrained")
    left, right = picture.subplots(1, 2)
    for i, one in enumerate(grid["latents"]):
        left.plot(
            one["step"] + 1,
            one["density_error"],
            color="#009E73",
            lw=1,
            alpha=0.7,
            label="reading A" if i == 0 else None,
        )
        for name, colour in (("exact", "0.3"), ("gaussian", "#D55E00"), ("B", "#0072B2")):
            words = {"exact": "exact score", "gaussian": "Gaussian head", "B": "reading B (closed form)"}[name]
            left.axhline(
                float(one[f"sw2_{name}"]), color=colour, lw=0.7, ls="--", alpha=0.7, label=words if i == 0 else None
            )
    left.set(xscale="log", yscale="log", xlabel="training step + 1", ylabel="sliced W₂ of generated latents")
    left.legend(frameon=False, fontsize=8)
    errors = np.median([one["score_error"].values for one in grid["latents"]], axis=0)
    for row_, name, colour in zip(errors, ("reading A", "reading B"), ("#009E73", "#0072B2"), strict=True):
        right.plot(TAUS, row_, "o-", color=colour, ms=4, label=name)
    right.set(
        xscale="log", yscale="log", xlabel="noise level τ (latent standard deviations)", ylabel="relative score error"
    )
    right.set_xticks(TAUS, [f"{tau:g}" for tau in TAUS])
    right.minorticks_off()
    right.legend(frameon=False, fontsize=8)
    return picture
