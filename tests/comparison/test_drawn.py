"""Futures drawn: in parts as at once, and samples that scatter on as they did."""

import numpy as np
import pytest
from support.planted_runs import RECIPE, TIME, run, sampled

import eigenclock as ec
from eigenclock.clocks.settling import stays_below


@pytest.fixture(scope="module")
def forecasts():
    """After 100 steps, of a run that theory describes: without and with an error of sampling."""
    whole = run()[0]
    level = {"c": ec.predict_level("c", whole.spectrum, **RECIPE)}
    return [ec.forecast(level, one, at=100) for one in (whole, sampled(whole))]


def test_draws_in_parts_are_those_drawn_alone(forecasts):
    drawn = forecasts[0]._drawn
    which = np.array([0, 7, 50, 51, 120, 3, 4, 5, 199, 2])
    together = drawn.of(which)
    alone = np.concatenate([drawn.of(which[i : i + 1]) for i in range(which.size)])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_allclose(
        together[:, 0], np.broadcast_to(drawn.state.last, together[:, 0].shape)
    )  # from where modes are


def swinging(curve, size):
    """The same run, all modes of which swell and shrink together from record to record."""
    dataset = sampled(curve).dataset
    common = size * np.random.default_rng(5).standard_normal(TIME.size)
    dataset["variance"] = dataset["variance"] * np.exp(common)[:, None]
    return ec.LearningCurve(dataset, recipe=None, source="measurement")


def test_what_scatters_is_close_later():
    """A scatter of 0.4 in ln variance of everything alone is a distance of some 0.2: ¼ stays below only after ½ long has."""
    whole = run()[0]
    level = {"c": ec.predict_level("c", whole.spectrum, **RECIPE)}
    steady, swings = (ec.forecast(level, one, at=300) for one in (sampled(whole), swinging(whole, 0.4)))
    assert np.abs(steady._drawn.scattered).max() < 0.1 < np.abs(swings._drawn.scattered).max()
    later = [np.log(swings.closeness(f)["step"] / steady.closeness(f)["step"])[0] for f in (0.5, 0.25, 0.1)]
    assert later[1] > 0.3
    assert later[2] > later[1]


def test_a_prediction_does_not_scatter(forecasts):
    assert not forecasts[0]._drawn.scattered.any()


def test_the_distance_is_that_of_each_draws_variances(forecasts):
    """Brute force: W₂ of diagonal Gaussians, draw by draw and step by step."""
    drawn = forecasts[1]._drawn
    for draw, time in ((0, 3), (17, 20), (63, 11)):
        variance = np.exp(drawn.log_variance[draw, time] + drawn.scattered[drawn.some[draw], time])
        by_hand = np.sqrt(((np.sqrt(variance) - np.sqrt(drawn.target)) ** 2).sum() / drawn.target.sum())
        assert drawn.distance[draw, time] == pytest.approx(by_hand, rel=1e-9)


def test_close_already_and_perhaps_not_for_good():
    """A run that swings below a quarter of the norm: since a past record in draws that stay, later in those that leave again."""
    whole = swinging(run()[0], 0.2)
    level = {"c": ec.predict_level("c", run()[0].spectrum, **RECIPE)}
    distance = whole.wasserstein().values / np.sqrt(whole.target.values.sum())
    now = int(np.flatnonzero(distance < 0.22)[0])
    past = stays_below(distance[: now + 1], whole.time.values[: now + 1], np.array([0.25]))[0]
    drawn = ec.forecast(level, whole, at=whole.time.values[now])._drawn
    stays = (drawn.distance <= 0.25).all(axis=1)
    assert 0 < stays.sum() < stays.size
    np.testing.assert_allclose(drawn.close(0.25)[stays], past)
    assert (drawn.close(0.25)[~stays] > whole.time.values[now]).all()
