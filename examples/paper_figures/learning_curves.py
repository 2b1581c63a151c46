"""Weights and generated variances mode by mode, one and two layers, started at 0.1 and 0.5; denoising and flow matching.

The two panels above each other tell the same story: a mode's weight runs to λ/(λ+σ²), and the variance generated along it
to λ. Small starts rise on all modes; from 0.5 small modes begin too large and fall.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from eigenclock.curve.palette import mode_colour
from examples import plates

VARIANCE = np.logspace(2, -3, 6)
SIGMA = 0.5  # noise level of the weights shown, in data units
TIME = np.geomspace(1e-4, 1e5, 400)
STARTS = (0.1, 0.5)
NETWORKS = {"one layer": ec.OneLayer, "two layers": ec.TiedTwoLayer}
OBJECTIVES = {"denoising": ec.Denoising(), "flow_matching": ec.FlowMatching()}


def main(out: Path) -> None:
    """Write curves_denoising and curves_flow_matching."""
    for name, objective in OBJECTIVES.items():
        figure, axes = plt.subplots(2, 4, figsize=(13, 6), sharex=True, sharey="row", layout="constrained")
        tables = []
        columns = [(label, network, start) for label, network in NETWORKS.items() for start in STARTS]
        for (label, network, start), (above, below) in zip(columns, axes.T, strict=True):
            curve = ec.predict(
                ec.Spectrum(VARIANCE),
                objective=objective,
                architecture=network(start),
                time=TIME,
                sigma=[SIGMA],
                keep_gain=True,
            )
            for k, power in enumerate(VARIANCE):
                colour = mode_colour(k / (VARIANCE.size - 1))
                above.semilogx(TIME, curve.gain.values[:, k, 0], color=colour, lw=1.8)
                below.loglog(TIME, curve.variance.values[:, k], color=colour, lw=1.8, label=f"λ = {power:g}")
                below.axhline(power, color=colour, lw=0.7, ls=":")
            above.set_title(f"{label}, start {start}")
            below.set_xlabel("training time ητ")
            tables.append(_table(curve, label, start))
        axes[0, 0].set_ylabel(f"weight ψ at σ = {SIGMA}")
        axes[1, 0].set_ylabel("generated variance (data units²)")
        figure.legend(*axes[1, 3].get_legend_handles_labels(), frameon=False, loc="outside right center")
        plates.save(figure, pd.concat(tables), out, f"curves_{name}")


def _table(curve: ec.LearningCurve, label: str, start: float) -> pd.DataFrame:
    keep = slice(None, None, 8)
    columns = {"network": label, "start": start, "time": TIME[keep]}
    for k, power in enumerate(VARIANCE):
        columns[f"weight λ={power:g}"] = curve.gain.values[keep, k, 0]
        columns[f"variance λ={power:g}"] = curve.variance.values[keep, k]
    return pd.DataFrame(columns)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/paper_figures"))
