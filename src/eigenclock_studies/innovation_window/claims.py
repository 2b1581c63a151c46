"""What the abstract claims, each read from the runs: a statistic per seed with its interval, held against what is needed."""

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import LogRatio, slope_bounds
from ..claims import Claim, Measure, bounded, exact, mean, ratio
from .cases import AFFINE, NO_RULE, Options, fresh, gpt_case, parity, width
from .clocks import NotRunError, Runs, View
from .forecast import forecasts, frozen

LEAKAGE = 0.98
"""Least −ln likelihood, in ln 2, of held-out bits that nothing determines: below this something leaked."""

LINEAR = (0.8, 1.2)
"""Slopes of ln time on ln N that count as linear; of a GPT, of which less is known, 0.7 to 1.3."""

NEAR, HELD, AHEAD = 3.0, 0.05, 0.1
"""Factor within which a basin's time lies of its clock; share of matches with a control set that counts as none; least share
by which basins are ahead of others, or have grown."""

Claims: TypeAlias = list[Claim]


def never(name: str, clock: Passages) -> Measure:
    """A clock that must not be reached in any seed; open where a run diverged."""
    reached, unknown = int(np.isfinite(clock.high).sum()), "unknown" in clock.status
    return exact(f"{name}: seeds that reach it", float("nan") if unknown and not reached else float(reached), below=0.5)


def _slope(name: str, clocks: dict[int, Passages], *, above: float = -np.inf, below: float = np.inf) -> Measure:
    """Slope of ln time on ln size over all sizes, censored times as bounds."""
    low, high = slope_bounds(np.log(list(clocks)), [(np.log(c.low), np.log(c.high)) for c in clocks.values()])
    return bounded(name, low, high, above=above, below=below)


def complexity(runs: Runs, options: Options, view: View) -> Claims:
    """C1: the rule clock increases with the complexity of the rule."""
    low, middle, high = (parity(g, options.open_at) for g in options.groups)
    names = [f"G = {b} over {a}" for a, b in pairwise(options.groups)]
    samples = [LogRatio.of(runs.rule(b, view), runs.rule(a, view)) for a, b in ((low, middle), (middle, high))]
    groups = LogRatio.of(runs.group(middle, view), runs.group(low, view))
    control = never("uniform bits judged by the rule", runs.rule(NO_RULE, view))
    measures = (
        ratio(names[0], samples[0], above=1.5),
        ratio(f"{names[0]}, by groups", groups, above=1.5),
        ratio(names[1], samples[1], above=1),
    )
    return [Claim(f"C1: the rule clock rises with complexity (N = {options.open_at})", measures, (control,))]


def capacity(runs: Runs, options: Options, view: View) -> Claims:
    """C2: the rule clock decreases with capacity."""
    plain = {w: runs.rule(width(w), view) for w in options.widths}
    plain[options.model.width] = runs.rule(parity(options.simpler, options.open_at), view)
    rated = {w: runs.rule(width(w, corrected=True), view) for w in options.corrected_widths}
    if options.rate_width in plain:
        rated[options.rate_width] = plain[options.rate_width]
    control = never("affine denoiser", runs.rule(AFFINE, view))
    return [
        Claim(
            f"C2: the rule clock falls with width, {words}",
            (_slope("slope of ln time on ln width", dict(sorted(clocks.items())), below=0),),
            (control,),
        )
        for words, clocks in (("one learning rate", plain), ("rate ∝ 1/width", rated))
        if len(clocks) > 1
    ]


def invariance(runs: Runs, options: Options, view: View) -> Claims:
    """C3: the memory clock does not depend on the rule."""
    cases = [*(parity(g, options.compare_at) for g in options.groups), NO_RULE]
    clocks = [runs.memory(case, view) for case in cases]
    low, high = (np.log([getattr(clock, side) for clock in clocks]) for side in ("low", "high"))
    least = np.maximum(0.0, low.max(axis=0) - high.min(axis=0))
    spread = LogRatio(
        np.where(np.isfinite(high).all(axis=0), np.ptp(low, axis=0), least), high.max(axis=0) - low.min(axis=0)
    )
    memory = LogRatio.of(clocks[1], clocks[0])
    rule = LogRatio.of(runs.rule(cases[1], view), runs.rule(cases[0], view))
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.maximum(np.abs(memory.low), np.abs(memory.high)) / np.maximum(rule.low, 0)
        least_effect = np.where(rule.low == rule.high, np.abs(memory.low) / np.abs(rule.low), 0.0)
    effect = bounded(
        "ln effect of G on the memory clock over that on the rule clock",
        least_effect,
        np.where(np.isnan(most), np.inf, most),
        below=0.5,
    )
    smaller = max(n for n, _ in options.sizes if n < options.compare_at)
    moves = LogRatio.of(clocks[1], runs.memory(parity(options.G, smaller), view))
    control = ratio(f"the clock can move: N = {options.compare_at} over {smaller}", moves, above=1.5)
    measures = (ratio("largest over smallest of four rules, seed by seed", spread, below=2), effect)
    return [
        Claim(
            f"C3: the memory clock is nearly the same for every rule (N = {options.compare_at})", measures, (control,)
        )
    ]


