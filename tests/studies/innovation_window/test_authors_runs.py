"""Tests of `eigenclock_studies.innovation_window.authors_runs`."""

from dataclasses import replace

from eigenclock_studies.innovation_window.authors_runs import PRESETS, measure


def test_a_run_stops_when_its_time_is_up():
    setting = next(iter(PRESETS["tiny"].settings().values()))
    whole = measure(setting, 0)
    short = measure(replace(setting, limit_seconds=1e-9), 0)
    assert short.sizes["evaluation"] == 1
    assert whole.sizes["evaluation"] > 1
    assert whole["accuracy"][0] == short["accuracy"][0]
