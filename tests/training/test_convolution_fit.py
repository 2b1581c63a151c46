"""Tests of `eigenclock.training.convolution_fit`."""

import numpy as np
import torch

import eigenclock as ec


def test_convolution_fit_finds_a_convolution():
    """A 3×3 convolution is explained whole by 3×3 and larger kernels, in part by one pixel, a square of pixels hardly."""
    images = np.random.default_rng(0).standard_normal((40, 10, 10))
    kernel = torch.tensor([[0.1, 0.2, 0.1], [0.2, 0.5, 0.2], [0.1, 0.2, 0.1]])[None, None]

    def denoiser(x, sigma):
        return torch.nn.functional.conv2d(x[:, None], kernel, padding=1)[:, 0] + 0.3

    fits = [ec.convolution_fit(denoiser, images, sigma=[0.5, 2.0], size=size) for size in (1, 3, 5)]
    np.testing.assert_allclose(fits[1], 1, atol=1e-6)
    np.testing.assert_allclose(fits[2], 1, atol=1e-6)
    # white input: the centre carries 0.25 of 0.25 + 4·0.04 + 4·0.01 (borders see less)
    np.testing.assert_allclose(fits[0], 0.25 / 0.45, atol=0.05)
    assert ec.convolution_fit(lambda x, s: x**2, images, sigma=1.0, size=3).max() < 0.1
