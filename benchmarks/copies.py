"""Nearest neighbours: ours against scikit-learn's brute force and SciPy's k-d tree, in few and in many dimensions."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import scipy.spatial
from sklearn.neighbors import NearestNeighbors

from eigenclock.observables.copies import nearest
from .measure import Row, seconds

SIZES = ((5_000, 20_000, 3), (2_000, 10_000, 32), (1_000, 10_000, 784))
"""Samples, training samples, dimensions."""


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