def linear_in_size(runs: Runs, options: Options, view: View) -> Claims:
    """C4: the memory clock grows nearly linearly with N: below the size where the window opens, and across it."""
    clocks = {n: runs.memory(parity(options.G, n), view) for n, _ in options.sizes}
    closed = {n: clock for n, clock in clocks.items() if n < options.open_at}
    across = {n: clock for n, clock in clocks.items() if options.compare_at <= n <= options.open_at}
    cases = [case for case in runs.dataset["case"].values.tolist() if not case.startswith("gpt")]
    held = np.mean([np.nanmax(runs.record(case, "M_ctrl")[1], axis=1) for case in cases], axis=0)
    controls = (
        mean("matches of a disjoint control set, largest of a run", held, below=HELD),
        never("new samples at every step", runs.memory(fresh(options.G), view)),
    )
    word, (low, high) = "slope of ln time on ln N", LINEAR
    return [
        Claim(
            f"C4: the memory clock is nearly linear in N, {_span(some)}",
            (_slope(word, some, above=low, below=high),),
            controls,
        )
        for some in (closed, across)
        if len(some) > 1
    ]


def _span(some: dict[int, Passages]) -> str:
    return f"N = {min(some)} to {max(some)}"


def window(runs: Runs, options: Options, view: View) -> Claims:
    """C5: the window can vanish, opens and widens with N, and narrows with complexity."""
    widths = {n: runs.window(parity(options.G, n), view) for n, _ in options.sizes}
    free = fresh(options.simpler)
    controls = (
        exact("new samples at every step, seeds that learn the simpler rule", float(runs.rule(free, view).hit.sum()),
              above=len(runs.rule(free, view)) - 0.5),
        never("and copies among them", runs.memory(free, view)),
    )  # fmt: skip
    closed, last = min(widths), max(widths)
    low, high = slope_bounds(np.log(list(widths)), [(one.low, one.high) for one in widths.values()])
    a, b, c = options.groups
    first = _less(runs.window(parity(b, options.compare_at), view), runs.window(parity(a, options.compare_at), view))
    second = _less(runs.window(parity(c, options.open_at), view), widths[options.open_at])
    over = "memory clock over rule clock"
    return [
        Claim(f"C5: the window can vanish (N = {closed})", (ratio(over, widths[closed], below=1),), controls),
        Claim(f"C5: the window opens with N (N = {last})", (ratio(over, widths[last], above=1),), controls),
        Claim("C5: the window widens with N", (bounded("slope of ln(memory/rule) on ln N", low, high, above=0),), controls),
        Claim(f"C5: the window narrows with complexity, N = {options.compare_at}",
              (ratio(f"window of G = {b} over that of {a}", first, below=1),), controls),
        Claim(f"C5: the window narrows with complexity, N = {options.open_at}",
              (ratio(f"window of G = {c} over that of {b}", second, below=1),), controls),
    ]  # fmt: skip


def _less(one: LogRatio, other: LogRatio) -> LogRatio:
    """Difference of two windows, seed by seed, as bounds."""
    return LogRatio(one.low - other.high, one.high - other.low)


def repetition(runs: Runs, options: Options, view: View) -> Claims:
    """Seen in the runs, and in the authors' tables: repeated samples teach the rule that as many new ones do not."""
    new, copied = runs.rule(fresh(options.G), view), runs.memory(fresh(options.G), view)
    rows = []
    for n in (n for n, _ in options.sizes if n >= options.open_at):
        later = LogRatio.of(new, runs.rule(parity(options.G, n), view))
        words = f"repetition helps the rule: {n} samples, repeated, against new ones at every step (G = {options.G})"
        measure = ratio("rule clock of new samples over that of repeated ones", later, above=1)
        rows.append(Claim(words, (measure,), (never("copies among new samples", copied),)))
    return rows


