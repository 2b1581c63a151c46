"""Tests of `eigenclock.recipe.samplers.deterministic`."""

import numpy as np
import pytest
from support.samplers import trained_variance

import eigenclock as ec


@pytest.mark.parametrize(("steps", "percent"), [(20, ["26", "21", "15", "7"]), (40, ["2.2", "4.1", "3.1", "1.6"])])
def test_heun_inflates_variance_as_in_t6(steps, percent):
    variance = np.array([1e-4, 1e-3, 1e-2, 1.0])
    inflation = 100 * (trained_variance(ec.Heun(steps=steps), variance) / variance - 1)
    print(f"EDM–Heun, {steps} steps: {inflation.round(2)} %")
    assert [f"{value:.{len(p.partition('.')[2])}f}" for value, p in zip(inflation, percent, strict=True)] == percent
