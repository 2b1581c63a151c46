"""The main job: a real network under the clock, from the command line to the page."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

import eigenclock as ec
from eigenclock import cli
from eigenclock.data import DataSet
from eigenclock.jobs.config import RunConfig
from eigenclock.jobs.run_job import GAIN_LEVELS, in_steps, make_probe
from eigenclock.training.checkpoints import FORMAT, read_checkpoint
from eigenclock.training.options import ProbeOptions

SMALL = [
    "--data", "digits", "--steps", "150", "--network", "MLP", "--network.width", "64", "--network.layers", "3",
    "--optimizer", "Adam", "--optimizer.lr", "0.003", "--probe.count", "12", "--probe.samples", "64", "--probe.fourier", "true",
    "--probe.patches", "[3]", "--training.batch_size", "128", "--training.device", "cpu", "--training.checkpoint_every", "50",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A real run on digits."""
    out = tmp_path_factory.mktemp("main") / "run"
    cli.main(["run", *SMALL, "--out", str(out)])
    return out


def test_run_folder_holds_everything(folder):
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {
        "config.yaml", "manifest.json", "metrics.json", "metrics.jsonl", "training.json", "curve.nc", "measured.nc", "measured_fourier.nc",
        "measured_patch_3.nc", "forecasts.csv", "report.html", "checkpoints/last.safetensors", "figures/emergence.png", "samples/measured_0_step_1.png",
    } <= found  # fmt: skip
    metrics = json.loads((folder / "metrics.json").read_text())
    for rows in (metrics["levels"], *metrics["levels_by_direction"].values()):
        assert [row["level"] for row in rows] == ["a", "b", "c", "d", "e", "e_balanced"]
    assert list(metrics["levels_by_direction"]) == ["rising", "falling"]
    assert {row["fraction"] for row in metrics["forecasts"]} == {0.01, 0.02, 0.05, 0.1, 0.2}
    assert 0 < metrics["training"]["probe_share"] < 1
    assert json.loads((folder / "manifest.json").read_text())["versions"]["torch"] == torch.__version__
    assert ec.LearningCurve.load(folder / "measured.nc").time.values[-1] == 150


def test_killed_process_resumes_to_the_same_end(folder, tmp_path):
    """The command itself, killed once it has a checkpoint."""
    out = tmp_path / "run"
    arguments = [sys.executable, "-m", "eigenclock", "run", *SMALL, "--out", str(out)]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (out / "checkpoints" / "last.safetensors").exists():
        pass
    process.kill()
    process.wait()
    cli.main(["run", *SMALL, "--out", str(out), "--resume"])
    ours, theirs = (ec.LearningCurve.load(run / "measured.nc").dataset for run in (out, folder))
    # another process may use another number of threads, and sum in another order
    np.testing.assert_allclose(ours["variance"], theirs["variance"], rtol=1e-2)
    assert (ours["time"] == theirs["time"]).all()


def test_changed_config_is_refused_by_name(folder, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["run", *SMALL, "--out", str(folder), "--resume", "--optimizer.lr", "0.001"])
    assert stop.value.code == 2
    assert "optimizer.init_args.lr was 0.003, now 0.001" in capsys.readouterr().err


def test_a_mistake_with_overwrite_destroys_nothing(folder, capsys):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for mistake in (["--probe.patches", "[64]"], ["--sampler", "ProbabilityFlow", "--sampler.sigma_min", "0"]):
        with pytest.raises(SystemExit) as stop:
            cli.main(["run", "--data", "digits", "--out", str(folder), "--overwrite", *mistake])
        assert stop.value.code == 2
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_resuming_a_finished_run_keeps_its_timings(folder):
    before = (folder / "training.json").read_text()
    cli.main(["run", *SMALL, "--out", str(folder), "--resume"])
    assert (folder / "training.json").read_text() == before


def test_train_then_compare_is_run(folder, tmp_path, capsys):
    out = tmp_path / "run"
    cli.main(["train", *SMALL, "--out", str(out)])
    assert not (out / "report.html").exists()
    cli.main(["compare", "--run", str(out)])
    printed = capsys.readouterr().out
    assert "(c) and with its real, discrete sampler" in printed
    ours, theirs = (json.loads((run / "metrics.json").read_text()) for run in (out, folder))
    assert ours["levels"] == theirs["levels"]
    assert ours["forecasts"] == theirs["forecasts"]
    cli.main(["compare", "--curve", str(out / "curve.nc"), "--measured", str(out / "measured.nc")])
    assert "rank correlation" in capsys.readouterr().out
    page = (out / "report.html").read_text()
    cli.main(["report", "--run", str(out)])
    assert (out / "report.html").read_text() == page


