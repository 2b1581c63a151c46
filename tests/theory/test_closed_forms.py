"""Closed forms of T5 against the paper's printed forms in 60 digits, against mpmath's quadrature, and against Gauss–Legendre."""

import mpmath
import numpy as np
import pytest

import eigenclock as ec
from eigenclock.theory.closed_forms import closed_form

VARIANCE = np.logspace(-8, 4, 13)
TIME = np.logspace(-6, 6, 13)
LIMITS = np.array([0.0, np.inf])
INIT = [0.0, 0.1, 0.5, 0.6, 1.0]
ETA, LOW, HIGH = 1.0, 0.002, 80.0
ROUNDING = 1e-13
"""v is the exponential of a few logarithms of size up to ln(σ_T²/σ₀²) = 21: each rounds by 21·1.1e-16."""
CASES = [(ec.Denoising(), ec.OneLayer), (ec.Denoising(), ec.TiedTwoLayer), (ec.FlowMatching(), ec.OneLayer)]
CASE_NAMES = ["denoising one layer", "denoising tied two layers", "flow matching one layer"]


def printed_one_layer(lam, tau, q):
    mp = mpmath.mpf

    def phi(sigma):
        s = sigma**2
        exponent = (1 - q) / 2 * mpmath.ei(-2 * tau * s) * mpmath.exp(-2 * tau * lam) - mpmath.ei(
            -2 * tau * (s + lam)
        ) / 2
        return mpmath.sqrt(lam + s) * mpmath.exp(exponent)

    return mp(HIGH) ** 2 * (phi(mp(LOW)) / phi(mp(HIGH))) ** 2


def printed_tied(lam, tau, q):
    mp = mpmath.mpf
    e = mpmath.exp(-8 * tau * lam)
    z = q + (1 - q) * e

    def phi(sigma):
        s = sigma**2
        return sigma ** ((1 - q) * e / z) * (lam * e + q * (1 - e) * (lam + s)) ** (q / (2 * z))

    return mp(HIGH) ** 2 * (phi(mp(LOW)) / phi(mp(HIGH))) ** 2


def printed_flow(lam, tau, q):
    root = mpmath.sqrt(2 * tau / (lam + 1))
    gaussian = mpmath.sqrt(mpmath.pi / (2 * tau * (lam + 1))) * q * mpmath.exp(-2 * tau * lam / (lam + 1))
    total = mpmath.log(lam) + mpmath.ei(-2 * tau) - mpmath.ei(-2 * tau * lam)
    return mpmath.exp(total + gaussian * (mpmath.erf(root) + mpmath.erf(lam * root)))


def exact(objective, architecture, q, sampler):
    solve = closed_form(ec.Recipe(objective, architecture(q), ec.GradientFlow(ETA), sampler))
    assert solve is not None
    return solve


@pytest.mark.parametrize("q", INIT)
@pytest.mark.parametrize(
    ("case", "printed"), list(zip(CASES, (printed_one_layer, printed_tied, printed_flow), strict=True)), ids=CASE_NAMES
)
def test_against_the_printed_forms(case, printed, q):
    flow = isinstance(case[0], ec.FlowMatching)
    sampler = ec.ProbabilityFlow(0.0, np.inf) if flow else ec.ProbabilityFlow(LOW, HIGH)
    got = exact(*case, q, sampler)(VARIANCE, TIME)
    if q == 0 and printed is printed_tied:  # printed as 0^0; a fixed point, the flow only removes noise
        assert (got == LOW**2).all()
        return
    worst = 0.0
    with mpmath.workdps(60):
        for i, tau in enumerate(TIME):
            for k, lam in enumerate(VARIANCE):
                expected = printed(mpmath.mpf(float(lam)), mpmath.mpf(float(tau)), mpmath.mpf(q))
                worst = max(worst, float(abs(got[i, k] / expected - 1)))
    print(f"worst relative error {worst:.1e}")
    assert worst <= 1e-10


@pytest.mark.parametrize("q", INIT)
@pytest.mark.parametrize("case", CASES, ids=CASE_NAMES)
def test_against_gauss_legendre_everywhere(case, q):
    """All times with their limits, and zero variance, which the printed forms do not cover."""
    variance, time = np.concatenate([[0.0], VARIANCE]), np.concatenate([[0.0], TIME, [np.inf]])
    closed = exact(*case, q, ec.ProbabilityFlow(LOW, HIGH))(variance, time)
    recipe = {"objective": case[0], "architecture": case[1](q), "optimizer": ec.GradientFlow(ETA), "time": time}
    quadrature = ec.predict(ec.Spectrum(variance), sampler=ec.ProbabilityFlow(LOW, HIGH, "quadrature", 200), **recipe)
    error = np.abs(closed / quadrature.variance.values - 1).max()
    print(f"worst relative error {error:.1e}")
    assert error <= 1e-10


