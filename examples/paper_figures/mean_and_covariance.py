"""Mean and covariance learned together: the phase portrait of one weight and one bias, and the overshoot it makes.

At noise level σ the pair (W, b) of a mode with mean μ descends a valley: W first takes the mean for variance and overshoots,
then both slide along the valley's floor while the bias takes the mean over.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from examples import plates

LAMBDA, MU, SIGMA = 0.5, 2.0, 1.0
TIME = np.concatenate([[0.0], np.geomspace(1e-3, 1e2, 200)])
STARTS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))  # (init, share of the mean in the bias)


def main(out: Path) -> None:
    """Write mean_and_covariance."""
    figure, (portrait, gains, means) = plt.subplots(1, 3, figsize=(14, 4.3), layout="constrained")
    tables = [_portrait(portrait)]
    spectrum = ec.Spectrum([LAMBDA, 0.1], mean=[MU, 0.0])
    for label, architecture in (("mean learned", ec.Affine(0.1)), ("mean known", ec.OneLayer(0.1))):
        curve = ec.predict(
            spectrum,
            architecture=architecture,
            time=TIME,
            sigma=[SIGMA],
            keep_gain=True,
            sampler=ec.Heun(steps=40),
        )
        style = "-" if label == "mean learned" else "--"
        names = ("along the mean", "across the mean")
        for k, colour in enumerate(plates.COLOURS[:2]):
            gains.semilogx(
                TIME[1:], curve.gain.values[1:, k, 0], style, color=colour, lw=1.8, label=f"{names[k]}, {label}"
            )
            table = {"time": TIME, "kind": label, "mode": names[k], "gain": curve.gain.values[:, k, 0]}
            middle = curve.generated_mean.values[:, k] if label == "mean learned" else spectrum.mean[k]
            tables.append(pd.DataFrame({**table, "variance": curve.variance.values[:, k], "mean": middle}))
        if label == "mean learned":
            means.semilogx(
                TIME[1:], curve.generated_mean.values[1:, 0] / MU, color=plates.COLOURS[2], lw=1.8, label="mean / μ"
            )
        means.semilogx(
            TIME[1:],
            curve.variance.values[1:, 0] / LAMBDA,
            style,
            color=plates.COLOURS[0],
            lw=1.8,
            label=f"variance / λ, {label}",
        )
    best = spectrum.variance / (spectrum.variance + SIGMA**2)
    for value, colour in zip(best, plates.COLOURS, strict=False):
        gains.axhline(value, color=colour, lw=0.8, ls=":")
    means.axhline(1, color="#999999", lw=0.8, ls=":")
    gains.set_ylim(0, 1.0)
    means.set_ylim(-0.05, 1.5)
    gains.set(xlabel="training time ητ", ylabel=f"gain at σ = {SIGMA:g}", title="the gain along the mean overshoots")
    means.set(xlabel="training time ητ", ylabel="generated, relative to the data", title="generated mean and variance")
    gains.legend(frameon=False, fontsize=8, loc="upper left")
    means.legend(frameon=False, fontsize=8, loc="upper left")
    plates.save(figure, pd.concat(tables), out, "mean_and_covariance")


def _portrait(ax: plt.Axes) -> pd.DataFrame:
    """Gradient flow of (W, b) for one mode, with trajectories in closed form."""
    spectrum, sigma = ec.Spectrum([LAMBDA], mean=[MU]), np.array([SIGMA])
    weight, bias = np.meshgrid(np.linspace(-0.1, 1.2, 24), np.linspace(-0.4, 2.6, 24))
    noisy = LAMBDA + MU**2 + SIGMA**2
    slope_w = -(noisy * weight + MU * bias - (LAMBDA + MU**2))
    slope_b = -(MU * weight + bias - MU)
    speed = np.log(np.hypot(slope_w, slope_b))
    ax.streamplot(weight, bias, slope_w, slope_b, color=speed, cmap="Greys", density=0.9, linewidth=0.7, arrowsize=0.7)
    tables = []
    for (init, share), colour in zip(STARTS, plates.COLOURS, strict=False):
        states = list(ec.Affine(init, share).denoisers(ec.Denoising(), spectrum, sigma, ec.GradientFlow(), TIME))
        path = np.array([(state.linear[0, 0, 0], state.shift[0, 0]) for state in states])
        ax.plot(*path.T, color=colour, lw=2)
        ax.plot(*path[0], "o", color=colour, ms=6)
        tables.append(
            pd.DataFrame(
                {"time": TIME, "kind": f"portrait from ({init:g}, {share:g}μ)", "gain": path[:, 0], "bias": path[:, 1]}
            )
        )
    optimum = LAMBDA / (LAMBDA + SIGMA**2)
    ax.plot(optimum, (1 - optimum) * MU, "*", color="#D55E00", ms=14, mec="white")
    ax.set(
        xlabel="weight W",
        ylabel="bias b (data units)",
        title=f"phase portrait at λ = {LAMBDA:g}, μ = {MU:g}, σ = {SIGMA:g}",
    )
    return pd.concat(tables)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/paper_figures"))
