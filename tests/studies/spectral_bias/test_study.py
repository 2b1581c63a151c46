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
from eigenclock_studies.spectral_bias import STUDY, gaussian, images
from eigenclock_studies.spectral_bias.authors import RECORDS, log_normal_variance
from eigenclock_studies.study import PRESETS

PARTS = ("gaussian", "images", "convolution", "cure")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "out"
    cli.main(["study", "spectral_bias", "--preset", "tiny", "--out", str(out)])
    return out


def test_study_writes_tables_figures_and_claims(folder):
    for part in PARTS:
        claims = pd.read_csv(folder / f"{part}_claims.csv", dtype=str)
        assert list(claims.columns) == ["claim", "here", "control", "verdict"]
        assert claims.notna().all().all()
        assert len(list(folder.glob(f"{part}_*.png"))) >= 1
    for picture in folder.glob("*.png"):
        assert imread(picture)[..., :3].std() > 0.02, f"{picture.name} is blank"
    laws = pd.read_csv(folder / "gaussian_laws.csv")
    assert set(laws["threshold"]) == {"geometric", "harmonic", "geometric, interpolated"}
    assert set(laws["network"]) == {"MLP"}
    assert {"theirs", "alpha", "low", "high", "inverse_alpha", "r2"} <= set(laws.columns)
    levels = pd.read_csv(folder / "images_levels.csv")
    assert set(levels["level"]) == {"a", "b", "c", "d", "e", "e_balanced"}
    assert set(levels["direction"]) == {"both", "rising", "falling"}
    assert set(levels["network"]) == {"MLP"}
    assert {"repetition", "repetition_90"} <= set(levels.columns)
    verdicts = {v for part in PARTS for v in pd.read_csv(folder / f"{part}_claims.csv", dtype=str)["verdict"]}
    assert verdicts == {"not run (the preset tiny judges nothing)"}
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
        assert tuple(STUDY(preset).options) == PARTS
    paper = STUDY("paper").options["gaussian"]
    assert (paper.dimensions, paper.samples, paper.recipe.batch_size, paper.recipe.steps, paper.recipe.optimizer) == ((128, 256, 512), 10_000, 1024, 5000, ec.Adam(1e-4))  # fmt: skip
    assert paper.recipe.sampler == ec.Heun(steps=20)
    assert paper.recipe.network == ec.MLP(256, 5)
    for preset in ("cpu", "paper"):
        recipe = STUDY(preset).options["gaussian"].recipe
        assert recipe.replacement
        assert recipe.records == RECORDS
        assert len(STUDY(preset).options["gaussian"].seeds) >= 2


def test_gaussian_data_have_a_log_normal_spectrum():
    samples, spectrum = gaussian.Gaussian(200, 20_000).load()
    log = np.log(spectrum.variance)
    # 200 draws of a standard normal: std ± 4/√400, and a little for 20,000 samples; divided by their mean
    assert abs(log.std() - 1) < 0.25
    assert abs(spectrum.variance.mean() - 1) < 0.02
    wanted = log_normal_variance(200)
    assert np.median(np.abs(np.log(spectrum.variance / wanted))) < 0.1  # sample eigenvalues at 100 samples a dimension
    assert np.array_equal(samples, gaussian.Gaussian(200, 20_000).load()[0]), "the same for every run"


def test_large_images_are_averaged_over_blocks(tmp_path):
    pictures = np.random.default_rng(0).standard_normal((50, 12, 8, 3))
    np.save(tmp_path / "mine.npy", pictures)
    samples, _ = images.Images(str(tmp_path / "mine.npy"), most=30).load()
    by_hand = np.array(
        [[[p[4 * i : 4 * i + 4, 4 * j : 4 * j + 4].mean((0, 1)) for j in range(2)] for i in range(3)] for p in pictures]
    )
    np.testing.assert_allclose(samples, (by_hand - by_hand.mean()) / by_hand.std() * 0.5, atol=1e-5)  # float32
    assert images.Images(str(tmp_path / "mine.npy"), most=300).load()[0].shape == (50, 12, 8, 3), "small enough"
    assert images.Images("folder/mine.npz:train_x").name == "mine"


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
    assert "Not run in this folder" not in page.content()
    page.close()


def test_tables():
    table = pd.DataFrame({"a_b": ["x|y"], "n": [1.23456]})
    assert markdown(table) == "| a b | n |\n|---|---:|\n| x\\|y | 1.23 |"
