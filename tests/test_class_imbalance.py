"""Class imbalance: exact flows against descent, equations against matrices, posteriors against sampling, the study at its smallest."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.linalg
import scipy.stats
import xarray as xr

import eigenclock as ec
from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import LogRatio
from eigenclock_studies import run_study
from eigenclock_studies.claims import above, contains_zero, verdict, within
from eigenclock_studies.class_imbalance import (
    ClassImbalance,
    Mixture,
    RandomFeatures,
    SharedPhase,
    class_wiener_loss,
    clone_agreement,
    fashion_runs,
    hermite_coefficients,
    part_fashion,
    part_mlp,
    part_random_features,
    return_probability,
    rf_density,
    rf_exact_losses,
    rf_moments,
    rf_resolvent,
    run,
    speciation_time,
)
from eigenclock_studies.class_imbalance.fashion_data import ARMS, choose, judge_of, synthetic, three_classes
from eigenclock_studies.class_imbalance.mixtures import noise, noised_variance
from eigenclock_studies.class_imbalance.network import SmallNetwork
from eigenclock_studies.class_imbalance.random_features import class_losses, combine, flow, steps_of
from eigenclock_studies.class_imbalance.speciation import exact_score, log_joint, normalised_returns, posterior
from eigenclock_studies.class_imbalance.spectrum_equations import overfitting_edge

T, PSI_P = 0.1, 4.0
TWO = Mixture((1.5, 0.5), (0.3, 0.7), 6)


@pytest.fixture(scope="module")
def features():
    """Moments of both classes, with the draws behind them, small enough for any brute force."""
    rng = np.random.default_rng(0)
    centroids, weights = TWO.centroids(rng), rng.standard_normal((24, 6))
    counts = TWO.counts(20)
    points = [TWO.draw(k, int(c), centroids, rng) for k, c in enumerate(counts)]
    parts = [rf_moments(x, weights, t=T, draws=8, rng=np.random.default_rng(1)) for x in points]
    whole = combine(parts, counts / counts.sum())
    lam, vectors = scipy.linalg.eigh(whole.U)
    return points, weights, counts, parts, whole, lam, vectors


def test_flow_against_explicit_descent(features):
    """Steps of size h give exactly ((1 − 2 D λ h/ψ_p)^k − 1)/λ, as a matrix loop has it; the flow is their limit, to first order."""
    _, _, _, _, whole, lam, vectors = features
    d, p, tau = 6, 24, 0.8
    psi_p, errors = p / d, []
    for steps in (2000, 4000):
        h = tau / steps
        a = np.zeros((d, p))
        for _ in range(steps):
            gradient = 2 * noise(T) * d / p * a @ whole.U + 2 * d * np.sqrt(noise(T)) / np.sqrt(p) * whole.V.T
            a = a - h * gradient
        # A/√p = V^T Q diag(g) Q^T/√D
        exact = (
            whole.V.T
            @ vectors
            @ np.diag(steps_of(lam, [steps], h, T, psi_p)[0])
            @ vectors.T
            / np.sqrt(noise(T))
            * np.sqrt(p)
        )
        assert a == pytest.approx(exact, rel=1e-8, abs=1e-9 * np.abs(exact).max())
        flowing = (
            whole.V.T
            @ vectors
            @ np.diag(flow(lam, np.array([tau]), T, psi_p)[0])
            @ vectors.T
            / np.sqrt(noise(T))
            * np.sqrt(p)
        )
        errors.append(np.abs(a - flowing).max())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.02)


def test_flow_is_descent_of_vanishing_steps_to_1e_8(features):
    """Richardson: two step sizes extrapolated to zero cancel the first order, and reach the flow to 1e-8."""
    *_, lam, _ = features
    tau, psi_p, n = 0.5, 4.0, 100  # more steps would lose digits in 1 − 2Dλh/ψ_p
    coarse, fine, finer = (steps_of(lam, [k], tau / k, T, psi_p)[0] for k in (n, 2 * n, 4 * n))
    first, second = 2 * fine - coarse, 2 * finer - fine
    assert (4 * second - first) / 3 == pytest.approx(flow(lam, np.array([tau]), T, psi_p)[0], rel=1e-8)


def test_too_large_a_step_diverges(features):
    *_, lam, _ = features
    h = 1.01 * 4.0 / (noise(T) * lam[-1])
    grown = np.abs(steps_of(lam, [10, 1000], h, T, 4.0)[:, -1])
    assert grown[1] > 1e3 * grown[0]


def test_losses_are_the_direct_ones_on_the_same_draws(features):
    points, weights, counts, parts, whole, lam, vectors = features
    d, p, tau = 6, 24, 3.0
    g = flow(lam, np.array([tau]), T, p / d)[0]
    a_over = whole.V.T @ vectors @ np.diag(g) @ vectors.T / np.sqrt(noise(T))
    total = 0.0
    for k, x in enumerate(points):
        rng = np.random.default_rng(1)
        half = rng.standard_normal((len(x) * 4, d))
        xi = np.concatenate([half, -half])
        clean = np.tile(np.repeat(np.exp(-T) * x, 4, axis=0), (2, 1))
        seen = (clean + np.sqrt(noise(T)) * xi).astype(np.float32)
        phi = np.tanh(seen @ (weights / np.sqrt(d)).astype(np.float32).T).astype(float)
        direct = ((np.sqrt(noise(T)) * phi @ a_over.T + xi) ** 2).sum() / len(xi) / d
        exact = rf_exact_losses(lam, vectors, parts[k].U, parts[k].V, whole.V, [tau], T, p / d, noise2=parts[k].noise2)[
            0
        ]
        assert exact == pytest.approx(direct, rel=1e-8)
        total += counts[k] / counts.sum() * exact
    over_time = rf_exact_losses(
        lam, vectors, whole.U, whole.V, whole.V, np.geomspace(0.01, 1e6, 200), T, p / d, noise2=whole.noise2
    )
    assert over_time[np.searchsorted(np.geomspace(0.01, 1e6, 200), tau) - 1] > total > over_time[-1]
    assert (np.diff(over_time) <= 1e-12).all()


def test_zero_and_infinite_time(features):
    *_, parts, whole, lam, vectors = features
    start = rf_exact_losses(lam, vectors, parts[0].U, parts[0].V, whole.V, [0.0], T, PSI_P)
    assert start[0] == 1
    wide = np.geomspace(1e-14, 1e2, lam.size)
    late = rf_exact_losses(wide, vectors, parts[0].U, parts[0].V, whole.V, [0.0, 1e6], T, PSI_P)
    assert np.isfinite(late).all()


def test_class_losses_start_at_one_and_repeat():
    setting = RandomFeatures(TWO, 4, 4, draws=8, test=200)
    found = class_losses(setting, 0)
    assert found.shape == (3, 2, 400)
    assert found[:, :, 0] == pytest.approx(np.ones((3, 2)), abs=0.05)  # tau = 0.1, not 0
    assert (found == class_losses(setting, 0)).all()
    assert (found != class_losses(setting, 1)).any()


CHECKS = [  # d = ∞, tanh, t = 0.1, psi_p = 16, psi_n = 4, computed independently
    ((1.0,), (1.0,), (7.72819728, 1.80181477, 0.31765539)),
    ((1.5, 0.5), (0.5, 0.5), (7.83992440, 1.80650476, 0.31794224)),
    ((1.5, 0.5), (0.1, 0.9), (8.27611386, 1.83674648, 0.31953706)),
    ((1.5, 1.0, 0.5), (0.2, 0.3, 0.5), (7.96421033, 1.81638084, 0.31844469)),
]


@pytest.mark.parametrize(("var", "pi", "expected"), CHECKS)
def test_resolvent_at_known_points(var, pi, expected):
    q, residual = rf_resolvent([-0.1, -0.5, -3.0], var, pi, 16, 4, T)
    assert q.real == pytest.approx(expected, rel=1e-6)
    assert np.abs(q.imag).max() < 1e-9
    assert residual.max() < 1e-9


@pytest.mark.parametrize("pi", [(0.5, 0.5), (0.1, 0.9)])
def test_equal_classes_are_one_class(pi):
    q, _ = rf_resolvent([-0.5], (1.0, 1.0), pi, 16, 4, T)
    one, _ = rf_resolvent([-0.5], (1.0,), (1.0,), 16, 4, T)
    assert q.real == pytest.approx(one.real, rel=1e-9)


def test_density_has_mass_one_and_the_right_mean():
    lam = np.r_[np.arange(-0.3, 0.4, 0.001), np.arange(0.4, 14, 0.004)]
    density = rf_density(lam, (1.5, 0.5), (0.5, 0.5), 16, 4, T)
    assert density.min() > 0
    assert np.trapezoid(density, lam) == pytest.approx(1, rel=0.02)
    above_one = lam > 1
    assert np.trapezoid(density[above_one], lam[above_one]) == pytest.approx(1 / 16, rel=0.02)
    total = np.mean([hermite_coefficients(v, T).total for v in (1.5, 0.5)])
    assert np.trapezoid(density * lam, lam) == pytest.approx(total, rel=0.02)
    assert rf_density(np.array([5.0, 0.05]), (1.5, 0.5), (0.5, 0.5), 16, 4, T) == pytest.approx(
        [0.008029, 1.808196], rel=1e-3
    )


def test_resolvent_against_a_drawn_matrix():
    rng, d = np.random.default_rng(0), 32
    mixture = Mixture((1.5, 0.5), (0.5, 0.5), d)
    centroids, counts = mixture.centroids(rng), mixture.counts(4 * d)
    weights = rng.standard_normal((16 * d, d))
    parts = [
        rf_moments(mixture.draw(k, int(c), centroids, rng), weights, t=T, draws=32, rng=rng)
        for k, c in enumerate(counts)
    ]
    eigenvalues = scipy.linalg.eigvalsh(combine(parts, counts / counts.sum()).U)
    q, _ = rf_resolvent([-0.5], (1.5, 0.5), (0.5, 0.5), 16, 4, T)
    assert (1 / (eigenvalues + 0.5)).mean() == pytest.approx(q[0].real, rel=0.05)


def test_coefficients():
    high, low = hermite_coefficients(1.5, T), hermite_coefficients(0.5, T)
    assert (high.a, high.b, high.v2, high.s2) == pytest.approx((0.543059, 0.231211, 0.0251441, 0.0161563), abs=1e-5)
    assert (low.a, low.b, low.v2, low.s2) == pytest.approx((0.698703, 0.297478, 0.0039893, 0.0089676), abs=1e-5)
    for one, variance in ((high, 1.5), (low, 0.5)):
        assert one.a == pytest.approx(one.kappa, rel=1e-6)
        assert one.b == pytest.approx(np.sqrt(noise(T)) * one.kappa, rel=1e-6)
        assert one.a**2 * np.exp(-2 * T) * variance + one.b**2 + one.v2 + one.s2 == pytest.approx(one.total, rel=1e-12)
    straight = hermite_coefficients(1.5, T, lambda x: x)
    assert (straight.v2, straight.s2) == pytest.approx((0, 0), abs=1e-12)


def test_shared_phase():
    phase = SharedPhase.of((1.5, 0.5), (0.5, 0.5), T)
    assert phase.best_time(0) == pytest.approx(10.58, abs=0.01)
    assert np.isnan(phase.best_time(1))
    tau = np.geomspace(0.1, 100, 2000)
    assert tau[phase.loss(tau, 0).argmin()] == pytest.approx(phase.best_time(0), rel=0.01)
    assert phase.loss(0.0, 1) == 1
    assert overfitting_edge(1.5, 0.5, 16, 4, 0.01, T) > overfitting_edge(0.5, 0.5, 16, 4, 0.01, T)


def test_reference_loss():
    for variance in (0.5, 1.5):
        expected = 1 - noise(T) / noised_variance(variance, T)
        assert class_wiener_loss(variance, T) == pytest.approx(expected)
        assert class_wiener_loss(variance * np.eye(4), T) == pytest.approx(expected)
    left = np.exp(-2 * T)
    by_hand = (left / (left + noise(T)) + 3 * left / (3 * left + noise(T))) / 2
    assert class_wiener_loss(np.diag([1.0, 3.0]), T) == pytest.approx(by_hand)


TIMES = np.arange(0.05, 6.3, 0.1)


@pytest.mark.parametrize(
    ("d", "pi", "expected"),
    [
        (256, (1 / 3,) * 3, (2.38, 2.38, 2.38)),
        (256, (0.949, 0.05, 0.001), (2.20, 2.20, 1.77)),
        (64, (0.949, 0.05, 0.001), (1.51, 1.51, 1.08)),
        (64, (0.9, 0.09, 0.01), (1.57, 1.58, 1.26)),
    ],
)
def test_speciation_times(d, pi, expected):
    r = normalised_returns(return_probability(pi, np.sqrt(d) * np.eye(3, d), np.ones(3), TIMES, pairs=1500), pi)
    found = [speciation_time(TIMES, r[:, k]) for k in range(3)]
    assert found == pytest.approx(expected, abs=0.05)
    assert r[0] == pytest.approx(np.ones(3), abs=1e-6)
    assert np.abs(return_and_normalise(pi, d, 8.0)).max() < 0.01


def return_and_normalise(pi, d, t):
    return normalised_returns(return_probability(pi, np.sqrt(d) * np.eye(3, d), np.ones(3), [t], pairs=1500), pi)


def test_detailed_balance_and_permutation():
    pi, d = np.array([0.6, 0.3, 0.1]), 16
    mu, var = np.sqrt(d) * np.eye(3, d), np.array([1.0, 0.5, 1.5])
    returns = return_probability(pi, mu, var, [0.3, 0.8, 1.5], pairs=20_000)
    assert returns.sum(axis=2) == pytest.approx(np.ones((3, 3)))
    balance = pi[:, None] * returns
    assert balance == pytest.approx(balance.transpose(0, 2, 1), abs=2e-3)
    order = [2, 0, 1]
    again = return_probability(pi[order], mu[order], var[order], [0.3, 0.8, 1.5], pairs=20_000)
    assert again == pytest.approx(returns[:, order][:, :, order], abs=0.02)


@pytest.mark.parametrize("share", [0.5, 0.05, 0.001])
def test_two_classes_by_quadrature(share):
    """R_k = E[1/(1 + ((1 − pi)/pi) exp(−2Λ − 2√Λ g))], Λ = e^{−2t}|mu|²/G; both normalised curves are one."""
    d, mu = 16, np.array([[1.0], [-1.0]]) * np.ones((1, 16))
    x, weight = np.polynomial.hermite_e.hermegauss(120)
    pi = (share, 1 - share)
    returns = return_probability(pi, mu, (1.0, 1.0), [0.5, 1.5, 2.5], pairs=40_000)
    for a, t in enumerate((0.5, 1.5, 2.5)):
        size = np.exp(-2 * t) * d
        exact = [
            float(weight @ (1 / (1 + (1 - p) / p * np.exp(-2 * size - 2 * np.sqrt(size) * x))) / weight.sum())
            for p in pi
        ]
        assert np.diag(returns[a]) == pytest.approx(exact, abs=0.01)
        assert pi[0] * (1 - exact[0]) == pytest.approx(pi[1] * (1 - exact[1]), abs=1e-8)
    r = normalised_returns(returns, pi)
    assert r[:, 0] == pytest.approx(r[:, 1])


def test_exact_score_is_the_gradient(rng):
    pi, mu, var = (0.7, 0.3), rng.standard_normal((2, 3)), (1.5, 0.5)
    x, h = rng.standard_normal((5, 3)), 1e-5
    p = lambda y: scipy.special.logsumexp(log_joint(y, 0.4, np.array(pi), mu, np.array(var)), axis=1)  # noqa: E731
    slope = np.stack([(p(x + h * e) - p(x - h * e)) / (2 * h) for e in np.eye(3)], axis=1)
    assert exact_score(x, 0.4, pi, mu, var) == pytest.approx(slope, abs=1e-7)
    assert posterior(x, 0.4, pi, mu, var).sum(axis=1) == pytest.approx(np.ones(5))


def test_clones_agree_with_the_exact_values():
    d = 16
    mu = np.sqrt(d) * np.eye(3, d)
    found = clone_agreement((0.6, 0.3, 0.1), mu, np.ones(3), 0.9, pairs=400, steps=80)
    # four binomial standard errors, and the bias of 80 Euler steps
    for seen, exact in zip((found.same, *found.again), (found.same_exact, *found.again_exact), strict=True):
        assert abs(seen.value - exact) < 4 * np.sqrt(exact * (1 - exact) / seen.n) + 0.03
    rare = clone_agreement((0.98, 0.01, 0.01), mu, np.ones(3), 0.9, pairs=100, steps=40)
    assert rare.from_data == (False, True, True)


def test_speciation_time_by_hand():
    assert speciation_time([1.0, 2.0, 3.0], [1.0, 0.75, 0.25]) == 2.5
    assert np.isnan(speciation_time([1.0, 2.0], [0.4, 0.3]))
    assert speciation_time([1.0, 2.0], [0.9, 0.8]) == np.inf
    assert speciation_time([1.0, 2.0, 3.0, 4.0], [1.0, 0.4, 0.6, 0.2]) == 3.25  # the largest


def test_the_order_of_a_trained_network():
    options = part_mlp.Options(3, SmallNetwork(steps=300, checkpoints=80), (0.5, 0.05))
    first = part_mlp.class_losses(list(options.cells().values()), options.network, 3, 0)
    dataset = xr.Dataset(
        {"loss": (("cell", "replicate", "class", "step"), first[1])},
        coords={"cell": list(options.cells()), "step": first[0].astype(float)},
    )
    assert first[1][..., 0] == pytest.approx(np.ones_like(first[1][..., 0]))
    balanced, rare, one = (
        part_mlp.log_ratio(dataset, options, cell, t)
        for cell, t in (("high 0.5", 0.5), ("high 0.05", 0.2), ("one centroid 0.05", 0.2))
    )
    assert (balanced.high < 0).all()
    assert (rare.low > 0).sum() >= 2
    assert (one.high < 0).all()
    again = part_mlp.class_losses(list(options.cells().values()), options.network, 3, 0)
    assert (first[1] == again[1]).all()


def test_bounds_are_compared_as_bounds():
    inf = np.inf
    seen, bound = LogRatio(np.full(3, 0.2), np.full(3, 0.2)), LogRatio(np.full(3, 3.3), np.full(3, inf))
    lower, unknown = LogRatio(np.full(3, 3.2), np.full(3, inf)), LogRatio(np.full(3, -inf), np.full(3, inf))
    assert part_mlp._rises(seen, bound) is True
    assert part_mlp._rises(bound, lower) is None
    assert part_mlp._rises(bound, seen) is False
    assert part_mlp._rises(seen, unknown) is None
    mixed = LogRatio(np.log([1.0, 1.0, 1.0, 1.0, 20.0]), np.array([0.0, 0.0, 0.0, 0.0, inf]))
    assert within(mixed, 3, np.inf) is None  # the geometric mean is only known to be above 1.8


def test_verdict_words():
    times = np.array([2.0, 2.2, 2.1])
    ratio = LogRatio.of(Passages(times, times, 0), Passages(np.ones(3), np.ones(3), 0))
    assert within(ratio, 1.6, 2.4) is True
    assert within(ratio, 3, np.inf) is False
    bound = LogRatio(np.log(times), np.full(3, np.inf))
    assert within(bound, 3, np.inf) is None
    assert within(bound, 1.0, np.inf) is True
    assert above(ratio.mean, 0) is True
    assert above(bound.mean, 0) is True
    assert contains_zero(ratio) is False
    assert verdict(True, True) == "supported"
    assert verdict(True, False) == "not supported"
    assert verdict(True, None) == "inconclusive"
    assert verdict(True, control=False) == "inconclusive (the control failed)"
    assert verdict(True, enough=False) == "inconclusive (too few replicates)"


def test_classes_are_chosen_by_variance_and_sets_are_disjoint():
    data = synthetic()
    chosen, traces = choose(data.train_y, data.train_x)
    assert (np.diff(traces[chosen]) > 0).all()
    many = np.repeat(np.arange(10), 30)
    spread = np.array([3, 1, 7, 5, 9, 2, 10, 4, 8, 6])[many]
    labelled = np.random.default_rng(0).standard_normal((300, 5)) * spread[:, None]
    assert spread[many == choose(many, labelled)[0][1]][0] == 5
    assert [int(np.unique(spread[many == k])[0]) for k in choose(many, labelled)[0]] == [1, 5, 10]
    classes = three_classes(data, d=8, pca_from=200, pool=60, seed=0)
    sets = [np.concatenate(part) for part in (classes.train, classes.control, classes.judge, classes.held_out)]
    together = np.concatenate(sets)
    assert len(np.unique(together, axis=0)) == len(together)
    everything = np.concatenate([classes.train[k] for k in range(3)])
    for arm, shares in ARMS.items():
        samples, control, counts = classes.arm(arm, 120)
        assert len(samples) == len(control) == 120
        assert counts / 120 == pytest.approx(shares, abs=0.01)
        assert np.isin(samples[:, 0], everything[:, 0]).all()
    judge = judge_of(classes)
    assert judge.accuracy >= 0.97
    assert (judge.pass_rate > 0.9).all()
    assert (judge.strict(1e3 * np.ones((4, 8))) == -1).all()
    with pytest.raises(ec.InputError, match="the classifier must be right for"):
        judge_of(classes, least=1.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("classes")
    run_study("class_imbalance", preset="tiny", out=out, command="eigenclock study class_imbalance")
    return out


def test_study_at_its_smallest(folder):
    page = (folder / "report.html").read_text()
    assert "reconstruction" in page
    assert "known negative" in page
    assert "synthetic" in page
    for part in ClassImbalance.preset("tiny").parts():
        claims = pd.read_csv(folder / f"{part}_claims.csv")
        assert not claims["verdict"].isin(["supported", "not supported"]).any(), "the smallest size issues no verdict"
        assert xr.load_dataset(folder / f"{part}.nc", engine="h5netcdf").sizes
        assert len(list(folder.glob(f"{part}_*.png"))) == 1
    assert (
        json.loads((folder / "manifest_all.json").read_text())["seconds"].keys()
        == ClassImbalance.preset("tiny").parts().keys()
    )


def test_same_numbers_again(folder, tmp_path):
    study = ClassImbalance.preset("tiny")
    for part in ("random_features", "mlp", "fashion"):
        again = run(study, folder=tmp_path, part=part)
        kept = xr.load_dataset(folder / f"{part}.nc", engine="h5netcdf")
        assert again.drop_attrs().equals(kept.drop_attrs())
        known = run(study, folder=folder, part=part)
        assert known.drop_attrs().equals(kept.drop_attrs())


def test_without_data_the_other_parts_are_whole(tmp_path):
    study = replace(ClassImbalance.preset("tiny"), fashion=fashion_runs.PRESETS["cpu"])
    part = study.parts()["fashion"](tmp_path, lambda words: None)
    assert part.claims[0]["verdict"].startswith("not run: needs Fashion-MNIST")
    with pytest.raises(ec.InputError, match="part fashion was not run: it needs data"):
        run(study, folder=tmp_path, part="fashion")
    with pytest.raises(
        ec.InputError, match="part must be one of random_features, spectrum, mlp, speciation, fashion, copies, got 'rf'"
    ):
        run(study, folder=tmp_path, part="rf")
    with pytest.raises(ec.InputError, match="data must be one file or folder of labelled images, got 2"):
        study.with_data(("a", "b"))
    with pytest.raises(ec.InputError, match="which does not exist"):
        part_fashion.run(study.with_data(("nowhere.npz",)).fashion, tmp_path, lambda words: None)


def test_turning_the_classes_around_turns_the_claim_around():
    """Claims of the random-feature part are computed: with the classes exchanged, low variance is first and the claim fails."""
    options = replace(part_random_features.PRESETS["tiny"], replicates=5, shares=(0.5,), other_psi_n=())
    cells = {name: RandomFeatures(cell.mixture, 8, 4, draws=8, test=500) for name, cell in options.cells().items()}
    loss = np.stack([[class_losses(cell, seed) for seed in range(5)] for cell in cells.values()])
    dims = ("cell", "replicate", "split", "class", "tau")
    coords = {"cell": list(cells), "split": ["draws", "train", "test"], "tau": part_random_features.TAU}
    ratios = []
    for values in (loss, loss[:, :, :, ::-1]):
        dataset = xr.Dataset({"loss": (dims, values)}, coords=coords, attrs={"truncated": 0})
        found = part_random_features.clocks(dataset, "variance 0.5", cells["variance 0.5"])
        ratios.append(part_random_features.log_ratio(found, "half", 1, 0))
        verdict_ = part_random_features.claims(dataset, options)[0]["verdict"]
    assert ratios[0].mean.low > 0
    assert ratios[1].mean.high < 0
    assert ratios[0].mean.value == pytest.approx(-ratios[1].mean.value)
    assert verdict_ != "supported"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Mixture((1.0, 1.0), (0.5, 0.6), 4), r"pi must be > 0 and sum to one, got \(0.5, 0.6\)"),
        (lambda: Mixture((1.0, 1.0), (1.0, 0.0), 4), "pi must be > 0 and sum to one"),
        (lambda: Mixture((1.0, 0.0), (0.5, 0.5), 4), r"variance must be class variances > 0, got \(1.0, 0.0\)"),
        (lambda: Mixture((1.0,), (0.5, 0.5), 4), "pi must have one entry per class, 1, got 2"),
        (lambda: Mixture((1.0, 1.0), (0.5, 0.5), 4, (1.0,)), "norm2 must have 2 entries, one per class, got 1"),
        (lambda: Mixture((1.0, 1.0), (0.99, 0.01), 4).counts(20), r"every class must have at least 2 training samples, got \[20, 0\] of n = 20"),
        (lambda: rf_resolvent([-1.0], (1.0,), (1.0,), 0.0, 4, T), "psi_p must be a finite number > 0, got 0.0"),
        (lambda: rf_resolvent([-1.0], (1.0,), (1.0,), 4, -1.0, T), "psi_n must be a finite number > 0, got -1.0"),
        (lambda: hermite_coefficients(1.0, 0.0), "t must be a finite number > 0, got 0.0"),
        (lambda: return_probability((0.5, 0.5), np.zeros((3, 2)), (1, 1), [1.0]), r"mu must have shape \(2, d\), got \(3, 2\)"),
        (lambda: return_probability((0.5, 0.5), np.full((2, 2), np.nan), (1, 1), [1.0]), "mu must be centroids"),
        (lambda: return_probability((0.5, 0.5), np.zeros((2, 2)), (1, 1), [0.0]), r"t must be times > 0, got \[0.0\]"),
        (lambda: speciation_time([2.0, 1.0], [1.0, 0.0]), "t must increase and r have its length"),
        (lambda: RandomFeatures(TWO, 4, 4, t=-1.0), "t must be a finite number > 0, got -1.0"),
        (lambda: rf_exact_losses(np.ones(2), np.eye(2), np.eye(2), np.ones((2, 2)), np.ones((2, 2)), [2.0, 1.0], T, 1.0), "tau must be an increasing grid of times >= 0"),
        (lambda: rf_moments(np.ones((2, 2)), np.ones((3, 2)), t=T, draws=3, rng=np.random.default_rng(0)), "draws must be even"),
        (lambda: run_study("class_imbalance", preset="tiny", out="x", part="rf"), "part must be one of 'random_features'"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ec.InputError, match=message):
        call()
