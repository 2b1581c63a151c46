"""Training a network of a study into its folder, once: the curves of its probe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eigenclock.curve.learning_curve import LearningCurve
from eigenclock.recipe.objectives import EDM, LogNormal, Objective
from eigenclock.recipe.samplers import Heun, Sampler
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.network_options import Network
from eigenclock.training.optimizers import Adam, Descent
from eigenclock.training.options import STREAM, LoopOptions


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the networks of a study are trained and watched."""

    network: Network
    steps: int
    batch_size: int
    optimizer: Descent = field(default_factory=lambda: Adam(1e-4))
    objective: Objective = field(default_factory=lambda: EDM(density=LogNormal()))
    sampler: Sampler = field(default_factory=lambda: Heun(steps=20))
    probes: int = 40
    probe_samples: int = 256
    gain_levels: int = 12


def trained(
    folder: Path,
    name: str,
    recipe: Recipe,
    samples: Any,
    spectrum: Spectrum,
    *,
    seed: int,
    also: Mapping[str, Spectrum | Sampler] | None = None,
    say: Callable[[str], None] = lambda words: None,
    inspect: Mapping[int, Callable[[Any], None]] | None = None,
) -> dict[str, LearningCurve]:
    """Curves by name ("" is the spectrum's own) of a network trained in `folder`/runs/`name`; one trained already is only read.

    `inspect`: functions of the denoiser, called after certain steps (multiples of ten) as training passes them; what they
    find they must keep themselves.
    """
    from eigenclock.training.cadence import log_steps
    from eigenclock.training.loop import train
    from eigenclock.training.probe import Probe
    from eigenclock.training.streams import Stream, stream_seed

    place = folder / "runs" / name
    network = recipe.network.build(samples.shape[1:], spectrum=spectrum, seed=stream_seed(seed, Stream.INIT))
    levels = np.geomspace(recipe.sampler.sigma_min, recipe.sampler.sigma_max, recipe.gain_levels)
    probe = Probe(
        spectrum,
        sampler=recipe.sampler,
        steps=log_steps(1, recipe.steps, recipe.probes),
        n_samples=recipe.probe_samples,
        seed=seed,
        data=samples,
        sigma=levels,
        gain_samples=recipe.probe_samples,
        also=also,
        keep_samples=8,
    )
    for stop in sorted({*(inspect or {}), recipe.steps}):
        result = train(
            network,
            samples,
            objective=recipe.objective,
            optimizer=recipe.optimizer,
            steps=stop,
            options=LoopOptions(batch_size=recipe.batch_size, checkpoint_every=500),
            probe=probe,
            seed=seed,
            folder=place,
            resume=True,
            settings={"network": str(recipe.network), "objective": str(recipe.objective), "samples": len(samples)},
            progress=lambda step, steps, words: (
                say(f"{name} {step}/{recipe.steps} {words}") if step % 100 == 0 else None
            ),
        )
        if inspect and stop in inspect and result.step == stop:
            inspect[stop](result.denoiser)
    return {key: probe.curve(key) for key in probe.names}


def losses(folder: Path, name: str) -> tuple[Any, Any]:
    """Steps and losses of a trained network."""
    from eigenclock.training.log import read_metrics

    records = read_metrics(folder / "runs" / name / STREAM)
    return np.array([r["step"] for r in records], dtype=float), np.array([r["loss"] for r in records], dtype=float)
