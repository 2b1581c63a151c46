"""Data of the latent models."""

import pytest

from eigenclock_studies.prior_aligned_latents.sprites import make_sprites
from eigenclock_studies.score_latent_diffusion import make_data


@pytest.fixture(scope="module")
def circle():
    """A curve in 16 dimensions, and what to hold out."""
    x = make_data("torus", 380, 0, D=16, k=1).x
    return x[:300], x[300:]


@pytest.fixture(scope="module")
def images():
    return make_sprites(96, 0)[0]
