"""Part: closed forms of the linear case against descent, and the identities that the method rests on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from eigenclock.exact.manifolds import Circle
from eigenclock.latents.bottleneck import mlp_autoencoder
from eigenclock.recipe.architectures import OneLayer
from eigenclock.recipe.optimizers import GradientFlow
from eigenclock.theory import collapse
from ..claims import Claim, exact
from ..figures import BLUE, GREEN, VERMILION, legend, level, panels
from ..study import Part, Say

LAM = np.array([1.0, 0.6, 0.3])
RATE, STARTS, NOISE = 0.2, 0.3, 0.2
"""Of the descent: its rate, the size of its start, the noise of the denoising loss."""

POWERS = {"score": -4, "eps": -2, "dae": 0}
"""Power of σ in each weighting of the score matching loss."""


@dataclass(frozen=True)
class Options:
    """`seeds` of random starts; `steps` of explicit descent; `D`: ambient dimension."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    steps: int = 20_000
    D: int = 16


PRESETS: dict[str, Options] = {
    "tiny": Options((0,), 6000, 8),
    "cpu": Options(),
    "paper": Options(tuple(range(20)), 100_000),
}


def trained_bottleneck(seed: int, options: Options, sigma: float, width: int) -> tuple[float, float]:
    """Factors G, E descended from a random start on known moments: distance from the closed form, of entries and of the risk."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((options.D, 3)))[0]
    covariance = basis * LAM @ basis.T
    total = covariance + sigma**2 * np.eye(options.D)
    e, g = STARTS * rng.standard_normal((width, options.D)), STARTS * rng.standard_normal((options.D, width))
    for _ in range(options.steps):
        error = g @ e @ total - covariance
        e, g = e - RATE * g.T @ error, g - RATE * error @ e.T
    left = g @ e - np.eye(options.D)
    risk = (np.trace(left @ covariance @ left.T) + sigma**2 * ((g @ e) ** 2).sum()) / sigma**2
    best = collapse.optimal_map(covariance, sigma, width)
    return float(np.abs(g @ e - best).max()), float(abs(risk - collapse.optimal_risk(LAM, sigma, width)))


def identity_residual(seed: int) -> float:
    """Largest difference, pointwise in float64, of s(x_t) + z/σ and (α/σ²)(G(E(x_t)) − x₀), s = (αG(E(x_t)) − x_t)/σ²."""
    rng, worst = np.random.default_rng(seed), 0.0
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = mlp_autoencoder(12, 16, 3, variational=False).double()
    for alpha, sigma in ((1.0, 0.1), (0.8, 0.6)):
        x0, z = torch.from_numpy(rng.standard_normal((64, 12))), torch.from_numpy(rng.standard_normal((64, 12)))
        noisy = alpha * x0 + sigma * z
        with torch.no_grad():
            restored = network.denoise(noisy)
        score = (alpha * restored - noisy) / sigma**2
        worst = max(worst, float((score + z / sigma - alpha / sigma**2 * (restored - x0)).abs().max()))
    return worst


def slope(power: int) -> float:
    """Slope of ln T_c in ln σ of one linear layer from the identity, when the loss is weighted by a power of σ."""
    times = [
        collapse.collapse_time(LAM, 64, s, architecture=OneLayer(init=1.0), optimizer=GradientFlow(lr=s**power))
        for s in (0.01, 0.02)
    ]
    return float(np.log(times[1] / times[0]) / np.log(2))


def claims(options: Options) -> list[Claim]:
    """Identities and closed forms, each within what rounding and finite steps leave."""
    narrow = [trained_bottleneck(seed, options, NOISE, width)[0] for width in (2, 3) for seed in options.seeds]
    wide = [trained_bottleneck(seed, options, NOISE, 5)[1] for seed in options.seeds]
    risks = {s: collapse.optimal_risk(LAM, s, 4) for s in (0.2, 0.1, 0.05, 0.01)}
    found = {name: slope(power) for name, power in POWERS.items()}
    return [
        Claim(
            f"theory: random bottlenecks descend to the closed form of the best one ({options.steps:,} steps, k = 3)",
            (
                exact("largest entry of the difference, widths 2 and 3", max(narrow), below=1e-6),
                exact("difference of the risk / σ², width 5", max(wide), below=1e-6),
            ),
            beside="directions beyond k die only as 1/(2σ²t), as theory says, so there the risk is compared",
        ),
        Claim(
            "theory: score matching is a denoising autoencoder, pointwise",
            (exact("largest difference", max(identity_residual(seed) for seed in options.seeds), below=1e-10),),
        ),
        Claim(
            "theory: the least risk / σ² tends to k as σ → 0",
            (
                exact("linear, k = 3, at σ = 0.01: distance from k", abs(risks[0.01] - 3), below=1e-3),
                exact("unit circle, at σ = 0.05: distance from k", abs(Circle(1.0).risk(0.05) - 1), below=2e-3),
            ),
            here="linear: " + ", ".join(f"σ = {s:g}: {value:.4f}" for s, value in risks.items()),
        ),
        Claim(
            "theory: weighting, not geometry, sets how the collapse clock of a linear layer depends on σ",
            tuple(
                exact(f"slope of ln T_c in ln σ, {name}", found[name], above=at - 0.1, below=at + 0.1)
                for name, at in (("score", 2), ("eps", 0), ("dae", -2))
            ),
        ),
    ]


def figure() -> Figure:
    """Risk of one linear layer along training at three noise levels; samples that geometry and density need."""
    picture, (left, right) = panels(2, width=4.4)
    time, n = np.geomspace(1e-1, 1e5, 120), np.arange(4, 200)
    for sigma, colour in ((0.05, BLUE), (0.1, GREEN), (0.2, VERMILION)):
        risk = collapse.collapse_curve(LAM, 64, sigma, time=time, architecture=OneLayer(init=0.5))
        left.plot(time, risk, color=colour, label=f"σ = {sigma:g}")
    level(left, 3, "k = 3")
    left.set(xlabel="training time (steps × rate)", ylabel="denoising risk / σ², one linear layer, D = 64")
    for k, colour in ((1, BLUE), (2, GREEN), (4, VERMILION)):
        known = n[n > k + 1]
        right.plot(known, [collapse.density_error(k, int(one)) for one in known], color=colour, label=f"k = {k}")
        right.axvline(k, color=colour, ls=":", lw=1)
    right.plot([], [], ":", color="0.4", label="n = k: the subspace is exact")
    right.set(xlabel="samples n", ylabel="E KL of the density (nats)")
    for ax in (left, right):
        ax.set(xscale="log", yscale="log")
        legend(ax)
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Check and draw."""
    notes = ("The theory here is for linear networks and Gaussian data, and is ours, not the paper's theorem.",)
    return Part(claims(options), figures={"linear": figure()}, notes=notes)
