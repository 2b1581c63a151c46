"""Tests of `eigenclock_studies.spectral_bias.cure.part`: what is trained."""

from dataclasses import replace

from eigenclock_studies.spectral_bias.cure.part import PRESETS


def names(options):
    return [(arm.source.name, arm.network, arm.method.name, len(arm.seeds)) for arm in options.arms()]


def test_every_method_with_every_seed_on_the_first_data_two_on_the_others():
    found = names(PRESETS["paper"])
    assert sum(seeds for _, _, _, seeds in found) == 18 + 15 + 4 + 4  # chain with Muon, U-Net, Gaussian data, colour
    others = [one for one in found if one[0] != "natural16"]
    assert {method for _, _, method, _ in others} == {"edm", "mode"}
    assert {seeds for *_, seeds in others} == {1}
    assert {data for data, *_ in others} == {"natural16_gaussian", "natural32-colour"}


def test_networks_and_methods_are_chosen_by_name():
    few = replace(PRESETS["paper"], networks=("unet",), methods=("edm", "mode"), gaussian=False, others=(), seeds=(5,))
    assert names(few) == [("natural16", "unet", "edm", 1), ("natural16", "unet", "mode", 1)]
