"""The spectrum of 20,000 × 3,072 samples against numpy's eigendecomposition of the ready-made covariance alone."""

from collections.abc import Iterator

import numpy as np

import eigenclock as ec
from .measure import Row, _once


def against_eigh() -> Iterator[Row]:
    """Reading, centring, covariance and eigenvectors, against eigenvectors."""
    x = np.random.default_rng(0).standard_normal((20_000, 3072), dtype=np.float32)
    covariance = np.cov(x[:4000].T.astype(np.float64))
    peer = _once(lambda: np.linalg.eigh(covariance))
    ours = _once(lambda: ec.Spectrum.from_samples(x))
    yield Row("Spectrum.from_samples 20,000 × 3,072 / numpy.linalg.eigh alone", ours, peer, "≤ 3", ours <= 3 * peer)
