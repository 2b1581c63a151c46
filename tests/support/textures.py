"""Data that no convolution sees whole, and their spectra."""

import numpy as np

import eigenclock as ec

RNG = np.random.default_rng(1)


def textured(*shape, n=300):
    """Correlated samples whose statistics differ from pixel to pixel and channel to channel."""
    x = RNG.standard_normal((n, *shape))
    x = x + 0.7 * np.roll(x, 1, axis=1)
    if len(shape) > 1:
        x = x + 0.5 * np.roll(x, (1, 1), axis=(2, len(shape))) * RNG.uniform(0.2, 1, shape)
    return 0.6 * x + 0.3


SHAPES = {"ring": (7,), "even ring": (8,), "image": (4, 5), "colour": (3, 4, 2), "coloured ring": (6, 1, 2)}
SPECTRA = {name: ec.Spectrum.from_samples(textured(*shape), basis="fourier") for name, shape in SHAPES.items()}


def _displacements(shape, kernel):
    grid = shape[:2]
    all_of = [range(n) for n in grid]
    near = [[s for s in axis if kernel is None or min(s, len(axis) - s) <= kernel // 2] for axis in all_of]
    return [(s,) for s in near[0]] if len(grid) == 1 else [(s, t) for s in near[0] for t in near[1]]
