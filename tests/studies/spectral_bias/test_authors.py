"""What the authors state, and clocks read as they read them: against their procedure mode by mode."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

import eigenclock as ec
from eigenclock_studies.spectral_bias import authors


def noisy_curve(seed=0):
    """A run with noise, overshoot and modes that never come, at their records."""
    rng, d = np.random.default_rng(seed), 60
    target = np.sort(np.exp(rng.standard_normal(d)))[::-1]
    steps = np.array([0, *(step for step in authors.RECORDS if step <= 1000)], dtype=float)
    share = 1 - np.exp(-steps[:, None] / (30 / target))
    variance = 0.4 ** (1 - share) * target**share * np.exp(0.1 * rng.standard_normal((steps.size, d)))
    dataset = ec.Spectrum(target).to_dataset()
    dataset.coords["time"] = ("time", steps)
    dataset["variance"], dataset["initial"] = (("time", "mode"), variance), ("mode", variance[0])
    return ec.LearningCurve(dataset, recipe=None, source="measurement")


@pytest.mark.parametrize("threshold", ["geometric", "harmonic"])
def test_clocks_as_they_read_them(threshold):
    curve = noisy_curve()
    found = authors.read_clocks(curve, threshold)
    steps, target, initial = curve.time.values[1:], curve.target.values, curve.variance.values[1]
    for k in range(target.size):
        smooth = gaussian_filter1d(curve.variance.values[1:, k], sigma=1)
        level = np.sqrt(target[k] * initial[k]) if threshold == "geometric" else 2 / (1 / target[k] + 1 / initial[k])
        falls = smooth[0] > level
        index = np.where(smooth < level if falls else smooth > level)[0]
        assert found.direction[k] == ("falling" if falls else "rising")
        assert found.censored[k] == (index.size == 0)
        if index.size:
            assert found.time[k] == steps[index[0]]
        assert found.gray_zone[k] == (0.5 < target[k] / initial.mean() < 2)
    law = found.power_law("rising", resamples=10)
    use = (found.direction == "rising") & ~found.gray_zone & ~found.censored
    slope = np.polyfit(np.log(target[use]), np.log(found.time[use]), 1)[0]
    assert law.exponent == pytest.approx(slope)


def test_what_they_state():
    assert authors.RECORDS[0] == 1
    assert authors.RECORDS[-1] == 5000
    assert np.all(np.diff(authors.RECORDS) > 0)
    assert sum(step <= 2500 for step in authors.RECORDS) == 218
    variance = authors.log_normal_variance(128)
    assert variance.mean() == pytest.approx(1)
    assert np.all(np.diff(variance) <= 0)
    assert abs(np.log(variance).std() - 1) < 4 / np.sqrt(2 * 128)  # four standard errors of a normal's spread
    assert str(authors.GAUSSIAN[128, "rising"]) == "α = 0.76 (R² 0.89, 52 modes)"
    assert str(authors.GAUSSIAN[512, "falling"]) == "α = 1.13"
