"""Tests of `eigenclock_studies.score_latent_diffusion.part_density`."""

import numpy as np
import pytest
import xarray as xr

from eigenclock_studies.score_latent_diffusion.part_density import Mixture, claims

SPREAD = 0.05 * np.array([-1.0, 0.5, 1.0, -0.5])


def test_mixture_of_known_score(rng):
    """Standardised, and the exact denoiser against its definition by Monte Carlo."""
    mixture = Mixture()
    draws = mixture.draw(200_000, rng)
    assert np.allclose(draws.mean(0), 0, atol=0.01)
    assert np.allclose(draws.std(0), 1, atol=0.01)
    x = np.array([[0.3, -0.4]])
    weight = np.exp(-((x - draws) ** 2).sum(1) / (2 * 0.25))
    assert np.allclose(mixture.denoise(x, 0.5)[0], weight @ draws / weight.sum(), atol=0.01)


@pytest.mark.parametrize(
    ("learned", "gaussian", "outcomes"),
    [
        (0.06, 0.3, ["shown", "shown"]),
        (0.12, 0.3, ["not shown", "shown"]),
        (0.075, 0.3, ["inconclusive", "shown"]),
        (0.06, 0.06, ["inconclusive", "inconclusive"]),  # the Gaussian is as good: nothing can be told
    ],
)
def test_verdicts_on_planted_distances(learned, gaussian, outcomes):
    runs = [
        xr.Dataset({"sw2_learned": learned * np.exp(one), "sw2_exact": 0.05, "sw2_gaussian": gaussian * np.exp(two)})
        for one, two in zip(SPREAD, SPREAD[::-1], strict=True)
    ]
    assert [one.verdict.outcome for one in claims(runs)] == outcomes
