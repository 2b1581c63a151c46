"""The command line as a user types it: in a process of its own where exit code and streams matter."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
import yaml
from matplotlib.image import imread

import eigenclock as ec
from eigenclock.cli import main as cli
from eigenclock.jobs import predict_job as pipeline

SMALL = [
    "--data", "digits", "--sampler", "Heun", "--sampler.steps", "20", "--steps", "40", "--simulation.records", "8",
    "--simulation.particles", "64", "--simulation.batch_size", "16", "--simulation.enabled", "true",
]  # fmt: skip


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "eigenclock", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def test_prediction_checked_by_brute_force_makes_everything(tmp_path):
    out = tmp_path / "run"
    result = command("predict", *SMALL, "--out", out)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "", "progress is silent when stderr is not a terminal"
    assert result.stdout.splitlines()[-1] == f"report: {out}/report.html"
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert {"config.yaml", "manifest.json", "metrics.json", "curve.nc", "simulated.nc", "report.html"} <= found
    assert {
        "figures/emergence.png",
        "figures/variance.png",
        "figures/samples.png",
        "samples/predicted_0_step_1.png",
    } <= found
    predicted, simulated = (ec.LearningCurve.load(out / name) for name in ("curve.nc", "simulated.nc"))
    assert predicted.recipe == simulated.recipe
    assert predicted.recipe.sampler == ec.Heun(steps=20)
    assert simulated.dataset["time"].values[-1] == 40
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["comparison"]["modes"] > 20
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["command"] == " ".join(["eigenclock", "predict", *SMALL, "--out", str(out)])
    assert {"spectrum", "predict", "simulate", "compare"} <= manifest["seconds"].keys()
    assert manifest["versions"]["eigenclock"] == ec.__version__


def test_config_file_repeats_a_run(tmp_path):
    assert command("predict", *SMALL, "--out", tmp_path / "one").returncode == 0
    again = command("predict", "--config", tmp_path / "one" / "config.yaml", "--out", tmp_path / "two")
    assert again.returncode == 0, again.stderr
    one, two = (ec.LearningCurve.load(tmp_path / name / "curve.nc") for name in ("one", "two"))
    assert one.dataset.identical(two.dataset)


def test_print_config_is_a_config(tmp_path):
    printed = command(
        "predict",
        *SMALL,
        "--out",
        tmp_path / "run",
        "--optimizer",
        "HeavyBall",
        "--optimizer.lr",
        "0.01",
        "--print-config",
    )
    assert printed.returncode == 0, printed.stderr
    config = yaml.safe_load(printed.stdout)
    assert config["optimizer"] == {"class_path": "eigenclock.HeavyBall", "init_args": {"lr": 0.01, "momentum": 0.9}}
    assert config["sampler"]["init_args"]["steps"] == 20
    assert not (tmp_path / "run").exists()


def test_occupied_folder_overwrite_and_resume(tmp_path, capsys, monkeypatch):
    out = str(tmp_path / "run")
    cli.main(["predict", *SMALL, "--out", out])
    first = (tmp_path / "run" / "simulated.nc").read_bytes()

    with pytest.raises(SystemExit) as stop:
        cli.main(["predict", *SMALL, "--out", out])
    assert stop.value.code == 2
    assert "use --resume or --overwrite" in capsys.readouterr().err

    def refuse(*args, **kwargs):
        raise AssertionError("a finished stage was done again")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "simulate", refuse)
        patch.setattr(pipeline, "predict", refuse)
        cli.main(["predict", *SMALL, "--out", out, "--resume"])
        with pytest.raises(SystemExit):
            cli.main(["predict", *SMALL, "--out", out, "--resume", "--seed", "3"])
        assert "config differs from the run in" in (error := capsys.readouterr().err)
        assert "seed was 0, now 3" in error

    cli.main(["predict", *SMALL, "--out", out, "--overwrite", "--seed", "3"])
    assert (tmp_path / "run" / "simulated.nc").read_bytes() != first


def test_killed_run_keeps_its_finished_stages(tmp_path, monkeypatch):
    out = tmp_path / "run"

    def crash(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "simulate", crash)
        with pytest.raises(SystemExit) as stop:
            cli.main(["predict", *SMALL, "--out", str(out)])
    assert stop.value.code == 130
    assert ec.LearningCurve.load(out / "curve.nc").source == "theory"
    cli.main(["predict", *SMALL, "--out", str(out), "--resume"])
    assert (out / "report.html").exists()


def test_foreign_folder_is_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    for flag in ("--overwrite", "--resume"):
        result = command("predict", *SMALL, "--out", tmp_path, flag)
        assert result.returncode == 2
        assert "which has no config.yaml" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_report_command(tmp_path):
    out = tmp_path / "run"
    cli.main(["predict", *SMALL, "--out", str(out)])
    before = (out / "report.html").read_text()
    (out / "report.html").unlink()
    cli.main(["report", "--run", str(out)])
    assert (out / "report.html").read_text() == before


def test_nothing_to_compare_is_said(tmp_path):
    """Two steps of training teach no mode, and three of sampling hide what they would teach."""
    cli.main(["predict", *SMALL, "--out", str(tmp_path / "run"), "--sampler.steps", "3", "--steps", "2"])
    assert "no two modes emerged in both" in (tmp_path / "run" / "report.html").read_text()


def test_large_data_are_only_predicted(tmp_path):
    cli.main(
        ["predict", "--data", "faces", "--out", str(tmp_path / "run"), "--steps", "20", "--simulation.enabled", "true"]
    )
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["brute_force_skipped"].startswith("625 coordinates are more than simulation.max_dimension = 400")
    assert "Not checked by brute force: 625 coordinates" in (tmp_path / "run" / "report.html").read_text()


def test_gradient_flow_is_only_predicted(tmp_path):
    cli.main(
        ["predict", *SMALL, "--out", str(tmp_path / "run"), "--optimizer", "GradientFlow", "--optimizer.lr", "0.1"]
    )
    assert not (tmp_path / "run" / "simulated.nc").exists()


def test_spectrum_command(tmp_path, capsys):
    cli.main(["spectrum", "--data", "digits", "--out", str(tmp_path / "spectrum.nc"), "--basis", "fourier"])
    import xarray as xr

    table = capsys.readouterr().out
    assert "of 64 modes" in table
    assert table.splitlines()[-1].startswith("saved: ")
    with xr.open_dataset(tmp_path / "spectrum.nc", engine="h5netcdf") as dataset:
        assert np.isclose(ec.Spectrum.from_dataset(dataset.load()).variance.sum(), 64 * 0.25, rtol=0.5)


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        ([], ["wang2025spectral", "karras2022elucidating"]),
        (["--objective", "Denoising", "--sampler", "ProbabilityFlow"], ["wang2025spectral"]),
        (["--objective", "FlowMatching", "--sampler", "ProbabilityFlow"], ["wang2025spectral", "lipman2023flow"]),
        (["--objective", "Velocity", "--sampler", "ProbabilityFlow"], ["wang2025spectral", "salimans2022progressive"]),
        (
            ["--objective", "Epsilon", "--sampler", "Euler"],
            ["wang2025spectral", "karras2022elucidating", "ho2020denoising"],
        ),
    ],
)
def test_cite_names_exactly_what_is_used(arguments, keys, capsys):
    cli.main(["cite", *arguments])
    cited = [line.split("{")[1].rstrip(",") for line in capsys.readouterr().out.splitlines() if line.startswith("@")]
    assert cited == keys


def test_defaults_fit_the_data(patches):
    """The learning rate is a third of the stable one; the steps let 95 % of the modes emerge."""
    from eigenclock.jobs.config import TheoryOptions

    _, spectrum = patches
    recipe, steps = pipeline.resolve(TheoryOptions(), spectrum)
    ec.predict(
        spectrum,
        time=[1.0],
        sampler=recipe.sampler,
        objective=recipe.objective,
        optimizer=ec.GradientDescent(2.9 * recipe.optimizer.lr),
    )
    with pytest.raises(ec.InputError, match="diverges on"):
        ec.predict(
            spectrum,
            time=[1.0],
            sampler=recipe.sampler,
            objective=recipe.objective,
            optimizer=ec.GradientDescent(3.2 * recipe.optimizer.lr),
        )
    curve = ec.predict(spectrum, time=pipeline.record_times(recipe, steps, 100), **vars(recipe))
    table = curve.emergence()
    assert (table.gray_zone | ~table.censored).mean() >= 0.95
    assert steps < pipeline.MOST_STEPS


ERRORS = {
    "no data": (["run", "--out", "{tmp}/r"], "these options are required: --data"),
    "unknown data": (["run", "--data", "nowhere", "--out", "{tmp}/r"], "data must be a path or one of natural16"),
    "unknown option": (["run", "--data", "digits", "--out", "{tmp}/r", "--foo", "1"], "unrecognized arguments: --foo 1"),
    "unknown class": (["run", "--data", "digits", "--out", "{tmp}/r", "--objective", "Magic"], "objective must be one of Denoising, EDM, Epsilon, Velocity, Score, FlowMatching, got Magic"),
    "bad value": (["run", "--data", "digits", "--out", "{tmp}/r", "--sampler.sigma_min", "-1"], "sigma_min must be a finite number > 0, got -1.0"),
    "bad range": (["run", "--data", "digits", "--out", "{tmp}/r", "--sampler.sigma_min", "90"], "sigma_min must be >= 0 and < sigma_max"),
    "bad type": (["run", "--data", "digits", "--out", "{tmp}/r", "--steps", "many"], 'Parser key "steps"'),
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
    "lower case": (["cite", "--sampler", "heun"], "sampler must be one of Euler, Heun, Stochastic, EulerMaruyama, ProbabilityFlow, got heun"),
    "spectrum over data": (["spectrum", "--data", "{tmp}/one.npy", "--out", "{tmp}/one.npy"], "out must be a NetCDF file name ending in .nc"),
    "spectrum over file": (["spectrum", "--data", "digits", "--out", "{tmp}/corrupt/curve.nc"], "out must not exist yet"),
    "image size of array": (["run", "--data", "{tmp}/one.npy", "--out", "{tmp}/r", "--image_size", "8"], "image_size applies to folders of images"),
    "unreadable image": (["run", "--data", "{tmp}/broken", "--out", "{tmp}/r"], "unreadable image: {tmp}/broken/x.png"),
    "truncated curve": (["report", "--run", "{tmp}/truncated"], "not a readable learning curve: {tmp}/truncated/curve.nc"),
    "network": (["run", "--data", "digits", "--out", "{tmp}/r", "--network", "GAN"], "network must be one of Linear, MLP, FeedForward, UNet, ConvNet, DiT, got GAN"),
    "network option": (["run", "--data", "digits", "--out", "{tmp}/r", "--network", "UNet", "--network.width", "3"], "network has no option width"),
    "network size": (["run", "--data", "faces", "--out", "{tmp}/r", "--network", "UNet"], "image size must be divisible by 2 for 2 resolutions, got 25×25"),
    "device": (["run", "--data", "digits", "--out", "{tmp}/r", "--training.device", "toaster"], "device must be one of cpu"),
    "no steps": (["train", "--data", "digits", "--out", "{tmp}/r", "--steps", "0"], "steps must be a whole number >= 1, got 0"),
    "precision": (["train", "--data", "digits", "--out", "{tmp}/r", "--training.precision", "int8"], "training.precision must be one of float32, bfloat16, float64, got int8"),
    "compare nothing": (["compare"], "compare needs either --run DIR or both --curve FILE and --measured FILE"),
    "compare no run": (["compare", "--run", "{tmp}"], "run must be the folder of a run, got {tmp}, which has no config.yaml"),
    "compare untrained": (["compare", "--run", "{tmp}/truncated"], "run must be the folder of a trained run"),
    "unknown study": (["study", "alchemy", "--out", "{tmp}/r"], "study must be one of spectral_bias, class_imbalance, innovation_window, score_latent_diffusion, prior_aligned_latents, got 'alchemy'"),
    "unknown part": (["study", "spectral_bias", "--preset", "tiny", "--out", "{tmp}/r", "--part", "x"], "part must be one of 'gaussian', 'images', 'convolution', 'width', got 'x'"),
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


def test_architecture_keeps_its_own_default(capsys):
    """Naming another class must not carry over the default start of the first."""
    with pytest.raises(SystemExit):
        cli.main(["predict", "--data", "digits", "--out", "never", "--architecture", "TiedTwoLayer", "--print-config"])
    assert yaml.safe_load(capsys.readouterr().out)["architecture"]["init_args"] == {"init": 0.1}


def test_diagnose_and_score_latent_commands(tmp_path, capsys):
    """From a file to a table, a figure and a NetCDF file; from an array to a model to samples, the same again."""
    rng, labels = np.random.default_rng(0), np.arange(60) % 2
    latents = rng.standard_normal((60, 4, 2, 2)) + 9 * labels[:, None, None, None]
    masks = rng.integers(0, 2, (60, 4, 4))
    np.savez(tmp_path / "z.npz", latents=latents, labels=labels, masks=masks)
    cli.main(["diagnose-latents", str(tmp_path / "z.npz"), "--out", str(tmp_path / "out"), "--decoder", "torch:tanh"])
    printed = capsys.readouterr().out
    assert "global semantics (GSQ)" in printed
    assert "1.000" in printed
    assert "predicted time to learn the covariance" in printed
    assert imread(tmp_path / "out" / "diagnosis.png").std() > 0.02
    with xr.open_dataset(tmp_path / "out" / "diagnosis.nc", engine="h5netcdf") as found:
        assert float(found["value"].sel(metric="gsq")) == 1
    np.save(tmp_path / "x.npy", rng.standard_normal((80, 2)) @ rng.standard_normal((2, 9)))
    small = [
        "--options.stage1_steps",
        "20",
        "--options.stage2_steps",
        "10",
        "--options.sigma1",
        "0.1",
        "--options.width",
        "16",
    ]
    model = ["--model", str(tmp_path / "m.safetensors")]
    cli.main(["score-latent", "fit", "--data", str(tmp_path / "x.npy"), *model, *small])
    assert "collapse clock" in capsys.readouterr().out
    for name in ("a", "b"):
        cli.main(["score-latent", "sample", *model, "--n", "7", "--seed", "3", "--out", str(tmp_path / f"{name}.npy")])
    first, second = (np.load(tmp_path / f"{name}.npy") for name in ("a", "b"))
    assert first.shape == (7, 9)
    assert np.array_equal(first, second)
