"""Which objective learns natural patches soonest? Every objective at a third of its own largest stable learning rate.

The answer is the theory's, for one linear layer without shared weights across noise levels; see "gotchas" in the documentation
before you carry it over to a network. Takes about ten seconds. Prints a table, writes it as CSV with a figure.
"""

import csv
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import eigenclock as ec
from eigenclock.jobs.config import TheoryOptions
from eigenclock.jobs.predict_job import stable_learning_rate

OBJECTIVES: dict[str, ec.Objective] = {
    "x₀ (paper)": ec.Denoising(),
    "x₀, variance preserving": ec.Denoising(path="vp"),
    "EDM": ec.EDM(),
    "ε": ec.Epsilon(),
    "ε, variance preserving": ec.Epsilon(path="vp"),
    "velocity": ec.Velocity(),
    "flow matching": ec.FlowMatching(),
}
FRACTIONS = (0.5, 0.9, 0.99)
CLOSE = 0.1  # of the data's root-mean-square norm: a clock that does not depend on where training started
OKABE_ITO = ("#000000", "#56B4E9", "#0072B2", "#D55E00", "#E69F00", "#009E73", "#CC79A7")


def main(out: Path) -> str:
    """Write objectives.csv and objectives.png to `out`; the table as Markdown."""
    spectrum = ec.Spectrum.from_samples(ec.data.natural_patches(16).standardized().samples)
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    rows = []
    styles = ["-", "--", "-", "-", "--", "-.", ":"]
    for i, (name, objective) in enumerate(OBJECTIVES.items()):
        rate = stable_learning_rate(TheoryOptions(objective=objective), spectrum)
        curve = ec.predict(
            spectrum,
            objective=objective,
            architecture=ec.OneLayer(init=0.0),
            optimizer=ec.GradientDescent(lr=rate),
            sampler=ec.Heun(steps=20),
            time=np.unique(np.concatenate([[0], np.geomspace(1, 1e8, 800).round()])),
        )
        clock = curve.emergence("arithmetic" if (curve.initial == 0).all() else "geometric")
        distance = curve.wasserstein()
        close = distance["time"][distance < CLOSE * np.sqrt(spectrum.variance.sum())]
        falling = clock.power_law("falling")
        rising = clock.power_law("rising")
        rows.append(
            {
                "objective": name,
                "lr": f"{rate:g}",
                "untrained variance": f"{float(curve.initial[0]):.2g}",
                **{f"{fraction:.0%}": f"{clock.variance_begun(fraction):,.0f}" for fraction in FRACTIONS},
                "rising exponent": f"{rising.exponent:.2f} ({rising.n})" if rising.n > 2 else "–",
                "falling exponent": f"{falling.exponent:.2f} ({falling.n})" if falling.n > 2 else "–",
                "W₂ < 10 %": f"{float(close[0]):,.0f}",
            }
        )
        ax.loglog(distance["time"][1:], distance[1:], styles[i], label=name, color=OKABE_ITO[i], lw=2)
    ax.set(xlabel="training time (optimizer steps)", ylabel="Wasserstein-2 distance from the data (data units)")
    ax.legend(frameon=False, fontsize=8)
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(out / "objectives.png", dpi=130)
    plt.close(figure)
    with (out / "objectives.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    lines = ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
    lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/objectives")))
