"""Return probabilities against mixtures whose posterior is exact: Monte Carlo without paths, and quadrature in one dimension."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import torch

import eigenclock as ec
from eigenclock.observables.return_probability import ReturnProbability
from eigenclock_studies.class_imbalance import speciation

PI, VAR = np.array([0.7, 0.2, 0.1]), np.array([1.0, 0.5, 0.3])
MU = 2 * np.random.default_rng(0).standard_normal((3, 8))
SIGMA = np.array([0.5, 1.0, 2.0, 4.0, 8.0])
N = 2000


def denoiser(pi, mu, var):
    """Posterior mean of a Gaussian mixture, in double precision."""
    p, m, v = (torch.as_tensor(one) for one in (pi, mu, var))

    def clean(x, sigma):
        at, s2 = x.double(), float(sigma) ** 2
        total = v + s2
        square = ((at[:, None] - m) ** 2).sum(dim=2)
        weight = torch.softmax(p.log() - at.shape[1] / 2 * total.log() - square / (2 * total), dim=1)
        means = (v[:, None] * at[:, None] + s2 * m) / total[:, None]
        return (weight[:, :, None] * means).sum(dim=1).to(x.dtype)

    return clean


def bayes(pi, mu, var):
    """The class of greatest posterior of a clean sample."""
    return lambda x: (
        np.log(pi) - x.shape[1] / 2 * np.log(var) - ((x[:, None] - mu) ** 2).sum(axis=2) / (2 * var)
    ).argmax(axis=1)


def drawn(mu, var, n=N, seed=1):
    y = np.repeat(np.arange(len(var)), n)
    return mu[y] + np.sqrt(var[y])[:, None] * np.random.default_rng(seed).standard_normal((len(y), mu.shape[1])), y


@pytest.fixture(scope="module")
def found():
    x, y = drawn(MU, VAR)
    return ec.return_probability(denoiser(PI, MU, VAR), x, y, bayes(PI, MU, VAR), sigma=SIGMA, proportions=PI)


@pytest.fixture(scope="module")
def exact():
    """R of the study, which simulates no path; x/s(t) = x₀ + σz at σ² = e^{2t} − 1."""
    return speciation.return_probability(PI, MU, VAR, 0.5 * np.log1p(SIGMA**2), pairs=20_000)


def test_a_mixture_returns_as_its_posterior_says(found, exact):
    """Every R_{i→j} within counting noise; what steps and the classes' overlap add is below 0.01."""
    off = np.abs(found.returns - exact)
    assert (off < 4 * np.sqrt(exact * (1 - exact) / N) + 0.01).all()
    inside = (found.low - 0.01 <= np.diagonal(exact, axis1=1, axis2=2)) & (
        np.diagonal(exact, axis1=1, axis2=2) <= found.high + 0.01
    )
    assert inside.mean() > 0.85  # 95 % intervals of fifteen numbers that share their noise


def test_the_speciation_level_is_where_half_of_the_class_is_forgotten(found):
    grid = np.geomspace(0.5, 8, 200)
    fine = speciation.return_probability(PI, MU, VAR, 0.5 * np.log1p(grid**2), pairs=5000)
    r = (np.diagonal(fine, axis1=1, axis2=2) - PI) / (1 - PI)
    levels = [grid[np.flatnonzero(one >= 0.5)[-1]] for one in r.T]
    assert found.speciation == pytest.approx(levels, rel=0.15)  # octaves between levels, ± 0.04 in r
    assert np.argmin(found.speciation) == 2  # the rarest class is decided last


def test_one_dimension_by_quadrature():
    """R_{i→j}(σ) = ∫ N(y; μ_i, v_i + σ²) P(j|y) dy."""
    pi, mu, var = np.array([0.6, 0.4]), np.array([[-3.0], [3.0]]), np.array([1.0, 0.25])
    x, y = drawn(mu, var, n=6000)
    sigma = [1.0, 3.0, 6.0]
    found = ec.return_probability(
        denoiser(pi, mu, var), x, y, bayes(pi, mu, var), sigma=sigma, proportions=pi, steps=200
    )

    def density(k, at, s):
        return scipy.stats.norm.pdf(at, mu[k, 0], np.sqrt(var[k] + s**2))

    for a, s in enumerate(sigma):
        for i in range(2):
            wanted, _ = scipy.integrate.quad(
                lambda at, s=s, i=i: density(i, at, s) * pi[1] * density(1, at, s) / (pi @ [density(0, at, s), density(1, at, s)]),
                -3 - 8 * np.hypot(1, s), 3 + 8 * np.hypot(1, s), limit=400,
            )  # fmt: skip
            assert found.returns[a, i, 1] == pytest.approx(
                wanted, abs=4 * np.sqrt(wanted * (1 - wanted) / 6000) + 0.006
            )


