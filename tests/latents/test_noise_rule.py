"""Tests of `eigenclock.latents.noise_rule`."""

import numpy as np
import pytest

from eigenclock.latents.noise_rule import NoiseRangeError, intrinsic_dimension, memorising_risk, noise_range
from eigenclock_studies.score_latent_diffusion import make_data


def test_noise_rule_of_the_specification():
    """The table of the wave surface, and the rule at both sizes; unchanged by an isometric embedding."""
    data = make_data("wave2", 3000, 0, D=8)
    train, test = data.x[:2000], data.x[2000:]
    risks = [memorising_risk(train, test, sigma) for sigma in (0.05, 0.08, 0.1, 0.2)]
    assert np.allclose(
        risks, (2.56, 2.08, 1.86, 1.52), atol=0.35
    )  # draws of the data differ: the specification's spread
    assert 0.05 <= noise_range(train, 2, held_out=test).low <= 0.11
    few = make_data("wave2", 700, 3, D=8)
    assert 0.12 <= noise_range(few.x[:200], 2, held_out=few.x[200:]).low <= 0.2
    assert abs(intrinsic_dimension(train) - 2) < 0.15
    wide = np.linalg.qr(np.random.default_rng(0).standard_normal((40, 8)))[0]
    assert intrinsic_dimension(train @ wide.T) == pytest.approx(intrinsic_dimension(train), rel=1e-6)

    def weights(x, y):
        log = -((y[:, None] - x) ** 2).sum(2) / 0.02
        return np.exp(log - log.max(1, keepdims=True))

    noise = np.random.default_rng(1).standard_normal((20, 40))
    inside = weights(train[:200], test[:20] + 0.1 * noise @ wide)
    embedded = weights(train[:200] @ wide.T, test[:20] @ wide.T + 0.1 * noise)
    assert np.allclose(inside, embedded, atol=1e-8)


def test_noise_rule_says_when_there_is_no_range(rng):
    with pytest.raises(NoiseRangeError, match=r"sigma range is empty: .* got|sigma range is empty") as caught:
        noise_range(rng.standard_normal((40, 30)), 1)
    assert list(caught.value.table.columns) == ["sigma", "risk"]
    assert len(caught.value.table) == 16
    assert "\n" not in str(caught.value)
