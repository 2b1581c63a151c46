"""The figure of docs/choose.md: what `choose` says of natural patches."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import eigenclock as ec
from eigenclock.advice.closing import drawn_density

BLUE, ORANGE = "#0072B2", "#D55E00"
OTHERS = {"ε": "#009E73", "v": "#E69F00", "flow": "#56B4E9", "x₀": "#CC79A7"}


def main(out: Path) -> ec.Advice:
    """Write choose.png to `out`."""
    advice = ec.choose(ec.Spectrum.from_samples(ec.data.natural_patches(16).standardized().samples))
    picture, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained", width_ratios=[1.4, 1])
    objectives, unit = advice.table["objective"].tolist(), advice.distance["unit"].values
    for name, colour in OTHERS.items():
        row = objectives.index(name)
        left.plot(unit, advice.distance.values[row], color=colour, lw=1.6, label=advice.candidates[row].name)
    for row, colour, width in ((advice.default, ORANGE, 2.0), (advice.first_plain, BLUE, 3.2)):
        left.plot(unit, advice.distance.values[row], color=colour, lw=width, label=advice.candidates[row].name)
    spectral = advice.distance.values[0]
    left.plot(unit, spectral, color="black", lw=1.2, ls=":", label=advice.candidates[0].name)
    for fraction in advice.fractions:
        left.axhline(fraction, color="0.8", lw=0.8, zorder=0)
    left.set(xscale="log", yscale="log", xlim=(0.03, 3e3), ylim=(0.02, 20))
    left.set(xlabel="units of training", ylabel="W₂, share of the data's norm")
    left.legend(frameon=False, fontsize=8, loc="upper right")
    sigma = np.geomspace(1e-3, 200, 400)
    for row, colour in ((advice.first_plain, BLUE), (advice.default, ORANGE)):
        one = advice.candidates[row]
        right.plot(sigma, drawn_density(one.objective, sigma), color=colour, lw=2.5, label=one.name)
    for level in (advice.sampling.sigma_min, advice.sampling.sigma_max):
        right.axvline(level, color="0.4", ls="--", lw=1)
    right.set(xscale="log", xlabel="noise level σ", ylabel="density in ln σ", ylim=(0, 0.48))
    right.legend(frameon=False, fontsize=8, loc="upper left")
    picture.savefig(out / "choose.png", dpi=150)
    plt.close(picture)
    return advice


if __name__ == "__main__":
    main(Path("docs/figures"))
