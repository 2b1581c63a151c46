"""KL from the generated to the data distribution over training: a staircase of modes, one and two layers, three starts."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from examples import plates
from .learning_curves import NETWORKS, OBJECTIVES

SPECTRUM = ec.Spectrum.power_law(64, exponent=2.0, scale=10.0)
TIME = np.geomspace(1e-4, 1e5, 300)
STARTS = (0.1, 0.5, 1.0)


def main(out: Path) -> None:
    """Write kl."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True, layout="constrained")
    columns = {"time": TIME}
    for ax, (name, objective) in zip(axes, OBJECTIVES.items(), strict=True):
        for label, network in NETWORKS.items():
            for start, colour in zip(STARTS, plates.COLOURS, strict=False):
                curve = ec.predict(SPECTRUM, objective=objective, architecture=network(start), time=TIME)
                kl = curve.kl().values
                columns[f"{name}, {label}, start {start:g}"] = kl
                style = "-" if label == "one layer" else "--"
                ax.loglog(TIME, kl, style, color=colour, lw=1.8, label=f"{label}, start {start:g}")
        ax.set(title=name.replace("_", " "), xlabel="training time ητ")
    axes[0].set_ylabel("KL(generated ‖ data) (nats)")
    axes[0].legend(frameon=False, fontsize=8)
    plates.save(figure, pd.DataFrame(columns), out, "kl")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/paper_figures"))
