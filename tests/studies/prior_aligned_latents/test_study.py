"""Prior-aligned latents: losses, prior, diagnosis, mode clocks, generators, re-codings, scores, claims, the study at its smallest."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

import eigenclock as ec
from eigenclock_studies import run_study
from eigenclock_studies.prior_aligned_latents import run
from eigenclock_studies.prior_aligned_latents.config import PRESETS
from eigenclock_studies.prior_aligned_latents.runs import ArmSetting, LatentSpace, autoencoder
from eigenclock_studies.prior_aligned_latents.sprites import make_sprites

TINY = replace(
    PRESETS["tiny"],
    n_train=64,
    n_heldout=32,
    n_samples=32,
    ae_steps=4,
    finetune_steps=2,
    gen_steps=12,
    fd_steps=4,
    omegas=(3.0,),
)


@pytest.fixture(scope="module")
def images():
    return make_sprites(96, 0)[0]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    return run(TINY, seed=2, out=tmp_path_factory.mktemp("once"))


def test_run_is_a_function_of_the_seed(once, tmp_path):
    """The same data set again, also where it was interrupted after an arm; every gate field is there."""
    again = run(TINY, seed=2, out=tmp_path)
    xr.testing.assert_identical(once.drop_vars("seconds_used"), again.drop_vars("seconds_used"))
    files = sorted((tmp_path / "runs").iterdir())
    files[0].unlink()
    resumed = run(TINY, seed=2, out=tmp_path)
    xr.testing.assert_identical(once.drop_vars("seconds_used"), resumed.drop_vars("seconds_used"))
    assert list(once["arm"].values) == ["none", "scr", "rotation", "omega=3"]
    assert {"fd", "consistency", "latent_var", "l1", "fd_floor", "t_lin", "tau_lin", "lpc", "gsq"} <= set(
        once.data_vars
    )
    same = once["fd_floor"].sel(arm=["none", "rotation", "omega=3"], feature="pix").values
    assert np.allclose(same, same[0], rtol=1e-3)  # the same information: what differs is rounding in float32
    assert float(once["l1"].sel(arm="rotation")) == pytest.approx(float(once["l1"].sel(arm="none")), rel=1e-4)


def test_a_teacher_and_a_distance_of_ones_own(tmp_path):
    called = []

    def mine(images):
        called.append(len(images))
        return torch.nn.functional.avg_pool2d(torch.cat([images, images**2], dim=1), 4)

    found = run(
        replace(TINY, omegas=()),
        seed=2,
        teacher=mine,
        perceptual=lambda a, b: (a - b).square().flatten(1).mean(1),
    )
    assert sum(called) == TINY.n_train + 4  # four for the fingerprint
    assert list(found["arm"].values) == ["none", "scr"]
    with pytest.raises(ec.InputError, match="teacher must return 4×4 tokens, got 2×2"):
        run(replace(TINY, omegas=()), seed=2, teacher=lambda x: torch.zeros(len(x), 8, 2, 2))


def test_results_are_known_by_what_made_them(tmp_path):
    """Other arms, seeds and workers find them; an autoencoder of a teacher of other steps is another one."""
    setting = ArmSetting("scr", replace(TINY, prior="supervised"), folder=str(tmp_path))
    same = replace(
        setting, config=replace(setting.config, seeds=(3, 4), workers=2, arms=("none", "scr", "all"), omegas=(1.0,))
    )
    assert repr(same) == repr(setting)
    data, longer = make_sprites(64, 2)[0], replace(setting, config=replace(setting.config, teacher_steps=9))
    one, again, other = (autoencoder(each, 2, data).encode(data.images) for each in (setting, same, longer))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_recoded_latents_decode_to_the_same_images(tmp_path):
    data = make_sprites(64, 2)[0]
    images = [
        LatentSpace.of(ArmSetting(arm, TINY, folder=str(tmp_path)), 2, data) for arm in ("none", "rotation", "omega=3")
    ]
    plain, *others = (space.decode(space.encode(data.images)) for space in images)
    for other in others:
        assert np.abs(other - plain).max() < 1e-4
    assert np.abs(images[1].encode(data.images) - images[0].encode(data.images)).max() > 0.1


def test_tiny_study_gives_no_verdicts(tmp_path):
    names = ("n_train", "n_heldout", "n_samples", "ae_steps", "finetune_steps", "gen_steps", "fd_steps")
    options = {f"arms.{key}": getattr(TINY, key) for key in names}
    options |= {f"gate.{key}": value for key, value in (("n_heldout", 32), ("n_samples", 32), ("fd_steps", 4))}
    found = run_study("prior_aligned_latents", preset="tiny", out=tmp_path, options=options)
    assert found.claims["verdict"].str.startswith("not run").all()
    for name in ("arms_alignment.png", "arms_samples.png", "arms_continuity.png", "arms_spectra.png", "report.html"):
        assert (tmp_path / name).stat().st_size > 1000
    page = (tmp_path / "report.html").read_text()
    assert "reconstruction in small" in page
    assert "Latent spaces and their generators" in page
