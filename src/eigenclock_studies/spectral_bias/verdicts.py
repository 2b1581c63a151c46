"""What the numbers of a claim show: shown, not shown, in part, inconclusive. Each follows from intervals alone."""

from collections.abc import Sequence

from eigenclock.clocks.replicates import Estimate
from .laws import FEWEST, Law
from .level_errors import ONE_TIME, Errors

NEAR = 0.15
"""An exponent this near the published one is the same: what another draw of the spectrum and other seeds may move."""

FLAT = 0.2
"""An exponent whose interval stays below this in magnitude is flat; a peer has a law if its interval lies above."""

HALF = 0.5
"""Share of the peer's spread of emergence times from which modes come near-simultaneously."""

WAITING = 0.1
"""Largest share of modes not begun with which exponents and 90 % quantiles are known."""

FEW = f"inconclusive (fewer than {FEWEST} modes came)"

OPEN = f"inconclusive (more than {100 * WAITING:g} % of the modes not begun)"

TINY = "inconclusive (the preset tiny judges nothing)"


def law_verdict(law: Law, published: float | None = None) -> str:
    """Whether time falls with variance by a power law, and whether by the published one."""
    alpha = law.alpha.estimate
    if not law.enough:
        return FEW
    if law.waiting > WAITING:
        return OPEN
    if alpha.high < 0 and alpha.value < -FLAT:
        return "not shown (reversed: larger variance later)"
    if alpha.low <= 0:
        return "not shown"
    if published is None or abs(alpha.value - published) <= NEAR:
        return "shown"
    if alpha.low <= published <= alpha.high:
        return "shown" if alpha.high - alpha.low <= 4 * NEAR else "inconclusive (the interval is too wide)"
    return "in part (a law, another exponent)"


def order_verdict(law: Law) -> str:
    """Whether larger variance comes first."""
    order = law.order.estimate
    if not law.enough:
        return FEW
    return "shown" if order.high < 0 else "not shown (reversed)" if order.low > 0 else "not shown"


def level_verdict(errors: Errors) -> str:
    """Whether a level of theory says more of the clocks than level (a), one layer, and one time for all."""
    if not errors.known:
        return FEW
    lost = [rival for rival in errors.against if not errors.beats(rival)]
    if not lost:
        return "shown"
    if {"a", ONE_TIME} <= set(lost):
        return "not shown"
    names = {"a": "level (a)", "c": "one layer", ONE_TIME: ONE_TIME}
    return f"in part (no better than {' and '.join(names[rival] for rival in lost)})"


def gone_verdict(network: Law, peers: Sequence[Law]) -> str:
    """Whether a law that every peer has is gone: an exponent smaller than each peer's, and a flat one."""
    if why := _undecided(network, peers):
        return why
    alpha = network.alpha.estimate
    if any(peer.alpha.minus(network.alpha).low <= 0 for peer in peers):
        return "not shown"
    return "shown" if alpha.low > -FLAT and alpha.high < FLAT else "in part (another exponent, not a flat one)"


def simultaneous_verdict(network: Law, peers: Sequence[Law]) -> str:
    """Whether modes come at nearly one time: in at most half of every peer's spread."""
    if why := _undecided(network, peers):
        return why
    ratios: list[Estimate] = [network.spread.over(peer.spread) for peer in peers]
    if all(ratio.high <= HALF for ratio in ratios):
        return "shown"
    closer = all(ratio.high < 1 for ratio in ratios)
    return "in part (closer together than the peers', not by half)" if closer else "not shown"


def _undecided(network: Law, peers: Sequence[Law]) -> str:
    """Why nothing can be said: nothing can be gone that was not there, nor is what has not come known; empty if it can."""
    if not all(peer.enough and peer.alpha.estimate.low > FLAT for peer in peers):
        return "inconclusive (the control has no law)"
    if not network.enough:
        return FEW
    return OPEN if network.waiting > WAITING else ""


def linear_verdict(early: Estimate, later: Estimate, least: float) -> str:
    """Whether a network is one linear convolution early, from the share explained, and less so later, from its change."""
    if early.n < 2:
        return "inconclusive (fewer than two seeds)"
    if early.low > least:
        return "shown" if later.high < 0 else "in part (early, and later no less)"
    return "not shown"


def aligned_verdict(last: Estimate, gained: Estimate, least: float) -> str:
    """Whether samples are aligned with the data's modes at the end, and more so than at the start."""
    if last.n < 2:
        return "inconclusive (fewer than two seeds)"
    return "shown" if last.low > least and gained.low > 0 else "not shown"
