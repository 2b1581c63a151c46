"""The study of score latent diffusion at its smallest size."""

import warnings

import numpy as np

from eigenclock_studies import run_study
from eigenclock_studies.score_latent_diffusion import STUDY
from eigenclock_studies.score_latent_diffusion.part_dimension import PRESETS


def test_tiny_study(tmp_path):
    """End to end: tables, figures, a page; and no verdict that one seed could carry."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run_study("score_latent_diffusion", preset="tiny", out=tmp_path)
    assert set(found.claims["verdict"]) == {"not run (the preset tiny judges nothing)"}
    assert set(found.seconds) == set(STUDY.plans)
    for name in ("theory_linear", "collapse_risk", "arms_fronts", "dimension_excess", "density_refine", "order_joint"):
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
    page = (tmp_path / "report.html").read_text()
    assert "Reconstruction of SiLD from the abstract-level claims of arXiv:2605.20235" in page
    assert (tmp_path / "collapse.nc").exists()
    again = run_study("score_latent_diffusion", preset="tiny", out=tmp_path)  # nothing is trained twice
    assert again.claims.equals(found.claims)


def test_dimension_is_crossed_with_samples():
    """Every D at every n, one network and budget; tori differ in nothing but k and the width that holds them, or in width."""
    settings = PRESETS["cpu"].settings()
    surface = {(one.D, one.n) for one in settings.values() if one.data == "wave2" and one.arm == "sild"}
    assert surface == {(D, n) for D in (16, 64, 256) for n in (125, 250, 500, 1000, 2000)}
    assert len({(one.steps, one.width, one.lr, one.batch, one.sigma1) for one in settings.values()}) == 1
    tori = [one for one in settings.values() if one.data == "torus"]
    assert {(one.k, one.d, one.D) for one in tori} == {(1, 2, 64), (2, 4, 64), (3, 6, 64), (1, 6, 64)}
    assert np.all([one.generate is False for one in settings.values()])
