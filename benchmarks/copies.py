"""Nearest neighbours: ours against scikit-learn's brute force, SciPy's k-d tree and its matrix of distances; copies of images."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import scipy.spatial
from sklearn.neighbors import NearestNeighbors

import eigenclock as ec
from eigenclock.observables.copies import RATIO, nearest
from .measure import Row, seconds

SIZES = ((5_000, 20_000, 3), (2_000, 10_000, 32), (1_000, 10_000, 784))
"""Samples, training samples, dimensions."""

IMAGES = (300, 10_000, 3072)
"""The same, of images as those of CIFAR-10 in single precision."""


def against_peers() -> Iterator[Row]:
    """Two nearest neighbours; the peer is the faster of the two."""
    rng = np.random.default_rng(0)
    for n, m, d in SIZES:
        x, y = rng.standard_normal((n, d)), rng.standard_normal((m, d))

        def brute(x: np.ndarray = x, y: np.ndarray = y) -> object:
            return NearestNeighbors(n_neighbors=2, algorithm="brute").fit(y).kneighbors(x)

        def tree(x: np.ndarray = x, y: np.ndarray = y) -> object:
            return scipy.spatial.cKDTree(y).query(x, k=2, workers=-1)

        ours = seconds(lambda x=x, y=y: nearest(x, y), 3)
        peer = min(seconds(brute, 3), seconds(tree, 1) if d <= 32 else np.inf)
        yield Row(f"two nearest of {m:,} for {n:,} samples, d = {d}", ours, peer, "<= 3", ours <= 3 * peer)


def memory() -> Iterator[Row]:
    """Peak memory against that of all distances at once."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20_000, 48)), rng.standard_normal((20_000, 48))
    tracemalloc.start()
    nearest(x, y)
    used = tracemalloc.get_traced_memory()[1] / 2**30
    tracemalloc.stop()
    whole = x.shape[0] * y.shape[0] * 8 / 2**30
    yield Row(
        "peak memory of 20,000 × 20,000 neighbours against all distances", used, whole, "<= 0.2", used <= 0.2 * whole
    )


def copies() -> Iterator[Row]:
    """Copies among images in single precision, against all distances in double precision: one verdict, time, memory."""
    n, m, d = IMAGES
    rng = np.random.default_rng(0)
    train = rng.standard_normal((m, d), dtype=np.float32)
    samples = rng.standard_normal((n, d), dtype=np.float32)
    samples[: n // 10] = train[: n // 10] + 0.01 * samples[: n // 10]

    def ours() -> np.ndarray:
        return ec.memorization(samples, train).is_copy

    def plain() -> np.ndarray:
        away = np.partition(scipy.spatial.distance.cdist(samples, train), 1, axis=1)
        return away[:, 0] < RATIO * away[:, 1]

    same = bool((ours() == plain()).all())
    quick, slow = seconds(ours, 3), seconds(plain, 1)
    yield Row(f"copies among {n:,} of {m:,} images, d = {d:,}", quick, slow, "<= 0.2", same and quick <= 0.2 * slow)
    tracemalloc.start()
    ours()
    used = tracemalloc.get_traced_memory()[1] / 2**30
    tracemalloc.stop()
    whole = 2 * train.nbytes / 2**30
    yield Row("peak memory of that against the images in double precision", used, whole, "<= 0.6", used <= 0.6 * whole)
