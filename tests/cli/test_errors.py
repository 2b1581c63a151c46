"""Tests of `eigenclock.cli.errors`."""

import os
import shutil

import numpy as np
import pytest
from support.commands import command

import eigenclock as ec
from eigenclock import cli
from eigenclock.jobs.studies import study_names
from eigenclock.recipe.recipe import concrete


def names(base):
    """Names of all parts of a kind, as a message lists them."""
    return ", ".join(kind.__name__ for kind in concrete(base))


ERRORS = {
    "no data": (["run", "--out", "{tmp}/r"], "these options are required: --data"),
    "unknown data": (["run", "--data", "nowhere", "--out", "{tmp}/r"], "data must be a path or one of natural16"),
    "unknown option": (["run", "--data", "digits", "--out", "{tmp}/r", "--foo", "1"], "unrecognized arguments: --foo 1"),
    "unknown weight": (["run", "--data", "digits", "--out", "{tmp}/r", "--objective", "EDM", "--objective.weight", "zzz"], "objective.weight must be one of uniform, edm, snr, MinSNR, P2, Sigmoid, NoisePower, got zzz"),
    "unknown class": (["run", "--data", "digits", "--out", "{tmp}/r", "--objective", "Magic"], "objective must be one of Denoising, EDM, Epsilon, Velocity, Score, FlowMatching, SpectralEDM, got Magic"),
    "bad value": (["run", "--data", "digits", "--out", "{tmp}/r", "--sampler.sigma_min", "-1"], "sigma_min must be a finite number > 0, got -1.0"),
    "bad range": (["run", "--data", "digits", "--out", "{tmp}/r", "--sampler.sigma_min", "90"], "sigma_min must be >= 0 and < sigma_max"),
    "bad type": (["run", "--data", "digits", "--out", "{tmp}/r", "--steps", "many"], "steps must be a whole number, got many"),
    "diverges": (["predict", "--data", "digits", "--out", "{tmp}/r", "--optimizer", "GradientDescent", "--optimizer.lr", "9"], "lr must be < "),
    "unknown key": (["run", "--config", "{tmp}/unknown.yaml"], "does not accept option 'colour'"),
    "bad yaml": (["run", "--config", "{tmp}/broken.yaml"], "Problems parsing config"),
    "missing config": (["run", "--config", "{tmp}/none.yaml"], "{tmp}/none.yaml"),
    "nan": (["run", "--data", "{tmp}/nan.npy", "--out", "{tmp}/r"], "data must be finite, got 1 NaN or inf entries in nan"),
    "nan unscaled": (["run", "--data", "{tmp}/nan.npy", "--standardize", "false", "--out", "{tmp}/r"], "x must be finite, got nan at index (0, 0)"),
    "empty": (["run", "--data", "{tmp}/empty.npy", "--out", "{tmp}/r"], "data must hold at least 2 samples, got 0"),
    "one sample": (["run", "--data", "{tmp}/one.npy", "--out", "{tmp}/r"], "data must hold at least 2 samples, got 1"),
    "wrong shape": (["spectrum", "--data", "{tmp}/scalar.npy"], "data must have shape (n, d), (n, h, w) or (n, h, w, c), got (5,)"),
    "constant": (["run", "--data", "{tmp}/constant.npy", "--out", "{tmp}/r"], "data must vary, got constant data in constant"),
    "unwritable": (["run", "--data", "digits", "--out", "{tmp}/nan.npy/r"], "cannot write {tmp}/nan.npy/r/config.yaml"),
    "file as folder": (["run", "--data", "digits", "--out", "{tmp}/nan.npy"], "out must be a folder, got {tmp}/nan.npy, which is a file"),
    "no run": (["report", "--run", "{tmp}"], "run must be the folder of a run"),
    "corrupt curve": (["report", "--run", "{tmp}/corrupt"], "not a readable learning curve: {tmp}/corrupt/curve.nc"),
    "bad optimizer": (["predict", "--data", "digits", "--out", "{tmp}/r", "--optimizer", "GradientDescent", "--optimizer.lr", "-1"], "lr must be a finite number > 0, got -1.0"),
    "bad momentum": (["predict", "--data", "digits", "--out", "{tmp}/r", "--optimizer", "HeavyBall", "--optimizer.momentum", "1"], "momentum must be a finite number >= 0 and < 1, got 1.0"),
    "bad density": (["predict", "--data", "digits", "--out", "{tmp}/r", "--objective.density.std", "-1"], "density.std must be a finite number > 0, got -1.0"),
    "bad rho": (["predict", "--data", "digits", "--out", "{tmp}/r", "--sampler.rho", "0.001"], "rho must be a finite number >= 1, got 0.001"),
    "bad seed": (["spectrum", "--data", "digits", "--n", "50", "--seed", "-1"], "seed must be a whole number >= 0, got -1"),
    "too fast": (["predict", "--simulation.enabled", "true", "--data", "digits", "--out", "{tmp}/r", "--steps", "30", "--simulation.batch_size", "8", "--optimizer", "HeavyBall", "--optimizer.lr", "0.3"], "lr must be smaller"),
    "dead start": (["predict", "--data", "digits", "--out", "{tmp}/r", "--architecture", "TiedTwoLayer", "--architecture.init", "0"], "architecture.init must be > 0 for TiedTwoLayer, got 0"),
    "tuple": (["cite", "--architecture", "TwoLayer", "--architecture.init", "0.1"], "architecture.init must be a list like [0.3,0.1], got 0.1"),
    "order": (["cite", "--architecture.depth", "3", "--architecture", "DeepLinear"], "architecture must be named before its options"),
    "option of another": (["cite", "--architecture", "LocalConv", "--architecture.size", "3"], "architecture has no option size, got --architecture.size 3"),
    "even kernel": (["cite", "--architecture", "LocalConv", "--architecture.kernel", "4"], "kernel must be odd, got 4"),
    "no number": (["cite", "--sampler.steps", "abc"], "sampler.steps must be a whole number, got abc"),
    "pca for a convolution": (["predict", "--data", "digits", "--out", "{tmp}/r", "--architecture", "Circulant"], "convolutions need Fourier modes, got PCA"),
    "lower case": (["cite", "--sampler", "heun"], f"sampler must be one of {names(ec.Sampler)}, got heun"),
    "spectrum over data": (["spectrum", "--data", "{tmp}/one.npy", "--out", "{tmp}/one.npy"], "out must be a NetCDF file name ending in .nc"),
    "spectrum over file": (["spectrum", "--data", "digits", "--out", "{tmp}/corrupt/curve.nc"], "out must not exist yet"),
    "image size of array": (["run", "--data", "{tmp}/one.npy", "--out", "{tmp}/r", "--image_size", "8"], "image_size applies to folders of images"),
    "unreadable image": (["run", "--data", "{tmp}/broken", "--out", "{tmp}/r"], "unreadable image: {tmp}/broken/x.png"),
    "truncated curve": (["report", "--run", "{tmp}/truncated"], "not a readable learning curve: {tmp}/truncated/curve.nc"),
    "network": (["run", "--data", "digits", "--out", "{tmp}/r", "--network", "GAN"], f"network must be one of {names(ec.Network)}, got GAN"),
    "network option": (["run", "--data", "digits", "--out", "{tmp}/r", "--network", "UNet", "--network.width", "3"], "network has no option width"),
    "network size": (["run", "--data", "faces", "--out", "{tmp}/r", "--network", "UNet"], "image size must be divisible by 2 for 2 resolutions, got 25×25"),
    "device": (["run", "--data", "digits", "--out", "{tmp}/r", "--training.device", "toaster"], "device must be one of cpu"),
    "no steps": (["train", "--data", "digits", "--out", "{tmp}/r", "--steps", "0"], "steps must be a whole number >= 1, got 0"),
    "precision": (["train", "--data", "digits", "--out", "{tmp}/r", "--training.precision", "int8"], "training.precision must be one of float32, bfloat16, float64, got int8"),
    "compare nothing": (["compare"], "compare needs either --run DIR or both --curve FILE and --measured FILE"),
    "compare no run": (["compare", "--run", "{tmp}"], "run must be the folder of a run, got {tmp}, which has no config.yaml"),
    "compare untrained": (["compare", "--run", "{tmp}/truncated"], "run must be the folder of a trained run"),
    "unknown study": (["study", "alchemy", "--out", "{tmp}/r"], f"study must be one of {', '.join(study_names())}, got 'alchemy'"),
    "unknown part": (["study", "spectral_bias", "--preset", "tiny", "--out", "{tmp}/r", "--part", "x"], "part must be one of 'gaussian', 'images', 'convolution', 'cure', got 'x'"),
    "unknown preset": (["study", "spectral_bias", "--preset", "huge", "--out", "{tmp}/r"], "preset must be one of tiny, cpu, paper, got huge"),
    "no latents": (["diagnose-latents", "{tmp}/none.npz"], "latents must be a .npy or .npz file, got {tmp}/none.npz, which is not there"),
    "no array": (["diagnose-latents", "{tmp}/unknown.yaml"], "latents must be a .npy or .npz file of numbers, got {tmp}/unknown.yaml"),
    "no decoder": (["diagnose-latents", "{tmp}/one.npy", "--decoder", "numpy:nothing"], "decoder must be package.module:function, got numpy:nothing"),
    "one latent": (["diagnose-latents", "{tmp}/one.npy"], "latents must hold at least 2 samples, got 1"),
    "no action": (["score-latent", "jump", "--model", "{tmp}/m"], "action must be one of 'fit', 'sample', got 'jump'"),
    "no samples": (["score-latent", "fit", "--model", "{tmp}/m"], "score-latent fit needs --data FILE.npy"),
    "not a model": (["score-latent", "sample", "--model", "{tmp}/one.npy", "--out", "{tmp}/y.npy"], "model file must be a whole safetensors file, got {tmp}/one.npy"),
    "constant data": (["score-latent", "fit", "--model", "{tmp}/m", "--data", "{tmp}/constant.npy"], "X must hold different samples, got 9 copies of one"),
    "no output": (["score-latent", "sample", "--model", "{tmp}/m"], "score-latent sample needs --out FILE.npy, got None"),
    "both": (["run", "--data", "digits", "--out", "{tmp}/r", "--overwrite", "--resume"], "overwrite and resume exclude each other"),
}  # fmt: skip


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("bad")
    np.save(tmp / "nan.npy", np.array([[np.nan, 1.0], [0.0, 1.0]]))
    np.save(tmp / "empty.npy", np.zeros((0, 4)))
    np.save(tmp / "one.npy", np.arange(4.0)[None])
    np.save(tmp / "scalar.npy", np.arange(5.0))
    np.save(tmp / "constant.npy", np.ones((9, 4)))
    (tmp / "unknown.yaml").write_text("data: digits\nout: r\ncolour: blue\n")
    (tmp / "broken.yaml").write_text("data: [digits\n")
    for folder in ("corrupt", "truncated", "broken"):
        (tmp / folder).mkdir()
        for name in ("config.yaml", "metrics.json", "manifest.json"):
            (tmp / folder / name).write_text("{}")
    (tmp / "broken" / "x.png").write_bytes(b"\x89PNG broken")
    ec.predict(ec.Spectrum([1.0]), time=[1.0]).save(tmp / "truncated" / "curve.nc")
    whole = (tmp / "truncated" / "curve.nc").read_bytes()
    (tmp / "truncated" / "curve.nc").write_bytes(whole[: len(whole) // 2])
    (tmp / "corrupt" / "curve.nc").write_bytes(b"\x89HDF\r\n\x1a\n and then nothing")
    return tmp


@pytest.mark.parametrize("case", ERRORS)
def test_user_errors_are_one_line_and_exit_2(case, bad_files, capsys):
    arguments, expected = ERRORS[case]
    with pytest.raises(SystemExit) as stop:
        cli.main([part.replace("{tmp}", str(bad_files)) for part in arguments])
    streams = capsys.readouterr()
    print(streams.err)
    assert stop.value.code == 2
    assert streams.err.startswith("eigenclock: error: ")
    assert expected.replace("{tmp}", str(bad_files)) in streams.err
    assert streams.err.count("\n") == 1
    assert streams.out == ""
    if case == "too fast":  # the prediction stands, the brute force failed: nothing already computed is lost
        assert (bad_files / "r" / "curve.nc").exists()
        shutil.rmtree(bad_files / "r")
    assert not (bad_files / "r").exists(), "a refused run leaves no folder"


def test_no_traceback_from_a_process(tmp_path):
    result = command("run", "--data", "nowhere", "--out", tmp_path / "r", env={**os.environ, "COLUMNS": "40"})
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
