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


@pytest.fixture(scope="module")
def level():
    return {"c": ec.predict_level("c", run()[0].spectrum, **RECIPE)}


def test_what_scatters_is_close_later(level):
    """The same draws with the run's scatter and without: a tenth of the norm is left again for longer than a quarter."""
    made = ec.forecast(level, swinging(run()[0], 0.4), at=300)
    assert 0.1 < made._drawn.swing < 0.8  # 0.4, from some seven records
    later = made.closeness((0.25, 0.1))["step"]
    still = ec.forecast(level, swinging(run()[0], 0.4), at=300)
    still._drawn.__dict__["scattered"] = np.zeros_like(made._drawn.scattered)
    gained = np.log(later / still.closeness((0.25, 0.1))["step"])
    assert gained[0] > 0
    assert gained[1] > gained[0]


def test_draws_and_outlook_have_the_scatter_and_the_curve_has_not(level):
    made = ec.forecast(level, swinging(run()[0], 0.4), at=300)
    drawn = made._drawn
    common = np.log(made.draws(200).values) - drawn.of(np.arange(200))
    np.testing.assert_allclose(common, np.broadcast_to(drawn.scattered[:, :, None], common.shape), atol=1e-9)
    np.testing.assert_allclose(
        np.log(made.curve.variance.values[-drawn.steps.size + 1 :]), np.median(drawn.log_variance, axis=0)[1:]
    )
    wide = made.by(1000).distance
    drawn.__dict__["scattered"] = np.zeros_like(drawn.scattered)
    narrow = made.by(1000).distance
    assert wide.high - wide.low > 1.2 * (narrow.high - narrow.low)


def test_a_bad_record_does_not_hide_the_scatter(level):
    """All NaN in one early record: the scatter of the late ones is what it was."""
    whole = swinging(run()[0], 0.4)
    dataset = whole.dataset.copy(deep=True)
    dataset["variance"][5] = np.nan
    holed = ec.LearningCurve(dataset, recipe=None, source="measurement")
    sizes = [ec.forecast(level, one, at=1000)._drawn.swing for one in (whole, holed)]
    assert sizes[0] > 0.1
    assert sizes[1] == pytest.approx(sizes[0], rel=1e-12)


def test_a_last_record_that_is_not_finite_is_not_close(level):
    whole = sampled(run()[0])
    now = int(np.flatnonzero(TIME > 3000)[0])
    dataset = whole.dataset.copy(deep=True)
    dataset["variance"][now] = np.nan
    holed = ec.LearningCurve(dataset, recipe=None, source="measurement")
    made = ec.forecast(level, holed, at=TIME[now])
    assert np.isnan(made._drawn.since(0.25))
    assert not made.close(0.25).known


def test_a_prediction_does_not_scatter(forecasts):
    assert not forecasts[0]._drawn.scattered.any()


def test_the_distance_is_that_of_each_draws_variances(forecasts):
    """Brute force: W₂ of diagonal Gaussians, draw by draw and step by step."""
    drawn = forecasts[1]._drawn
    for draw, time in ((0, 3), (17, 20), (63, 11)):
        variance = np.exp(drawn.log_variance[draw, time] + drawn.scattered[drawn.some[draw], time])
        by_hand = np.sqrt(((np.sqrt(variance) - np.sqrt(drawn.target)) ** 2).sum() / drawn.target.sum())
        assert drawn.distance[draw, time] == pytest.approx(by_hand, rel=1e-9)


def test_close_already_and_perhaps_not_for_good(level):
    """A run that swings below a quarter of the norm: since a past record in draws that stay, later in those that leave again."""
    whole = swinging(run()[0], 0.2)
    distance = whole.wasserstein().values / np.sqrt(whole.target.values.sum())
    now = int(np.flatnonzero(distance < 0.22)[0])
    past = stays_below(distance[: now + 1], whole.time.values[: now + 1], np.array([0.25]))[0]
    drawn = ec.forecast(level, whole, at=whole.time.values[now])._drawn
    stays = (drawn.distance <= 0.25).all(axis=1)
    assert 0 < stays.sum() < stays.size
    np.testing.assert_allclose(drawn.close(0.25)[stays], past)
    assert (drawn.close(0.25)[~stays] > whole.time.values[now]).all()


def test_close_now_but_likely_to_leave_again_says_so(level):
    """The sentence of a run that is within a quarter of the norm and swings: now, and for good later, from the present on."""
    whole = swinging(run()[0], 0.5)
    distance = whole.wasserstein().values / np.sqrt(whole.target.values.sum())
    now = int(np.flatnonzero((distance < 0.25) & (TIME > 500))[0])
    made = ec.forecast(level, whole, at=TIME[now])
    row = made.closeness(0.25).iloc[0]
    assert row["step"] > TIME[now]
    words = str(made)
    assert "samples within ¼ of the data now, for good by" in words
    low = float(words.split("for good by")[1].split("(")[1].split("–")[0].replace(",", ""))
    assert low >= 0.99 * TIME[now]


def test_the_end_of_a_schedule_is_drawn(level):
    """The last step drawn is where a cosine has all but ended; after that nothing comes, and a run that has ended draws nothing."""
    total = 4000.0

    def rate(step):
        return 0.5 * (1 + np.cos(np.pi * min(step / total, 1)))

    drawn = ec.forecast(level, run()[0], at=400, schedule=rate)._drawn
    assert 0.98 * total < drawn.steps[-1] <= total
    assert (np.diff(drawn.steps) > 0).all()
    counted = drawn.clock.counts(drawn.steps[1:])
    np.testing.assert_allclose(np.log(counted) - drawn.state.now, drawn.ahead[1:], atol=1e-6)
    ended = ec.forecast(level, run()[0], at=2 * total, schedule=rate)._drawn
    assert ended.steps.size == 1


def test_steps_of_a_network_count_by_a_root_of_their_rate(level):
    """A sixteenth of the rate: a prediction counts a sixteenth of the steps, a run that was measured on samples half of them."""
    plain = run()[0]
    for curve, share in ((plain, 1 / 16), (sampled(plain), 0.5)):
        made = ec.forecast(level, curve, at=300, schedule=lambda step: 1.0 if step < 100 else 1 / 16)
        went = made._drawn.clock.counts(np.array([100.0, 1100.0]))
        assert went[1] - went[0] == pytest.approx(1000 * share, rel=0.02)
