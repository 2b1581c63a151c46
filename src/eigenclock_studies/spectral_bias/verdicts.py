"""What the numbers of a claim show: shown, not shown, in part, inconclusive. Each follows from intervals alone."""

from eigenclock.clocks.replicates import Estimate
from .laws import FEWEST, Errors, Law

NEAR = 0.15
"""An exponent this near the published one is the same: what another draw of the spectrum and other seeds may move."""

FLAT = 0.2
"""An exponent whose interval stays below this in magnitude is flat."""

HALF = 0.5
"""Share of the peer's spread of emergence times from which modes come near-simultaneously."""

FEW = f"inconclusive (fewer than {FEWEST} modes came)"

TINY = "inconclusive (the preset tiny judges nothing)"


def law_verdict(law: Law, published: float | None = None) -> str:
    """Whether time falls with variance by a power law, and whether by the published one."""
    alpha = law.alpha.estimate
    if not law.enough:
        return FEW
    if alpha.high < 0:
        return "not shown (reversed: larger variance later)"
    if alpha.low <= 0:
        return "not shown"
    if published is None or alpha.low <= published <= alpha.high or abs(alpha.value - published) <= NEAR:
        return "shown"
    return "in part (a law, another exponent)"


def order_verdict(law: Law) -> str:
    """Whether larger variance comes first."""
    order = law.order.estimate
    if not law.enough:
        return FEW
    return "shown" if order.high < 0 else "not shown (reversed)" if order.low > 0 else "not shown"


def level_verdict(errors: Errors) -> str:
    """Whether a level of theory says more of the clocks than level (a), and than one time for all modes."""
    if not errors.level.values.size:
        return FEW
    if errors.better:
        return "shown"
    plain, one_time = errors.against_plain.estimate.high < 0, errors.against_one_time.estimate.high < 0
    if plain or one_time:
        return f"in part (better than {'level (a)' if plain else 'one time for all'} only)"
    return "not shown"


def gone_verdict(network: Law, peer: Law) -> str:
    """Whether a law that a peer has is gone: a smaller exponent than the peer's, and a flat one."""
    if (why := peerless(peer)) or not network.enough:
        return why or FEW
    alpha, difference = network.alpha.estimate, peer.alpha.minus(network.alpha)
    if difference.low <= 0:
        return "not shown"
    return "shown" if alpha.low > -FLAT and alpha.high < FLAT else "in part (another exponent, not a flat one)"


def simultaneous_verdict(network: Law, peer: Law) -> str:
    """Whether modes come at nearly one time: in at most half of the peer's spread."""
    if (why := peerless(peer)) or not network.enough:
        return why or FEW
    ratio: Estimate = network.spread.over(peer.spread)
    if ratio.high <= HALF:
        return "shown"
    return "in part (closer together than the peer's, not by half)" if ratio.high < 1 else "not shown"


def peerless(peer: Law) -> str:
    """Why a peer is no control: nothing can be gone that was not there; empty if it is one."""
    return "" if law_verdict(peer) == "shown" else "inconclusive (the control has no law)"
