"""What version 0.1.0 called MLP is read as NormedMLP: configs, calls, checkpoints."""

import pytest

import eigenclock as ec
from eigenclock.checks import InputWarning
from eigenclock.training.renamed import renamed, renamed_settings, renamed_words

FORMER = {"class_path": "eigenclock.MLP", "init_args": {"width": 8, "blocks": 2, "embedding": 16}}


@pytest.mark.parametrize("name", ["MLP", "eigenclock.MLP", "eigenclock.training.network_options.MLP"])
def test_configs_with_blocks(name):
    with pytest.warns(InputWarning, match="MLP with blocks is read as NormedMLP"):
        found = renamed({"data": "digits", "network": FORMER | {"class_path": name}})
    assert found == {"data": "digits", "network": FORMER | {"class_path": "eigenclock.NormedMLP"}}


@pytest.mark.parametrize(
    "network",
    [
        {"class_path": "eigenclock.MLP", "init_args": {"width": 8, "layers": 3}},
        {"class_path": "eigenclock.MLP"},
        {"class_path": "eigenclock.UNet", "init_args": {"blocks": 2}},
        {"class_path": "mine.MyMLP", "init_args": {"blocks": 2}},
        "MLP",
        None,
    ],
)
def test_everything_else_stays_as_it_is(network):
    config = {"network": network, "list": [1, network]}
    assert renamed(config) == config


def test_words_of_a_call():
    for words in (["--network", "MLP", "--network.blocks", "3"], ["--network=MLP", "--network.init_args.embedding=8"]):
        with pytest.warns(InputWarning, match="NormedMLP"):
            found = renamed_words(["run", *words])
        assert " ".join(found) == " ".join(["run", *words]).replace("MLP", "NormedMLP")
    with pytest.warns(InputWarning, match="NormedMLP"):
        found = renamed_words(["train", "--network.blocks", "3"])
    assert found == ["train", "--network=NormedMLP", "--network.width=512", "--network.blocks", "3"], "0.1.0's default"
    assert renamed_words(["train", "--config", "f", "--network.blocks", "3"])[1] == "--config", "the file may name one"
    for words in (
        ["--network", "MLP", "--network.layers", "3"],
        ["--network", "UNet", "--network.blocks", "3"],
        ["--out", "MLP", "--network", "UNet", "--network.blocks", "3"],
    ):
        assert renamed_words(words) == words


def test_settings_of_a_checkpoint():
    kept = {"seed": 0, "settings": {"network": str(ec.NormedMLP(8, 2)).removeprefix("Normed"), "objective": "EDM"}}
    assert renamed_settings(kept)["settings"]["network"] == str(ec.NormedMLP(8, 2))
    for other in ({"settings": {"network": str(ec.MLP(8, 2))}}, {"settings": {}}, {"seed": 1}, {"settings": None}):
        assert renamed_settings(other) == other
