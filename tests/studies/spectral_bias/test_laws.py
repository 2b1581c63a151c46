"""Laws over seeds: values against scipy, modes not begun, what two seeds differ by."""

import numpy as np
import pytest
import scipy.stats
from support.planted_laws import table

from eigenclock.clocks.replicates import Estimate
from eigenclock_studies.spectral_bias import laws
from eigenclock_studies.spectral_bias.resampling import NOTHING


def test_values_are_those_of_scipy():
    tables = [table(0.8, noise=0.3, seed=seed) for seed in range(3)]
    law = laws.Law.of(tables, "rising")
    for seed, one in enumerate(tables):
        x, y = np.log(one.target), np.log(one.time)
        fit = scipy.stats.linregress(x, y)
        np.testing.assert_allclose(law.alpha.values[seed], -fit.slope, rtol=1e-10)
        np.testing.assert_allclose(law.r2.values[seed], fit.rvalue**2, rtol=1e-10)
        np.testing.assert_allclose(law.inverse.values[seed], -1 / scipy.stats.linregress(y, x).slope, rtol=1e-10)
        np.testing.assert_allclose(law.order.values[seed], scipy.stats.spearmanr(x, y).statistic, rtol=1e-10)
        np.testing.assert_allclose(law.spread.values[seed], np.subtract(*np.quantile(y, (0.9, 0.1))), rtol=1e-10)
    assert law.modes == (40, 40, 40)
    assert law.alpha.estimate.value == pytest.approx(law.alpha.values.mean())
    assert laws.Law.of(tables, "falling").alpha.estimate.n == 0


def test_too_few_modes_give_no_law():
    law = laws.Law.of([table(0.8, modes=7), table(0.8)], "rising")
    assert law.modes == (7, 40)
    assert law.alpha.values.size == 0


def test_modes_that_are_waited_for():
    """They count in the spread at the last step, a lower bound, and not in the law."""
    waiting = table(0.8, waiting=3)
    law, whole = laws.Law.of([waiting] * 2, "rising"), laws.Law.of([table(0.8)] * 2, "rising")
    assert law.open == (3, 3)
    assert law.waiting == pytest.approx(3 / 40)
    assert law.alpha.values == pytest.approx(whole.alpha.values)
    expected = np.where(waiting.censored, np.log(waiting.last_time), np.log(table(0.8).time))
    np.testing.assert_allclose(law.spread.values, np.subtract(*np.quantile(expected, (0.9, 0.1))))


def test_words():
    assert laws.interval(Estimate(0.76, 0.701, 0.82, 3)) == "0.76 [0.70, 0.82]"
    assert laws.interval(NOTHING) == "–"
    assert laws.words([0.7, 0.8]) == "0.70, 0.80"
    assert laws.words([]) == "–"
    assert laws.counts((52, 52)) == "52"
    assert laws.counts((50, 53)) == "50 to 53"
    assert laws.repeated_words((np.nan, np.nan)) == "two seeds of the run differ by unknown"


def test_two_seeds_of_a_run():
    first, second = table(0.8), table(0.8)
    second.time[:] *= np.where(np.arange(40) % 2, 1.1, 1 / 1.2)
    median, tail = laws.repetition([first, second])["both"]
    assert median == pytest.approx((np.log(1.1) + np.log(1.2)) / 2)
    assert tail == pytest.approx(np.log(1.2))
    assert np.isnan(laws.repetition([first])["rising"][0])
    assert np.isnan(laws.repetition([first, second])["falling"][0])
