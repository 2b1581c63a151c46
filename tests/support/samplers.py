"""The generated variance of a trained network under a sampler."""

import numpy as np

import eigenclock as ec


def trained_variance(sampler, variance):
    """Generated variance of the optimal denoiser."""
    return ec.predict(ec.Spectrum(variance), sampler=sampler, time=[np.inf]).variance.values[0]
