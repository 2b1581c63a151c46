"""What a probed step costs and how wrong it is: a chain, a U-Net and a transformer on natural 16×16 patches.

`python -m benchmarks.probing` trains each for a few hundred steps, probes it by Heun's sampler with few and many steps and
samples, and holds ln variance against a reference of 80 steps and 4,096 samples: as it comes, and less what theory has for the
sampler, by the optimal denoiser's gain and by the network's own, measured at eight noise levels (T6, T15). Six minutes on one
thread; the tables go into docs/networks.md.
"""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.interpolate
import torch
from jaxtyping import Float

import eigenclock as ec
from eigenclock.data import DataSet
from examples import pages, plates

PAGE = Path("docs/networks.md")
NETWORKS: dict[str, ec.Network] = {
    "chain": ec.MLP(256, 5),
    "U-Net": ec.UNet(channels=8),
    "DiT": ec.DiT(patch=4, width=64, blocks=3),
}
STEPS = (5, 8, 10, 15, 20, 40)
SAMPLES = (64, 192)
FINE, MANY = 80, 4096
"""Steps and samples of the reference."""

JUDGED = 20
"""Steps of the sampler whose recorded standard error is judged."""

GAIN_LEVELS = 8
"""Noise levels of the measured gain, as in a run."""

BATCH, FORWARD = 256, 3
"""Batch of a training step, and how many forward passes its forward and backward are worth."""

Modes = Float[np.ndarray, " mode"]


@dataclass(frozen=True)
class Sizes:
    """How much is done: training steps of every network, samples of its reference, patches."""

    train: int = 300
    many: int = MANY
    patches: int = 4000


@dataclass(frozen=True)
class Look:
    """One probed step: ln variance, its recorded standard error, seconds, samples that went through the denoiser."""

    log_variance: Modes
    error: Modes
    seconds: float
    passes: int


class Case:
    """A trained network, and the reference that its probes are held against."""

    def __init__(self, network: ec.Network, data: DataSet, sizes: Sizes) -> None:
        self.data, self.spectrum = data, ec.Spectrum.from_samples(data.samples)
        trained = ec.train(
            network.build(data.samples.shape[1:], spectrum=self.spectrum),
            data.samples,
            objective=ec.EDM(density=ec.LogNormal()),
            optimizer=ec.Adam(1e-3),
            steps=sizes.train,
            options=ec.LoopOptions(batch_size=BATCH, device="cpu", threads=1),
        )
        self.denoiser, self.step_seconds = trained.denoiser, trained.seconds / sizes.train
        self.fine, self.judged = (self.look(steps, sizes.many, seed=1) for steps in (FINE, JUDGED))
        self.same = self.look(FINE, SAMPLES[-1])
        self.gain = self.measured_gain()

    def look(self, steps: int, n: int, *, seed: int = 0) -> Look:
        """Probe the network once; the first call, of a denoiser that costs nothing, is not counted."""
        probe = ec.Probe(
            self.spectrum, sampler=ec.Heun(steps), steps=[0, 1], n_samples=n, seed=seed, sigma=(), batch_size=BATCH
        )
        probe(0, lambda x, sigma: x / (1 + sigma**2))
        before = probe.seconds
        probe(1, self.denoiser)
        dataset = probe.curve().dataset
        variance, error = (dataset[name].values[-1] for name in ("variance", "log_variance_error"))
        return Look(np.log(variance), error, probe.seconds - before, probe.evaluations)

    def measured_gain(self) -> scipy.interpolate.PchipInterpolator:
        """The network's gain over ln σ, from as many samples as the larger probe's."""
        sampler = ec.Heun(2)
        levels = np.geomspace(sampler.sigma_min, sampler.sigma_max, GAIN_LEVELS)
        probe = ec.Probe(
            self.spectrum,
            sampler=sampler,
            steps=[0],
            n_samples=8,
            sigma=levels,
            gain_samples=SAMPLES[-1],
            data=self.data.samples,
        )
        probe(0, self.denoiser)
        return scipy.interpolate.PchipInterpolator(np.log(levels), probe.curve().gain.values[0], axis=1)

    def bias_of_the_optimum(self, steps: int) -> Modes:
        """ln of the variance that a sampler makes of the optimal denoiser, less that of the reference's (T6)."""
        coarse, fine = (np.log(ec.Heun(one).optimal(self.spectrum.variance)) for one in (steps, FINE))
        return coarse - fine

    def bias_of_the_gain(self, steps: int) -> Modes:
        """The same of a linear denoiser with the network's own gain (T15)."""
        coarse, fine = (
            np.log(sampler.variance(self.gain(np.log(sampler.levels))[None])[0])
            for sampler in (ec.Heun(steps), ec.Heun(FINE))
        )
        return coarse - fine


