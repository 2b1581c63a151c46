"""Tests of `eigenclock.advice.sampling`: noise levels and steps, against the flow and the samplers themselves."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.advice.groups import grouped
from eigenclock.advice.sampling import BIAS, END_SHARE, noise_range, own_share, sampling_advice

SPECTRUM = ec.Spectrum.power_law(64, exponent=1.5, scale=20.0)
GROUPS = grouped(SPECTRUM)


def left_by_flow(low, high):
    """Distance that the exact flow of the perfect denoiser leaves between these levels, its last step to zero noise included."""
    power = SPECTRUM.variance
    flow = high**2 * (power + low**2) / (power + high**2)  # from N(0, σ_T²) to σ_0
    clean = flow * (power / (power + low**2)) ** 2  # D at σ_0
    return np.sqrt(((np.sqrt(clean) - np.sqrt(power)) ** 2).sum() / power.sum())


def test_each_end_of_the_range_costs_what_is_said_and_no_less():
    low, high = noise_range(GROUPS)
    tiny, huge = 1e-8, 1e8
    for cost in (left_by_flow(low, huge), left_by_flow(tiny, high)):
        assert cost <= 1.02 * END_SHARE
    # two digits: a tenth more on either side is too much
    assert left_by_flow(1.12 * low, huge) > END_SHARE
    assert left_by_flow(tiny, high / 1.12) > END_SHARE


def test_the_range_scales_with_the_data_and_grows_with_the_mean():
    low, high = noise_range(GROUPS)
    ten = noise_range(grouped(ec.Spectrum(100 * SPECTRUM.variance)))
    assert ten == pytest.approx((10 * low, 10 * high), rel=0.06)  # two digits each
    shifted = noise_range(grouped(ec.Spectrum(SPECTRUM.variance, mean=np.full(64, 2.0))))
    assert shifted[1] > 1.5 * high


@pytest.mark.parametrize("sampler", [ec.Heun(steps=20), ec.Euler(steps=20), ec.Heun(steps=6, rho=3.0)], ids=str)
def test_fewest_steps_within_two_percent(sampler):
    found = sampling_advice(GROUPS, sampler)
    kind = {"rho": sampler.rho, "sigma_min": found.sigma_min, "sigma_max": found.sigma_max}
    perfect = ec.predict(SPECTRUM, sampler=type(sampler)(steps=found.steps, **kind), time=[np.inf])
    assert float(perfect.wasserstein()[0] / np.sqrt(perfect.total_variance)) == pytest.approx(found.bias)
    assert found.bias <= BIAS
    assert own_share(GROUPS, type(sampler)(steps=found.steps - 1, **kind)) > BIAS
    assert found.given == pytest.approx(own_share(GROUPS, sampler))
    assert f"{found.steps} steps" in str(found)


def test_a_sampler_without_steps_keeps_its_share():
    found = sampling_advice(GROUPS, ec.ProbabilityFlow())
    assert found.steps is None
    assert found.bias == found.given < 0.01
