"""The claim that a level of theory sets the clocks of a network, beside what repeating the run changes."""

from collections.abc import Sequence

from eigenclock.comparison.levels import LAYERED, Levels
from .laws import better_start, counts, interval, level_errors, repeated_words
from .verdicts import level_verdict

NAMED = {name: f"({p:g}, {q:g})" for name, (p, q) in ((name, layers.init) for name, layers in LAYERED.items())}
"""The named starts of level (e) as a reader knows them."""


def level_claim(
    what: str,
    seeds: Sequence[Levels],
    repeated: tuple[float, float],
    start: str | None = None,
) -> dict[str, str]:
    """Level (e), from the better of its named starts or from `start`, against (a), one time for all, (b), (c) and (d)."""
    best = better_start(seeds) if start is None else start
    errors = {
        level: level_errors(seeds, level) for level in ("b", "c", "d", *LAYERED) if all(level in one for one in seeds)
    }
    mine = errors[best]
    starts = "; ".join(
        f"{NAMED[level]}: {interval(errors[level].level.estimate)}, {counts(errors[level].modes)} modes"
        for level in LAYERED
    )
    others = ", ".join(f"({level}) {interval(one.level.estimate)}" for level, one in errors.items() if level in "bcd")
    return {
        "claim": f"{what}: two untied layers, level (e), set the clocks with one constant (T13)",
        "paper": "not in the paper",
        "here": f"median |ln ratio| from {starts}",
        "interval": f"nine in ten modes within {interval(mine.tail.estimate)} from {NAMED[best]}",
        "control": f"(a) {interval(mine.plain.estimate)}, {others}; one time for all {interval(mine.one_time.estimate)}; "
        + repeated_words(repeated),
        "verdict": level_verdict(mine),
    }