def cost_row(name: str, case: Case, steps: int, looks: list[Look]) -> dict[str, str]:
    """What a probed step costs, and what the sampler alone does: against the finest on the same noise."""
    cells = {"network": name, "steps": str(steps)}
    for n, look in zip(SAMPLES, looks, strict=True):
        share = look.passes / (FORWARD * BATCH)
        cells[f"cost, {n}"] = f"{share:.3g} ({look.seconds / case.step_seconds:.2g})"
    moved = looks[-1].log_variance - case.same.log_variance
    return cells | three_ways("sampler alone", case, steps, moved)


def error_row(name: str, case: Case, steps: int, looks: list[Look]) -> dict[str, str]:
    """How wrong the whole probe is: against many other samples by the finest sampler."""
    cells = {"network": name, "steps": str(steps)}
    for n, look in zip(SAMPLES, looks, strict=True):
        cells |= three_ways(f"{n}", case, steps, look.log_variance - case.fine.log_variance)
    return cells


def three_ways(what: str, case: Case, steps: int, off: Modes) -> dict[str, str]:
    """An error as it comes, less theory's for the optimal denoiser, and less theory's for the measured gain."""
    return {
        what: quantiles(off),
        f"{what}, optimum": quantiles(off - case.bias_of_the_optimum(steps)),
        f"{what}, gain": quantiles(off - case.bias_of_the_gain(steps)),
    }


def quantiles(error: Modes) -> str:
    """Median and 90 % of an error's size over modes."""
    middle, most = np.quantile(np.abs(error), [0.5, 0.9])
    return f"{middle:.2f}/{most:.2f}"


def recorded_row(name: str, case: Case) -> dict[str, str]:
    """How well the recorded standard error describes the error: against many samples of the same sampler."""
    cells = {"network": name}
    for n in SAMPLES:
        look = case.look(JUDGED, n)
        off = look.log_variance - case.judged.log_variance
        actual, recorded = (float(np.sqrt(np.mean(one**2))) for one in (off, look.error))
        plain = float(np.sqrt(2 / n))
        inside = float((np.abs(off) < 2 * look.error).mean())
        cells[f"recorded, {n} (plain)"] = f"{recorded:.3f} ({plain:.3f})"
        cells[f"actual / recorded, {n}"] = f"{actual / recorded:.2f}"
        cells[f"within two, {n}"] = f"{100 * inside:.0f} %"
    return cells


def main(page: Path = PAGE, sizes: Sizes = Sizes(), networks: dict[str, ec.Network] | None = None) -> str:
    """All tables as Markdown, written into the page."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    data = ec.data.natural_patches(16, n=sizes.patches).standardized()
    costs, errors, recorded, tried = [], [], [], networks or NETWORKS
    for name, network in tried.items():
        case = Case(network, data, sizes)
        for steps in STEPS:
            looks = [case.look(steps, n) for n in SAMPLES]
            costs.append(cost_row(name, case, steps, looks))
            errors.append(error_row(name, case, steps, looks))
        recorded.append(recorded_row(name, case))
    torch.set_num_threads(threads)
    table = "\n\n".join([*map(plates.markdown, (costs, errors, recorded)), told(sizes, tried)])
    pages.insert(page, "probing", table)
    return table


def told(sizes: Sizes, networks: dict[str, ec.Network]) -> str:
    """What the columns are, under the tables."""
    trained = "; ".join(f"{name}: {network}" for name, network in networks.items())
    return (
        f"{trained}. Natural 16×16 patches, {sizes.train} steps of Adam(1e-3), batches of {BATCH}. Columns named {SAMPLES[0]} "
        f"and {SAMPLES[1]} are of as many samples. Cost: passes over the {FORWARD} × {BATCH} of a training step; in brackets "
        "time over a training step's, one thread; the gain not counted. Errors: |Δ ln variance|, median/nine in ten modes, "
        f"against Heun's {FINE} steps: first table, of the sampler alone, on the noise of the same {SAMPLES[1]} samples; second "
        f"table, of the whole probe, against {sizes.many:,} other samples. *Optimum*: less the ratio that theory has for the "
        f"optimal denoiser (`sampler.optimal`); *gain*: less that for the network's gain at {GAIN_LEVELS} noise levels "
        "(`sampler.variance`). Third table: the recorded `log_variance_error`, root mean square over modes, in brackets √(2/n), "
        f"the error of plain noise; the actual error over it, of {JUDGED} steps against {sizes.many:,} samples by as many "
        "steps; modes within two standard errors. Made by `python -m benchmarks.probing`."
    )


if __name__ == "__main__":
    logging.getLogger("eigenclock").setLevel(logging.ERROR)  # what every probe says of its cost
    print(main(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE))
