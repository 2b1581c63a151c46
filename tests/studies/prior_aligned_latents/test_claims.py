"""Tests of `eigenclock_studies.prior_aligned_latents.claims`."""

import numpy as np
import pytest
from support.planted_alignments import BASE, planted

from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import LogRatio
from eigenclock_studies.prior_aligned_latents import claims, link_claims
from eigenclock_studies.prior_aligned_latents.clocks import covariance_clock, order_of_modes, sustained


def worse_by_classifier():
    """Better by pixels and consistency, but never at the baseline's distance of the classifier."""
    return [run.assign(fd=run["fd"] * [1.0, 9.0]) for run in planted([50.0, 20, 2, 1], [0.2, 0.5, 0.7, 0.8])]


@pytest.mark.parametrize(
    ("arm", "verdict"),
    [
        (planted([50.0, 20, 2, 1], [0.2, 0.5, 0.7, 0.8]), "supported"),
        (planted([50.0, 20, 2, 1], [0.1, 0.2, 0.3, 0.4]), "mixed"),
        (planted([50.0, 40, 20, 9], [0.1, 0.2, 0.3, 0.4]), "not supported"),
        (worse_by_classifier(), "mixed"),
        (planted([50.0, 20, 2, 1], [0.2, 0.5, 0.7, 0.8], l1=0.08), "confounded: it reconstructs worse"),
        (planted([50.0, 20, 2, 1], [0.2, 0.5, 0.7, 0.8], floor=2.0), "confounded: it reconstructs worse"),
    ],
)
def test_verdict_on_alignment(arm, verdict):
    assert claims.faster({"none": BASE, "scr": arm}, "scr", enough=True)["verdict"] == verdict
    assert claims.faster({"none": BASE, "scr": arm}, "scr", enough=False)["verdict"].startswith("inconclusive")


def test_verdict_on_geometry():
    slow = planted([50.0, 45, 40, 30], [0.1, 0.12, 0.15, 0.2], lpc=0.09, slow=0.5)
    turned_runs = planted([50.0, 30, 10, 5], [0.1, 0.3, 0.5, 0.6])
    rows = claims.geometry({"none": BASE, "rotation": turned_runs, "omega=3": slow}, "omega=3", enough=True)
    assert [row["verdict"] for row in rows] == ["supported", "supported"]
    rows = claims.geometry({"none": BASE, "rotation": slow, "omega=3": turned_runs}, "omega=3", enough=True)
    assert [row["verdict"] for row in rows] == ["not supported", "not supported"]


def test_verdicts_on_properties_and_controls():
    better, worse = (
        planted([50.0, 20, 2, 1], [0.2, 0.5, 0.7, 0.8], gsq=0.3, lpc=0.02),
        planted([50.0, 40, 20, 9], [0.1, 0.2, 0.3, 0.4]),
    )
    runs = {"none": BASE, "scr": better, "all": better, "shuffled": worse, "random": better}
    rows = {row["claim"][:3]: row["verdict"] for row in claims.properties(runs, enough=True)}
    assert rows == {"H2a": "supported", "H2b": "supported", "H2c": "reported, no threshold"}
    controls = claims.prior_controls(runs, enough=True)
    assert [row["verdict"] for row in controls] == [
        "supported",
        "inconclusive",
    ]  # as good as the true prior: it cannot tell
    beaten = claims.prior_controls(runs | {"scr": worse, "shuffled": better}, enough=True)
    assert beaten[0]["verdict"] == "not supported"
    assert claims.prior_controls({"none": BASE}, enough=True) == []


def test_verdicts_on_the_spectrum():
    """Planted modes follow the prediction; an arm that is faster to second order but worse to look at shows H4-neg."""
    quick = planted([50.0, 45, 40, 30], [0.1, 0.12, 0.15, 0.2], slow=0.3)
    rows = link_claims.mode_order({"none": BASE, "omega=3": quick}, enough=True)
    assert [row["verdict"] for row in rows] == ["supported", "supported"]
    value, n = order_of_modes(BASE[0])
    assert value > 0.99
    assert n >= 30
    assert np.isfinite(covariance_clock(BASE[0]).low).all()


def test_verdicts_on_the_link():
    """Arms planted in the order of their spectra, and of nothing else: that is what is found."""
    curves = ([50.0, 30, 10, 5], [0.1, 0.3, 0.5, 0.6]), ([50.0, 30, 10, 9], [0.1, 0.3, 0.5, 0.4])
    arms = {
        "none": BASE,
        "a": planted(*curves[1], t_lin=5.0, slow=0.5, lpc=0.05),
        "b": planted(*curves[0], t_lin=20.0, slow=2.0, lpc=0.02),
        "c": planted(*curves[1], t_lin=40.0, slow=4.0, lpc=0.04),
    }
    rows = {row["claim"]: row["verdict"] for row in link_claims.links(link_claims.link_table(arms), enough=True)}
    assert len(rows) == 6
    assert rows["link: the latent spectrum orders the arms by covariance clock"] == "supported"
    assert rows["link: local continuity (LPC) orders the arms by final pixel distance"] == "supported"
    assert rows["link: local continuity (LPC) orders the arms by covariance clock"] == "not supported"
    few = link_claims.links(link_claims.link_table(arms), enough=False)
    assert all(row["verdict"].startswith("inconclusive") for row in few)


def test_log_ratios_of_unknown_sign_decide_nothing():
    both = LogRatio(np.array([-np.inf, -np.inf]), np.array([np.inf, np.inf]))
    assert claims.above_one(both) is None
    assert isinstance(sustained([1.0, 2.0], [3.0, 3.0], 1.0), Passages)
