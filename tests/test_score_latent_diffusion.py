"""The study of score latent diffusion: manifolds, metrics, paired comparisons, its parts at their smallest size."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.integrate
import scipy.stats
import xarray as xr

import eigenclock as ec
from eigenclock_studies import run_study
from eigenclock_studies.score_latent_diffusion import link, make_data, part_collapse, part_digits, part_dimension
from eigenclock_studies.score_latent_diffusion.comparison import grid as comparisons, holm, paired
from eigenclock_studies.score_latent_diffusion.grids import Grid
from eigenclock_studies.score_latent_diffusion.metrics import (
    jacobian_spectrum,
    jacobians,
    kernel_leakage,
    mode_divergence,
    off_manifold,
    score_dimension,
)
from eigenclock_studies.score_latent_diffusion.part_heads import Mixture
from eigenclock_studies.score_latent_diffusion.part_theory import trained_bottleneck
from eigenclock_studies.score_latent_diffusion.runs import Run, case

SURFACES = ("wave2", "wave1", "wave2k", "wave4")


@pytest.mark.parametrize("name", SURFACES)
def test_points_of_a_surface_project_to_themselves(name):
    """Off-manifold distance below 1e-6; a point moved along the normal comes back; tangents are orthonormal and tangent."""
    data = make_data(name, 200, 0, D=24)
    assert off_manifold(data.x, data) < 1e-6
    frame = data.tangent(data.u)
    assert np.allclose(np.einsum("ndk,ndl->nkl", frame, frame), np.eye(data.k), atol=1e-10)
    normal = np.random.default_rng(1).standard_normal(data.x.shape)
    normal -= np.einsum("ndk,nk->nd", frame, np.einsum("ndk,nd->nk", frame, normal))
    moved = data.x + 1e-3 * normal / np.linalg.norm(normal, axis=1, keepdims=True)
    assert np.abs(data.project(moved) - data.x).max() < 1e-5  # second order in the distance times curvature
    assert off_manifold(moved, data) == pytest.approx(1e-3, rel=1e-4)


@pytest.mark.parametrize("name", SURFACES)
def test_tangents_against_differences(name):
    data = make_data(name, 5, 0, D=24)
    other = make_data(name, 5, 0, D=24)
    assert np.array_equal(data.x, other.x)
    frame = data.tangent(data.u)
    for axis in range(data.k):
        # a small step of the chart stays in the tangent plane to second order
        step = np.zeros_like(data.u)
        step[:, axis] = 1e-4
        near = _embedded(name, data, data.u + step) - data.x
        outside = near - np.einsum("ndk,nk->nd", frame, np.einsum("ndk,nd->nk", frame, near))
        assert np.linalg.norm(outside) < 1e-3 * np.linalg.norm(near)


def _embedded(name, data, u):
    """The point of a chart coordinate: the projection of a point near it, found by moving along the tangent."""
    guess = data.x + np.einsum("ndk,nk->nd", data.tangent(data.u), u - data.u)
    return data.project(guess)


def test_intrinsic_density_integrates_to_one():
    """p(u)/√det JᵀJ times the area element, over the chart; and on the line by arc length."""
    data = make_data("wave1", 50, 0, D=16)
    u = np.linspace(-3, 3, 20_001)[:, None]
    frame_free = np.exp(data.log_density(u))
    tangent_length = np.linalg.norm(np.gradient(_curve(data, u), u[:, 0], axis=0), axis=1)
    assert scipy.integrate.trapezoid(frame_free * tangent_length, u[:, 0]) == pytest.approx(1, abs=1e-3)


def _curve(data, u):
    from eigenclock_studies.score_latent_diffusion.manifolds import _wave

    rng = np.random.default_rng([0, 17])
    return _wave(1, rng).embed(u)


@pytest.mark.parametrize("name", ["wave1", "wave2"])
def test_exact_denoiser_against_monte_carlo(name, rng):
    """Quadrature in the chart against 200,000 draws from the prior, within their noise."""
    data = make_data(name, 200_000, 3, D=10)
    x = data.x[:3] + 0.3 * rng.standard_normal((3, 10))
    log = -((x[:, None] - data.x[None]) ** 2).sum(2) / (2 * 0.09)
    weight = np.exp(log - log.max(1, keepdims=True))
    brute = weight @ data.x / weight.sum(1, keepdims=True)
    effective = weight.sum(1) ** 2 / (weight**2).sum(1)
    assert np.abs(data.denoise(x, 0.3) - brute).max() < 4 * 0.3 / np.sqrt(effective.min())


def test_bayes_risk_of_the_wave_surface(rng):
    """b(σ) of the specification, within its stated spread of five draws, two of them."""
    for sigma, value, spread in ((0.1, 1.92, 0.06), (0.2, 1.61, 0.09), (0.4, 1.39, 0.06)):
        data = make_data("wave2", 800, 0, D=8)
        noisy = data.x + sigma * rng.standard_normal(data.x.shape)
        risk = ((data.denoise(noisy, sigma) - data.x) ** 2).sum(1).mean() / sigma**2
        assert abs(risk - value) < 3 * spread


def test_other_data_sets(rng):
    gauss = make_data("gauss", 20_000, 0, D=6, lam=(1.0, 0.3))
    assert np.allclose(np.linalg.eigvalsh(np.cov(gauss.x.T))[::-1][:2], (1.0, 0.3), rtol=0.1)
    assert np.allclose(gauss.denoise(gauss.x, 1e-6), gauss.x, atol=1e-8)
    circle = make_data("circle", 100, 0, D=5)
    assert off_manifold(circle.x, circle) < 1e-12
    assert make_data("isotropic", 10, 0, D=5).project is None
    with pytest.raises(
        ec.InputError, match="data must be one of wave2, wave1, wave2k, wave4, circle, gauss, isotropic, got 'torus'"
    ):
        make_data("torus", 10, 0)
    with pytest.raises(ec.InputError, match="D must be >= 8, the dimension that the surface curves in, got 4"):
        make_data("wave2", 10, 0, D=4)


def test_metrics_of_known_maps(rng):
    """A projection: singular values 1 and 0, no leakage; the identity lets all normal noise through."""
    data = make_data("gauss", 200, 0, D=6, lam=(1.0, 0.5))
    basis = np.linalg.svd(data.x, full_matrices=False)[2][:2].T
    import torch

    matrix = torch.as_tensor(basis @ basis.T, dtype=torch.float32)
    jacobian = jacobians(lambda x: x @ matrix, data.x[:4])
    assert np.allclose(jacobian_spectrum(jacobian), [1, 1, 0, 0, 0, 0], atol=1e-6)
    tangent = np.repeat(basis[None], 4, axis=0)
    assert kernel_leakage(jacobian, tangent) == pytest.approx(0, abs=1e-10)
    assert kernel_leakage(np.repeat(np.eye(6)[None], 4, axis=0), tangent) == pytest.approx(4)
    score = lambda x: (x @ basis @ basis.T - x) / 0.01  # noqa: E731
    assert score_dimension(score, data.x[0], 0.1, rng) == 2


def test_mode_divergence(rng):
    data = make_data("wave2", 4000, 0, D=8)
    assert (data.modes_of(data.x) == data.mode).mean() > 0.95
    assert mode_divergence(data.x, data) < 0.01
    only = data.x[data.mode == 1]  # the rarest mode: KL → ln 20
    assert mode_divergence(only, data) == pytest.approx(np.log(20), abs=0.1)


def test_sliced_wasserstein(rng):
    """Of a shift it is the shift; of Gaussians of another width, √D·|s − 1| per direction."""
    x = rng.standard_normal((3000, 4))
    assert ec.divergences.sliced_wasserstein(x, x) == 0
    assert ec.divergences.sliced_wasserstein(x, x + 1.0, directions=5000) == pytest.approx(2, rel=0.02)
    assert ec.divergences.sliced_wasserstein(x, 3 * x) == pytest.approx(2 * np.sqrt(4), rel=0.05)
    with pytest.raises(
        ec.InputError, match=r"a and b must be samples \(n, D\) of one size, got \(3000, 4\) and \(2, 4\)"
    ):
        ec.divergences.sliced_wasserstein(x, x[:2])


# comparisons


def test_outcomes_of_planted_pairs(rng):
    base = np.exp(0.02 * rng.standard_normal(5))
    assert paired(0.5 * base, np.ones(5)).outcome == "win"
    assert paired(2 * base, np.ones(5)).outcome == "loss"
    assert paired(base, np.ones(5)).outcome == "tie (equivalent)"
    assert paired(np.array([0.5, 2, 1, 0.4, 2.5]), np.ones(5)).outcome == "tie"
    assert paired(0.97 * np.exp(0.001 * rng.standard_normal(5)), np.ones(5)).outcome == "win (equivalent)"
    assert paired([1.0], [2.0]).outcome == "undetermined"
    found = paired(0.5 * base, np.ones(5))
    assert found.ratio.value == pytest.approx(np.log(0.5 * base).mean())
    assert found.p == pytest.approx(scipy.stats.ttest_1samp(np.log(0.5 * base), 0).pvalue)


def test_holm():
    """The worked example: sorted p times the number left, never falling."""
    assert np.allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    assert np.allclose(holm([0.5, 0.9]), [1.0, 1.0])


def test_grid_of_comparisons():
    runs = lambda value: [xr.Dataset({"sw2": value * (1 + 0.01 * i)}) for i in range(4)]  # noqa: E731
    table = comparisons(runs(1.0), {"a": runs(2.0), "b": runs(0.5)}, ["sw2", "missing"])
    assert list(table["outcome"]) == ["win", "loss"]
    assert set(table["metric"]) == {"sw2"}
    spread = [xr.Dataset({"sw2": v}) for v in (2.0, 2.2, 1.9, 2.1)]
    table = comparisons(runs(1.0), {"a": spread}, ["sw2"])
    assert list(table["outcome"]) == ["win"]
    assert table["per seed"].iloc[0].count(" ") == 3


def test_predicted_order_is_that_of_theory():
    """A flat latent space starts learned; a steep one takes longer; the measured clock reads a planted curve."""
    assert link.predicted_time(np.array([1.0, 1.0, 1.0])) == 0
    times = [link.predicted_time(np.array([1.9, 1.0, low])) for low in (0.3, 0.1, 0.02)]
    assert 0 < times[0] < times[1] < times[2]
    time, target = np.geomspace(1, 1e4, 400), np.array([1.8, 0.2])
    variance = target + (1 - target) * np.exp(-time[:, None] / 50)
    run = xr.Dataset(
        {"latent_variance": (("refine_step", "latent_mode"), variance), "latent_target": ("latent_mode", target)},
        coords={"refine_step": time},
    )
    found = link.measured_time(run)
    at = target + (1 - target) * np.exp(-found / 50)
    assert ((np.sqrt(at) - np.sqrt(target)) ** 2).sum() / 2 == pytest.approx(0.02, rel=0.02)


def test_rank_correlation_over_arms():
    table = pd.DataFrame(
        {
            "arm": list("abcdabcd"),
            "seed": [0] * 4 + [1] * 4,
            "predicted": [1.0, 2, 3, 4] * 2,
            "density": [1.0, 2, 3, 4, 4, 3, 2, 1],
        }
    )
    assert link.correlations(table, "density") == pytest.approx([1, -1])
    table.loc[:1, "density"] = np.nan
    assert link.correlations(table, "density") == pytest.approx([-1])


def test_mixture_of_known_score(rng):
    """The exact denoiser against its definition by Monte Carlo; modes in their true shares have no divergence."""
    mixture = Mixture()
    draws = mixture.draw(200_000, rng)
    assert np.allclose(draws.mean(0), 0, atol=0.01)
    assert np.allclose(draws.std(0), 1, atol=0.01)
    assert mixture.mode_divergence(draws) < 1e-3
    x = np.array([[0.3, -0.4]])
    weight = np.exp(-((x - draws) ** 2).sum(1) / (2 * 0.25))
    assert np.allclose(mixture.denoise(x, 0.5)[0], weight @ draws / weight.sum(), atol=0.01)


def test_best_bottleneck_is_reached_from_random_starts():
    from eigenclock_studies.score_latent_diffusion.part_theory import PRESETS

    residual, risk, best = trained_bottleneck(0, PRESETS["tiny"], 0.2, 3)
    assert residual < 1e-6
    assert risk == pytest.approx(best, abs=1e-9)


# digits


def test_stacked_digits_share_no_base_digit():
    """Train and test triples are stacked from different base digits; the classifier names modes; coverage counts them."""
    train, val, test, classifier = part_digits.stacked_digits((50, 20, 200), 0)
    assert train.shape == (50, 8, 8, 3)
    assert 0 <= test.min() < test.max() <= 1
    base = lambda x: {image.tobytes() for image in x.transpose(0, 3, 1, 2).reshape(-1, 64)}  # noqa: E731
    assert not base(train) & base(test)
    assert not base(val) & base(test)
    found = part_digits.modes(test, classifier)
    assert 0 <= found.min() <= found.max() <= 999
    assert part_digits.coverage(np.array([3, 3, 3])) == (1, pytest.approx(np.log(1000)))
    assert part_digits.coverage(np.arange(1000)) == (1000, pytest.approx(0, abs=1e-12))


# the study


def test_case_is_a_function_of_the_seed():
    run = replace(part_collapse.small(Run()), data="wave1", k=1, d=2, steps=(30, 20), samples=60)
    first, again = case(run, 0), case(run, 0)
    xr.testing.assert_identical(first, again)
    assert not first.equals(case(run, 1))
    assert {
        "rho",
        "reconstruction",
        "kernel_leakage",
        "range_leakage",
        "idempotence",
        "sw2",
        "off",
        "gaussian_sw2",
    } <= set(first)


def planted(rho, sv, hits=True):
    """Runs of the collapse part."""
    risk = np.array([50.0, 20, 2.5, 2.4, 2.3]) if hits else np.array([50.0, 40, 30, 20, 12])
    return [
        xr.Dataset(
            {
                "rho": value,
                "risk": ("collapse_step", risk),
                "risk_at": ("sigma", np.full(5, value)),
                "jacobian": ("singular", np.array(sv, dtype=float)),
                "reconstruction": 0.01,
            },
            coords={"collapse_step": np.array([0.0, 1, 10, 100, 1000]), "sigma": [0.02, 0.05, 0.1, 0.2, 0.4]},
        )
        for value in rho
    ]


@pytest.mark.parametrize(
    ("rho", "sv", "plain", "verdict"),
    [
        ([2.2, 2.3, 2.4, 2.3, 2.2], [1.0, 0.8, 0.2, 0, 0, 0, 0, 0], 12.0, "supported"),
        ([3.5, 3.6, 3.4, 3.5, 3.6], [1.0, 0.8, 0.2, 0, 0, 0, 0, 0], 12.0, "not supported"),
        ([2.2, 2.3, 2.4, 2.3, 2.2], [1.0, 0.8, 0.7, 0, 0, 0, 0, 0], 12.0, "not supported"),
        ([2.2, 2.3, 2.4, 2.3, 2.2], [1.0, 0.8, 0.2, 0, 0, 0, 0, 0], 2.5, "inconclusive (the control failed)"),
    ],
)
def test_verdict_on_collapse(rho, sv, plain, verdict, monkeypatch, tmp_path):
    """The specification's thresholds, on planted runs."""
    grid = Grid(
        {
            "σ = 0.1": planted(rho, sv),
            "autoencoder": planted(plain * np.linspace(0.95, 1.05, 5), [2, 2, 1, 0, 0, 0, 0, 0], hits=False),
            "isotropic": planted(1528 * np.linspace(0.99, 1.01, 5), np.ones(8), hits=False),
        }
    )
    monkeypatch.setattr(part_collapse, "run_grid", lambda *_, **__: grid)
    options = replace(part_collapse.PRESETS["cpu"], sigmas=(0.1,), widths=())
    found = part_collapse.run(options, tmp_path, lambda words: None)
    assert found.claims[0]["verdict"] == verdict


