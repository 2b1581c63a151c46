"""Advice on all the usual recipes, against its limit."""

from collections.abc import Iterator

import eigenclock as ec
from .measure import Row, seconds

MODES, LIMIT = 768, 60.0


def speed() -> Iterator[Row]:
    """Seconds of a ranking of some 330 recipes for 768 modes."""
    spectrum = ec.Spectrum.power_law(MODES, exponent=1.3)
    recipes = len(ec.choose(spectrum).table)
    ours = seconds(lambda: ec.choose(spectrum), 3)
    yield Row(f"choose among {recipes} recipes for {MODES} modes / {LIMIT:g} s", ours, LIMIT, "≤ 1", ours <= LIMIT)
