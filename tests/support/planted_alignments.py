"""Runs of the study of aligned latents with planted clocks and scores."""

import numpy as np
import xarray as xr

from eigenclock.theory.flow_clocks import (
    predicted_mode_clocks,
)


def planted(fd, consistency, *, seeds=3, l1=0.05, gsq=0.2, lpc=0.03, slow=1.0, floor=1.5, t_lin=10.0):
    """Runs with given records."""
    steps = np.array([1.0, 10, 100, 1000])
    lam = np.concatenate([np.geomspace(8, 1.8, 20), np.geomspace(0.6, 0.02, 20)])
    fine = np.geomspace(1, 1000, 60)
    tau = predicted_mode_clocks(lam)
    found = []
    for seed in range(seeds):
        noise = 1 + 0.01 * seed
        var = lam + (1 - lam) * np.exp(-fine[:, None] / (20 * slow * tau))
        found.append(
            xr.Dataset(
                {
                    "fd": (("step", "feature"), np.stack([np.array(fd) * noise, np.array(fd)], axis=1)),
                    "consistency": ("step", np.array(consistency) * noise),
                    "latent_var": (("fine_step", "mode"), var),
                    "spectrum": ("mode", lam),
                    "tau_lin": ("mode", tau),
                    "t_lin": t_lin,
                    "fd_floor": ("feature", [floor, floor]),
                    "l1": l1,
                    "gsq": gsq,
                    "lpc": lpc * noise,
                    "ssc": 0.3,
                    "ssc_chance": 0.1,
                    "erank": 0.9,
                    "participation_ratio": 5.0,
                    "explained": 0.9,
                },
                coords={"step": steps, "fine_step": fine, "feature": ["pix", "own"]},
            )
        )
    return found


BASE = planted([50.0, 30, 10, 5], [0.1, 0.3, 0.5, 0.6])
