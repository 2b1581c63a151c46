"""Tests of `eigenclock.advice.result`, its configs and the words of other trainers."""

import numpy as np
import pytest
import yaml

import eigenclock as ec
from eigenclock.advice.terms import drawing
from eigenclock.cli import main

SPECTRUM = ec.Spectrum.power_law(48, exponent=1.5, scale=4.0)


@pytest.fixture(scope="module")
def advice():
    return ec.choose(SPECTRUM)


def test_what_does_not_matter_lies_within_a_factor(advice):
    best = advice.table.iloc[advice.first_plain]
    assert advice.indifferent
    for name, values in advice.indifferent.items():
        assert best[name] in values
        others = advice.table
        for other in ("objective", "sigma_data", "density", "weight", "standardization"):
            if other != name:
                same = (others[other] == best[other]) | (others[other].isna() & (best[other] != best[other]))
                others = others[same]
        assert set(others[others["close_0.25"] <= 1.5 * best["close_0.25"]][name]) == set(values)
        assert "In it does not matter here (factor 1.5): " in str(advice)


def test_a_config_is_one_that_run_takes(advice, tmp_path, capsys):
    for row in (0, advice.first_plain, advice.default):
        text = advice.yaml(row)
        expected = {"none": False, "scale": True}[advice.candidates[row].standardization]
        assert yaml.safe_load(text)["standardize"] is expected
        (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(SystemExit) as ended:
            main(["run", "--config", str(tmp_path / "recipe.yaml"), "--data", "digits", "--out", "x", "--print-config"])
        assert ended.value.code == 0
        printed = yaml.safe_load(capsys.readouterr().out)
        assert printed["objective"] == yaml.safe_load(text)["objective"]
        assert printed["sampler"] == yaml.safe_load(text)["sampler"]
    assert yaml.safe_load(advice.yaml(standardize="pixel"))["standardize"] == "pixel"


def test_a_function_is_in_no_file():
    free = ec.choose(SPECTRUM, recipes=[ec.EDM(density=ec.LogNormal(), weight=lambda s: s)])
    with pytest.raises(ec.InputError, match="weight must be a value that a file can hold"):
        free.yaml(next(i for i, one in enumerate(free.candidates) if callable(one.objective.weight)))


@pytest.mark.parametrize(
    ("objective", "edm", "diffusers"),
    [
        (ec.EDM(sigma_data=0.3, density=ec.LogNormal(0.1, 1.1)), {"sigma_data": 0.3, "P_mean": 0.1, "P_std": 1.1}, {"scheduler": "EDMEulerScheduler"}),
        (ec.Epsilon(path="vp", density=ec.BetaSchedule(), weight=ec.MinSNR()), {}, {"prediction_type": "epsilon", "beta_schedule": "linear", "beta_end": 0.02, "snr_gamma": 5.0}),
        (ec.Velocity(density=ec.CosineTime()), {}, {"prediction_type": "v_prediction", "beta_schedule": "squaredcos_cap_v2"}),
        (ec.FlowMatching(density=ec.LogNormal(0.0, 1.0)), {}, {"weighting_scheme": "logit_normal", "logit_mean": 0.0, "logit_std": 1.0}),
        (ec.Denoising(path="vp", density=ec.UniformTime(), weight=ec.P2()), {}, {"prediction_type": "sample", "weight": "P2 in place of its own"}),
        (ec.Score(), {}, {}),
    ],
)  # fmt: skip
def test_the_words_of_other_trainers(objective, edm, diffusers):
    found = ec.choose(SPECTRUM, recipes=[objective], standardizations="none")
    settings = ec.advice.terms.settings(objective, found.sampling, "as they are")
    assert edm.items() <= settings["edm"].items()
    assert diffusers.items() <= settings["diffusers"].items()
    assert settings["edm"]["num_steps"] == settings["diffusers"]["num_inference_steps"] == found.sampling.steps


@pytest.mark.parametrize("density", [ec.LogNormal(-0.3, 0.8), ec.UniformTime(), ec.CosineTime(), None])
def test_a_line_of_numpy_draws_the_density(density):
    rng = np.random.default_rng(0)
    line, _, time = drawing(density).partition(", t = ")
    names = {"normal": lambda: rng.standard_normal(50_000), "uniform": lambda a, b: rng.uniform(a, b, 50_000)}
    names |= {"exp": np.exp, "log": np.log, "tan": np.tan, "pi": np.pi}
    if time:
        names["t"] = eval(time, names)
    drawn = np.log(eval(line, names))
    exact = rng.uniform(np.log(0.002), np.log(80), 50_000) if density is None else np.log(density.draw(50_000, rng))
    assert np.quantile(drawn, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(exact, [0.1, 0.5, 0.9]), abs=0.06)


def test_it_shows_itself_in_a_notebook_and_in_words(advice):
    assert "<table" in advice._repr_html_()
    assert repr(advice) == f"Advice({len(advice.table)} recipes; {advice.candidates[0].name} first)"
    assert advice.stable_lr > 0
    assert str(advice).count("\n") >= 4
