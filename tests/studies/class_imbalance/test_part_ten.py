"""Tests of `eigenclock_studies.class_imbalance.part_ten`: orders of classes, planted and by chance."""

import numpy as np
import pytest
import xarray as xr

from eigenclock_studies.class_imbalance.part_ten import claims


def planted(times):
    """Excess losses of classes that pass 0.5 and 0.2 about these steps."""
    step = np.unique(np.round(np.geomspace(1, 2000, 60)))
    excess = 1 / (1 + (step / np.asarray(times)[..., None]) ** 2)
    values = np.repeat(excess[None, :, None], 3, axis=2)  # arm, replicate, t, class, checkpoint
    names = [f"class {k}" for k in range(np.shape(times)[1])]
    return xr.Dataset(
        {
            "excess": (("arm", "replicate", "t", "class", "checkpoint"), values),
            "step": (("arm", "replicate", "checkpoint"), np.tile(step, (1, len(times), 1))),
        },
        coords={"class": names},
    )


@pytest.mark.parametrize(
    ("times", "outcome"),
    [
        (100 / np.arange(1, 11), "shown"),  # higher variance first
        (100 * np.arange(1, 11), "not shown"),
        (100 + 20 * np.cos(2.1 * np.arange(10)), "not shown"),
    ],
)
def test_claims_follow_the_order(rng, times, outcome):
    seeds = np.stack([times * np.exp(0.02 * rng.standard_normal(10)) for _ in range(4)])
    causes = {"variance": np.arange(1.0, 11.0), "distance from the nearest centroid": rng.standard_normal(10)}
    found = claims(planted(seeds), causes)
    assert {claim.verdict.outcome for claim in found[:2]} == {outcome}


def test_ten_seeds_of_three_classes_are_three_classes(rng):
    """However sure the correlation, three classes can be in order by chance."""
    seeds = np.stack([np.array([300.0, 200.0, 100.0]) * np.exp(0.01 * rng.standard_normal(3)) for _ in range(10)])
    causes = {"variance": np.array([1.0, 2.0, 3.0]), "distance from the nearest centroid": np.arange(3.0)}
    verdict = claims(planted(seeds), causes)[0].verdict
    assert verdict.outcome == "not shown"
    assert "the rival explains it" in str(verdict)
