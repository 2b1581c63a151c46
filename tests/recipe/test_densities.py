"""Tests of `eigenclock.recipe.densities`, against SciPy's distributions, diffusers' schedules and their own draws."""

import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad

import eigenclock as ec

X = np.linspace(-6, 6, 25)
TWINS = {
    "log-normal": (ec.LogNormal(-0.7, 1.4), scipy.stats.norm(-0.7, 1.4)),
    # of t even in (0, 1), ln((1 − t)/t) is logistic
    "uniform t": (ec.UniformTime(), scipy.stats.logistic()),
    # of u even in (0, 1), ln tan(πu/2) is a hyperbolic secant
    "cosine": (ec.CosineTime(), scipy.stats.hypsecant()),
}


@pytest.mark.parametrize("name", TWINS)
def test_values_and_draws_are_those_of_a_known_distribution(name):
    density, twin = TWINS[name]
    assert np.allclose(density(np.exp(X)), twin.pdf(X), rtol=1e-12)
    drawn = density.draw(20_000, np.random.default_rng(0))
    assert scipy.stats.kstest(np.log(drawn), twin.cdf).pvalue > 0.01


def test_times_are_those_of_the_objectives():
    """Flow matching's σ = (1 − t)/t, the cosine schedule's σ = tan(πt/2): even t, by the inverse of each."""
    rng = np.random.default_rng(1)
    flow, cosine = ec.UniformTime().draw(20_000, rng), ec.CosineTime().draw(20_000, rng)
    for time in (1 / (1 + flow), 2 / np.pi * np.arctan(cosine)):
        assert scipy.stats.kstest(time, scipy.stats.uniform().cdf).pvalue > 0.01


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("scaled", "name", "ends"), [(False, "linear", (1e-4, 0.02)), (True, "scaled_linear", (8.5e-4, 0.012))]
)
def test_the_schedule_is_that_of_diffusers(scaled, name, ends):
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDPMScheduler(beta_schedule=name, beta_start=ends[0], beta_end=ends[1]).alphas_cumprod.double()
    density = ec.BetaSchedule(*ends, scaled=scaled)
    # theirs is in single precision: 1 − ᾱ of the first step is 1e-4, known to 1e-3
    assert np.allclose(density.levels, np.sqrt((1 - theirs) / theirs), rtol=1e-3)
    assert set(density.draw(100, np.random.default_rng(0))) <= set(density.levels)


@pytest.mark.parametrize(
    "density", [ec.BetaSchedule(), ec.BetaSchedule(8.5e-4, 0.012, scaled=True), ec.BetaSchedule(steps=50)]
)
def test_a_schedule_as_a_density_has_the_mass_and_the_moments_of_its_steps(density):
    place = np.log(density.levels)
    edges = place[[0, -1]]
    x = np.linspace(*edges, 400_001)
    moments = [np.trapezoid(x**k * density(np.exp(x)), x) for k in (0, 1, 2)]
    # the steps are a trapezoid rule of the same integrals, off by their share of one step
    share = 10 / density.levels.size
    assert moments[0] == pytest.approx(1, abs=1e-5)
    assert moments[1] == pytest.approx(place.mean(), abs=share)
    assert moments[2] == pytest.approx((place**2).mean(), abs=5 * share)
    assert density(np.exp(np.array([edges[0] - 0.1, edges[1] + 0.1]))).tolist() == [0, 0]


def test_a_table_is_linear_in_the_logarithm_and_draws_what_it_says():
    sigma, values = [0.01, 0.1, 1.0, 3.0], [0.2, 2.0, 0.5, 0.0]
    table = ec.DensityTable(sigma, values)
    place = np.log(sigma)
    assert quad(lambda x: table(np.exp([x]))[0], place[0], place[-1], points=place[1:-1])[0] == pytest.approx(
        1, abs=1e-8
    )
    ratio = table(np.array(sigma[:2])) / values[:2]
    assert ratio[0] == pytest.approx(ratio[1])
    assert table(np.array([0.005, 4.0])).tolist() == [0, 0]
    assert table(np.array([np.sqrt(0.001)]))[0] == pytest.approx(1.1 * ratio[0])  # half way in ln σ

    def below(x):
        return np.array(
            [
                quad(lambda y: table(np.exp([y]))[0], place[0], min(one, place[-1]), limit=100)[0]
                for one in np.atleast_1d(x)
            ]
        )

    drawn = np.log(table.draw(3000, np.random.default_rng(0)))
    assert scipy.stats.kstest(drawn, below).pvalue > 0.01


