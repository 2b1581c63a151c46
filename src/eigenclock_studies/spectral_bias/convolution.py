"""Convolutional networks on the same images: is the law gone, and are they one linear convolution?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from eigenclock.files import atomic
from eigenclock.spectrum.patches import patch_spectrum
from eigenclock.training.network_options import ConvNet, Network, UNet
from ..networks import Recipe, trained
from ..study import Part, Say
from .images import image_data
from .laws import DIRECTIONS, interval, law_rows, law_verdict, over_seeds, rank_correlation

FIT_LEVELS = (0.05, 0.2, 0.5, 1.0, 3.0, 10.0)
"""Noise levels at which the network is set against one linear convolution."""

FLAT, LINEAR = 0.2, 0.9
"""Exponents smaller than this are flat; a share explained above this is one linear convolution."""

FIT_IMAGES = 64


@dataclass(frozen=True)
class Options:
    """Networks by name, their training, the patches followed and the kernels fitted."""

    networks: tuple[tuple[str, Network], ...]
    seeds: tuple[int, ...]
    steps: int
    batch_size: int
    data: str = "natural16"
    samples: int | None = None
    patches: tuple[tuple[int, int], ...] = ((3, 1), (4, 4), (8, 8))
    kernels: tuple[int, ...] = (1, 3, 5, 7, 11, 15)
    fit_steps: tuple[int, ...] = (10, 100, 1000)
    probes: int = 24
    probe_samples: int = 96


PRESETS = {
    "tiny": Options((("ConvNet", ConvNet(8, 1)),), (0,), 40, 16, "digits", 300, ((3, 1),), (1, 3), (10,), 8, 24),
    "cpu": Options((("UNet", UNet(16, (1, 2), 1)), ("ConvNet", ConvNet(16, 3))), (0, 1), 1000, 128),
    "paper": Options(
        (("UNet", UNet(64, (1, 2, 2), 2, (8,))), ("ConvNet", ConvNet(64, 8))),
        (0, 1, 2), 50_000, 256, "natural32-colour", None, ((3, 1), (8, 8), (16, 16)), fit_steps=(10, 100, 1000, 10_000),
        probes=60, probe_samples=512,
    ),
}  # fmt: skip


def run(options: Options, folder: Path, say: Say, mlp: pd.DataFrame) -> Part:
    """Train every network under image modes and patch modes, and fit one linear convolution along the way.

    `mlp`: laws of the MLP on the same images, the control; no rows where none was trained.
    """
    samples, spectrum = image_data(options.data, options.samples)
    also = {f"patch {p} stride {s}": patch_spectrum(samples, size=p, stride=s) for p, s in options.patches}
    laws, correlations, fits = [], [], []
    for label, network in options.networks:
        recipe = Recipe(
            network=network,
            steps=options.steps,
            batch_size=options.batch_size,
            probes=options.probes,
            probe_samples=options.probe_samples,
        )
        for seed in options.seeds:
            name = f"convolution_{label}_seed{seed}"
            fitted = folder / "runs" / name / "fits.csv"
            look = {
                step: lambda denoiser, step=step, fitted=fitted: _fit(fitted, step, denoiser, samples, options.kernels)
                for step in {*options.fit_steps, options.steps}
            }
            curves = trained(folder, name, recipe, samples, spectrum, seed=seed, also=also, say=say, inspect=look)
            for key, curve in curves.items():
                seen = key or "image modes"
                laws += law_rows(curve, network=label, seed=seed, modes_of=seen)
                correlations += [
                    {
                        "network": label,
                        "seed": seed,
                        "modes_of": seen,
                        "direction": d,
                        "rank_correlation": rank_correlation(curve, d),
                    }
                    for d in DIRECTIONS
                ]
            fits.append(pd.read_csv(fitted).assign(network=label, seed=seed))
    table, fit = pd.DataFrame(laws), pd.concat(fits).drop_duplicates(["network", "seed", "step", "kernel", "sigma"])
    tables = {"laws": table, "correlations": pd.DataFrame(correlations), "fits": fit}
    return Part(_claims(options, table, fit, mlp), tables, {"fits": fit_figure(fit)})


def _fit(file: Path, step: int, denoiser: Any, samples: Any, kernels: tuple[int, ...]) -> None:
    """Append R² of every kernel size to the file."""
    from eigenclock.training.convolution_fit import convolution_fit

    rows = [
        {"step": step, "kernel": kernel, "sigma": sigma, "r2": r2}
        for kernel in kernels
        for sigma, r2 in zip(
            FIT_LEVELS, convolution_fit(denoiser, samples[:FIT_IMAGES], sigma=FIT_LEVELS, size=kernel), strict=True
        )
    ]
    old = pd.read_csv(file).query(f"step < {step}") if file.exists() else pd.DataFrame()
    with atomic(file) as temporary:
        pd.concat([old, pd.DataFrame(rows)]).to_csv(temporary, index=False)


def _claims(options: Options, laws: pd.DataFrame, fits: pd.DataFrame, mlp: pd.DataFrame) -> list[dict[str, str]]:
    rows = []
    laws = laws[laws["threshold"] == "geometric"]
    for label, _ in options.networks:
        for seen in laws["modes_of"].unique():
            for direction in DIRECTIONS:
                here = laws[(laws["network"] == label) & (laws["modes_of"] == seen) & (laws["direction"] == direction)]
                if not here["exponent"].notna().any():
                    continue
                peer = mlp[mlp["direction"] == direction]
                rows.append(
                    {
                        "claim": f"{label}, {seen}, {direction}: the law is gone",
                        "paper": "α ≈ 0" if seen == "image modes" else "–",
                        "here": f"α = {over_seeds(-here['exponent'])}, R² {over_seeds(here['r2'])}",
                        "interval": interval(here),
                        "control": f"MLP on the same images, image modes: α = {over_seeds(-peer['exponent'])}"
                        if len(peer)
                        else "no MLP was trained on the same images (part images)",
                        "verdict": gone_verdict(here),
                    }
                )
        rows.append(_fit_claim(label, options, fits[fits["network"] == label]))
    return rows


def gone_verdict(rows: pd.DataFrame) -> str:
    """Whether a power law is gone: its exponent's interval holds 0 or it fits nothing; else what is there in its place."""
    verdict = law_verdict(rows)
    if verdict == "no clear law":
        return "shown"
    if verdict == "law shown":
        return f"not shown: {'flat' if abs(rows['exponent'].mean()) < FLAT else 'there is a'} law"
    return verdict


