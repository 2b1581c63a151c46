"""Losses of classes against Gaussians whose losses are known, for exact, linear and planted denoisers."""

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.observables.class_losses import ClassLosses, class_losses, linear_losses

VAR = np.array([[4.0, 1.0, 0.25, 0.01], [1.0, 1.0, 1.0, 1.0]])
MEAN = np.array([[3.0, 0.0, 0.0, 0.0], [-3.0, 1.0, 0.0, 0.0]])
SIGMA = np.array([0.1, 0.5, 2.0])


def drawn(n=3000, seed=0):
    y = np.arange(2 * n) % 2
    return MEAN[y] + np.sqrt(VAR[y]) * np.random.default_rng(seed).standard_normal((2 * n, 4)), y


def shrinking(k, gain=None):
    """The denoiser that is best for class k; or one of another gain about the class's mean."""
    mean, var = (torch.as_tensor(one[k], dtype=torch.float32) for one in (MEAN, VAR))
    return lambda x, s: mean + (x - mean) * (var / (var + s**2) if gain is None else gain)


def test_losses_of_the_best_denoiser_of_a_class():
    """Mean of λ/(λ + σ²) over modes; for the other class, with the mean of its own removed, what the formula of any gain says."""
    x, y = drawn()
    found = class_losses(shrinking(0), x, y, sigma=SIGMA)
    own = (VAR[0] / (VAR[0] + SIGMA[:, None] ** 2)).mean(axis=1)
    psi = VAR[0] / (VAR[0] + SIGMA[:, None] ** 2)
    spread = VAR[1] + (MEAN[1] - MEAN[0]) ** 2
    other = ((spread * (1 - psi) ** 2 + SIGMA[:, None] ** 2 * psi**2) / SIGMA[:, None] ** 2).mean(axis=1)
    for k, wanted in enumerate((own, other)):
        assert (np.abs(found.loss[:, k] - wanted) < 4 * found.error[:, k]).all()
    assert found.n.tolist() == [3000, 3000]
    more = class_losses(shrinking(0), x, y, sigma=SIGMA, draws=8)
    assert (more.error[:, 0] < 0.7 * found.error[:, 0]).all()


@pytest.mark.filterwarnings("ignore::eigenclock.checks.InputWarning")
def test_best_linear_losses_of_few_samples():
    """Cross-validated: a Gaussian's own loss, from fewer samples than make its variances right, in images of any shape."""
    wanted = (VAR.T[None] / (VAR.T[None] + SIGMA[:, None, None] ** 2)).mean(axis=1)
    x, y = drawn()
    assert linear_losses(x.reshape(-1, 2, 2), y, sigma=SIGMA).loss == pytest.approx(wanted, abs=0.01)
    few = [linear_losses(*drawn(40, seed), sigma=SIGMA).loss for seed in range(20)]
    assert np.mean(few, axis=0) == pytest.approx(wanted, abs=0.03)
    with pytest.raises(ec.InputError, match="labels must have at least 4 samples of every class, got 2 of 1"):
        linear_losses(x[:8], np.array([0] * 6 + [1] * 2), sigma=SIGMA)


def test_a_denoiser_that_returns_its_input_has_excess_one_and_the_best_none():
    x, y = drawn()
    best = class_losses(shrinking(1), x, y, sigma=SIGMA)
    idle = class_losses(lambda x, s: x, x, y, sigma=SIGMA)
    assert (idle.loss == 1).all()
    assert np.allclose(best.excess(best), 0)
    linear = linear_losses(x, y, sigma=SIGMA)
    assert idle.excess(linear) == pytest.approx(1)
    with pytest.raises(ec.InputError, match=r"best must have the same levels and classes, \(3, 2\), got \(1, 2\)"):
        best.excess(class_losses(shrinking(1), x, y, sigma=[1.0]))


@pytest.mark.filterwarnings("ignore::eigenclock.checks.InputWarning")
@pytest.mark.parametrize("sigma", [0.003, 0.01, 0.05, 0.2, 1.0, 5.0])
def test_little_noise_is_no_less_exact(sigma):
    """Unit Gaussians: the best denoiser leaves 1/(1 + σ²) and has excess 0, to an error that is small itself at every level."""
    x, y = np.random.default_rng(1).standard_normal((1000, 16)), np.arange(1000) % 2
    best = class_losses(lambda x, s: x / (1 + s**2), x, y, sigma=[sigma])
    exact = ClassLosses(best.sigma, np.full((1, 2), 1 / (1 + sigma**2)), np.zeros((1, 2)), best.n)
    error = best.error / (1 - exact.loss)
    assert (error < 0.05).all()
    assert (np.abs(best.excess(exact)) < 4 * error).all()
    assert (np.abs(best.excess(linear_losses(x, y, sigma=[sigma]))) < 0.1).all()  # variances of 500 samples
    idle = class_losses(lambda x, s: x, x, y, sigma=[sigma])
    assert idle.excess(exact) == pytest.approx(1)


def planted(excess):
    """Losses whose excess over 1/2 is known, at one level."""
    loss = 0.5 + 0.5 * np.atleast_2d(excess)
    return ClassLosses(np.array([1.0]), loss, np.zeros_like(loss), np.full(loss.shape[1], 9))


def test_the_clock_of_each_class():
    """e = e^{−t/τ} passes 1/2 at τ·ln 2."""
    steps = np.geomspace(1, 1000, 121)
    clocks = planted([0.0, 0.0]).clock(steps, [planted([np.exp(-t / 20), np.exp(-t / 200)]) for t in steps])
    assert [one.time[0] for one in clocks] == pytest.approx([20 * np.log(2), 200 * np.log(2)], rel=0.02)
    assert planted([0.2, 1.0]).record() == pytest.approx({"loss_0": 0.6, "loss_1": 1.0})
    assert repr(planted([0.2, 1.0])) == "ClassLosses(1 levels; mean loss of class 0: 0.6, 1: 1)"


def test_in_a_probe_and_the_same_again():
    x, y = drawn(100)
    probe = ec.Probe(
        ec.Spectrum.from_samples(x), sampler=ec.Heun(steps=3), steps=[1], n_samples=8, sigma=(),
        inspect={"class": lambda one: ec.class_losses(one, x, y, sigma=SIGMA).record()},
    )  # fmt: skip
    for step in range(2):
        probe(step, shrinking(1, 0.5))
    seen = probe.curve().dataset["class_loss_1"].values
    assert seen[0] == seen[1] == class_losses(shrinking(1, 0.5), x, y, sigma=SIGMA).record()["loss_1"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"denoiser": 3}, r"denoiser must be a function \(x, sigma\), got 3"),
        ({"denoiser": lambda x: x}, r"denoiser must take \(x, sigma\)"),
        ({"labels": [0, 1]}, "labels must be 20 whole numbers from 0, a class per sample, got int64"),
        ({"labels": np.full(20, 2)}, "labels must have samples of every class, got none of class 0"),
        ({"samples": np.zeros(20)}, r"samples must have shape \(n, ...\), got \(20,\)"),
        ({"sigma": [0.0]}, "sigma must be a 1-D array of noise levels > 0"),
        ({"draws": 0}, "draws must be a whole number >= 1, got 0"),
        ({"device": "abacus"}, "device must be one of cpu"),
    ],
)
def test_errors(more, message):
    given = {"denoiser": lambda x, s: x, "samples": np.zeros((20, 2)), "labels": np.arange(20) % 2, "sigma": [1.0]}
    with pytest.raises(ec.InputError, match=message):
        class_losses(**given | more)
