"""Emergence time against variance: five starts, two thresholds, one and two layers; denoising and flow matching.

"α ≈ 1" is the exponent of one setting. It depends on the start, the direction and the threshold.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from examples import plates
from .learning_curves import NETWORKS, OBJECTIVES

VARIANCE = np.logspace(-3, 2, 20)
STARTS = (0.0, 0.1, 0.5, 0.6, 1.0)
TIME = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 4000)])
MARKERS = {"rising": "^", "falling": "v"}


def main(out: Path) -> str:
    """Write laws_denoising and laws_flow_matching; the table of exponents as Markdown."""
    rows = []
    for name, objective in OBJECTIVES.items():
        figure, axes = plt.subplots(2, 2, figsize=(10, 8), sharex=True, sharey=True, layout="constrained")
        tables = []
        for (label, network), pair in zip(NETWORKS.items(), axes.T, strict=True):
            for start, colour in zip(STARTS, plates.COLOURS, strict=False):
                curve = ec.predict(ec.Spectrum(VARIANCE), objective=objective, architecture=network(start), time=TIME)
                row = {"objective": name.replace("_", " "), "network": label, "start": f"{start:g}"}
                for threshold, ax in zip(("geometric", "harmonic"), pair, strict=True):
                    clock = curve.emergence(threshold)
                    laws = {direction: clock.power_law(direction) for direction in MARKERS}
                    for direction, marker in MARKERS.items():
                        shown = clock.select(direction)
                        style = {"color": colour, "marker": marker, "ms": 5, "lw": 1, "alpha": 0.9}
                        ax.loglog(clock.target[shown], clock.time[shown], **style)
                        row[f"{threshold}, {direction}"] = _exponent(laws[direction])
                    tables.append(
                        clock.to_dataframe()
                        .assign(network=label, start=start, threshold=threshold)
                        .drop(columns=["mode"])
                    )
                    ax.set_title(f"{label}, {threshold} threshold", fontsize=10)
                pair[0].plot([], [], color=colour, label=f"start {start:g}")
                rows.append(row)
        for ax in axes[:, 0]:
            ax.set_ylabel("emergence time ητ")
        for ax in axes[1]:
            ax.set_xlabel("variance λ (data units²)")
        for ax in axes.flat:
            ax.loglog(VARIANCE, 0.3 / VARIANCE, color="#999999", ls="--", lw=1, zorder=0)
        axes[0, 0].legend(frameon=False, fontsize=8, title="▲ rising  ▼ falling", title_fontsize=8)
        for ax in axes.flat:
            ax.text(VARIANCE[3], 1.2 / VARIANCE[3], "∝ 1/λ", color="#666666", fontsize=9)
        plates.save(figure, pd.concat(tables), out, f"laws_{name}")
    return plates.markdown(rows)


def _exponent(law: ec.PowerLaw) -> str:
    return f"{law.exponent:.3f} ({law.n})" if law.n >= 3 else "–"


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/paper_figures")))
