"""Tests of `eigenclock_studies.score_latent_diffusion.metrics`."""

import numpy as np
import pytest
import torch

from eigenclock_studies.score_latent_diffusion import make_data
from eigenclock_studies.score_latent_diffusion.metrics import clean_error, excess, jacobian_spectrum, jacobians


def test_excess_of_known_maps():
    """0 of the exact denoiser; of the identity and of a shift what the definition says, ρ less the Bayes value."""
    data, sigma = make_data("torus", 4000, 0, D=6, k=1), 0.3
    best = lambda x: data.denoise(x, sigma)  # noqa: E731
    over, floor = excess(best, data.x, sigma, data, 0)
    assert over == 0
    assert floor == pytest.approx(ec_circle_risk(sigma), rel=0.05)
    found, same = excess(lambda x: x, data.x, sigma, data, 0)
    assert same == floor
    assert found == pytest.approx(6 - floor, rel=0.03)  # ρ of the identity is D
    assert excess(lambda x: best(x) + 0.3, data.x, sigma, data, 0)[0] == pytest.approx(6)


def ec_circle_risk(sigma):
    from eigenclock.exact.manifolds import Circle

    return Circle(1.0).risk(sigma)


def test_jacobians_and_clean_error_of_known_maps(rng):
    """A projection: singular values 1 and 0; a map with a bend: its derivative at every point by itself."""
    basis = np.linalg.qr(rng.standard_normal((6, 2)))[0]
    matrix, x = torch.as_tensor(basis @ basis.T, dtype=torch.float32), rng.standard_normal((4, 6))
    jacobian = jacobians(lambda x: x @ matrix, x)
    assert np.allclose(jacobian, basis @ basis.T, atol=1e-6)
    assert np.allclose(jacobian_spectrum(jacobian), [1, 1, 0, 0, 0, 0], atol=1e-6)
    bent = jacobians(lambda x: torch.sin(x) @ matrix, x)
    assert np.allclose(bent, (basis @ basis.T) * np.cos(x)[:, None], atol=1e-5)
    assert clean_error(lambda x: x + 0.1, x) == pytest.approx(0.06)