def beyond_a_pixel(fits: pd.DataFrame, kernel: int) -> pd.Series:
    """Of what a pixel by itself does not explain of the network, the share that one linear convolution does, by noise level."""
    mean = fits.groupby(["sigma", "kernel"])["r2"].mean().unstack("kernel")
    return (mean[kernel] - mean[1]) / (1 - mean[1])


def _fit_claim(label: str, options: Options, fits: pd.DataFrame) -> dict[str, str]:
    large, first, last = max(options.kernels), fits["step"].min(), fits["step"].max()
    early, late = (beyond_a_pixel(fits[fits["step"] == step], large) for step in (first, last))

    def words(share: pd.Series) -> str:
        return ", ".join(f"{value:.2f} at σ = {sigma:g}" for sigma, value in share.items())

    low = early.min()
    verdict = (
        "shown" if low > LINEAR and late.mean() < early.mean() else "in part" if early.mean() > LINEAR else "not shown"
    )
    return {
        "claim": f"{label}: early in training the network is one linear convolution, later less so (Fig. 14)",
        "paper": "measured in Fig. 14",
        "here": f"share that {large}×{large} explains of what one pixel leaves: step {first}: {words(early)}; "
        f"step {last}: {words(late)}",
        "interval": f"worst noise level {low:.2f} early, {late.min():.2f} late",
        "control": "0 for what a 1×1 kernel explains already",
        "verdict": verdict,
    }


def fit_figure(fits: pd.DataFrame) -> Figure:
    """R² of one linear convolution against kernel size, by noise level, early and late."""
    networks = list(dict.fromkeys(fits["network"]))
    steps = sorted(fits["step"].unique())
    figure = Figure(figsize=(3.2 * len(steps), 3 * len(networks)), layout="constrained")
    axes = figure.subplots(len(networks), len(steps), squeeze=False, sharey=True)
    for row, network in zip(axes, networks, strict=True):
        for ax, step in zip(row, steps, strict=True):
            here = fits[(fits["network"] == network) & (fits["step"] == step)]
            mean = here.groupby(["sigma", "kernel"])["r2"].mean().unstack("sigma")
            for i, sigma in enumerate(mean.columns):
                ax.plot(mean.index, mean[sigma], "o-", ms=3, color=f"C{i}", label=f"σ = {sigma:g}")
            ax.set(
                title=f"{network}, step {step}",
                xlabel="kernel size (pixels)",
                ylim=(min(0, float(np.nanmin(mean))), 1.02),
            )
        row[0].set_ylabel("R² of one linear convolution")
    axes[0, -1].legend(frameon=False, fontsize=7)
    return figure
