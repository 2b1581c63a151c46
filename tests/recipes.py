"""Every objective, architecture and sampler, as tests loop over them."""

import numpy as np

import eigenclock as ec

OBJECTIVES = [
    ec.Denoising(),
    ec.Denoising(path="vp"),
    ec.Denoising(weight="edm"),
    ec.Denoising(weight="snr", density=ec.LogNormal()),
    ec.EDM(),
    ec.EDM(sigma_data=1.3, density=ec.LogNormal(-1.2, 1.2)),
    ec.Epsilon(),
    ec.Epsilon(path="vp", weight="edm"),
    ec.Velocity(),
    ec.Score(),
    ec.FlowMatching(),
    ec.FlowMatching(weight="snr", density=ec.LogNormal(0.0, 1.0)),
]
ARCHITECTURES = [ec.OneLayer(0.1), ec.OneLayer(0.0), ec.TiedTwoLayer(0.3)]
OPTIMIZERS = [ec.GradientFlow(lr=0.005), ec.GradientDescent(lr=0.005), ec.HeavyBall(lr=0.005, momentum=0.6)]
SAMPLERS = [
    ec.ProbabilityFlow(sigma_min=0.3, sigma_max=3.0),
    ec.Euler(steps=6, sigma_min=0.3, sigma_max=3.0),
    ec.Heun(steps=6, sigma_min=0.3, sigma_max=3.0),
]


def _textured(*shape, seed):
    """Spectrum in Fourier modes of correlated samples whose statistics differ from place to place."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((200, *shape))
    x = 0.4 * (x + 0.7 * np.roll(x, 1, axis=1)) * rng.uniform(0.5, 1.5, shape)
    if len(shape) == 3:
        x = x + 0.5 * np.roll(x, (1, 1), axis=(2, 3))
    return ec.Spectrum.from_samples(x, basis="fourier")


PLAIN = ec.Spectrum([2.0, 0.5, 0.1, 0.0])
SKEWED = ec.MatrixStart(np.random.default_rng(1).standard_normal((4, 4)) * 0.4)
PAIRS = {
    "one layer": (ec.OneLayer(0.1), PLAIN),
    "one layer at zero": (ec.OneLayer(0.0), PLAIN),
    "tied": (ec.TiedTwoLayer(0.3), PLAIN),
    "balanced": (ec.TwoLayer((0.5, 0.5)), PLAIN),
    "unbalanced": (ec.TwoLayer((0.5, -0.2)), PLAIN),
    "deep": (ec.DeepLinear(3, 0.2), PLAIN),
    "deep unbalanced": (ec.DeepLinear(3, (0.5, 0.3, -0.2)), PLAIN),
    "residual": (ec.Residual(1), PLAIN),
    "deep residual": (ec.Residual(3, (0.0, -0.2, 0.1)), PLAIN),
    "circulant ring": (ec.Circulant(0.2), _textured(7, seed=0)),
    "circulant colour": (ec.Circulant(0.1), _textured(3, 3, 2, seed=1)),
    "local ring": (ec.LocalConv(3, 0.1), _textured(8, seed=2)),
    "local image": (ec.LocalConv(3, 0.2), _textured(4, 4, seed=3)),
    "local colour": (ec.LocalConv(3, 0.1), _textured(3, 3, 2, seed=4)),
    "coupled": (ec.Coupled(ec.GaussianKernel(1.5), levels=16, sigma_min=0.2, sigma_max=5.0), PLAIN),
    "affine": (ec.Affine(0.2, 0.3), ec.Spectrum([2.0, 0.5, 0.1], mean=[0.5, -1.0, 0.3])),
    "unaligned one layer": (ec.UnalignedOneLayer(SKEWED), PLAIN),
    "unaligned tied": (ec.UnalignedTiedTwoLayer(SKEWED), PLAIN),
}
"""Every architecture with a spectrum of its kind."""

RANGE = {"sigma_min": 0.3, "sigma_max": 3.0}
ROUTES = [
    (ec.GradientFlow(lr=0.005), ec.ProbabilityFlow(**RANGE, nodes=120)),
    (ec.GradientFlow(lr=0.005), ec.EulerMaruyama(steps=6, **RANGE)),
    (ec.GradientDescent(lr=0.001), ec.Heun(steps=6, **RANGE)),
    (ec.HeavyBall(lr=0.001, momentum=0.6), ec.Stochastic(steps=6, **RANGE)),
]
"""Optimizers and samplers, each at least once."""
