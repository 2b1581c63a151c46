"""Planted runs of the study part `cure`: EDM, SpectralEDM and whitened data whose numbers fall as 1/step."""

import numpy as np
import xarray as xr

import eigenclock as ec
from eigenclock_studies.spectral_bias.cure.arms import Arm, Training
from eigenclock_studies.spectral_bias.cure.methods import EDM_ALONE, MODE, WHITENED
from eigenclock_studies.spectral_bias.cure.pictures import Pictures

SOURCE = Pictures("digits")
TRAINING = Training(ec.MLP(8, 2), 8, (10, 20, 40), (80,))
EARLY = Training(ec.MLP(8, 2), 8, (10, 20, 40), (80,), early=(10, 40))


def planted(steps, level, rng):
    """A run whose every number falls as level/step."""
    value = level / np.array(steps, dtype=float) * np.exp(0.01 * rng.standard_normal())
    return xr.Dataset(
        {
            "denoising": (("step", "sigma"), np.tile(value[:, None], 2)),
            "marginal_distance": (("step", "mode"), np.tile(value[:, None], 24)),
            "log_variance": (("step", "mode"), np.tile(value[:, None], 24)),
            "filter_kurtosis": (("step", "filter"), np.tile(value[:, None], 3)),
            "frechet": ("step", value),
            "copies": ("step", 0 * value),
            "images": (("step", "image", "h", "w"), np.zeros((len(steps), 8, 4, 4))),
        },
        {
            "step": list(steps),
            "sigma": [0.1, 1.0],
            "filter": ["horizontal difference", "vertical difference", "Laplacian"],
        },
    )


def arms(rng, level=0.25, training=TRAINING):
    made = {}
    for method, scale in ((EDM_ALONE, 1.0), (MODE, level), (WHITENED, 2.0)):
        arm = Arm(SOURCE, "chain", training, method, (0, 1, 2))
        made[arm] = [planted(arm.looks, scale, rng) for _ in range(3)]
    return made
