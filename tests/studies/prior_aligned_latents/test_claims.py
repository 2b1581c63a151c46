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
    as_good = claims.properties(runs | {"random": better})
    assert [one.verdict.outcome for one in as_good[:2]] == ["not shown"] * 2, (
        "a wrong prior that gains as much explains it"
    )
    assert "three losses together" in as_good[1].words
    assert "H2b: MCR:" in claims.properties(runs | {"mcr": SLOW})[1].words
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
    found = {claim.words: claim for claim in claims.links(claims.link_table(arms))}
    assert len(found) == 6
    ordered = found["ours: the latent spectrum orders the arms by covariance clock"]
    assert ordered.verdict.outcome == "shown"
    assert ordered.rivals[0].found.value == pytest.approx(1 / 24), "one order of four arms in 24, however many seeds"
    lost = found["ours: local continuity (LPC) orders the arms by last distance in noise floors"]
    assert lost.measures[0].found.value == pytest.approx(0.8944, abs=1e-4)
    assert str(lost.verdict) == "not shown (the rival explains it: permutation p)", (
        "two pairs of ties: four orders in 24"
    )
    assert lost.rivals[0].found.value == pytest.approx(4 / 24)
    assert found["ours: local continuity (LPC) orders the arms by covariance clock"].verdict.outcome == "not shown"


def test_a_clock_that_was_not_reached_is_tied_at_the_end():
    never = planted([50.0, 30, 10, 5], [0.1, 0.3, 0.5, 0.6], slow=1e4)
    table = claims.link_table({"none": BASE, "a": never, "b": never})
    assert np.isinf(table["covariance clock"]).tolist() == [False] * 3 + [True] * 6


def test_modes_that_never_came_are_ranked_last():
    """The half that should come first never does, the rest is in order: −2/3 by ranks with ties, not 1."""
    run = BASE[0]
    first = np.argsort(run["tau_lin"].values)[:20]
    variance = run["latent_var"].values.copy()
    variance[:, first] = 1.0
    value, n = order_of_modes(run.assign(latent_var=(("fine_step", "mode"), variance)))
    assert n == 20
    ranks = np.r_[np.full(20, 30.5), np.arange(1, 21)]
    assert value == pytest.approx(np.corrcoef(np.arange(40), ranks)[0, 1])
    there = variance.copy()
    there[:, first] = run["spectrum"].values[first]
    early = order_of_modes(run.assign(latent_var=(("fine_step", "mode"), there)))[0]
    assert early == pytest.approx(np.corrcoef(np.arange(40), np.r_[np.full(20, 10.5), np.arange(21, 41)])[0, 1])


def test_a_record_of_one_value_is_a_bound():
    assert isinstance(sustained([1.0, 2.0], [3.0, 3.0], 1.0), Passages)
