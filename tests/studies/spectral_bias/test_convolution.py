"""Tests of `eigenclock_studies.spectral_bias.convolution`."""

from dataclasses import replace

from eigenclock_studies.spectral_bias import convolution, images


def test_the_peer_is_the_chain_of_the_images_part():
    for preset in ("tiny", "cpu", "paper"):
        options = convolution.PRESETS[preset]
        chain, zero = options.peers().values()
        assert chain == images.PRESETS[preset].case(images.PRESETS[preset].data[0])
        assert zero.recipe.network == replace(chain.recipe.network, zero_output=True)
        assert all(case.source == chain.source for case in (zero, *options.cases())), "the same images"
