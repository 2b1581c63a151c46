"""Samples of any kind into the fields of a spectrum: in memory, lazy, or in batches."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from ..checks import InputError, need_memory
from . import largest
from .bases import PCA, Basis
from .batches import batches_of, said_of_layout
from .estimation import cosines_of_moments, pca, thin_pca, variance_along, waves_of_moments
from .lazy import blocks_of, check_lazy, dask_moments, is_dask, lazy_array
from .moments import Moments, check_varies, known_samples
from .split import HeldOut
from .streamed import Named, Piece, Streamed, pieces_of

Fields = dict[str, Any]


def fields_of_samples(x: Any, basis: str, modes: int | None, split: HeldOut | None, seed: int) -> tuple[Fields, Any]:
    """Fields of a spectrum, and the samples where they are in memory."""
    lazy = x if modes is not None and isinstance(x, np.memmap) else lazy_array(x)
    if lazy is None:
        return fields_in_memory(known_samples("x", x, None), basis, modes, split, seed)
    return fields_of_lazy(lazy, basis, modes, split, seed), None


def fields_of_lazy(x: Any, basis: str, modes: int | None, split: HeldOut | None, seed: int) -> Fields:
    """Fields of a spectrum of an array that is read by slices, or of dask."""
    n, shape = check_lazy("x", x)
    d = int(np.prod(shape))
    largest.check_modes(modes, min(n, d), basis)
    said_of_layout((n, *shape), basis)
    if basis == "pca" and modes is None and n < d:  # the modes are as large as the data
        need_memory(f"all modes of {n:,} samples of {d:,} coordinates", 5.0 * 8 * n * d)
        return fields_in_memory(known_samples("x", x[:], None), basis, modes, split, seed)[0]
    if not is_dask(x):
        return fields_of_stream(blocks_of("x", x), basis, modes, split)
    if modes is not None and not largest.at_once(modes, d, d):
        _no_split(split, modes)
        return largest.of_dask(x, modes, seed).fields
    return fields_of_moments(dask_moments(x, basis, split), modes)


def fields_of_batches(batches: Iterable[Any], basis: str, modes: int | None, split: HeldOut | None) -> Fields:
    """Fields of a spectrum from batches that are read once."""
    named = ((f"batch {i}", batch) for i, batch in enumerate(batches_of(batches)))
    return fields_of_stream(named, basis, modes, split)


def fields_in_memory(
    samples: Piece, basis: str, modes: int | None, split: HeldOut | None, seed: int
) -> tuple[Fields, Any]:
    """Fields of a spectrum of an array, and those of its samples that they are of."""
    if split is not None:
        rows = split.rows(0, len(samples))
        kept, left_out = samples[~rows], samples[rows]
        if min(len(kept), len(left_out)) < 2:
            raise InputError(f"held_out must leave at least 2 samples out, got {len(left_out)} of {len(samples):,}")
        fields, _ = fields_in_memory(kept, basis, modes, None, seed)
        return fields | {"test_variance": variance_of([("x", left_out)], fields["basis"], fields["mean"])}, kept
    n, d = len(samples), samples[0].size
    largest.check_modes(modes, min(n, d), basis)
    if basis != "pca" or (n >= d and largest.at_once(modes, min(n, d), d)):
        return fields_of_stream([("x", samples)], basis, modes, None), samples
    said_of_layout(samples.shape, basis)
    if modes is not None and not largest.at_once(modes, min(n, d), d):
        return largest.of_memory(samples, modes, seed).fields, samples
    variance, mean, components = thin_pca(samples)
    fields = {"variance": variance, "mean": mean, "basis": components, "n_samples": n}
    if modes is None or modes >= variance.size:
        return fields, samples
    few = PCA(components.components[:modes].copy(), components.shape)
    null = largest.null_variance(float(variance.sum()), variance[:modes], d)
    return fields | {"variance": variance[:modes], "basis": few, "null_variance": null}, samples


def fields_of_stream(named: Named, basis: str, modes: int | None, split: HeldOut | None) -> Fields:
    """Fields of a spectrum of batches: from their moments, or the largest modes alone where these would be too many."""
    pieces = pieces_of(named)
    first = next(pieces, None)
    if first is None:
        raise InputError("x must hold at least 2 samples, got 0")
    said_of_layout(first.shape, basis)
    d = first[0].size
    largest.check_modes(modes, d, basis)
    pieces = chain([first], pieces)
    if modes is not None and not largest.at_once(modes, d, d):
        _no_split(split, modes)
        return largest.of_pieces(pieces, first.shape[1:], modes).fields
    streamed = Streamed(basis, first[0], split)
    for piece in pieces:
        streamed.add(piece)
    return fields_of_moments(streamed, modes)


def fields_of_moments(streamed: Streamed, modes: int | None) -> Fields:
    """Fields of a spectrum from the moments of samples, and of those held out."""
    moments, shape, n = streamed.enough().training, streamed.shape, streamed.training.count
    if streamed.basis == "pca":
        mean = moments.mean.reshape(shape)
        check_varies(moments.largest, mean)
        if modes is None:
            variance, waves = pca(moments.covariance[0], shape)
            fields: Fields = {"variance": variance, "mean": mean, "basis": waves, "n_samples": n}
        else:
            fields = largest.of_covariance(moments.covariance[0], mean, modes, n).fields
    else:
        of_waves = cosines_of_moments if streamed.basis == "dct" else waves_of_moments
        variance, mean, basis = of_waves(moments, shape, streamed.origin)
        fields = {"variance": variance, "mean": mean, "basis": basis, "n_samples": n}
    if streamed.test is not None:
        fields["test_variance"] = variance_along(fields["basis"], streamed.test)
    return fields


def variance_of(named: Named, basis: Basis, mean: Any) -> Any:
    """Variance of samples along modes, about their own mean, by pieces; InputError for fewer than two."""
    along = Moments(basis.n_modes, 1)
    for piece in pieces_of(named):
        along.add(basis.to_modes(piece if mean is None else piece - mean)[..., None])
    if along.count < 2:
        raise InputError(f"test must hold at least 2 samples, got {along.count}")
    return along.covariance.ravel()


def variance_of_test(test: Any, basis: Basis, mean: Any) -> Any:
    """Variance of held-out samples, in memory or lazy, along modes; InputError for samples of another shape."""
    lazy = lazy_array(test)
    if lazy is not None:
        shape = check_lazy("test", lazy)[1]
        if shape != basis.shape:
            raise InputError(f"test must have shape (n, {', '.join(map(str, basis.shape))}), got {tuple(test.shape)}")
        return variance_of(blocks_of("test", lazy), basis, mean)
    return variance_of([("test", known_samples("test", test, basis.shape))], basis, mean)


def _no_split(split: HeldOut | None, modes: int) -> None:
    if split is not None:
        raise InputError(f"held_out must be None with modes={modes} of so many coordinates: give test= to with_test")
