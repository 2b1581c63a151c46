"""Tests of `eigenclock.spectrum.batches`: what loaders hand over, and streams of single samples."""

import numpy as np
import pytest
import torch
from PIL import Image

import eigenclock as ec


def images(n=300):
    rng = np.random.default_rng(2)
    return np.cumsum(rng.standard_normal((n, 5, 4, 3)), axis=1)


def bytes_of(n=300):
    return np.random.default_rng(2).integers(0, 256, (n, 5, 4, 3), dtype=np.uint8)


def loader(x, *, labels, size=64):
    columns = [torch.as_tensor(x)] + ([torch.arange(len(x))] if labels else [])
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*columns), batch_size=size)


def by_name(x, size=50):
    return ({"label": np.arange(len(x[i : i + size])), "pixel_values": x[i : i + size]} for i in range(0, len(x), size))


@pytest.mark.parametrize("basis", ["pca", "dct"])
@pytest.mark.parametrize(
    "make",
    [
        lambda x: loader(x, labels=False),
        lambda x: loader(x, labels=True),
        by_name,
        lambda x: ({"image": one, "label": 3} for one in x),
        lambda x: ({"image": torch.as_tensor(one), "label": torch.tensor(3)} for one in x),
        lambda x: ({"image": one, "text": "a cat"} for one in x),
        lambda x: ((one, 7) for one in x),
    ],
)
def test_every_loader_gives_the_spectrum_of_memory(make, basis):
    x = images()
    found, whole = ec.Spectrum.from_batches(make(x), basis=basis), ec.Spectrum.from_samples(x, basis=basis)
    assert np.allclose(found.variance, whole.variance, rtol=1e-10)
    assert np.allclose(found.mean, x.mean(axis=0))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: ({"image": Image.fromarray(one), "label": 3} for one in x),
        lambda x: ({"image": Image.fromarray(one)} for one in x),
        lambda x: ((Image.fromarray(one), 3) for one in x),
        lambda x: (Image.fromarray(one) for one in x),
        lambda x: ({"image": [Image.fromarray(one) for one in x[i : i + 30]]} for i in range(0, 300, 30)),
    ],
)
def test_pictures_are_read_from_0_to_1_as_files_of_them_are(make):
    x = bytes_of()
    found = ec.Spectrum.from_batches(make(x))
    # single precision of the pixels: 2^-24 of each
    assert np.allclose(found.variance, ec.Spectrum.from_samples(x / 255).variance, rtol=1e-5)


def test_arrays_are_no_batches_and_loaders_no_arrays():
    x = images()
    with pytest.raises(
        ec.InputError, match=r"batches must be an iterable of arrays, got ndarray .*: Spectrum.from_samples"
    ):
        ec.Spectrum.from_batches(x)
    loader = torch.utils.data.DataLoader(torch.as_tensor(x), batch_size=8)
    with pytest.raises(ec.InputError, match=r"got DataLoader that is not numeric: Spectrum.from_batches reads loaders"):
        ec.Spectrum.from_samples(loader)


def test_single_samples_are_held_out_by_their_place():
    x = images()
    found = ec.Spectrum.from_batches(((one, 7) for one in x), held_out=0.2, seed=5)
    rows = np.random.default_rng(5).random(len(x)) < 0.2
    assert found.n_samples == np.count_nonzero(~rows)
    assert np.allclose(found.mean, x[~rows].mean(axis=0))


def test_single_samples_of_another_shape_are_named():
    x = images()
    stream = ({"image": one[:4] if i == 9 else one, "label": 0} for i, one in enumerate(x))
    with pytest.raises(ec.InputError, match=r"^sample 9 must have shape \(n, 5, 4, 3\), got \(1, 4, 4, 3\)$"):
        ec.Spectrum.from_batches(stream)
