"""The study of spectral bias at its smallest: tables, figures, claims, resumption, data of the user."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import eigenclock as ec
from eigenclock import cli
from eigenclock.files import markdown
from eigenclock_studies import run_study
from eigenclock_studies.spectral_bias import SpectralBias, gaussian
from eigenclock_studies.spectral_bias.laws import over_seeds
from eigenclock_studies.study import PRESETS

PARTS = ("gaussian", "images", "convolution", "width")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "out"
    cli.main(["study", "spectral_bias", "--preset", "tiny", "--out", str(out)])
    return out


def test_study_writes_tables_figures_and_claims(folder):
    for part in PARTS:
        claims = pd.read_csv(folder / f"{part}_claims.csv", dtype=str)
        assert list(claims.columns) == ["claim", "paper", "here", "interval", "control", "verdict"]
        assert claims.notna().all().all()
        assert len(list(folder.glob(f"{part}_*.png"))) >= 1
    for picture in folder.glob("*.png"):
        assert imread(picture)[..., :3].std() > 0.02, f"{picture.name} is blank"
    laws = pd.read_csv(folder / "gaussian_laws.csv")
    assert set(laws["sampler"]) == {"Heun, 20 steps", "exact flow"}
    assert set(laws["threshold"]) == {"geometric", "harmonic"}
    assert {"exponent", "inverse", "one_over_inverse"} <= set(laws.columns)
    levels = pd.read_csv(folder / "images_levels.csv")
    assert set(levels["level"]) == set("abcd")
    fits = pd.read_csv(folder / "convolution_fits.csv")
    assert fits["r2"].max() <= 1 + 1e-9
    page = (folder / "results.md").read_text()
    assert page.count("| shown |") + page.count("| not shown |") + page.count("| too few modes emerged |") >= 4
    assert json.loads((folder / "manifest_all.json").read_text())["command"].startswith(
        "eigenclock study spectral_bias"
    )


def test_a_trained_network_is_not_trained_again(folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    monkeypatch.setattr("torch.autograd.backward", None)
    run_study("spectral_bias", preset="tiny", out=folder)
    assert {path.name: path.read_bytes() for path in folder.glob("*.csv")} == before


def test_data_of_the_user(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "mine.npy", rng.standard_normal((300, 6, 6)).cumsum(axis=1))
    result = run_study(
        "spectral_bias", preset="tiny", out=tmp_path / "out", part="images", data=(str(tmp_path / "mine.npy"),)
    )
    assert result.claims["claim"].str.startswith("mine, MLP").all()


def test_every_preset_is_whole():
    for preset in PRESETS:
        study = SpectralBias.preset(preset)
        assert tuple(study.parts()) == PARTS
    paper = SpectralBias.preset("paper").gaussian
    assert (paper.dimensions, paper.samples, paper.recipe.batch_size, paper.recipe.steps, paper.recipe.optimizer) == ((128, 256, 512), 10_000, 1024, 5000, ec.Adam(1e-4))  # fmt: skip
    assert paper.recipe.sampler == ec.Heun(steps=20)


def test_gaussian_data_have_a_log_normal_spectrum():
    spectrum = ec.Spectrum.from_samples(gaussian.gaussian_data(200, 20_000, 0))
    log = np.log(spectrum.variance)
    # 200 draws of a standard normal: mean ± 4/√200, std ± 4/√400, and a little for 20,000 samples
    assert abs(log.mean()) < 0.3
    assert abs(log.std() - 1) < 0.25


def test_a_folder_of_another_preset_is_not_taken_for_this_one(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "out")
    for part in PARTS[1:]:
        file = tmp_path / "out" / f"{part}_run.json"
        kept = json.loads(file.read_text())
        assert kept["preset"] == "tiny"
        file.write_text(json.dumps(kept | {"preset": "cpu"}))
    result = run_study("spectral_bias", preset="tiny", out=tmp_path / "out", part="gaussian", command="again")
    assert result.claims["claim"].str.startswith("Gaussian").all()
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("Not run in this folder at this preset.") == 3


def test_a_study_has_a_page(folder, browser):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto((folder / "report.html").as_uri())
    assert page.locator("section").count() == len(PARTS) + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert "Not run" not in page.content()
    page.close()


def test_words():
    assert over_seeds([1.0, np.nan, 3.0]) == "2.00 (1.00 … 3.00)"
    assert over_seeds([2.0]) == "2.00"
    assert over_seeds([np.nan]) == "not measurable"
    table = pd.DataFrame({"a_b": ["x|y"], "n": [1.23456]})
    assert markdown(table) == "| a b | n |\n|---|---:|\n| x\\|y | 1.23 |"