def test_the_deterministic_flow_would_say_too_much(exact):
    """Why the walk is stochastic: where classes are half forgotten, Heun's steps bring back too many."""
    x, _ = drawn(MU, VAR)
    noisy = torch.as_tensor(x[-N:] / 2.0 + np.random.default_rng(0).standard_normal((N, 8)), dtype=torch.float32)
    ends = ec.sample(denoiser(PI, MU, VAR), ec.Heun(steps=30, sigma_min=0.01, sigma_max=2.0), noise=noisy)
    assert (bayes(PI, MU, VAR)(ends.double().numpy()) == 2).mean() > exact[2, 2, 2] + 0.05


def planted(levels, n=1000):
    """A result with r_k = 1/(1 + (σ/s_k)⁴): 1/2 at s_k."""
    sigma = np.geomspace(0.1, 100, 400)
    pi = np.full(len(levels), 1 / len(levels))
    r = 1 / (1 + (sigma[:, None] / np.asarray(levels)) ** 4)
    returns = np.zeros((sigma.size, pi.size, pi.size))
    returns[:, np.arange(pi.size), np.arange(pi.size)] = pi + (1 - pi) * r
    return ReturnProbability(sigma, returns, pi, np.full(pi.size, n))


def test_levels_of_planted_returns():
    assert planted([1.0, 7.0]).speciation == pytest.approx([1.0, 7.0], rel=1e-3)
    assert planted([1e-3, 1e4]).speciation.tolist() == [0.0, np.inf]
    assert np.isnan(planted([1.0, 7.0], n=9).speciation).all()
    assert planted([2.0, 3.0]).normalised[[0, -1]] == pytest.approx(np.array([[1, 1], [0, 0]]), abs=1e-4)
    assert repr(planted([1.0, 7.0])) == "ReturnProbability(400 levels; classes are decided below σ = 0: 1, 1: 7)"


def test_a_majority_s_level_is_not_what_noise_makes_of_it():
    """Binomial draws of a planted r, π = 0.949, whose noise is twenty times R's: next to no bias, an interval that holds the level.

    The last crossing of r itself is a factor 2.4 too high.
    """
    truth, sigma, rng, n = 2.0, np.geomspace(0.25, 32, 22), np.random.default_rng(0), 200
    pi = np.array([0.949, 0.051])
    r = 1 / (1 + (sigma / truth) ** 4)
    found = []
    for _ in range(200):
        returns = np.zeros((sigma.size, 2, 2))
        returns[:, [0, 1], [0, 1]] = rng.binomial(n, pi + (1 - pi) * r[:, None]) / n
        one = ReturnProbability(sigma, returns, pi, np.full(2, n))
        found.append([one.speciation_low, one.speciation, one.speciation_high])
    low, level, high = np.moveaxis(found, 1, 0)
    assert ((low <= level) & (level <= high)).all()
    assert ((low <= truth) & (truth <= high)).mean(axis=0).min() >= 0.91  # of 200, at 95 %: 2.6 standard deviations
    assert np.abs(np.log(level / truth).mean(axis=0)).max() < 0.1


def test_the_clock_reads_when_a_level_has_come_to_its_end():
    """s(t) = s·(1 − e^{−t/τ}) is within 1.25 of s at τ·ln 5; a class whose level is none yet is far from it."""
    steps = np.geomspace(1, 1000, 121)
    records = [planted([2 * (1 - np.exp(-t / 30)), 5 * (1 - np.exp(-t / 100))]) for t in steps]
    clocks = planted([2.0, 5.0]).clock(steps, records)
    assert [one.time[0] for one in clocks] == pytest.approx([30 * np.log(5), 100 * np.log(5)], rel=0.03)
    assert planted([2.0, 1e5]).clock(steps, records)[1].status == ["unknown"]
    early = planted([2.0, 5.0]).clock(steps[:10], [planted([1e-5, 1e5])] * 10)
    assert [one.status for one in early] == [["right-censored"]] * 2
    assert planted([1e-5, 3.0]).record() == {"speciation_0": 0.0, "speciation_1": pytest.approx(3.0, rel=1e-3)}
    assert len(planted([1.0, 2.0]).to_dataframe()) == 800
    for more, message in (
        ({"within": 1.0}, "within must be a finite number > 1, got 1.0"),
        ({"steps": [1.0]}, r"steps must be as many as records, got shape \(1,\) for 121"),
        ({"records": [planted([1.0, 2.0, 3.0])] * 121}, "records must be of the same 2 classes"),
        (
            {"records": [replace(one, sigma=2 * one.sigma) for one in records]},
            "records must be at the same 400 levels of sigma",
        ),
        ({"records": [3] * 121}, "records must be results of return_probability, got 3"),
    ):
        with pytest.raises(ec.InputError, match=message):
            planted([2.0, 5.0]).clock(**{"steps": steps, "records": records} | more)


