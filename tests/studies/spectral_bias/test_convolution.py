"""Tests of `eigenclock_studies.spectral_bias.convolution`."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eigenclock_studies.spectral_bias import convolution, images


def test_the_peer_is_the_chain_of_the_images_part():
    for preset in ("tiny", "cpu", "paper"):
        options = convolution.PRESETS[preset]
        chain, zero = options.peers().values()
        assert chain == images.PRESETS[preset].case(images.PRESETS[preset].data[0])
        assert zero.recipe.network == replace(chain.recipe.network, zero_output=True)
        assert all(case.source == chain.source for case in (zero, *options.cases())), "the same images"


def test_share_beyond_a_pixel():
    fits = pd.DataFrame({"sigma": [1.0, 1.0, 9.0, 9.0], "kernel": [1, 5, 1, 5], "r2": [0.6, 0.9, 0.99, 0.999]})
    found = convolution.beyond_a_pixel(fits, 5)
    assert found.to_dict() == pytest.approx({1.0: 0.75}), "at 9 a pixel leaves too little to explain"


def planted(early, late, seeds=(0, 1, 2)):
    """Fits of three seeds: the share that a 15×15 kernel explains at step 10 and at step 1,000."""
    return pd.DataFrame(
        [
            {"step": step, "kernel": kernel, "sigma": sigma, "r2": r2, "seed": seed}
            for seed in seeds
            for step, share in ((10, early), (1000, late))
            for sigma in (0.5, 5.0)
            for kernel, r2 in ((1, 0.5), (15, 0.5 + 0.5 * (share + 0.005 * seed)))
        ]
    )


@pytest.mark.parametrize(
    ("early", "late", "verdict"),
    [(0.95, 0.6, "shown"), (0.95, 0.97, "in part (early, and later no less)"), (0.8, 0.5, "not shown")],
)
def test_claim_of_one_linear_convolution(early, late, verdict):
    options = replace(convolution.PRESETS["cpu"], fit_steps=(10, 1000))
    rng = np.random.default_rng(0)
    fits = planted(early, late)
    fits["r2"] += 1e-3 * rng.standard_normal(len(fits))  # seeds differ a little
    claim = convolution._fit_claim("ConvNet", options, fits)
    assert claim["verdict"] == verdict


def test_fits_are_made_again_after_a_stop(tmp_path):
    """What a killed run had looked at after its checkpoint is replaced, not doubled."""
    look = convolution.ConvolutionFits((1, 3), (10, 20))
    samples = np.random.default_rng(0).standard_normal((8, 6, 6)).astype(np.float32)
    for step in (10, 20, 10, 20):
        look(tmp_path, step, lambda x, sigma: 0.5 * x, samples)
    found = pd.read_csv(tmp_path / "fits.csv")
    assert found.groupby("step").size().to_dict() == {10: 12, 20: 12}
