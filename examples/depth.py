"""Depth, balance and residual paths: what they do to the gain of a mode and to the law of emergence (T8, T9).

Ten seconds.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from examples import plates

START, SIGMA = 0.01, 0.3
TIME = np.concatenate([[0.0], np.geomspace(1e-4, 1e6, 500)])
NETWORKS: dict[str, ec.Architecture] = {
    "one layer": ec.OneLayer(START),
    "two, balanced": ec.TwoLayer((0.1, 0.1)),
    "two, unbalanced": ec.TwoLayer((1.0, 0.01)),
    "three": ec.DeepLinear(3, START),
    "five": ec.DeepLinear(5, START),
    "three, unbalanced": ec.DeepLinear(3, (1.0, 0.1, 0.1)),
    "three residual blocks": ec.Residual(3),
}
SPECTRUM = ec.Spectrum(np.logspace(1, -3, 25))


def main(out: Path) -> str:
    """Write depth; the table as Markdown."""
    figure, (gains, clocks) = plt.subplots(1, 2, figsize=(12, 4.4), layout="constrained")
    rows, tables, curves = [], [], {"time": TIME}
    for (name, network), colour in zip(NETWORKS.items(), plates.COLOURS, strict=True):
        curve = ec.predict(SPECTRUM, architecture=network, time=TIME, sigma=[SIGMA], keep_gain=True)
        middle = SPECTRUM.n_modes // 2
        gains.semilogx(TIME[1:], curve.gain.values[1:, middle, 0], color=colour, lw=1.8, label=name)
        curves[name] = curve.gain.values[:, middle, 0]
        row = {"network": name}
        for threshold in ("geometric", "harmonic"):
            clock = curve.emergence(threshold)
            for direction, marker in (("rising", "^"), ("falling", "v")):
                law, shown = clock.power_law(direction), clock.select(direction)
                row[f"{threshold}, {direction}"] = plates.law_text(law)
                if threshold == "geometric":
                    clocks.loglog(clock.target[shown], clock.time[shown], marker, ls="-", lw=1, color=colour, ms=4)
            tables.append(clock.to_dataframe().assign(network=name, threshold=threshold))
        rows.append(row)
    gains.set_xlim(1e-3, 1e3)
    gains.axhline(SPECTRUM.variance[middle] / (SPECTRUM.variance[middle] + SIGMA**2), color="#999999", lw=0.8, ls=":")
    gains.set(xlabel="training time ητ", ylabel=f"gain ψ at λ = {SPECTRUM.variance[middle]:.2g}, σ = {SIGMA}")
    clocks.set(
        xlabel="variance λ (data units²)", ylabel="emergence time ητ", title="geometric threshold: ▲ rising, ▼ falling"
    )
    gains.legend(frameon=False, fontsize=8)
    plates.save(figure, pd.concat(tables), out, "depth", gain=pd.DataFrame(curves))
    return plates.markdown(rows)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/depth")))
