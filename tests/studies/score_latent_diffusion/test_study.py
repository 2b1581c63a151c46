"""The study of score latent diffusion: manifolds, metrics, paired comparisons, its parts at their smallest size."""

import warnings

from eigenclock_studies import run_study


def test_tiny_study(tmp_path):
    """End to end: tables, figures, a page; and no verdict that two seeds could carry."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run_study("score_latent_diffusion", preset="tiny", out=tmp_path)
    assert not set(found.claims["verdict"]) & {"supported", "not supported", "win", "loss", "tie"}
    for name in (
        "collapse_risk",
        "collapse_jacobians",
        "arms_refine",
        "arms_sweep",
        "dimension_errors",
        "regimes_joint",
        "digits_samples",
    ):
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
    page = (tmp_path / "report.html").read_text()
    assert "Reconstruction of SiLD from the abstract-level claims of arXiv:2605.20235" in page
    assert (tmp_path / "collapse.nc").exists()
    again = run_study("score_latent_diffusion", preset="tiny", out=tmp_path)  # nothing is trained twice
    assert again.claims.equals(found.claims)
