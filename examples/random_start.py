"""From a random start: overlaps between modes decay in one layer, rise and fall in tied layers, while samples align (App. E.1.2).

A second.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from examples import plates

SPECTRUM, SIGMA = ec.Spectrum([2.0, 1.2, 0.7, 0.4, 0.2, 0.1]), 0.3
TIME = np.concatenate([[0.0], np.geomspace(1e-2, 1e3, 120)])
NETWORKS = {
    "one layer": ec.UnalignedOneLayer(ec.GaussianStart(0.2, seed=3)),
    "tied two layers": ec.UnalignedTiedTwoLayer(ec.GaussianStart(0.2, seed=3)),
}
SAMPLER = ec.Heun(steps=20, sigma_max=10.0)


def main(out: Path) -> None:
    """Write random_start."""
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
    tables, flow = [], ec.GradientFlow(0.05)
    for (name, network), ax, colour in zip(NETWORKS.items(), axes, plates.COLOURS, strict=False):
        states = network.denoisers(ec.Denoising(), SPECTRUM, np.array([SIGMA]), flow, TIME)
        weights = np.stack([state.linear[0] for state in states])
        columns = {"network": name, "time": TIME}
        for i in range(SPECTRUM.n_modes):
            for j in range(SPECTRUM.n_modes):
                on = i == j
                ax.semilogx(
                    TIME[1:],
                    weights[1:, i, j],
                    color=colour if on else "#888888",
                    lw=1.8 if on else 0.7,
                    zorder=2 if on else 1,
                )
                columns[f"W[{i},{j}]"] = weights[:, i, j]
        ax.set(title=f"{name}: weights at σ = {SIGMA}", xlabel="training time (steps)", ylabel="uᵢᵀW uⱼ")
        ax.plot([], [], color=colour, label="diagonal")
        ax.plot([], [], color="#888888", lw=0.7, label="off the diagonal")
        ax.legend(frameon=False, fontsize=8)
        curve = ec.predict(SPECTRUM, architecture=network, optimizer=flow, sampler=SAMPLER, time=TIME)
        axes[2].semilogx(TIME[1:], curve.alignment[1:], color=colour, lw=1.8, label=name)
        tables.append(pd.DataFrame({**columns, "alignment": curve.alignment}))
    axes[2].set(
        title="alignment of the samples' covariance", xlabel="training time (steps)", ylabel="alignment", ylim=(0, 1.05)
    )
    axes[2].legend(frameon=False, fontsize=8)
    plates.save(figure, pd.concat(tables), out, "random_start")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/random_start"))
