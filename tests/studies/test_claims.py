"""Tests of `eigenclock_studies.claims`: verdicts follow from the numbers of a row by a stated rule, whatever the numbers are."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import eigenclock as ec
from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import Estimate, LogRatio, slope_bounds
from eigenclock_studies import Claim, Measure, bounded, exact, factor, mean, ratio, share, unlike
from eigenclock_studies.claims import COLUMNS, NUMBERS, in_words, numbers_of, table_of

WORDS = ("shown", "not shown", "in part", "inconclusive", "not run")

ends = st.one_of(st.floats(-5, 5), st.just(math.inf), st.just(-math.inf), st.just(math.nan))


numbers = st.tuples(
    st.sampled_from("abcdef"), ends, ends, st.integers(1, 9), st.floats(-5, 5), st.floats(-5, 5), st.integers(0, 3)
)
rows = st.tuples(*(st.lists(numbers, min_size=least, max_size=4) for least in (1, 0, 0)))


def measure(name, low, high, n, a, b, side):
    """Any number that a study may have: seen, a bound on either side, nothing known, no interval; and any range."""
    if not (math.isnan(low) or math.isnan(high)):
        low, high = min(low, high), max(low, high)
    value = (low + high) / 2 if math.isfinite(low) and math.isfinite(high) else math.nan
    above, below = min(a, b), max(a, b) + 0.01
    return Measure(
        name, Estimate(value, low, high, n), -math.inf if side == 1 else above, math.inf if side == 2 else below
    )


def claim_of(row):
    return Claim("a claim", *(tuple(measure(*one) for one in several) for several in row))


def surely_inside(one):
    """Whether every value that the interval allows lies in the range: said once more, by values instead of ends."""
    low, high = one.found.low, one.found.high
    if math.isnan(low) or math.isnan(high):
        return False
    values = [v for v in (low, high) if math.isfinite(v)]
    values += [-1e9] if low == -math.inf else []
    values += [1e9] if high == math.inf else []
    return all(one.above < v < one.below for v in values)


@given(rows)
def test_a_claim_is_shown_only_if_every_number_of_its_row_lies_where_it_must(row):
    claim = claim_of(row)
    verdict = claim.verdict
    assert verdict.outcome in WORDS
    every = (*claim.measures, *claim.controls, *claim.rivals)
    assert (verdict.outcome == "shown") == all(surely_inside(one) for one in every)


@given(rows)
def test_a_control_that_fails_is_never_passed_over(row):
    claim = claim_of(row)
    failed = [one for one in claim.controls if one.answer is False]
    if failed:
        assert claim.verdict.outcome == "inconclusive"
        assert "control failed" in str(claim.verdict)
    elif any(one.answer is None for one in claim.controls):
        assert claim.verdict.outcome == "inconclusive"
    elif any(one.answer is False for one in claim.rivals):
        assert claim.verdict.outcome == "not shown"
    if any(one.answer is not True for one in (*claim.controls, *claim.rivals)):
        assert claim.verdict.outcome not in ("shown", "in part")


@given(rows, st.integers(0, 3), st.booleans())
def test_knowing_less_never_decides_more(row, which, upper):
    """A time that is only a bound, or an interval made wider, may leave a claim open; it can never turn it over."""
    claim = claim_of(row)
    at = which % len(claim.measures)
    old = claim.measures[at]
    if math.isnan(old.found.low) or math.isnan(old.found.high):
        return
    ends = (old.found.low, math.inf) if upper else (-math.inf, old.found.high)
    censored = Measure(old.name, Estimate(math.nan, *ends, old.found.n), old.above, old.below)
    several = (*claim.measures[:at], censored, *claim.measures[at + 1 :])
    less = Claim(claim.words, several, claim.controls, claim.rivals)
    assert censored.answer in (old.answer, None)
    if less.verdict.outcome == "shown":
        assert claim.verdict.outcome == "shown"
    if claim.verdict.outcome == "shown":
        assert less.verdict.outcome in ("shown", "inconclusive")


@given(rows)
def test_verdicts_and_numbers_go_through_a_table(row):
    claim = claim_of(row)
    table = table_of([claim])
    assert list(table.columns) == list(COLUMNS)
    assert table["verdict"][0].split(" (")[0] in WORDS
    behind = numbers_of([claim])
    assert list(behind.columns) == list(NUMBERS)
    assert len(behind) == len(claim.measures) + len(claim.controls) + len(claim.rivals)
    holds = {"yes": True, "no": False, "open": None}
    assert [holds[word] for word in behind["holds"]] == [
        one.answer for one in (*claim.measures, *claim.controls, *claim.rivals)
    ]
    assert table_of([claim], judged=False)["verdict"][0] == "not run (the preset tiny judges nothing)"


times = st.lists(st.floats(0.1, 100), min_size=3, max_size=6)


@given(times, st.integers(0, 5), st.floats(1, 50))
def test_a_censored_time_bounds_a_slope_and_is_not_left_out(values, which, later):
    """The slope of what the times turn out to be lies within its bounds, whichever of them was not reached by the end."""
    at = which % len(values)
    x = np.log(2.0 ** np.arange(len(values)))
    y = np.log(values)
    bounds = [(np.array([v]), np.array([np.inf if i == at else v])) for i, v in enumerate(y)]
    low, high = slope_bounds(x, bounds)
    truth = y.copy()
    truth[at] = np.log(values[at] * later)
    slope = np.polyfit(x, truth, 1)[0]
    assert low[0] - 1e-9 <= slope <= high[0] + 1e-9
    if abs(x[at] - x.mean()) > 1e-12:
        assert np.isinf(low[0]) != np.isinf(high[0]), "one side is not known, and says so"


def test_slopes_of_seen_times_are_least_squares():
    rng = np.random.default_rng(0)
    x, y = np.log([64, 128, 256, 512]), rng.standard_normal((4, 5))
    low, high = slope_bounds(x, [(row, row) for row in y])
    assert low == pytest.approx(np.polyfit(x, y, 1)[0])
    assert (low == high).all()
    with pytest.raises(ec.InputError, match="x must have 2 places, not all the same, got 2"):
        slope_bounds([1, 1], [(y[0], y[0]), (y[1], y[1])])


def test_the_outcomes_in_words():
    yes, no, open_ = exact("yes", 2, above=1), exact("no", 0, above=1), mean("open", [0.0, 2.0], above=1)
    assert str(Claim("c", (yes,)).verdict) == "shown"
    assert str(Claim("c", (no,)).verdict) == "not shown"
    assert str(Claim("c", (yes, no)).verdict) == "in part (not no)"
    assert str(Claim("c", (no, open_)).verdict) == "not shown (open: open)"
    assert str(Claim("c", (yes, open_)).verdict) == "inconclusive (the interval straddles what is needed: open)"
    assert str(Claim("c", (yes,), (no,)).verdict) == "inconclusive (the control failed: no)"
    assert str(Claim("c", (no,), (no,)).verdict) == "inconclusive (the control failed: no)"
    straddles = "inconclusive (the interval straddles what is needed: open)"
    assert [str(Claim("c", (yes, no), (open_,)).verdict), str(Claim("c", (no,), (open_,)).verdict)] == [straddles] * 2
    assert str(Claim("c", (yes, no), (), (open_,)).verdict) == straddles
    assert str(Claim("c", (no,), (), (open_,)).verdict) == "not shown"
    assert str(Claim("c", (yes,), (), (no,)).verdict) == "not shown (the rival explains it: no)"
    assert str(Claim("c", (mean("m", [3.0], above=1),)).verdict) == "inconclusive (one replicate has no interval: m)"
    late = Passages(np.full(3, 100.0), np.full(3, np.inf), 0)
    assert str(Claim("c", (ratio("r", LogRatio.of(late, late), above=1),)).verdict) == "inconclusive (censored: r)"
    assert str(Claim("c", missing="no data").verdict) == "not run (no data)"
    assert Claim("c", missing="no data").row(judged=False)["verdict"] == "not run (no data)"
    with pytest.raises(ec.InputError, match="a claim must have measures, or say why it was not run, got none: c"):
        Claim("c")


def test_numbers_in_words():
    seen = Passages(np.array([2.0, 2.2, 2.1]), np.array([2.0, 2.2, 2.1]), 0)
    late = Passages(np.full(3, 10.0), np.full(3, np.inf), 0)
    one = ratio("low over high", LogRatio.of(seen, Passages(np.ones(3), np.ones(3), 0)), above=1.6, below=2.4)
    mid = np.exp(np.log([2, 2.2, 2.1]).mean())
    assert one.found.value == pytest.approx(mid)
    reach = 4.302653 * np.log([2, 2.2, 2.1]).std(ddof=1) / np.sqrt(3)  # Student's t of two degrees of freedom
    assert str(one) == f"low over high 2.1 [{mid * np.exp(-reach):.3g}, {mid * np.exp(reach):.3g}] (1.6 to 2.4 needed)"
    assert in_words(ratio("", LogRatio.of(late, seen)).found) == f"> {10 / (mid * np.exp(reach)):.3g} (censored)"
    assert in_words(ratio("", LogRatio.of(seen, late)).found) == f"< {mid * np.exp(reach) / 10:.3g} (censored)"
    assert in_words(ratio("", LogRatio.of(late, late)).found) == "unknown (censored)"
    assert str(share("seeds", 8, 8, above=0.5)) == "seeds 1 [0.631, 1], 8 of 8 (> 0.5 needed)"
    assert str(exact("count", 3)) == "count 3"
    assert str(bounded("slope", [1.0, 1.2], [np.inf, np.inf], above=0)).endswith("(censored) (> 0 needed)")
    assert factor("f", [1.0, 4.0]).found.value == pytest.approx(2.0)
    for one in (mean("m", [1.0, math.nan, 2.0], above=0), factor("f", [1.0, math.nan], above=0)):
        assert one.answer is None, "a run that went wrong is not left out"
        assert "not measured" in str(one)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_control_may_not_go_the_way_of_the_effect(sign):
    def logs(*values):
        return LogRatio(sign * np.log(values), sign * np.log(values))

    def of(*values, effect=(1.96, 2.0, 2.04)):
        return unlike("control", logs(*values), logs(*effect)).answer

    assert of(1.0, 1.02, 0.98) is True
    assert of(0.2, 0.21, 0.22) is True, "a move the other way explains nothing"
    assert of(1.6, 1.61, 1.62) is False, "more than half of it"
    assert of(1.3, 1.31, 1.32) is True
    assert of(1.6, 1.61, 1.62, effect=(75, 76, 77)) is False, "a factor of 1.5 is a move, however large the effect"
    assert of(1.0, 1.3, 2.0) is None
    assert of(1.1, 1.11, 1.12, effect=(0.5, 1.0, 2.1)) is False, "an effect of no known direction explains no control"
