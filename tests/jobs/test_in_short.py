"""Tests of `eigenclock.jobs.in_short`: what to do follows from the numbers."""

from pathlib import Path

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.jobs.in_short import in_short, unreachable

SPECTRUM = ec.Spectrum.power_law(40, exponent=1.5)
SAMPLER = ec.Heun(steps=20)


@pytest.fixture(scope="module")
def outlook():
    """Of a run that is half way."""
    slow = ec.predict(SPECTRUM, optimizer=ec.GradientFlow(lr=0.01), time=np.geomspace(1, 300, 60))
    return ec.forecast(ec.predict(SPECTRUM), slow)


def lines(outlook, *, sampler=SAMPLER, forecasts=None, comparison=None, **changes):
    close = {"0.5": np.nan, "0.25": np.nan, "0.1": np.nan}
    measured = {
        "variance_learned": {"0.9": 120.0}, "settled_share": 0.5, "distance": 0.6, "best": 300.0, "least_distance": 0.6,
        "closeness": close, "modes": 40, "settled": 10, "unreachable": 0,
    }  # fmt: skip
    metrics = {
        "training": {"decay": 0.0},
        "measured": measured | changes,
        "steps": 300,
        "comparison": comparison or {"median_error": 0.09, "modes": 30, "rank_correlation": 0.9},
        "best_level": "e_balanced",
        "forecasts": forecasts or [],
    }
    found = in_short(metrics, outlook, sampler, Path("runs/mine/report.html"))
    assert [line.split(":")[0] for line in found] == ["now", "do", "sampler", "theory", "report"]
    assert not any("\n" in line for line in found)
    return dict(line.split(": ", 1) for line in found)


def test_where_it_is_and_what_theory_is_worth(outlook):
    found = lines(outlook)
    assert found["now"].startswith(
        "after 300 steps 50 % of the data's variance is in its band and samples are 0.6 of its norm"
    )
    assert found["now"].endswith("had begun by step 120")
    assert "level (e, balanced)" in found["theory"]
    assert "9 % in the median of 30 modes" in found["theory"]
    assert found["report"] == "runs/mine/report.html"


def test_a_run_that_is_far_goes_on_for_as_long_as_is_expected(outlook):
    found = lines(outlook)["do"]
    moment = outlook.close(0.5)
    assert moment.when() in found
    steps = int(found.split("--steps ")[1].split()[0])
    assert moment.high <= steps <= 1.1 * moment.high  # rounded up to two digits
    assert "--config runs/mine/config.yaml" in found
    assert found.endswith("--out runs/mine --resume")


def test_its_own_forecasts_are_held_against_it(outlook):
    rows = [
        {"fraction": fraction, "method": method, "close": off}
        for fraction, method, off in (
            (0.01, "theory", 2.0),  # too early to count
            (0.05, "theory", -np.log(1.5)),
            (0.1, "theory", np.log(1.2)),
            (0.2, "theory", None),
            (0.2, "loss", 3.0),
        )
    ]
    assert "(its own forecasts were off by up to a factor of 1.5)" in lines(outlook, forecasts=rows)["do"]
    assert "its own forecasts" not in lines(outlook)["do"]


def test_a_run_that_is_close_stops_or_goes_on_for_detail(outlook):
    near = {"0.5": 10.0, "0.25": 20.0, "0.1": 30.0}
    assert lines(outlook, closeness=near, settled_share=0.97)["do"].startswith("stop: samples are within a tenth")
    assert lines(outlook, closeness=near)["do"].startswith("go on only for fine detail")


def test_samples_that_left_the_data_send_back_to_their_best_step(outlook):
    found = lines(outlook, best=100.0, least_distance=0.2)["do"]
    assert found.startswith("keep the weights of step 100: samples were 0.2 of the data's norm away")


def test_what_is_not_finite_is_trained_again(outlook):
    found = lines(outlook, distance=np.nan)
    assert "samples are not finite" in found["now"]
    assert found["do"].startswith("train again with a smaller learning rate")


def test_a_sampler_is_judged_by_its_own_bias(outlook):
    """EDM's Heun of few steps misses small variances by its discretisation (T6); twice as many steps miss fewer."""
    few = ec.Heun(steps=8)
    beyond = unreachable(few, SPECTRUM.variance)
    ratio = few.optimal(SPECTRUM.variance) / SPECTRUM.variance
    assert beyond == ((ratio > 1.25) | (ratio < 0.8)).sum() > 0
    said = lines(outlook, sampler=few, unreachable=beyond)["sampler"]
    assert said.startswith(f"{beyond} modes cannot come within a factor of 1.25 of the data by Heun with 8 steps")
    assert said.endswith(f"with --sampler.steps 16 {unreachable(ec.Heun(steps=16), SPECTRUM.variance)}")
    assert "can bring every mode" in lines(outlook)["sampler"]


def test_few_modes_are_not_compared(outlook):
    for few in (
        {"median_error": None, "modes": 1, "rank_correlation": None},
        {"median_error": 0.1, "modes": 7, "rank_correlation": 1.0},
    ):
        assert lines(outlook, comparison=few)["theory"] == f"too few modes have begun to compare: {few['modes']}"
