"""Tests of `eigenclock.integrations.accelerate`, with a real Accelerator and its TensorBoard tracker."""

import accelerate
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import eigenclock as ec
from eigenclock.integrations.accelerate import AcceleratedProbe

pytestmark = pytest.mark.filterwarnings("ignore")  # accelerate's own

SPECTRUM = ec.Spectrum([1.0, 0.1, 0.01])


def run(folder, steps, *, log_with=None, load=None):
    """A loop of accelerate; returns its probe."""
    accelerator = accelerate.Accelerator(
        cpu=True, log_with=log_with, project_dir=str(folder) if log_with == "tensorboard" else None
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ec.MLP(16, 1).build((3,))
    net, descent = accelerator.prepare(net, torch.optim.Adam(net.parameters(), lr=1e-2))
    denoiser = ec.as_denoiser(net, ec.EDM(density=ec.LogNormal()))
    accelerator.init_trackers("run")
    probe = ec.Probe(SPECTRUM, sampler=ec.Heun(steps=6), steps=[1, 4, 8], n_samples=64, batch_size=16)
    watch = AcceleratedProbe(accelerator, probe, figure=True)
    first = 0
    if load is not None:
        accelerator.load_state(str(load))
        first = int(max(probe.curve().time.values))
    for step in range(first, steps + 1):
        if step > first:
            generator = torch.Generator().manual_seed(step)
            clean = torch.randn(16, 3, generator=generator) * torch.tensor(SPECTRUM.variance).sqrt().float()
            descent.zero_grad()
            accelerator.backward(denoiser.loss(clean, generator))
            descent.step()
        watch(step, denoiser)
    accelerator.save_state(str(folder / "state"))
    accelerator.end_training()
    return probe


def test_logged_with_its_own_step_and_resumed(tmp_path):
    whole = run(tmp_path / "whole", 8, log_with="tensorboard")
    assert whole.curve().time.values.tolist() == [0, 1, 4, 8]
    events = EventAccumulator(str(next((tmp_path / "whole").rglob("events*")).parent))
    events.Reload()
    assert [scalar.value for scalar in events.Scalars("eigenclock/step")] == [0, 1, 4, 8]
    assert [scalar.step for scalar in events.Scalars("eigenclock/w2")] == [0, 1, 4, 8]
    assert events.Tags()["images"] == ["eigenclock/probe"]
    assert events.Scalars("eigenclock/w2")[-1].value == pytest.approx(whole.scalars()["w2"], rel=1e-6)

    run(tmp_path / "half", 4)
    resumed = run(tmp_path / "rest", 8, load=tmp_path / "half" / "state")
    assert np.array_equal(resumed.curve().variance.values, whole.curve().variance.values)


def test_weights_and_biases_is_told_which_step_its_metrics_have(tmp_path):
    """A tracker of that name: `define_metric` is called on it once, before anything is logged."""
    told = []

    class Tracker(accelerate.tracking.GeneralTracker):
        name, requires_logging_directory = "wandb", False

        @property
        def tracker(self):
            return self

        def define_metric(self, name, step_metric):
            told.append((name, step_metric))

        def store_init_configuration(self, values):
            pass

        def log(self, values, step=None, **_):
            told.append(set(values))
            assert step is None

    run(tmp_path, 4, log_with=Tracker())
    assert told[0] == ("eigenclock/*", "eigenclock/step")
    assert len(told) == 4
    assert {"eigenclock/step", "eigenclock/w2", "eigenclock/begun", "eigenclock/in_band"} <= told[-1]


def test_errors():
    with pytest.raises(ec.InputError, match="accelerator must be an"):
        AcceleratedProbe(None, None)
