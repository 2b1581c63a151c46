"""When to stop: train and test clocks on natural 8×8 patches, n = 100 to 10,000, predicted and under minibatches (T16).

The prediction needs the two spectra only. The simulation trains full 64×64 matrices on minibatches of the real patches and
evaluates them on 4,000 real held-out patches. About twenty seconds.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from examples import plates

SIZES = (100, 300, 1000, 3000, 10_000)
SIGMA = (0.05, 0.1, 0.2, 0.4)
RECIPE = {"objective": ec.EDM(), "architecture": ec.OneLayer(0.0)}
STEPS, LEARNING_RATE, BATCH_SIZE = 10_000, 0.01, 128


def main(out: Path, sizes: tuple[int, ...] = SIZES, steps: int = STEPS) -> str:
    """Write overfitting; the table as Markdown."""
    time = np.unique(np.concatenate([[0], np.geomspace(1, steps, 60).round()]))
    long = np.unique(np.concatenate([[0], np.geomspace(1, 1e7, 400).round()]))
    figure, (losses, modes) = plt.subplots(1, 2, figsize=(12, 4.4), layout="constrained")
    rows, tables, stops = [], [], []
    for n, colour in zip(sizes, plates.COLOURS, strict=False):
        data = ec.data.natural_patches(8, n=n, n_test=4000).standardized()
        spectrum = ec.Spectrum.from_samples(data.samples)
        descent = ec.GradientDescent(LEARNING_RATE)
        measured = ec.simulate(
            spectrum,
            samples=data.samples,
            test=data.test,
            batch_size=BATCH_SIZE,
            n_particles=None,
            sampler=ec.Euler(2, sigma_min=0.1, sigma_max=0.2),
            keep_loss=True,
            time=time,
            sigma=SIGMA,
            optimizer=descent,
            **RECIPE,
        )
        found = measured.dataset["test_loss"].sum(("mode", "sigma")).values / len(SIGMA)
        short, forever = (
            ec.generalization(spectrum, test=data.test, time=times, sigma=SIGMA, optimizer=descent, **RECIPE)
            for times in (time, long)
        )
        expected = short.dataset["test_total"].values
        total = forever.dataset["test_total"].values
        losses.semilogx(long[1:], total[1:], color=colour, lw=1.8, label=f"n = {n:,}")
        losses.semilogx(time[1:], found[1:], ".", color=colour, ms=5)
        stop, stop_found = forever.stopping_time, float(time[found.argmin()])
        losses.plot(stop, total.min(), "o", color=colour, mfc="white", ms=8, mew=1.8)
        stops.append(pd.DataFrame({"n": n, "variance": spectrum.variance, "best_time": forever.best_time.values[:, 1]}))
        cost = float(total[-1] / total.min()) - 1
        passed = forever.overfits.values[:, 1]
        best = forever.best_time.values[:, 1]
        modes.loglog(spectrum.variance[passed], best[passed], ".", color=colour, ms=6, label=f"n = {n:,}")
        rows.append(
            {
                "n": f"{n:,}",
                "modes × levels that overfit": f"{100 * float(forever.overfits.mean()):.0f} %",
                "predicted stop": f"{stop:,.0f}",
                f"least simulated test loss at (of {steps:,})": f"{stop_found:,.0f}",
                "test loss there, simulated / predicted": f"{found.min() / expected.min():.3f}",
                "cost of training for ever": f"{100 * cost:.1f} %",
            }
        )
        tables.append(pd.DataFrame({"n": n, "time": time, "predicted": expected, "simulated": found}))
    losses.set(
        xlabel="training time (optimizer steps)",
        ylabel="test loss, sum over modes",
        title="lines predicted, dots simulated, circles: stop",
    )
    modes.set(
        xlabel="training variance λ̂ (data units²)",
        ylabel="best stopping time (steps)",
        title=f"modes that overfit, at σ = {SIGMA[1]}",
    )
    losses.legend(frameon=False, fontsize=8)
    plates.save(figure, pd.concat(tables), out, "overfitting", stops=pd.concat(stops))
    return plates.markdown(rows)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/overfitting")))
