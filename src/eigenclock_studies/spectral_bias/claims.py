"""Claims of the study: laws of emergence, orders, levels of theory, convolution; each from intervals over seeds and modes."""

from collections.abc import Mapping, Sequence

from eigenclock.clocks.emergence import Direction
from eigenclock.clocks.replicates import Estimate
from eigenclock.comparison.levels import LAYERED, Levels
from ..claims import Claim, Measure, exact, in_words
from .authors import Published
from .laws import FEWEST, Law, counts, repeated_words
from .level_errors import ONE_TIME, Errors

NEAR = 0.15
"""An exponent this near the published one is the same: what another draw of the spectrum and other seeds may move."""

STRAIGHT = 0.5
"""Share of the variance of ln time that a power law must explain to be one."""

FLAT = 0.2
"""An exponent whose interval stays below this in magnitude is flat; a peer has a law if its interval lies above."""

HALF = 0.5
"""Share of the peer's spread of emergence times from which modes come near-simultaneously."""

WAITING = 0.1
"""Largest share of modes not begun with which exponents and 90 % quantiles are known."""

NAMED = {name: f"({p:g}, {q:g})" for name, (p, q) in ((name, layers.init) for name, layers in LAYERED.items())}
"""The named starts of level (e) as a reader knows them."""


def known(law: Law) -> tuple[Measure, ...]:
    """Whether a law can be read: modes enough in every seed, and few that had not begun."""
    return (
        exact("modes that came, fewest of a seed", min(law.modes, default=0), above=FEWEST - 1),
        exact("share of modes not begun, most of a seed", law.waiting, below=WAITING + 1e-9),
    )


def law_claims(what: str, law: Law, published: Published | None = None, beside: str = "") -> list[Claim]:
    """Time falls with variance by a power law; and, where one is published for this very setting, by that one."""
    words, alpha = f"{what}, {law.direction} modes", law.alpha.estimate
    here = f"{counts(law.modes)} modes"
    found = [
        Claim(
            f"{words}: time falls with variance as a power law, time ∝ variance^−α",
            (Measure("α", alpha, above=0), Measure("R²", law.r2.estimate, above=STRAIGHT)),
            known(law),
            here=here,
            beside=beside,
        )
    ]
    if published is not None:
        same = Measure("α", alpha, above=published.alpha - NEAR, below=published.alpha + NEAR)
        found.append(
            Claim(f"{words}: the exponent is theirs, {published}, within {NEAR:g}", (same,), known(law), here=here)
        )
    return found


def order_claim(what: str, law: Law) -> Claim:
    """Larger variance comes first."""
    order = Measure("rank correlation of time and variance", law.order.estimate, below=0)
    return Claim(f"{what}, {law.direction} modes: larger variance comes first", (order,), known(law))


def level_claims(
    what: str, seeds: Sequence[Levels], repeated: Mapping[str, tuple[float, float]], direction: Direction | None = None
) -> list[Claim]:
    """Level (e) from each of its named starts against every rival on the same modes; of rising ones, from (0.1, 0.1) alone."""
    part = "" if direction is None else f", {direction} modes"
    rivals = {"a": "level (a)", "c": "one layer, level (c)", ONE_TIME: ONE_TIME}
    words = "two untied layers, level (e), time the modes better than its rivals, with one constant (T13)"
    rows = []
    for start in NAMED if direction is None else ("e_balanced",):
        mine = Errors.of(seeds, start, direction)
        left, most = in_words(mine.medians[start].estimate), counts(mine.measured)
        rows.append(
            Claim(
                f"{what}{part}, from {NAMED[start]}: {words}",
                tuple(
                    Measure(f"median |ln ratio| less that of {rivals[r]}", mine.against[r].estimate, below=0)
                    for r in mine.against
                ),
                (exact("modes compared, fewest of a seed", min(mine.modes, default=0), above=FEWEST - 1),),
                here=f"it leaves {left} on {counts(mine.modes)} of {most} modes",
                beside=repeated_words(repeated[direction or "both"]),
            )
        )
    return rows


def gone_claims(label: str, law: Law, peers: Mapping[str, Law]) -> list[Claim]:
    """A law that every dense peer has is gone from a convolutional network; and its modes come at nearly one time.

    Nothing can be gone that was not there: a peer without a law leaves both open.
    """
    words = f"{label}, {law.direction} modes"
    controls = tuple(Measure(f"{name} has a law, α", peer.alpha.estimate, above=FLAT) for name, peer in peers.items())
    less = tuple(
        Measure(f"α of {name} less this one", peer.alpha.minus(law.alpha), above=0) for name, peer in peers.items()
    )
    spreads = (
        Measure(f"spread of ln time over that of {name}", law.spread.over(peer.spread), below=HALF)
        for name, peer in peers.items()
    )
    flat = Measure("α", law.alpha.estimate, above=-FLAT, below=FLAT)
    return [
        Claim(f"{words}: the law of the dense peer is gone", (flat, *less), (*known(law), *controls)),
        Claim(f"{words}: they come near-simultaneously", tuple(spreads), (*known(law), *controls)),
    ]


def aligned_claim(what: str, last: Estimate, gained: Estimate, least: float) -> Claim:
    """The data's modes become those of the generated samples."""
    return Claim(
        f"{what}: the data's modes become the modes of the generated samples (faces: alignment .22 at step 1, .90 at the end)",
        (Measure("alignment after training", last, above=least), Measure("gained", gained, above=0)),
    )
