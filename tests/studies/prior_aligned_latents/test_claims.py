"""Tests of `eigenclock_studies.prior_aligned_latents.claims`, on runs whose clocks and scores are planted."""

import numpy as np
import pytest
from support.planted_alignments import BASE, planted

from eigenclock.clocks.passage import Passages
from eigenclock_studies.prior_aligned_latents import claims
from eigenclock_studies.prior_aligned_latents.clocks import covariance_clock, order_of_modes, own_clock, sustained

FAST, SLOW = planted([50.0, 20, 2, 1], [0.2, 0.5, 0.7, 0.8]), planted([50.0, 45, 40, 30], [0.1, 0.12, 0.15, 0.2])


def outcomes(rows):
    return {claim.words: claim.verdict.outcome for claim in rows}


@pytest.mark.parametrize(
    ("arm", "own", "named"),
    [
        (FAST, "shown", "shown"),
        (planted([50.0, 20, 2, 1], [0.1, 0.2, 0.3, 0.4]), "shown", "not shown"),  # scores that disagree are two answers
        (SLOW, "not shown", "not shown"),
        (
            planted([50.0, 20, 2, 1], [0.2, 0.5, 0.7, 0.8], l1=0.08),
            "inconclusive",
            "inconclusive",
        ),  # it reconstructs worse
        (
            planted([50.0, 20, 2, 1], [0.2, 0.5, 0.7, 0.8], floor=0.2),
            "not shown",
            "shown",
        ),  # within 0.8 of its own: never
    ],
)
def test_faster(arm, own, named):
    found = claims.faster({"none": BASE, "scr": arm}, "scr")
    assert [claim.verdict.outcome for claim in found] == [own, named]


def test_a_decoder_that_shows_less_is_not_held_against_its_generator():
    """Twice the distance to real images, all of it the decoder's: the own clock is the same."""
    worse = [run.assign(fd=run["fd"] * [2.0, 1.0]) for run in BASE]
    assert claims.final(worse, "pix") == pytest.approx(2 * claims.final(BASE, "pix"))
    assert [own_clock(run).low[0] for run in worse] == [own_clock(run).low[0] for run in BASE]


def test_geometry():
    slow = planted([50.0, 45, 40, 30], [0.1, 0.12, 0.15, 0.2], lpc=0.09, slow=0.5)
    turned = planted([50.0, 30, 10, 5], [0.1, 0.3, 0.5, 0.6])
    found = outcomes(claims.geometry({"none": BASE, "rotation": turned, "omega=3": slow}, "omega=3"))
    assert found.pop(next(words for words in found if "own" in words)) in (
        "shown",
        "inconclusive",
    )  # it never comes: a bound
    assert set(found.values()) == {"shown"}
    found = outcomes(claims.geometry({"none": BASE, "rotation": slow, "omega=3": slow}, "omega=3"))
    assert set(found.values()) <= {"inconclusive", "not shown"}, "a rotation that changes something leaves H1 open"
    assert found["H1, null: a rotation changes nothing for an MLP"] == "not shown"


def test_properties_and_controls():
    better = planted([50.0, 20, 2, 1], [0.2, 0.5, 0.7, 0.8], gsq=0.3, lpc=0.02)
    runs = {"none": BASE, "scr": better, "all": better, "shuffled": SLOW, "random": SLOW}
    found = outcomes(claims.properties(runs))
    assert [found[words] for words in found] == ["shown", "shown", "not shown"], "SSC is as it was"
    as_good = claims.properties(runs | {"random": better})[0]
    assert as_good.verdict.outcome == "not shown", "a wrong prior that gains as much explains the gain"
    controls = claims.prior_controls(runs)
    assert [claim.verdict.outcome for claim in controls] == ["shown", "shown"]
    beaten = claims.prior_controls(runs | {"scr": SLOW, "shuffled": better})
    assert beaten[0].verdict.outcome == "not shown"
    assert claims.prior_controls({"none": BASE}) == []


def test_the_spectrum():
    """Planted modes follow the prediction; an arm that is faster to second order but worse to look at shows that it is not all."""
    quick = planted([50.0, 45, 40, 30], [0.1, 0.12, 0.15, 0.2], slow=0.3)
    found = claims.mode_order({"none": BASE, "omega=3": quick})
    assert [claim.verdict.outcome for claim in found] == ["shown", "shown"]
    value, n = order_of_modes(BASE[0])
    assert value > 0.99
    assert n >= 30
    assert np.isfinite(covariance_clock(BASE[0]).low).all()


def test_the_link():
    """Arms planted in the order of their spectra, and of nothing else: that is what is found."""
    good, bad = ([50.0, 30, 10, 5], [0.1, 0.3, 0.5, 0.6]), ([50.0, 30, 10, 9], [0.1, 0.3, 0.5, 0.4])
    arms = {
        "none": BASE,
        "a": planted(*bad, t_lin=5.0, slow=0.5, lpc=0.05),
        "b": planted(*good, t_lin=20.0, slow=2.0, lpc=0.02),
        "c": planted(*bad, t_lin=40.0, slow=4.0, lpc=0.04),
    }
    found = outcomes(claims.links(claims.link_table(arms)))
    assert len(found) == 6
    assert found["ours: the latent spectrum orders the arms by covariance clock"] == "shown"
    assert found["ours: local continuity (LPC) orders the arms by last distance in noise floors"] == "shown"
    assert found["ours: local continuity (LPC) orders the arms by covariance clock"] == "not shown"


def test_a_record_of_one_value_is_a_bound():
    assert isinstance(sustained([1.0, 2.0], [3.0, 3.0], 1.0), Passages)