@pytest.mark.parametrize("case", CASES, ids=CASE_NAMES)
@pytest.mark.parametrize(("lam", "tau", "q"), [(1e-3, 50.0, 0.1), (2.0, 0.3, 0.6), (1e2, 1e-3, 0.5)])
def test_against_mpmath_quadrature(case, lam, tau, q):
    """∫(1−ψ) d ln σ of T4's and T7's gain, written out here, in 30 digits."""
    flow, tied = isinstance(case[0], ec.FlowMatching), case[1] is ec.TiedTwoLayer

    def gain(u):
        sigma = mpmath.exp(u)
        if flow:
            t = 1 / (1 + sigma)
            kappa = t**2 * lam + (1 - t) ** 2
            best = (t * lam - (1 - t)) / kappa
            return t * (1 + (1 - t) * (best + (q - best) * mpmath.exp(-2 * tau * kappa)))
        best = lam / (lam + sigma**2)
        if tied:
            return best * q / (q + (best - q) * mpmath.exp(-8 * tau * lam))
        return best + (q - best) * mpmath.exp(-2 * tau * (lam + sigma**2))

    with mpmath.workdps(30):
        ends = mpmath.linspace(mpmath.log(LOW), mpmath.log(HIGH), 12)
        expected = mpmath.mpf(HIGH) ** 2 * mpmath.exp(-2 * mpmath.quad(lambda u: 1 - gain(u), ends))
    got = exact(*case, q, ec.ProbabilityFlow(LOW, HIGH))(np.array([lam]), np.array([tau]))[0, 0]
    assert abs(got / float(expected) - 1) <= 1e-10


def test_limits_in_closed_form():
    variance = np.array([0.0, 1e-8, 1.0, 1e4])
    sampler = ec.ProbabilityFlow(LOW, HIGH)
    for q in INIT:
        untrained = HIGH**2 * (LOW / HIGH) ** (2 * (1 - q))
        trained = HIGH**2 * (variance + LOW**2) / (variance + HIGH**2)
        for architecture in (ec.OneLayer, ec.TiedTwoLayer):
            v = exact(ec.Denoising(), architecture, q, sampler)(variance, LIMITS)
            assert np.abs(v[0] / untrained - 1).max() < ROUNDING
            learns = trained if q > 0 or architecture is ec.OneLayer else np.full(4, LOW**2)
            assert np.abs(v[1] / learns - 1).max() < ROUNDING
        flow = exact(ec.FlowMatching(), ec.OneLayer, q, ec.ProbabilityFlow(0.0, np.inf))(variance, LIMITS)
        assert np.abs(flow[0] / np.exp(2 * q) - 1).max() < ROUNDING  # dx/dt = Qx from t = 0 to 1
        assert np.abs(flow[1] - variance).max() <= 1e-14 * variance.max()
        assert flow[1, 0] == 0


def test_reference_values_of_theory():
    solve = exact(ec.Denoising(), ec.OneLayer, 0.1, ec.ProbabilityFlow(LOW, HIGH))
    v = solve(np.array([1.0]), LIMITS)
    assert f"{v[0, 0]:.7e}" == "3.3302128e-05"
    assert f"{v[1, 0]:.8f}" == "0.99984777"


def test_closed_form_is_refused_where_there_is_none():
    with pytest.raises(ec.InputError, match=r'^method must be "auto" or "quadrature" for this recipe'):
        ec.predict(ec.Spectrum([1.0]), objective=ec.Score(), sampler=ec.ProbabilityFlow(method="closed_form"))
    with pytest.raises(ec.InputError, match=r"^sigma_min must be > 0 and sigma_max finite for the denoising objective"):
        ec.predict(ec.Spectrum([1.0]), sampler=ec.ProbabilityFlow(sigma_min=0.0))
    with pytest.raises(ec.InputError, match=r"^quadrature needs sigma_min > 0 and a finite sigma_max"):
        ec.predict(ec.Spectrum([1.0]), objective=ec.EDM(), sampler=ec.ProbabilityFlow(sigma_max=np.inf))
