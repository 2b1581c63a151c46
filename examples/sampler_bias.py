"""What the sampler alone does to the variances: the optimal denoiser, every sampler, last step and smallest noise (T6).

Whatever deviates here is not for training to mend. A second.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from examples import plates

VARIANCE = np.logspace(-6, 2, 161)
SHOWN = (1e-4, 1e-3, 1e-2, 1.0)
EVERY = np.concatenate([VARIANCE, SHOWN])
SAMPLERS: dict[str, ec.Sampler] = {
    "exact flow to 0.002": ec.ProbabilityFlow(),
    "exact flow to 0.02": ec.ProbabilityFlow(sigma_min=0.02),
    "Euler, 40": ec.Euler(40),
    "Heun, 20": ec.Heun(20),
    "Heun, 40": ec.Heun(40),
    "Heun, 40, from σ_max = 10": ec.Heun(40, sigma_max=10.0),
    "Heun, 40, σ_min = 0.02": ec.Heun(40, sigma_min=0.02),
    "churn 10, 40 steps": ec.Stochastic(40, churn=10.0, noise=1.0),
    "churn 40, 40 steps": ec.Stochastic(40, churn=40.0, noise=1.0),
    "churn 40, 40 steps, S_noise 1.003": ec.Stochastic(40, churn=40.0),
    "churn 40, 256 steps, S_noise 1.003": ec.Stochastic(256, churn=40.0),
    "Angular, 20": ec.Angular(20),
    "Angular, 20, assuming 2λ": ec.Angular(20, spectrum=ec.Spectrum(2 * EVERY)),
    "Angular, 20, assuming λ/2": ec.Angular(20, spectrum=ec.Spectrum(EVERY / 2)),
    "Euler–Maruyama, 40": ec.EulerMaruyama(40),
    "Euler–Maruyama, 1,000": ec.EulerMaruyama(1000),
}
DRAWN = ("exact flow to 0.002", "Euler, 40", "Heun, 20", "Heun, 40", "churn 40, 40 steps", "Euler–Maruyama, 40")


def main(out: Path) -> str:
    """Write sampler_bias; the table as Markdown."""
    spectrum = ec.Spectrum(EVERY)
    columns, rows = {"variance": VARIANCE}, []
    for name, sampler in SAMPLERS.items():
        excess = ec.predict(spectrum, sampler=sampler, time=[np.inf]).variance.values[0] / spectrum.variance - 1
        columns[name] = excess[: VARIANCE.size]
        cells = {f"λ = {power:g}": f"{100 * e:+.1f} %" for power, e in zip(SHOWN, excess[VARIANCE.size :], strict=True)}
        last = excess_of_last_step(sampler)
        rows.append({"sampler": name, **cells, "of it, last step at λ = 1e-4": last})
    figure, ax = plt.subplots(figsize=(7.5, 4.4), layout="constrained")
    for name, colour in zip(DRAWN, plates.COLOURS, strict=False):
        ax.semilogx(VARIANCE, 100 * columns[name], color=colour, lw=1.8, label=name)
    ax.axhline(0, color="#999999", lw=0.8, ls=":")
    ax.set(xlabel="variance λ of the data (data units²)", ylabel="generated variance, off by (%)", ylim=(-60, 120))
    ax.legend(frameon=False, fontsize=8)
    plates.save(figure, pd.DataFrame(columns), out, "sampler_bias")
    return plates.markdown(rows)


def excess_of_last_step(sampler: ec.Sampler) -> str:
    """The step to zero noise multiplies a sample by ψ(σ_min): variance by [λ/(λ + σ_min²)]²; the exact flow stops before it.

    In angles it is a step as any other.
    """
    if isinstance(sampler, ec.ProbabilityFlow | ec.Angular):
        return "none"
    return f"{100 * ((1e-4 / (1e-4 + sampler.sigma_min**2)) ** 2 - 1):+.1f} %"


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/sampler_bias")))
