"""Tests of `eigenclock.training.probing.conditions`."""

import numpy as np
import pytest
import torch

import eigenclock as ec

SPECTRUM = ec.Spectrum([1.0, 0.1])
OPTIONS = {"sampler": ec.Heun(steps=4), "steps": [1], "n_samples": 32}


def test_clean_samples_come_with_their_own_labels_in_chunks_and_held_out_ones_with_theirs():
    """Labels that say what the sample is: a denoiser that returns them is perfect, its held-out losses are zero."""
    rng = np.random.default_rng(0)
    data, test = (rng.standard_normal((n, 2)) * np.sqrt(SPECTRUM.variance) for n in (60, 20))
    probe = ec.Probe(
        SPECTRUM, data=data, labels=data.astype(np.float32), test=test, test_labels=test.astype(np.float32),
        sigma=[0.5, 5.0], chunk=7, **OPTIONS,
    )  # fmt: skip
    probe(0, lambda x, sigma, labels: labels)
    curve = probe.curve()
    assert np.abs(curve.dataset["test_loss"].values).max() < 1e-12  # single precision of labels, squared
    assert np.abs(curve.dataset["train_loss"].values).max() < 1e-12


def test_without_data_labels_are_only_drawn():
    seen = []

    def denoiser(x, sigma, labels):
        seen.append(labels)
        return x / (1 + sigma**2)

    ec.Probe(SPECTRUM, labels=[3, 4, 5], sigma=(), **OPTIONS)(0, denoiser)
    assert set(torch.cat(seen).tolist()) == {3, 4, 5}


def test_guidance_and_labels_are_said_at_the_first_look(caplog):
    ec.Probe(SPECTRUM, labels=[0, 1, 1], **OPTIONS)(0, lambda x, sigma, labels: x / (1 + sigma**2))
    assert "labels are drawn from the data's (2 different), guidance is off" in caplog.text


def test_denoisers_of_networks_hand_labels_on():
    class Net(torch.nn.Module):
        def forward(self, x, sigma, labels):
            return labels[:, None].expand_as(x).to(x)

    for objective in (
        ec.Denoising(),
        ec.SpectralEDM(ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((9, 2)))),
    ):
        denoiser = ec.as_denoiser(Net(), objective, trained=True)
        one, two = (denoiser(torch.zeros(3, 2), torch.tensor(1.0), torch.full((3,), value)) for value in (1, 2))
        assert not torch.equal(one, two)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [1, 2], "data": np.zeros((3, 2)) + np.arange(3)[:, None]}, "one for each of the 3 samples of data"),
        ({"test_labels": [1]}, "test_labels need labels"),
        ({"labels": 3}, "labels must be numbers"),
        ({"labels": "cat"}, "labels must be numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_errors(options, message):
    with pytest.raises(ec.InputError, match=message):
        ec.Probe(SPECTRUM, **OPTIONS, **options)


def test_held_out_samples_need_labels_too():
    data = np.random.default_rng(0).standard_normal((30, 2)) * np.sqrt(SPECTRUM.variance)
    with pytest.raises(ec.InputError, match="test_labels must be given"):
        ec.Probe(SPECTRUM, data=data, labels=np.arange(30), test=data[:5], **OPTIONS)
    with pytest.raises(ec.InputError, match="one for each of the 5 samples of test"):
        ec.Probe(SPECTRUM, data=data, labels=np.arange(30), test=data[:5], test_labels=[1], **OPTIONS)
