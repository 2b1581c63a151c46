"""Part: spectrum. The equations of the feature covariance of K classes against matrices that were drawn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
import xarray as xr
from matplotlib.figure import Figure

from ..claims import Claim, mean
from ..figures import BLUE, panels
from ..study import Part, Say
from .mixtures import Mixture
from .random_features import combine, rf_moments
from .spectrum_equations import hermite_coefficients, rf_density, rf_resolvent

PSI_P, PSI_N, TIME = 16.0, 4.0, 0.1
CASES = (((1.0,), (1.0,)), ((1.5, 0.5), (0.5, 0.5)), ((1.5, 0.5), (0.1, 0.9)), ((1.5, 1.0, 0.5), (0.2, 0.3, 0.5)))
POINTS = (-0.1, -0.5, -3.0)
SMOOTHING = 5e-4
"""Height above the real axis at which the density is taken."""


@dataclass(frozen=True)
class Options:
    """`d`: dimension of the drawn matrices, p = 16 d; 0 draws none. `draws`: noises per point. `seeds`: matrices."""

    d: int
    draws: int
    seeds: int


PRESETS = {"tiny": Options(8, 16, 1), "cpu": Options(64, 160, 3), "paper": Options(400, 160, 3)}


def empirical(variance: tuple[float, ...], pi: tuple[float, ...], options: Options, seed: int) -> np.ndarray:
    """Eigenvalues of U of one draw, in falling order reversed."""
    rng = np.random.default_rng([seed, 11])
    d = options.d
    p, n = round(PSI_P * d), round(PSI_N * d)
    mixture = Mixture(variance, pi, d, (1.0,) * len(pi), "orthogonal")
    centroids, counts = mixture.centroids(rng), mixture.counts(n)
    weights = rng.standard_normal((p, d))
    parts = [
        rf_moments(mixture.draw(k, int(c), centroids, rng), weights, t=TIME, draws=options.draws, rng=rng)
        for k, c in enumerate(counts)
    ]
    return scipy.linalg.eigvalsh(combine(parts, counts / n).U)


def measure(options: Options, say: Say) -> xr.Dataset:
    """Resolvent by the equations and of drawn matrices: dims case, z, seed; eigenvalues of the second case."""
    names = [f"sig² = {v}, pi = {p}" for v, p in CASES]
    theory, residual, drawn = [], [], []
    kept = np.empty(0)
    for i, (variance, pi) in enumerate(CASES):
        q, left = rf_resolvent(POINTS, variance, pi, PSI_P, PSI_N, TIME)
        theory.append(q.real)
        residual.append(left)
        seeds = []
        for seed in range(options.seeds):
            say(f"{names[i]}, matrix {seed + 1} of {options.seeds}")
            eigenvalues = empirical(variance, pi, options, seed)
            seeds.append([(1 / (eigenvalues - z)).mean() for z in POINTS])
            if i == 1 and seed == 0:
                kept = eigenvalues
        drawn.append(np.array(seeds).T)
    return xr.Dataset(
        {
            "q": (("case", "z"), np.array(theory)),
            "residual": (("case", "z"), np.array(residual)),
            "q_drawn": (("case", "z", "seed"), np.array(drawn)),
            "eigenvalues": ("mode", kept),
        },
        coords={"case": names, "z": list(POINTS)},
    )


def figure(dataset: xr.Dataset) -> Figure:
    """Share of eigenvalues above each value: a drawn matrix, and the equations."""
    eigenvalues = np.sort(dataset["eigenvalues"].values)
    variance, pi = CASES[1]
    picture, ax = panels(width=5.8, height=3.8)
    ax.step(eigenvalues, 1 - np.arange(eigenvalues.size) / eigenvalues.size, color="0.55", lw=3, label="drawn matrix")
    grid = np.geomspace(2e-3, 20, 600)
    density = grid * rf_density(grid, variance, pi, PSI_P, PSI_N, TIME, height=SMOOTHING)
    pieces = (density[1:] + density[:-1]) / 2 * np.diff(np.log(grid))
    above = np.append(np.cumsum(pieces[::-1])[::-1], 0.0)
    ax.plot(grid, above, color=BLUE, lw=1.5, label="equations")
    ax.axhline(1 / PSI_P, color="0.7", lw=0.8, ls=":")
    ax.set(xscale="log", yscale="log", ylim=(5e-4, 1.5), xlim=(2e-3, 20))
    ax.set(xlabel="eigenvalue of the feature covariance U", ylabel="share of eigenvalues above it")
    ax.text(0.03, 0.7, "overfitting modes", fontsize=9)
    ax.text(0.25, 0.08, "population modes: 1/ψ_p of all", fontsize=9)
    ax.legend(frameon=False, loc="lower left")
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Solve, draw matrices, compare."""
    dataset = measure(options, say)
    theory, drawn = dataset["q"], dataset["q_drawn"].mean("seed")
    off: xr.DataArray = abs(dataset["q_drawn"] / theory - 1)
    gap = off.max("z")
    coefficients = {v: hermite_coefficients(v, TIME) for v in (1.5, 0.5)}
    table = pd.DataFrame(
        [
            {
                "mixture": case,
                "z": z,
                "equations": float(theory.sel(case=case, z=z)),
                "drawn matrices": float(drawn.sel(case=case, z=z)),
            }
            for case in dataset["case"].values
            for z in POINTS
        ]
    )
    one, many = gap[0].values, gap[1:].max("case").values
    found = Claim(
        f"the feature covariance of K classes follows coupled scalar equations (matrices of p = {round(PSI_P * options.d):,})",
        (mean("largest gap of the resolvent, K = 2 and 3", many, below=0.05),),
        (mean("one class, where the equations are a theorem", one, below=0.05),),
        here=f"{options.seeds} matrices each; the equations hold to {float(dataset['residual'].max()):.0e}",
        beside=f"nonlinear part v2 of the two classes {coefficients[1.5].v2:.4f} and {coefficients[0.5].v2:.4f}",
    )
    return Part([found], {"resolvent": table}, {"density": figure(dataset)}, dataset)
