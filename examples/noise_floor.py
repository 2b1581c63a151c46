"""How far minibatches keep the gain from its optimum: predicted, on Gaussian data and on real patches, with and without momentum.

The prediction is exact for Gaussian data. Real patches are far from Gaussian; this shows what that costs. A hundred networks
of one noise level are trained side by side. About twenty seconds.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from examples import plates

SIGMA, COPIES, STEPS = 0.3, 100, 1200
OPTIMIZERS = {"descent": ec.GradientDescent(0.03), "momentum 0.9": ec.HeavyBall(0.003, 0.9)}
BATCHES = (8, 32, 128)


def main(out: Path, copies: int = COPIES, steps: int = STEPS) -> str:
    """Write noise_floor; the table as Markdown."""
    data = ec.data.natural_patches(4, n=20_000).standardized()
    spectrum = ec.Spectrum.from_samples(data.samples)
    figure, ax = plt.subplots(figsize=(6.8, 4.4), layout="constrained")
    rows, tables = [], []
    for name, optimizer in OPTIMIZERS.items():
        for batch_size, colour in zip(BATCHES, plates.COLOURS, strict=False):
            floor = ec.noise_floor(
                spectrum, objective=ec.EDM(), optimizer=optimizer, batch_size=batch_size, sigma=[SIGMA]
            )
            expected = floor.gain_std.values[:, 0]
            spread = {
                kind: _simulated(spectrum, samples, optimizer, batch_size, copies, steps)
                for kind, samples in (("Gaussian", None), ("patches", data.samples))
            }
            if name == "descent":
                ax.loglog(spectrum.variance, expected, color=colour, lw=1.8, label=f"batch {batch_size}")
                ax.loglog(spectrum.variance, spread["Gaussian"], "o", color=colour, ms=5)
                ax.loglog(spectrum.variance, spread["patches"], "x", color=colour, ms=6)
            ratio = {kind: np.sqrt(np.mean((values / expected) ** 2)) for kind, values in spread.items()}
            rows.append(
                {
                    "optimizer": name,
                    "batch": str(batch_size),
                    "predicted std of ψ, largest mode": f"{expected[0]:.5f}",
                    "smallest mode": f"{expected[-1]:.5f}",
                    "Gaussian data / predicted": f"{ratio['Gaussian']:.3f}",
                    "real patches / predicted": f"{ratio['patches']:.2f}",
                }
            )
            columns = {"optimizer": name, "batch": batch_size, "variance": spectrum.variance, "predicted": expected}
            tables.append(pd.DataFrame({**columns, **spread}))
    ax.plot([], [], "o", color="#555555", label="Gaussian data")
    ax.plot([], [], "x", color="#555555", label="real patches")
    ax.set(xlabel="variance λ of the mode (data units²)", ylabel=f"standard deviation of the gain at σ = {SIGMA}")
    ax.legend(frameon=False, fontsize=8)
    plates.save(figure, pd.concat(tables), out, "noise_floor")
    return plates.markdown(rows)


def _simulated(
    spectrum: ec.Spectrum, samples: np.ndarray | None, optimizer: ec.Optimizer, batch_size: int, copies: int, steps: int
) -> np.ndarray:
    """Spread of the gain about its optimum over independent networks, at two times far apart."""
    curve = ec.simulate(
        spectrum,
        objective=ec.EDM(),
        architecture=ec.OneLayer(_near_optimum(spectrum)),
        optimizer=optimizer,
        samples=samples,
        batch_size=batch_size,
        n_particles=None,
        sampler=ec.Euler(2, sigma_min=0.3, sigma_max=0.4),
        time=np.linspace(0.6, 1, 5) * steps // 1,
        sigma=np.full(copies, SIGMA),
        keep_gain=True,
    )
    best = spectrum.variance / (spectrum.variance + SIGMA**2)
    return np.sqrt(((curve.gain.values - best[:, None]) ** 2).mean(axis=(0, 2)))


def _near_optimum(spectrum: ec.Spectrum) -> float:
    regression = ec.EDM().regression(spectrum.variance, np.array([SIGMA]))
    return float(regression.optimum.mean())


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/noise_floor")))
