"""Tests of `eigenclock.comparison.forecast_check`."""

import numpy as np
from support.planted_runs import RECIPE, run

import eigenclock as ec
from eigenclock.comparison.forecast_check import by_loss


def test_check_forecasts_and_baselines():
    whole, _ = run(noise=0.15, until=2000)
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    steps = np.arange(10, 2000, 10.0)
    table = ec.check_forecasts(predicted, whole, loss=(steps, 5 + 20 * steps**-0.4))
    assert set(table["method"]) == {"theory", "1/variance", "loss"}
    mean = table.groupby("method")["error"].mean()
    assert mean["theory"] < 0.5 * mean["1/variance"]
    assert mean["theory"] < mean["loss"]
    ours = table[table["method"] == "theory"]
    assert ours["covered"].mean() > 0.7
    assert (ours["emerged"].diff().dropna() >= 0).all()


def test_loss_baseline_finds_what_the_loss_knows():
    """A loss whose fall is the share of variance learned, modes in order: then the loss is all one needs."""
    whole, _ = run(until=2000)
    made = ec.forecast(ec.predict_level("c", whole.spectrum, **RECIPE), whole, at=100)
    actual = whole.emergence().time
    steps = np.arange(10, 2000, 10.0)
    floor, scale, delay, power = 3.0, 4.0, 20.0, 1.5
    share = np.cumsum(made.target) / made.target.sum()
    start = scale * (steps[0] + delay) ** -power
    truth = (scale / (start * (1 - share[:-1]))) ** (1 / power) - delay  # when each share of the fall is done
    expected = by_loss(steps, floor + scale * (steps + delay) ** -power, 100.0, made, np.append(truth, np.inf))
    later = truth > 110
    np.testing.assert_allclose(expected[:-1][later], truth[later], rtol=0.05)
    few = by_loss(steps[:3], steps[:3], 100.0, made, actual)
    assert np.isnan(few).all()
