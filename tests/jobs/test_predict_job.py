"""The command line as a user types it: in a process of its own where exit code and streams matter."""

import json

import pytest
from support.commands import SMALL, command

import eigenclock as ec
from eigenclock import cli
from eigenclock.jobs import predict_job as pipeline


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