class Triangle(ec.Density):
    """A density of one's own, with no draws of its own."""

    def __call__(self, sigma):
        return np.maximum(1 - np.abs(np.log(sigma)), 0)


def test_a_density_of_ones_own_is_drawn_and_trained_by():
    density = Triangle()
    drawn = np.log(density.draw(20_000, np.random.default_rng(0)))
    assert scipy.stats.kstest(drawn, scipy.stats.triang(0.5, -1, 2).cdf).pvalue > 0.01
    spectrum, sigma = ec.Spectrum([1.0, 0.1]), np.array([0.5, 1.0])
    found = ec.predict(spectrum, objective=ec.EDM(density=density), time=[2.0], sigma=sigma, keep_gain=True).gain.values
    by_hand = [
        ec.predict(spectrum, objective=ec.EDM(), time=[2.0 * p], sigma=[s], keep_gain=True).gain.values[..., 0]
        for p, s in zip(density(sigma), sigma, strict=True)
    ]
    assert np.allclose(found[0], np.stack(by_hand, axis=-1)[0], rtol=1e-12)  # p scales each level's rate

    network = ec.as_denoiser(lambda x, s: x, objective=ec.EDM(density=density))
    import torch

    with torch.no_grad():
        assert torch.isfinite(network.loss(torch.zeros(8, 3), torch.Generator().manual_seed(0)))


def test_what_is_no_density_is_refused():
    class Negative(ec.Density):
        def __call__(self, sigma):
            return -np.ones_like(sigma)

    with pytest.raises(ec.InputError, match="density must give a number >= 0 for each noise level"):
        Negative().draw(3, np.random.default_rng(0))
    for wrong, words in (
        (lambda: ec.DensityTable([1.0, 0.1], [1, 1]), "sigma must be at least two rising noise levels"),
        (lambda: ec.DensityTable([0.1, 1.0], [1, -1]), "density must be 2 numbers >= 0"),
        (lambda: ec.DensityTable([0.1, 1.0], [0, 0]), "density must be 2 numbers >= 0, not all 0"),
        (lambda: ec.BetaSchedule(start=0), "density.start must be"),
        (lambda: ec.BetaSchedule(steps=1), "steps must be"),
        (lambda: ec.BetaSchedule(0.1, 0.9), "density must leave some signal at its last step"),
        (
            lambda: ec.predict(ec.Spectrum([1.0]), objective=ec.EDM(density=Negative())),
            "density must give a number >= 0",
        ),
    ):
        with pytest.raises(ec.InputError, match=words):
            wrong()


@pytest.mark.parametrize(
    "density", [ec.UniformTime(), ec.CosineTime(), ec.BetaSchedule(), ec.DensityTable([0.1, 1.0], [1, 2])]
)
def test_files_hold_densities(density, tmp_path):
    curve = ec.predict(ec.Spectrum([1.0]), objective=ec.Velocity(density=density), sampler=ec.Heun(steps=5), time=[1.0])
    curve.save(tmp_path / "curve.nc")
    assert ec.LearningCurve.load(tmp_path / "curve.nc").recipe == curve.recipe
    assert curve.recipe.objective.density == density


@pytest.mark.parametrize("density", [ec.UniformTime(), ec.CosineTime(), ec.BetaSchedule()])
def test_brute_force_trains_by_the_same_density(density):
    """Explicit descent of the linear model at each level, weighted by a density that is SciPy's, against the closed form."""
    spectrum, sampler, time = ec.Spectrum([2.0, 0.2]), ec.Heun(steps=6, sigma_min=0.02, sigma_max=20), [5.0, 50.0]
    recipe = {"objective": ec.FlowMatching(density=density), "architecture": ec.OneLayer(0.0), "sampler": sampler}
    optimizer = ec.GradientDescent(0.05)
    ours = ec.predict(spectrum, optimizer=optimizer, time=time, **recipe)
    brute = ec.simulate(spectrum, optimizer=optimizer, time=time, n_particles=None, **recipe)
    assert np.allclose(ours.variance, brute.variance, rtol=1e-9)
