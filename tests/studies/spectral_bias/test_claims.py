"""Claims of the study: each can go every way, and follows the intervals beside it."""

import numpy as np
import pytest
from support.planted_laws import table

from eigenclock.clocks.replicates import student_interval
from eigenclock_studies.spectral_bias import claims
from eigenclock_studies.spectral_bias.authors import Published
from eigenclock_studies.spectral_bias.laws import Law
from eigenclock_studies.spectral_bias.level_errors import ONE_TIME, RIVALS, Errors
from eigenclock_studies.spectral_bias.resampling import Resampled


def law(alpha, *, noise=0.2, **more):
    return Law.of([table(alpha, noise=noise, seed=seed, **more) for seed in range(3)], "rising")


def outcomes(found):
    return [claim.verdict.outcome for claim in found]


@pytest.mark.parametrize(
    ("found", "published", "wanted"),
    [
        (law(1.0, noise=0.05), 1.05, ["shown", "shown"]),  # within 0.15
        (law(1.8), 1.08, ["shown", "not shown"]),  # a law, another exponent
        (law(1.0, noise=0.02), 1.2, ["shown", "not shown"]),  # 0.15 and no more
        (law(0.8, noise=4.0), 1.2, ["in part", "inconclusive"]),  # it falls, and no straight line
        (law(-0.6), 0.5, ["in part", "not shown"]),  # reversed, straight
        (law(1.0, noise=0.02, waiting=5), 1.0, ["inconclusive", "inconclusive"]),  # more than a tenth has not begun
        (law(1.0, noise=0.02, waiting=4), 1.0, ["shown", "shown"]),
        (law(1.0, modes=7), 1.0, ["inconclusive", "inconclusive"]),  # too few
    ],
)
def test_law(found, published, wanted):
    assert outcomes(claims.law_claims("data", found, Published(published))) == wanted
    assert outcomes(claims.law_claims("data", found)) == wanted[:1], "nothing published for this setting"


def test_order():
    """A rank correlation of −0.93 in every seed is an order: what counts is that its interval excludes 0."""
    assert claims.order_claim("data", law(0.3)).verdict.outcome == "shown"
    assert claims.order_claim("data", law(0.0, noise=1.0)).verdict.outcome == "inconclusive"
    assert claims.order_claim("data", law(-0.3)).verdict.outcome == "not shown"
    assert "modes that came" in str(claims.order_claim("data", law(0.3, modes=5)).verdict)


def test_a_law_that_is_gone():
    """Nothing is gone that was not there: a peer without a law fails the control, whatever the network's exponent is."""
    peer, none, flat = law(0.4, noise=0.05), law(0.0, noise=1.0), law(0.1, noise=0.02)

    def gone(network, *peers):
        return claims.gone_claims("UNet", network, {f"peer {i}": one for i, one in enumerate(peers)})[0].verdict

    assert str(gone(law(0.02, noise=0.1), peer)) == "shown"
    assert str(gone(law(0.25, noise=0.02), peer)) == "in part (not α)"  # another exponent, not a flat one
    assert gone(law(0.4, noise=0.02), peer).outcome in ("not shown", "in part")
    assert gone(law(0.9), peer).outcome == "not shown"
    assert str(gone(law(0.02, noise=0.1), peer, law(0.3, noise=0.02))) == "shown"
    for peers in ([none], [flat], [peer, none]):
        assert "has a law" in str(gone(law(0.02), *peers))
        assert gone(law(0.02), *peers).outcome == "inconclusive"
    assert "modes that came" in str(gone(law(0.02, modes=5), peer))
    assert "not begun" in str(gone(law(0.02, noise=0.1, waiting=5), peer))


def test_modes_that_come_at_once():
    peer = law(0.4, noise=0.05)

    def at_once(network, *peers):
        return claims.gone_claims("UNet", network, {f"peer {i}": one for i, one in enumerate(peers)})[1].verdict.outcome

    assert at_once(law(0.05, noise=0.05), peer) == "shown"
    assert at_once(law(0.3, noise=0.05), peer) == "not shown"  # closer together than the peer's, not by half
    assert at_once(law(0.05, noise=0.05), peer, law(0.25, noise=0.01)) == "shown"
    assert at_once(law(0.5, noise=0.05), peer) == "not shown"
    assert at_once(law(0.05), law(0.0, noise=1.0)) == "inconclusive"


@pytest.mark.parametrize("worse_than", [(), ("c",), (ONE_TIME,), ("a", "c"), ("a", "c", ONE_TIME)])
def test_level(monkeypatch, worse_than):
    def around(value, width):
        return Resampled(np.array([value]), np.linspace(value - width, value + width, 99))

    def errors(width, modes):
        against = {rival: around(0.1 if rival in worse_than else -0.1, width) for rival in RIVALS}
        left = dict.fromkeys(("e", "e_balanced"), around(0.3, 0.1))
        return Errors("e", left, against, (modes,), (50,))

    def verdict(width, modes):
        monkeypatch.setattr(claims.Errors, "of", staticmethod(lambda seeds, level, direction: errors(width, modes)))
        first, second = claims.level_claims("data", [], {"both": (0.1, 0.2)})
        assert ("from (1, 0)" in first.words, "from (0.1, 0.1)" in second.words) == (True, True)
        return first.verdict.outcome

    wanted = "shown" if not worse_than else "not shown" if len(worse_than) == 3 else "in part"
    assert verdict(0.02, 40) == wanted
    assert verdict(0.5, 40) == "inconclusive", "intervals that hold 0"
    assert verdict(0.02, 7) == "inconclusive", "too few modes"


def test_alignment():
    for last, gained, verdict in (
        ([0.99, 0.98, 0.99], [0.5, 0.6, 0.5], "shown"),
        ([0.99, 0.98, 0.99], [0.0, 0.1, -0.1], "inconclusive"),
        ([0.8, 0.81, 0.8], [0.5, 0.6, 0.5], "in part"),
        ([0.99], [0.5], "inconclusive"),
    ):
        found = claims.aligned_claim("data", student_interval(last), student_interval(gained), 0.9)
        assert found.verdict.outcome == verdict
