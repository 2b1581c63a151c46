"""Tests of `eigenclock_studies.innovation_window.authors_runs`."""

from dataclasses import replace

import numpy as np

from eigenclock_studies.innovation_window.authors_runs import PRESETS, evaluated_at, measure


def test_a_run_stops_when_its_time_is_up():
    setting = next(iter(PRESETS["tiny"].settings().values()))
    whole = measure(setting, 0)
    short = measure(replace(setting, limit_seconds=1e-9), 0)
    assert short.sizes["evaluation"] == 1
    assert whole.sizes["evaluation"] > 1
    assert whole["accuracy"][0] == short["accuracy"][0]


def test_evaluations_leave_room_for_five_in_a_row():
    for steps, count in ((1000, 26), (100_000, 60), (40, 6)):
        found = evaluated_at(steps, count)
        assert (np.diff(found) > 0).all()
        assert found[-1] == steps
        assert found[0] <= 1 + steps / count**2
    assert evaluated_at(1000, 26)[-5] > 650
