"""Tests of `eigenclock_studies.score_latent_diffusion.part_order`."""

import numpy as np
import pytest
import xarray as xr

from eigenclock_studies.score_latent_diffusion.part_order import claims, clock


def planted(normal, tangential):
    """Errors that fall as e^{−t/τ}, a time of each for every seed; one noise level."""
    step = np.concatenate([[0.0], np.geomspace(1, 3000, 60)])
    return [
        xr.Dataset(
            {
                "normal": (("step", "level"), np.exp(-step / a)[:, None]),
                "tangential": (("step", "level"), 0.1 * np.exp(-step / b)[:, None]),
            },
            coords={"step": step, "level": [0.1]},
        )
        for a, b in zip(normal, tangential, strict=True)
    ]


def test_clocks_are_relative_to_their_own_start():
    """τ·ln 10, whatever the size at the start."""
    runs = planted([10, 20], [100, 150])
    for part, times in (("normal", [10, 20]), ("tangential", [100, 150])):
        assert clock(runs, part, 0).time == pytest.approx(np.log(10) * np.array(times), rel=0.05)


@pytest.mark.parametrize(
    ("tangential", "outcome"),
    [([100, 90, 110], "shown"), ([1, 2, 1.5], "not shown"), ([9, 14, 11], "inconclusive"), ([1e5, 1e5, 1e5], "shown")],
)
def test_the_order_in_time(tangential, outcome):
    """A tangential error that is never learned is a bound, and enough."""
    assert claims(planted([10, 12, 11], tangential))[0].verdict.outcome == outcome
