"""Tests of `eigenclock_studies.score_latent_diffusion.part_arms`."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import eigenclock as ec
from eigenclock_studies.score_latent_diffusion import part_arms

SPREAD = np.array([-1.0, 0.5, 1.0, -0.5, 0.2, -0.2])
STEPS = np.array([0.0, 1, 10, 100, 1000, 2000])
OPTIONS = replace(part_arms.PRESETS["cpu"], sigmas=(0.05, 0.1), betas=(0.01, 0.1))


def planted(sw2_val=0.1, sw2=0.1, clean=0.01, rho=3.0, low=3.0, error=(0.5, 0.5, 0.4, 0.08, 0.05, 0.05), **_):
    """Six seeds of an arm, a scatter of 2 %; the density error along a run of six records."""
    return [
        xr.Dataset(
            {
                **{
                    name: value * (1 + 0.02 * one)
                    for name, value in {"sw2_val": sw2_val, "sw2": sw2, "off": sw2, "clean": clean, "rho": rho}.items()
                },
                "sw2_real": 0.05,
                "clean_bayes": 0.002,
                "rho_own": 2.2,
                "risk_at": ("sigma", np.array([low, rho, rho, rho]) * (1 + 0.02 * one)),
                "risk": ("collapse_step", np.array([60.0, 50, 9, 2.5, 2.4, 2.4])),
                "density_error": ("refine_step", np.array(error)),
                "density_real": ("real_draw", np.array([0.045, 0.05, 0.055])),
            },
            coords={"sigma": [0.02, 0.05, 0.1, 0.2], "collapse_step": STEPS, "refine_step": STEPS},
        )
        for one in SPREAD
    ]


def grid(**arms):
    """Arms by name, changed where told; VAE 0.1 generates best on validation of its family, SiLD 0.05 of the other."""
    base = {
        "SiLD 0.05": {"sw2_val": 0.08},
        "SiLD 0.1": {"sw2_val": 0.12, "rho": 2.5, "low": 2.5},
        "VAE 0.01": {"sw2_val": 0.3, "rho": 8.0, "low": 8.0},
        "VAE 0.1": {"rho": 9.0, "low": 9.0},
        "autoencoder": {"rho": 17.0},
        part_arms.LONG: {},
    }
    return {
        name: planted(**(found | arms.get(name.replace(" ", "_").replace(".", ""), {}))) for name, found in base.items()
    }


def test_each_family_is_chosen_on_validation_alone():
    found, families = grid(), OPTIONS.families()
    assert part_arms.chosen(found, families["SiLD"]) == "SiLD 0.05"
    assert part_arms.chosen(found, families["VAE"]) == "VAE 0.1"
    claims = part_arms.choice_claims(found, OPTIONS)
    assert all("SiLD 0.05 against VAE 0.1, both chosen on validation" in one.words for one in claims)


@pytest.mark.parametrize(
    ("ours", "outcomes"),
    [
        ({"sw2": 0.1, "clean": 0.002}, ["shown", "inconclusive", "shown"]),
        ({"sw2": 0.2, "clean": 0.03}, ["not shown", "not shown", "not shown"]),
        ({"sw2": 0.05, "clean": 0.01}, ["shown", "shown", "inconclusive"]),
    ],
)
def test_the_chosen_are_compared_metric_by_metric(ours, outcomes):
    """As well: at most a tenth worse; nearer, better: surely below. The scatter is common to both, so a tie has no width."""
    found = grid(SiLD_005={"sw2_val": 0.08} | ours)
    noise = np.exp(0.01 * np.array([1.0, -1, 1, -1, 1, -1]))
    for name in ("sw2", "off", "clean"):
        for one, factor in zip(found["SiLD 0.05"], noise, strict=True):
            one[name] = one[name] * factor
    assert [one.verdict.outcome for one in part_arms.choice_claims(found, OPTIONS)] == outcomes


def test_noise_against_the_best_weight_of_every_seed():
    without_kl = {"autoencoder": {"rho": 6.0, "low": 6.0}}
    claims = part_arms.noise_claims(grid(**without_kl), OPTIONS)
    assert [one.verdict.outcome for one in claims] == ["shown"] * 3
    assert claims[0].measures[0].found.value == pytest.approx(2.5 / 8)
    beaten = part_arms.noise_claims(grid(VAE_01={"rho": 2.0, "low": 2.0}), OPTIONS)
    assert [one.verdict.outcome for one in beaten] == ["not shown", "shown", "not shown"]


def test_noise_alone_is_no_lack_of_a_kl_term():
    """An autoencoder that denoises worse than the VAE, neither of them with noise: the KL term helps, noise explains the rest."""
    claims = part_arms.noise_claims(grid(autoencoder={"rho": 17.0, "low": 17.0}), OPTIONS)
    assert [one.verdict.outcome for one in claims] == ["not shown", "shown", "not shown"]
    assert "the rival explains it: the autoencoder's ratio" in str(claims[0].verdict)


def test_one_bad_run_leaves_claims_open():
    found = grid()
    found["SiLD 0.1"][2]["risk_at"][:] = np.nan
    found["SiLD 0.05"][0]["sw2_val"] = np.nan
    found[part_arms.LONG][0]["density_error"][:] = np.nan
    assert part_arms.chosen(found, OPTIONS.families()["SiLD"]) == "SiLD 0.1"
    assert [one.verdict.outcome for one in part_arms.noise_claims(found, OPTIONS)][1] == "inconclusive"
    assert part_arms.refine_claims(found, OPTIONS)[1].verdict.outcome == "inconclusive"


def test_a_density_that_was_good_from_the_start_took_no_longer():
    late = part_arms.refine_claims(grid(**{"SiLD,_longer": {"error": (0.05,) * 6}}), OPTIONS)[1]
    assert late.verdict.outcome == "not shown"


def test_options_without_what_is_compared():
    with pytest.raises(
        ec.InputError, match=r"sigmas must have 0.1, the noise at which arms are compared, got \(0.05,\)"
    ):
        replace(OPTIONS, sigmas=(0.05,))
    with pytest.raises(ec.InputError, match="betas must be a weight or more, got none"):
        replace(OPTIONS, betas=())


def test_the_refine_clock_needs_a_floor_near_real_draws():
    """Reached where the floor is what real latents score; censored, and its time a bound only, where it is four times that."""
    reached, later = part_arms.refine_claims(grid(), OPTIONS)
    assert str(reached.verdict) == "shown"
    assert later.measures[0].answer is True  # 90 steps against 84, both between the records at 10 and 100
    high = part_arms.refine_claims(grid(**{"SiLD,_longer": {"error": (0.5, 0.5, 0.4, 0.3, 0.2, 0.2)}}), OPTIONS)
    assert high[0].verdict.outcome == "not shown"
    assert np.isinf(high[1].measures[0].found.high)