def test_along_training_in_a_probe(rng):
    """A network whose classes come apart: its denoiser is that of centroids that grow to the data's."""
    mu, var, pi = np.array([[-3.0, 0.0], [3.0, 0.0]]), np.array([1.0, 1.0]), np.array([0.5, 0.5])
    x, y = drawn(mu, var, n=300)
    classify, levels = (lambda at: (at[:, 0] > 0).astype(int)), [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]

    def look(one):
        return ec.return_probability(one, x, y, classify, sigma=levels, steps=40)

    probe = ec.Probe(
        ec.Spectrum.from_samples(x), sampler=ec.Heun(steps=4), steps=[1, 2, 3], n_samples=8, sigma=(),
        inspect={"return": lambda one: look(one).record()},
    )  # fmt: skip
    models = [denoiser(pi, a * mu, var) for a in (0.0, 0.2, 1.0, 1.0)]
    for step, model in enumerate(models):
        probe(step, model)
    seen = probe.curve().dataset["return_speciation_1"].values
    assert seen[0] < seen[1] < seen[2] == seen[3]
    clocks = look(models[-1]).clock(np.arange(4.0), [look(model) for model in models])
    assert all(1 < one.time[0] <= 2 for one in clocks)


def test_what_is_of_no_class_and_diverged_models(rng):
    x, y = rng.standard_normal((40, 2)), np.arange(40) % 2
    with pytest.warns(ec.InputWarning, match="classify gives no class to 100% of the denoised samples"):
        lost = ec.return_probability(
            lambda x, s: x * torch.nan, x, y, lambda x: (x[:, 0] > 0).astype(int), sigma=[1.0], steps=2
        )
    assert (lost.returns == 0).all()
    by_share = ec.return_probability(
        lambda x, s: x, x, y, lambda x: np.full((len(x), 2), [1.0, 0.0]), sigma=[1.0], steps=2, repeats=3
    )
    assert by_share.returns[0].tolist() == [[1, 0], [1, 0]]
    assert by_share.n.tolist() == [60, 60]
    once, again = (
        ec.return_probability(
            lambda x, s: 0.5 * x, x, y, lambda x: (x[:, 0] > 0).astype(int), sigma=[1.0, 2.0], steps=5, seed=3
        )
        for _ in range(2)
    )
    assert (once.returns == again.returns).all()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"denoiser": 3}, r"denoiser must be a function \(x, sigma\), got 3"),
        ({"classify": 3}, "classify must be a function of samples, got 3"),
        ({"labels": [0, 1]}, r"labels must be 20 whole numbers >= 0, a class per sample, got int64 of shape \(2,\)"),
        ({"labels": np.zeros(20, int)}, "proportions must be > 0 and sum to one, of 2 classes or more"),
        ({"proportions": [0.5, 0.4]}, r"proportions must be > 0 and sum to one, of 2 classes or more, got \[0.5, 0.4\]"),
        ({"sigma": [2.0, 1.0]}, r"sigma must be increasing noise levels, got \[2.0, 1.0\]"),
        ({"sigma": [0.0]}, "sigma must be a 1-D array of noise levels > 0"),
        ({"sigma_min": 3.0}, "sigma_min must be below every level of sigma, the lowest is 1, got 3"),
        ({"steps": 0}, "steps must be a whole number >= 1, got 0"),
        ({"classify": lambda x: np.zeros(3, int)}, r"classify must give 20 whole labels from −1 to 1, got int64 of shape \(3,\)"),
        ({"samples": np.full((20, 2), np.nan)}, "samples must be finite numbers"),
        ({"device": "abacus"}, "device must be one of cpu"),
    ],
)  # fmt: skip
def test_errors(more, message):
    given = {
        "denoiser": lambda x, sigma: x,
        "samples": np.zeros((20, 2)),
        "labels": np.arange(20) % 2,
        "classify": lambda x: np.zeros(len(x), int),
        "sigma": [1.0],
        "steps": 2,
    }
    with pytest.raises(ec.InputError, match=message):
        ec.return_probability(**given | more)
