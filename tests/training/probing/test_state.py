"""Tests of `eigenclock.training.probing.state`."""

import numpy as np
import pytest
import torch

import eigenclock as ec

SPECTRUM = ec.Spectrum([1.0, 0.1])


def probe(**options):
    return ec.Probe(
        SPECTRUM, **{"sampler": ec.Heun(steps=4), "steps": [1, 2, 3], "n_samples": 32, "sigma": [1.0], **options}
    )


def denoiser_at(step):
    return lambda x, sigma: x * (0.2 + 0.1 * step) / (1 + sigma**2)


def test_a_checkpoint_without_pickles_goes_on_where_it_stopped(tmp_path):
    options = {"also": {"slow": ec.Heun(steps=8)}, "watch": {"mean": lambda x: {"of": float(x.mean())}}}
    whole, first = probe(**options), probe(**options)
    for step in range(4):
        whole(step, denoiser_at(step))
    for step in range(2):
        first(step, denoiser_at(step))
    torch.save({"probe": first.state_dict()}, tmp_path / "checkpoint.pt")
    second = probe(**options)
    second.load_state_dict(torch.load(tmp_path / "checkpoint.pt", weights_only=True)["probe"])
    assert second.recorded == 2
    assert not second.due(1)
    for step in range(2, 4):
        second(step, denoiser_at(step))
    for name in whole.names:
        mine, other = (one.curve(name).dataset for one in (whole, second))
        assert mine.identical(other)
    assert second.scalars() == whole.scalars()


def test_a_new_probe_has_a_state_too():
    other = probe()
    other.load_state_dict(probe().state_dict())
    assert other.recorded == 0


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (3, "state must be what state_dict gave"),
        ({}, "without format"),
        (ec.Probe(ec.Spectrum([2.0, 0.1]), sigma=[1.0]).state_dict(), "the spectrum of this one"),
        (ec.Probe(SPECTRUM, sigma=[1.0, 2.0]).state_dict(), "the noise levels of this one"),
        (probe(sampler=ec.Heun(steps=5)).state_dict(), "with the sampler of this one, Heun"),
        ({**probe().state_dict(), "curves": {"fine": {}}}, "curves named ''"),
        (
            {**probe().state_dict(), "curves": {"": {"step": torch.arange(2), "variance": torch.zeros(2, 3)}}},
            "variance",
        ),
        ({**probe().state_dict(), "curves": {"": 3}}, "its variance"),
    ],
)
def test_states_of_something_else_are_refused(state, message):
    new = probe()
    with pytest.raises(ec.InputError, match=message):
        new.load_state_dict(state)
    assert new.recorded == 0


def test_numbers_survive_to_the_bit():
    one, two = probe(), probe()
    one(0, denoiser_at(0))
    two.load_state_dict(one.state_dict())
    assert np.array_equal(one.curve().variance.values, two.curve().variance.values)
    assert two.curve().dataset.attrs == one.curve().dataset.attrs
