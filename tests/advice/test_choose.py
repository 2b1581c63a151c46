"""Tests of `eigenclock.advice.choose`: order, reasons, and what it says of doubtful spectra."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.advice.choose import well_known

SPECTRUM = ec.Spectrum.power_law(48, exponent=1.5, scale=4.0)
EDM = ec.EDM(density=ec.LogNormal())
FEW = {
    "good": ec.EDM(sigma_data=0.3, density=ec.LogNormal(0.0, 1.2)),
    "slow": ec.EDM(sigma_data=8.0, density=ec.LogNormal()),
}


def test_every_usual_recipe_is_ranked():
    advice = ec.choose(SPECTRUM)
    table = advice.table
    assert len(table) > 320
    assert len(table) == len(advice.candidates) == advice.distance.sizes["recipe"]
    assert table["recipe"].is_unique
    assert {"EDM", "ε", "v", "flow", "x₀", "SpectralEDM"} <= set(table["objective"])
    assert table["density"].nunique() >= 7
    assert table["weight"].nunique() >= 5
    assert table["verdict"].iloc[0] == "from the start"
    times = table["close_0.25"].to_numpy()
    known = times[np.isfinite(times) & (times > 0)]
    assert (np.diff(np.log(known)) > -0.021).all()  # best first, but for times that count as the same
    assert np.isnan(times[np.argmax(np.isnan(times)) :]).all() or not np.isnan(times).any()
    best = advice.candidates[advice.first_plain]
    assert best.objective == advice.plain.objective
    assert table["times_best"].iloc[advice.first_plain] == 1
    assert isinstance(advice.best, ec.Recipe)
    assert advice.candidates[advice.default].objective == EDM
    assert "Train with: " + best.name in str(advice)


def test_times_are_those_of_the_curves_it_shows():
    advice = ec.choose(SPECTRUM, recipes=FEW, standardizations="none", close=[0.5, 0.2], by=0.5)
    assert advice.fractions == [0.5, 0.2]
    for row, curve in zip(advice.table.itertuples(), advice.distance.values, strict=True):
        time, unit = row._7, advice.distance["unit"].values
        before, after = np.searchsorted(unit, time) + np.array([-1, 0])
        assert curve[before] >= 0.5 >= curve[after]
        assert (curve[after:] <= 0.5).all()


def test_ones_own_recipes_keep_their_names_and_edms_own_settings_stand_beside_them():
    advice = ec.choose(SPECTRUM, recipes=FEW, standardizations="none")
    assert advice.table["recipe"].tolist()[0] == "good"
    assert advice.table["recipe"].tolist()[-1] == "slow"
    assert len(advice.table) == 3
    whole = ec.choose(SPECTRUM, recipes=[ec.Recipe(objective=EDM), EDM], standardizations="none")
    assert whole.table["recipe"].tolist() == ["EDM, σ_data 0.5, EDM's log-normal"] * 2


def test_a_sampler_that_cannot_reach_the_data_is_said():
    advice = ec.choose(SPECTRUM, recipes=FEW, standardizations="none", sampler=ec.Euler(steps=4))
    assert set(advice.table["verdict"]) == {"unreachable"}
    assert "makes of a perfect denoiser" in advice.table["note"][0]
    assert "Unreachable: of a perfect denoiser this sampler makes samples" in str(advice)


def test_a_density_without_mass_where_the_data_need_it_is_said():
    high = ec.DensityTable([5.0, 50.0], [1.0, 1.0])
    advice = ec.choose(SPECTRUM, recipes={"high": ec.Denoising(path="vp", density=high)}, standardizations="none")
    row = advice.table.set_index("recipe").loc["high"]
    assert row["verdict"] in ("never", "slower")
    assert row["note"].startswith("the density has next to no mass at σ ≤ 0.")
    assert row["note"].endswith("which samples pass")
    assert advice.table["note"][advice.default] == ""


def test_few_samples_are_cross_validated_and_said():
    samples = np.random.default_rng(0).standard_normal((60, 20))  # white: true variances are all 1
    with pytest.warns(ec.InputWarning, match="cross-validated ones are taken"):
        known, doubts = well_known(ec.Spectrum.from_samples(samples))
    assert known.variance.max() < 1.5 < ec.Spectrum.from_samples(samples).variance.max()
    assert doubts == ["60 samples in 20 dimensions are few: cross-validated variances are taken"]
    many = ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((300, 20)))
    assert well_known(many) == (many, [])


def test_few_samples_that_are_gone_are_warned_of_and_spectral_recipes_left_out(tmp_path):
    ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((15, 20))).save(tmp_path / "s.nc")
    with pytest.warns(ec.InputWarning, match="15 samples are few for 20 dimensions"):
        advice = ec.choose(
            ec.Spectrum.load(tmp_path / "s.nc"), recipes=[EDM, ec.SpectralEDM()], standardizations="none"
        )
    assert len(advice.table) == 1
    assert "15 samples are few" in advice.doubts[0]
    assert "SpectralEDM" in advice.doubts[1]
    assert "left out" in advice.doubts[1]
    assert "Note: 15 samples" in str(advice)


def test_a_mean_far_from_zero_is_said():
    spectrum = ec.Spectrum([1.0, 0.1], mean=[3.0, 0.0])
    assert "subtract it from every sample" in ec.choose(spectrum, recipes=[EDM]).doubts[0]
    assert ec.choose(ec.Spectrum([1.0, 0.1]), recipes=[EDM]).doubts == ()


def test_standardised_data_are_tried_with_the_best():
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((2000, 6)) * [30.0, 20, 1, 1, 0.5, 0.1]
    advice = ec.choose(ec.Spectrum.from_samples(samples), recipes=[EDM])
    assert sorted(advice.table["standardization"]) == ["none", "pixel", "scale"]
    # one size for all coordinates: nothing is left to learn but their size
    assert advice.table["standardization"][0] == "pixel"
    with pytest.raises(ec.InputError, match="standardizations must be some of none, scale, pixel, got 'rows'"):
        ec.choose(SPECTRUM, standardizations="rows")


def test_ones_own_densities_and_weights_are_crossed_with_every_objective():
    mine = ec.DensityTable([0.01, 1.0, 50.0], [0.1, 1.0, 0.1])
    advice = ec.choose(SPECTRUM, densities=[mine], weights={"root": lambda s: np.sqrt(s)}, standardizations="none")
    plain = [one for one in advice.candidates if not one.spectral]
    assert (
        len(plain) == 5 + 1 + 4 + 1 + 1
    )  # EDM at six σ_data, ε, v, flow, x₀, x₀ with EDM's weight, EDM's own settings
    assert sum(one.objective.density is mine for one in plain) == len(plain) - 1


def test_a_start_that_is_close_enough_leaves_nothing_to_rank():
    flat = ec.choose(ec.Spectrum([0.25] * 16), recipes=[EDM], standardizations="none")
    assert flat.table["close_0.25"].tolist() == [0]
    assert "Nothing to rank: by theory an untrained network is within 0.25 of the data's norm already" in str(flat)
    assert "inf" not in str(flat)
    assert flat.indifferent == {}


def test_a_density_that_adds_up_to_more_is_drawn_and_judged_alike():
    class Hundred(ec.Density):
        def __call__(self, sigma):
            return 100 * ec.LogNormal()(sigma)

    one, many = (
        ec.choose(SPECTRUM, recipes=[ec.EDM(density=d)], standardizations="none").table
        for d in (ec.LogNormal(), Hundred())
    )
    assert many["close_0.25"].iloc[0] == pytest.approx(one["close_0.25"].iloc[0], rel=1e-3)


def test_noise_levels_are_of_the_data_as_the_best_recipe_has_them():
    rng = np.random.default_rng(0)
    samples = 50 * rng.standard_normal((800, 8, 8)).cumsum(axis=1)
    advice = ec.choose(ec.Spectrum.from_samples(samples))
    kind = advice.candidates[advice.first_plain].standardization
    assert kind in ("scale", "pixel")
    assert advice.sampling.sigma_max < 200
    assert advice.settings["edm"]["data"].endswith("scaled to 0.5")
    assert advice.candidates[advice.default].standardization == "none"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"densities": []}, "densities must hold at least one"),
        ({"weights": "snr"}, "weights must be in a row or by name, got 'snr'"),
        ({"by": [0.25]}, "by must be a finite number, got"),
        ({"standardizations": 5}, "standardizations must"),
        ({"progress": 3}, "progress must be a function"),
        ({"recipes": [EDM], "weights": [ec.P2()]}, "densities and weights must be left out with recipes"),
        ({"recipes": []}, "recipes must hold at least one objective"),
        ({"recipes": "EDM"}, "recipes must be objectives"),
        ({"recipes": [1.0]}, "recipes must be objectives of the theory"),
        ({"close": [0.0]}, "close must be shares > 0"),
        ({"by": 0.3}, "by must be one of close, 0.5, 0.25, 0.15, got 0.3"),
        ({"network": ec.LocalConv(3)}, "network must keep modes apart"),
    ],
)
def test_bad_questions_get_one_line(options, words):
    with pytest.raises(ec.InputError, match=words):
        ec.choose(SPECTRUM, **options)