def families(runs: Runs, options: Options, view: View) -> Claims:
    """C6: diffusion and autoregressive models share the structure."""
    sizes = [n for n, _ in options.gpt_sizes]
    clocks = {n: runs.memory(gpt_case(n), view) for n in sizes}
    widths = {n: runs.window(gpt_case(n), view) for n in sizes}
    least = np.mean([np.nanmin(runs.record(gpt_case(n), "nll_open")[1], axis=1) for n in sizes], axis=0)
    control = mean("least −ln likelihood of bits that nothing determines, in ln 2", least / np.log(2), above=LEAKAGE)
    if len(sizes) < 2:
        return [Claim("C6: a GPT has both clocks", (ratio("window", widths[sizes[0]], above=1),), (control,))]
    low, high = slope_bounds(np.log(sizes), [(one.low, one.high) for one in widths.values()])
    over, controls = "memory clock over rule clock", (control,)
    linear = _slope("slope of ln time on ln N", clocks, above=0.7, below=1.3)
    wider = bounded("slope of ln(memory/rule) on ln N", low, high, above=0)
    first, last = sizes[0], sizes[-1]
    return [
        Claim("C6: the memory clock of a GPT is nearly linear in N", (linear,), controls),
        Claim("C6: the window of a GPT widens with N", (wider,), controls),
        Claim(f"C6: the window of a GPT can vanish (N = {first})", (ratio(over, widths[first], below=1),), controls),
        Claim(f"C6: the window of a GPT is open at N = {last}", (ratio(over, widths[last], above=1),), controls),
    ]


def basins(runs: Runs, options: Options, view: View) -> Claims:
    """C7: basins of rule-valid corners grow around the rule clock, those of training samples dominate around the memory clock."""
    if not options.basins:
        return [Claim("C7: basins", missing="basins were not measured")]
    wide, closed = parity(options.simpler, options.open_at), parity(options.G, options.sizes[0][0])
    grown = runs.passages(wide, "basin_E_R", AHEAD)
    copied = {case: runs.passages(case, "basin_ahead", AHEAD) for case in (wide, closed)}
    top = np.nanmax(runs.record(wide, "basin_E_R")[1], axis=1)
    last = np.array([row[np.isfinite(row)][-1] for row in runs.record(closed, "basin_ahead")[1]])
    flat = np.nanmean(np.abs(runs.record(NO_RULE, "basin_E_R")[1]), axis=1)
    held = [np.nanmean(np.abs(runs.record(case, "basin_D_control")[1]), axis=1) for case in (wide, closed)]
    controls = (
        mean("no rule in the data, mean |E_R|", flat, below=HELD),
        mean("a control set in place of the training set, mean |D_m|", np.mean(held, axis=0), below=HELD),
    )
    open_, shut = wide.replace("=", " = "), closed.replace("=", " = ")
    near = ratio("rule basins over rule clock", LogRatio.of(grown, runs.rule(wide, view)), above=1 / NEAR, below=NEAR)
    dominate = LogRatio.of(copied[closed], runs.memory(closed, view))
    ahead = LogRatio.of(copied[wide], runs.rule(wide, view))
    return [
        Claim(f"C7: rule basins grow around the rule clock ({open_})", (near, mean("largest E_R", top, above=0.2)), controls),
        Claim(f"C7: rule basins are ahead until copies come ({open_})",
              (ratio("training basins ahead over rule clock", ahead, above=1),), controls),
        Claim(f"C7: training basins dominate around the memory clock ({shut})",
              (ratio("training basins ahead over memory clock", dominate, above=1 / NEAR, below=NEAR),
               mean("D_m − E_R at the end", last, above=0.2)), controls),
    ]  # fmt: skip


def forecast(runs: Runs, options: Options, view: View) -> Claims:
    """Ours: the memory clock of larger sets from steps per sample, fitted on smaller ones."""
    del view  # fitted at the primary targets
    return [
        Claim(
            f"ours: the memory clock at N = {n} is c·N, c fitted on N < {options.open_at}",
            (ratio("observed over predicted, c's own error in it", found, above=1 / 1.5, below=1.5),),
            beside=f"fitted on N = {', '.join(map(str, frozen(runs, options)['linear'].fitted_on))}",
        )
        for n, found in forecasts(runs, options).items()
    ]


PRIMARY_VIEW = View()
"""At the primary targets."""

CLAIMS: tuple[Callable[[Runs, Options, View], Claims], ...] = (
    complexity, capacity, invariance, linear_in_size, window, repetition, families, basins, forecast,
)  # fmt: skip
"""What the abstract states, by number, and what we add."""


def every_claim(runs: Runs, options: Options, view: View = PRIMARY_VIEW) -> Claims:
    """All claims; those whose cases were dropped for lack of time say so."""
    found: Claims = []
    for judge in CLAIMS:
        try:
            found += judge(runs, options, view)
        except NotRunError as error:
            found.append(Claim((judge.__doc__ or "").rstrip("."), missing=f"no time was left for {error.args[0]}"))
    return found
