"""The claim that a level of theory sets the clocks of a network, beside what repeating the run changes."""

from collections.abc import Sequence

from eigenclock.clocks.emergence import Direction
from eigenclock.comparison.levels import LAYERED, Levels
from .laws import counts, interval, repeated_words
from .level_errors import ONE_TIME, Errors, better_start
from .verdicts import level_verdict

NAMED = {name: f"({p:g}, {q:g})" for name, (p, q) in ((name, layers.init) for name, layers in LAYERED.items())}
"""The named starts of level (e) as a reader knows them."""


def level_claim(
    what: str,
    seeds: Sequence[Levels],
    repeated: dict[str, tuple[float, float]],
    direction: Direction | None = None,
) -> dict[str, str]:
    """Level (e) from both named starts, and from the better one against everything else on the same modes.

    Of rising modes the better start is (0.1, 0.1) by name, where all modes are compared the one that leaves less.
    """
    best = better_start(seeds) if direction is None else "e_balanced"
    errors = {level: Errors.of(seeds, level, direction) for level in LAYERED}
    mine = errors[best]
    starts = "; ".join(
        f"{NAMED[level]} {interval(one.medians[level].estimate)} of {counts(one.modes)} modes"
        for level, one in errors.items()
    )
    others = ", ".join(
        f"{name if name == ONE_TIME else f'({name})'} {interval(one.estimate)}"
        for name, one in mine.medians.items()
        if name != best
    )
    part = "" if direction is None else f", {direction} modes"
    return {
        "claim": f"{what}{part}: two untied layers, level (e), set the clocks with one constant (T13)",
        "paper": "not in the paper",
        "here": f"median |ln ratio| from {starts}; {counts(mine.measured)} modes came",
        "interval": f"nine in ten modes within {interval(mine.tail.estimate)} from {NAMED[best]}",
        "control": f"the same modes: {others}; {repeated_words(repeated[direction or 'both'])}",
        "verdict": level_verdict(mine),
    }