def test_linear_network_uses_its_own_theory(tmp_path):
    """A trained linear net is its theory: one constant, the optimizer's rate, explains its clocks."""
    cli.main(["run", "--data", "digits", "--n", "400", "--out", str(tmp_path / "run"), "--steps", "800", "--network", "Linear", "--network.levels", "24", "--optimizer", "SGD",
              "--optimizer.lr", "0.05", "--training.batch_size", "256", "--probe.samples", "64", "--probe.gain", "false", "--training.device", "cpu"])  # fmt: skip
    rows = pd.DataFrame(json.loads((tmp_path / "run" / "metrics.json").read_text())["levels"]).set_index("level")
    assert rows.loc["c", "modes"] >= 8
    assert (
        rows.loc["c", "rank_correlation"] > 0.6
    )  # minibatch noise of a few heavy-tailed modes; 0.71 at this seed, 0.2 by level (a)
    assert rows.loc["c", "median_error"] < 0.2
    # the constant is not free here: each of 24 levels has the samples that fall within its spacing of ln σ
    spacing = np.log(80 / 0.002) / 23
    assert rows.loc["c", "time_scale"] == pytest.approx(1 / (0.05 * spacing), rel=0.3)
    assert rows.loc["c", "median_error"] < rows.loc["a", "median_error"]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_page_of_a_trained_run(browser, folder, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(f"file://{folder}/report.html")
    page.wait_for_selector("#figure-gain .main-svg")
    assert messages == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    text = page.inner_text("body")
    metrics = json.loads((folder / "metrics.json").read_text())
    for words in (
        "How much each level of theory explains",
        "Forecasts made during the run",
        "Measured (the real network)",
        "parameters, trained by Adam",
    ):
        assert words in text
    assert f"{metrics['levels'][2]['rank_correlation']:.2f}" in page.inner_text(
        "section[aria-labelledby=levels]"
    ).replace("−", "-")
    slider = page.locator("#moment")
    slider.focus()
    page.keyboard.press("Home")
    first = page.get_attribute("#measured", "src")
    page.keyboard.press("End")
    assert page.inner_text("#step") == "150"
    assert page.get_attribute("#measured", "src") != first
    context.close()


@pytest.fixture
def small():
    """A data set with held-out samples, its spectrum, and a function that makes the probe of a run on it."""
    rng = np.random.default_rng(0)
    dataset = DataSet(rng.standard_normal((100, 6)), rng.standard_normal((40, 6)), "small", "made")
    spectrum = ec.Spectrum.from_samples(dataset.samples)

    def made(dataset=dataset, **options):
        config = RunConfig(data="small", out="x", **options)
        return config, make_probe(config, dataset, spectrum, "cpu")

    return dataset, made


def test_the_probe_of_a_run_keeps_to_its_budget(small):
    config, probe = small[1](steps=50_000)
    training = 3 * config.training.batch_size * config.steps
    per_sample = config.sampler.evaluations + GAIN_LEVELS
    assert 64 < probe.n_samples < 2048
    assert probe.steps.size * probe.evaluations <= config.probe.budget * training
    assert probe.steps.size * (probe.evaluations + per_sample) > config.probe.budget * training
    assert small[1](steps=10)[1].n_samples == 64
    assert small[1](steps=10, probe=ProbeOptions(samples=9))[1].n_samples == 9
    assert small[1](steps=50_000, probe=ProbeOptions(budget=0.04))[1].n_samples > 1.9 * probe.n_samples
    with pytest.raises(ec.InputError, match=r"^budget must be a finite number > 0, got 0$"):
        ProbeOptions(budget=0)


def test_a_run_measures_held_out_losses_if_asked(small):
    dataset, made = small
    probe = made(steps=10, probe=ProbeOptions(test=True))[1]
    probe(0, lambda x, sigma: x / (1 + sigma**2))
    assert probe.curve().dataset["test_loss"].shape == (1, 6, GAIN_LEVELS)
    assert np.isnan(ec.stopping(probe.curve()).stopping_time), "the first record is the last"
    without = made(steps=10)[1]
    without(0, lambda x, sigma: x / (1 + sigma**2))
    assert "test_loss" not in without.curve().dataset
    alone = DataSet(dataset.samples, None, "small", "made")
    with pytest.raises(ec.InputError, match=r"^probe.test needs held-out samples, got small, which has none$"):
        made(alone, steps=10, probe=ProbeOptions(test=True))
    with pytest.raises(
        ec.InputError, match=r"^test needs the noise levels at which the gain is measured, got gain = False$"
    ):
        ProbeOptions(test=True, gain=False)


def test_a_run_of_version_0_1_goes_on(tmp_path, capsys):
    """Its config and its checkpoint call NormedMLP by the name it had: MLP."""
    out = tmp_path / "run"
    cli.main(["train", "--data", "digits", "--steps", "30", "--network", "NormedMLP", "--network.width", "16", "--network.blocks", "2",
              "--out", str(out)])  # fmt: skip
    config, checkpoint = out / "config.yaml", out / "checkpoints/last.safetensors"
    config.write_text(config.read_text().replace("eigenclock.NormedMLP", "eigenclock.MLP"))
    tensors, details = read_checkpoint(checkpoint)
    details["settings"]["network"] = details["settings"]["network"].replace("NormedMLP", "MLP")
    save_file(tensors, checkpoint, metadata={FORMAT: json.dumps(details)})
    (out / "training.json").unlink()
    capsys.readouterr()
    cli.main(["train", "--config", str(config), "--resume"])
    assert "note: MLP with blocks is read as NormedMLP" in capsys.readouterr().err
    assert json.loads((out / "training.json").read_text())["network"].startswith("NormedMLP(width=16")
    again = tmp_path / "again"
    cli.main(["train", "--data", "digits", "--steps", "30", "--network=MLP", "--network.width", "16", "--network.blocks", "2",
              "--out", str(again)])  # fmt: skip
    assert "class_path: eigenclock.NormedMLP" in (again / "config.yaml").read_text()
    for name, tensor in read_checkpoint(again / "checkpoints/last.safetensors")[0].items():
        assert torch.equal(tensor, tensors[name]), "the same network, the same run"


def test_a_level_in_the_steps_of_a_run_is_known_from_the_first_record_on():
    """Level (a) may need 10⁵ steps for a unit of time: its first time > 0 then lies behind the run's first records."""
    spectrum, recipe = ec.Spectrum([1.0, 0.01]), (ec.EDM(density=ec.LogNormal()), ec.Heun(steps=20))
    level = ec.predict_level("a", spectrum, *recipe)
    measured = ec.predict(spectrum, time=[0.0, 1.0, 100.0])
    shown = in_steps(level, 1e6, measured)
    first, start = level.variance.values[1], level.initial.values  # at 1e-4 units, step 100, and untrained
    assert ((first < shown.variance_at(1.0)) & (shown.variance_at(1.0) < start)).all()
    assert np.allclose(shown.variance_at(1e6), level.variance_at(1.0))
    assert in_steps(level, float("nan"), measured).variance_at(2.0) == pytest.approx(level.variance_at(2.0))


def test_a_run_that_is_lengthened_is_one_that_was_longer(folder, tmp_path, capsys):
    """The weights to the bit, and the config of the longer one; a shorter one, or a falling learning rate, is refused."""
    out = tmp_path / "run"
    short = ["70" if word == "150" else word for word in SMALL]
    cli.main(["run", *short, "--out", str(out)])
    said = capsys.readouterr().out.splitlines()[-5:]
    assert [line.split(":")[0] for line in said] == ["now", "do", "sampler", "theory", "report"]
    cli.main(["run", "--config", str(out / "config.yaml"), "--steps", "150", "--out", str(out), "--resume"])
    mine, whole = (read_checkpoint(one / "checkpoints" / "last.safetensors")[0] for one in (out, folder))
    assert mine.keys() == whole.keys()
    assert all(torch.equal(mine[name], whole[name]) for name in mine)
    assert "\nsteps: 150\n" in (out / "config.yaml").read_text()
    times = ec.LearningCurve.load(out / "measured.nc").time.values
    assert times[-1] == 150
    assert (times <= 70).sum() > 6  # those of the first part stay
    for words, message in (
        (["--steps", "100"], "steps was 150, now 100"),
        (["--steps", "200", "--training.decay", "0.5"], "steps was 150, now 200"),
    ):
        with pytest.raises(SystemExit) as error:
            cli.main(["run", "--config", str(out / "config.yaml"), *words, "--out", str(out), "--resume"])
        assert error.value.code == 2
        assert message in capsys.readouterr().err
