"""Tests of `eigenclock.cli.yaml_values` and of what is typed: spellings, near misses, values in the user's words."""

import pytest

from eigenclock import cli

ANSWERS = {
    "nothing": ([], "a command is needed, one of run, predict"),
    "no command": (["spectrm"], "command must be one of run, predict, choose, train, compare, spectrum, report, study, diagnose-latents, score-latent, cite, got spectrm; did you mean spectrum?"),
    "no study": (["study"], "study must come first: eigenclock study STUDY …, one of class_imbalance"),
    "no latents": (["diagnose-latents"], "latents must come first: eigenclock diagnose-latents LATENTS …"),
    "near": (["spectrum", "--data", "digits", "--image-siz", "4"], "unrecognized arguments: --image_siz 4; did you mean --image_size?"),
    "part of a name": (["spectrum", "--dat", "digits"], "unrecognized arguments: --dat digits; did you mean --data?"),
    "whole": (["spectrum", "--data", "digits", "--n", "nan"], "n must be a whole number, got nan"),
    "half": (["spectrum", "--data", "digits", "--seed", "1.5"], "seed must be a whole number, got 1.5"),
    "bool": (["spectrum", "--data", "digits", "--standardize", "maybe"], "standardize must be one of true, false, pixel, got maybe"),
    "list": (["run", "--data", "digits", "--out", "r", "--probe.patches", "x"], "probe.patches must be a list like [0.3,0.1], got x"),
    "abstract": (["cite", "--sampler", "Stepping"], "sampler must be one of Angular, Euler, Heun, Stochastic, EulerMaruyama, ProbabilityFlow, got Stepping"),
    "base": (["cite", "--architecture", "Architecture"], "architecture must be one of Affine, "),
    "deep": (["cite", "--objective.density.mean", "x"], "objective.density.mean must be a number, got x"),
    "inside": (["run", "--data", "digits", "--out", "r", "--network", "Linear", "--network.architecture", "Nope"], "network.architecture must be one of Affine, "),
    "unset": (["spectrum", "--data", ""], "data must be a path, got an empty one"),
    "no config": (["spectrum", "--config", ""], "config must be a YAML file, got none"),
    "out": (["predict", "--data", "digits", "--out", "[]"], "out must be a path, got []"),
    "alias": (["spectrum", "--config", "{tmp}/alias.yaml"], "aliases (*name) are not read"),
    "twice": (["spectrum", "--config", "{tmp}/twice.yaml"], "a key must be given once, got 'data' twice"),
    "utf-16": (["spectrum", "--config", "{tmp}/utf16.yaml"], "config must be a UTF-8 text file, got {tmp}/utf16.yaml (not UTF-8)"),
    "bundled": (["spectrum", "--data", "digits", "--image_size", "4"], "image_size applies to folders of images, got it with 'digits'"),
    "stationary": (["run", "--data", "digits", "--steps", "3", "--network", "Linear", "--network.architecture", "Circulant", "--out", "{tmp}/r"], "convolutions need Fourier modes, got PCA: use --basis fourier"),
    "meta": (["run", "--data", "digits", "--steps", "3", "--training.device", "meta", "--out", "{tmp}/r"], "device must be one of cpu"),
    "large": (["run", "--data", "digits", "--network.width", "1000000000", "--out", "{tmp}/r"], "GiB of memory"),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_answers_in_the_users_words(case, tmp_path, capsys):
    (tmp_path / "alias.yaml").write_text("data: &a [*a]\n")
    (tmp_path / "twice.yaml").write_text("data: digits\ndata: faces\n")
    (tmp_path / "utf16.yaml").write_bytes("data: digits\n".encode("utf-16"))
    words, expected = ANSWERS[case]
    with pytest.raises(SystemExit) as stop:
        cli.main([word.replace("{tmp}", str(tmp_path)) for word in words])
    err = capsys.readouterr().err
    assert stop.value.code == 2
    assert expected.replace("{tmp}", str(tmp_path)) in err
    assert err.count("\n") == 1
    assert "class '" not in err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("option", ["--image_size", "--image-size"])
def test_dashes_and_underscores(option, capsys):
    with pytest.raises(SystemExit):
        cli.main(["spectrum", "--data", "digits", option, "4"])
    assert "image_size applies to folders" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--print_config", "--print-config"])
def test_print_config_in_both_spellings(option, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["spectrum", "--data", "digits", option])
    assert stop.value.code == 0
    assert "data: digits" in capsys.readouterr().out


def test_whole_numbers_may_be_written_with_an_exponent(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("data: digits\nn: 1e2\n")
    cli.main(["spectrum", "--config", str(tmp_path / "c.yaml")])
    assert "100 samples" in capsys.readouterr().out


def test_what_is_said_is_one_line_on_stderr(tmp_path, capsys):
    import numpy as np

    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((30, 3, 8, 8)))
    cli.main(["spectrum", "--data", str(tmp_path / "x.npy")])
    streams = capsys.readouterr()
    assert streams.err.startswith("eigenclock: note: ")
    assert streams.err.count("\n") == 1
