"""Tests of `eigenclock.recipe.architectures.local_conv`."""

import numpy as np
import pytest
import scipy.integrate
from support.textures import SPECTRA, textured

import eigenclock as ec


@pytest.mark.parametrize("name", ["ring", "coloured ring"])
def test_a_kernel_as_wide_as_the_grid_is_a_circulant(name):
    spectrum = ec.Spectrum.from_samples(textured(7, 1, 2) if name == "coloured ring" else textured(7), basis="fourier")
    recipe = {
        "objective": ec.EDM(),
        "optimizer": ec.GradientFlow(0.01),
        "time": [0.0, 1.0, 30.0, np.inf],
        "keep_covariance": True,
    }
    wide = ec.predict(spectrum, architecture=ec.LocalConv(7, 0.2), **recipe)
    full = ec.predict(spectrum, architecture=ec.Circulant(0.2), **recipe)
    # matrix steps against quadrature: the Magnus error at 100 nodes
    assert np.allclose(wide.variance, full.variance, rtol=1e-7)
    assert np.allclose(wide.covariance, full.covariance, rtol=1e-7, atol=1e-7)


def test_local_weights_solve_their_gradient_flow():
    """w' = −lr·∂loss/∂w integrated numerically, its transfer function by summing waves."""
    spectrum, sigma, lr, time = SPECTRA["ring"].stationary(), np.array([0.3, 2.0]), 0.01, np.array([0.5, 5.0, 60.0])
    network = ec.LocalConv(3, 0.4)
    covariance = spectrum.covariance()
    offsets = np.array([-1, 0, 1])
    patches = [np.eye(7)[[(p + j) % 7 for j in offsets]] for p in range(7)]
    curve = ec.predict(
        spectrum, architecture=network, optimizer=ec.GradientFlow(lr), time=time, sigma=sigma, keep_gain=True
    )
    waves = spectrum.basis.frequency[:, 0]
    for i, level in enumerate(sigma):

        def slope(_, w, level=level):
            out = np.zeros(3)
            for p, cut in enumerate(patches):
                noisy = cut @ (covariance + level**2 * np.eye(7)) @ cut.T
                out -= 2 * lr * (noisy @ w - cut @ covariance[:, p])
            return out

        solution = scipy.integrate.solve_ivp(
            slope, (0, time[-1]), [0.0, 0.4, 0.0], method="LSODA", t_eval=time, rtol=1e-12, atol=1e-14
        )
        transfer = np.cos(2 * np.pi * np.outer(waves, offsets)) @ solution.y  # symmetric weights: no imaginary part
        assert np.abs(curve.gain.values[:, :, i] - transfer.T).max() <= 1e-8