def test_slopes_of_planted_errors():
    options = replace(part_dimension.PRESETS["tiny"], intrinsic=(1,), n=(100, 1000))
    runs = {f"k = 1, n = {n}": [xr.Dataset({"sw2": c * n**-0.5}) for c in (1.0, 1.1, 0.9)] for n in (100, 1000)}
    assert part_dimension.slope_table(Grid(runs), options)["slope"].iloc[0].startswith("-0.5")


def test_tiny_study(tmp_path):
    """End to end: tables, figures, a page; and no verdict that two seeds could carry."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run_study("score_latent_diffusion", preset="tiny", out=tmp_path)
    assert not set(found.claims["verdict"]) & {"supported", "not supported", "win", "loss", "tie"}
    for name in (
        "collapse_risk",
        "collapse_jacobians",
        "arms_refine",
        "arms_sweep",
        "dimension_errors",
        "regimes_joint",
        "digits_samples",
    ):
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
    page = (tmp_path / "report.html").read_text()
    assert "Reconstruction of SiLD from the abstract-level claims of arXiv:2605.20235" in page
    assert (tmp_path / "collapse.nc").exists()
    again = run_study("score_latent_diffusion", preset="tiny", out=tmp_path)  # nothing is trained twice
    assert again.claims.equals(found.claims)
