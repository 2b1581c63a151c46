"""Tests of `eigenclock_studies.prior_aligned_latents.recoding`."""

import numpy as np
import pytest

from eigenclock_studies.prior_aligned_latents import recode


@pytest.mark.parametrize(
    ("kind", "omega"),
    [("identity", None), ("rotation", None), ("channel_rotation", None), ("coupling", 3.0), ("permutation", None)],
)
def test_recodings_are_exact(kind, omega, rng):
    z = rng.standard_normal((200, 8, 4, 4))
    code = recode(kind, (8, 4, 4), seed=0, omega=omega)
    coded = code.forward(z)
    assert np.abs(code.inverse(coded) - z).max() < 1e-12
    assert np.array_equal(recode(kind, (8, 4, 4), seed=0, omega=omega).forward(z), coded)
    if kind in ("rotation", "channel_rotation"):
        assert np.allclose((coded**2).sum(axis=(1, 2, 3)), (z**2).sum(axis=(1, 2, 3)))
    if kind == "permutation":
        assert np.allclose(np.sort(coded, axis=None), np.sort(z, axis=None))
        assert not np.array_equal(coded, z)
