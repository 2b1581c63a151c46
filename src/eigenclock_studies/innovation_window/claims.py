"""The claims of the abstract, each read from the dataset: statistic per seed, interval, control."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from eigenclock.clocks.replicates import LogRatio, student_interval
from .answers import Answer, Found, above, censored, every, inside
from .cases import AFFINE, FRESH, NO_RULE, InnovationConfig, parity, width
from .clocks import Runs, View, opening, point

LEAKAGE = 0.98 * np.log(2)
"""Held-out likelihood of bits that nothing determines cannot be better than ln 2; below this something leaked."""


def in_words(name: str, ratio: LogRatio) -> str:
    """A paired ratio, named."""
    return f"ln ratio {name} {ratio}"


def complexity(runs: Runs, config: InnovationConfig, view: View) -> Found:
    """C1: the rule clock increases with the complexity of the rule."""
    ordered = sorted(config.complexities)
    low, mid, high = (parity(g, config.compare_at) for g in (ordered[0], config.G, ordered[-1]))
    sample = LogRatio.of(runs.rule(mid, view), runs.rule(low, view))
    group = LogRatio.of(runs.group(mid, view), runs.group(low, view))
    last, before = runs.rule(high, view), runs.rule(mid, view)
    larger = LogRatio.of(last, before)
    control = runs.rule(NO_RULE, view)
    return Found(
        f"rule clock: G = {ordered[0]}: {runs.rule(low, view)}; G = {config.G}: {before}; G = {ordered[-1]}: {last}",
        f"G = {config.G} over {ordered[0]}: {in_words('(samples)', sample)}; {in_words('(groups)', group)}",
        ((f"uniform bits judged by the rule: {control}", censored(control)),),
        (
            above(sample.low, sample.high, 0, mean=np.log(1.5)),
            above(group.low, group.high, 0, mean=np.log(1.5)),
            every((larger.low > 0) | (np.isinf(last.high) & (last.low > 0)), larger.high < 0),
        ),
    )


def capacity(runs: Runs, config: InnovationConfig, view: View) -> Found:
    """C2: the rule clock decreases with capacity."""
    own = getattr(config.model, "width", 0)
    plain, slopes = _widths(runs, (*config.widths, own), view)
    rated, again = _widths(runs, (*config.corrected_widths, config.rate_width), view, corrected=config.corrected_widths)
    clocks = {w: runs.rule(width(w), view).hit.all() for w in sorted({*config.widths, own})}
    first = next(
        (w for w, seen in clocks.items() if seen), None
    )  # a width that learns, and then a larger one that does not,
    falling = first is not None and all(seen for w, seen in clocks.items() if w > first)  # speaks against the claim
    control = runs.rule(AFFINE, view)
    found = f"slope of ln time on ln width {_estimate(slopes)} over widths {plain}"
    return Found(
        found + f"; at rate ∝ 1/width {_estimate(again)} over {rated}",
        "; ".join(f"{w}: {runs.rule(width(w), view)}" for w in sorted((*config.widths, own))),
        ((f"affine denoiser: {control}", censored(control)),),
        (_negative(slopes) if falling else None, None if _negative(again) is False else _negative(again)),
    )


def _widths(runs: Runs, widths: Any, view: View, *, corrected: Any = ()) -> tuple[str, Any]:
    """Widths whose clocks were all seen, and the slope of every seed over them; None of fewer than three."""
    named = {w: width(w, corrected=w in corrected) for w in sorted(set(widths))}
    clocks = {w: runs.rule(case, view) for w, case in named.items() if runs.has(case)}
    seen = {w: clock.time for w, clock in clocks.items() if clock.hit.all()}
    return ", ".join(map(str, seen)), _slopes(seen)


def _slopes(times: dict[int, Any]) -> Any:
    """Slope of ln time on ln size of every seed; None of fewer than three sizes."""
    if len(times) < 3:
        return None
    return np.polyfit(np.log(list(times)), np.log(np.stack(list(times.values()))), 1)[0]


def _estimate(values: Any) -> str:
    return "not measurable (censored)" if values is None else str(student_interval(values))


def _negative(slopes: Any) -> Answer:
    return None if slopes is None else above(-slopes, -slopes, 0)


def invariance(runs: Runs, config: InnovationConfig, view: View) -> Found:
    """C3: the memory clock does not depend on the rule."""
    cases = [*(parity(g, config.compare_at) for g in config.complexities), NO_RULE]
    clocks = [runs.memory(case, view) for case in cases]
    ordered = sorted(config.complexities)
    low, mid = (parity(g, config.compare_at) for g in (ordered[0], config.G))
    memory = LogRatio.of(runs.memory(mid, view), runs.memory(low, view))
    rule = LogRatio.of(runs.rule(mid, view), runs.rule(low, view))
    words = "; ".join(f"{case}: {clock}" for case, clock in zip(cases, clocks, strict=True))
    if all(clock.hit.all() for clock in clocks):
        logs = np.log(np.stack([clock.time for clock in clocks]))
        spread = float(np.exp(np.ptp(logs.mean(axis=1))))
        each = student_interval(np.ptp(logs, axis=0))
        first: Answer = spread <= 2
        interval = f"largest over smallest {spread:.2f}; ln of it seed by seed {each}"
    else:
        first, interval = None, "not measurable: a memory clock is censored"
    second: Answer = None
    seen = (rule.low == rule.high) & np.isfinite(rule.low) & (rule.low != 0)
    if (memory.low == memory.high).all() and (seen | (rule.low > 0)).all():
        effect = np.abs(memory.low) / np.where(seen, np.abs(rule.low), rule.low)  # at most, where the rule's is a bound
        second = True if effect.mean() <= 0.5 else False if seen.all() else None
        interval += f"; effect of G on memory over that on the rule {student_interval(effect)}"
    smaller = max(n for n in config.sizes if n < config.compare_at)
    moves = LogRatio.of(
        runs.memory(parity(config.G, config.compare_at), view), runs.memory(parity(config.G, smaller), view)
    )
    moved = every(moves.low > np.log(1.5), moves.high < np.log(1.5))
    return Found(words, interval, ((f"doubling N: {in_words('', moves)}", moved),), (first, second))


def linear_in_size(runs: Runs, config: InnovationConfig, view: View) -> Found:
    """C4: the memory clock grows nearly linearly with N."""
    clocks = {n: runs.memory(parity(config.G, n), view) for n in config.sizes}
    seen = {n: clock.time for n, clock in clocks.items() if clock.hit.all()}
    slopes = _slopes(seen)
    answer: Answer = None if slopes is None else inside(slopes, 0.8, 1.2)
    if answer and not (student_interval(slopes).excludes(0) and student_interval(slopes).excludes(0.5)):
        answer = None
    held = max(float(np.nanmax(runs.record(case, "M_ctrl")[1])) for case in runs.dataset["case"].values.tolist())
    fresh = runs.memory(FRESH, view)
    return Found(
        "; ".join(f"N = {n}: {clock}" for n, clock in clocks.items()),
        f"slope of ln time on ln N {_estimate(slopes)} over N = {', '.join(map(str, seen)) or '–'}",
        (
            (f"matches of a disjoint control set, at most {held:.3f}", held < 0.05),
            (f"fresh data at every step: {fresh}", censored(fresh)),
        ),
        (answer,),
    )


def window(runs: Runs, config: InnovationConfig, view: View) -> Found:
    """C5: the window widens with N, narrows with complexity, and can vanish."""
    widths = {
        n: runs.window(parity(config.G, n), view)
        for n in (*config.sizes, *config.held_out)
        if runs.has(parity(config.G, n))
    }
    by_rule = [runs.window(parity(g, config.compare_at), view) for g in sorted(config.complexities)]
    first, last = widths[config.sizes[0]], widths[config.open_at]
    points = np.stack([point(one) for one in widths.values()])
    usable = np.isfinite(points).all(axis=1)
    slopes = np.polyfit(np.log(np.array(list(widths))[usable]), points[usable], 1)[0] if usable.sum() > 1 else None
    ordered = [every(a.low > b.high, a.high < b.low) for a, b in pairwise(by_rule)]
    fresh = opening(runs.window(FRESH, view))
    later = [n for n in config.held_out if n in widths and opening(widths[n]) == "open"]
    here = "; ".join(f"N = {n}: {opening(one)}" for n, one in widths.items())
    groups = "; ".join(f"G = {g}: {opening(one)}" for g, one in zip(sorted(config.complexities), by_rule, strict=True))
    opened = every(last.low > 0, last.high <= 0)
    if opened is False and later:
        here += f" (open at N = {later[0]} instead of {config.open_at})"
        opened = True
    return Found(
        f"{here}; at N = {config.compare_at}: {groups}",
        f"ln(memory/rule): N = {config.sizes[0]}: {first}; N = {config.open_at}: {last}; slope on ln N {_estimate(slopes)}",
        ((f"fresh data: {fresh}", fresh == "open" or (None if fresh in ("undetermined", "mixed") else False)),),
        (
            every(first.high <= 0, first.low > 0),
            opened,
            None if slopes is None else above(slopes, slopes, 0),
            None if None in ordered and False not in ordered else all(ordered),
        ),
    )


def families(runs: Runs, config: InnovationConfig, view: View) -> Found:
    """C6: diffusion and autoregressive models share the structure, with offsets."""
    small, large = config.gpt_sizes[0], config.gpt_sizes[-1]
    names = {"MLP": (parity(config.G, small), parity(config.G, large)), "GPT": (f"gpt N={small}", f"gpt N={large}")}
    if config.dit_sizes:
        names["DiT"] = (f"dit N={config.dit_sizes[0]}", f"dit N={config.dit_sizes[-1]}")
    words, answers = [], []
    for family, (a, b) in names.items():
        growth = LogRatio.of(runs.memory(b, view), runs.memory(a, view))
        slopes = (growth.low / np.log(large / small), growth.high / np.log(large / small))
        seen = np.isfinite(slopes).all() and (slopes[0] == slopes[1]).all()
        answers.append(inside(slopes[0], 0.7, 1.3) if seen else None)
        before, after = runs.window(a, view), runs.window(b, view)
        answers.append(every(after.low > before.high, after.high < before.low))
        shown = str(student_interval(slopes[0])) if seen else "not measurable (censored)"
        words.append(f"{family}: slope {shown}, window {opening(before)} at N = {small}, {opening(after)} at {large}")
    mlp, gpt = names["MLP"][1], names["GPT"][1]
    rule = LogRatio.of(runs.rule(gpt, view), runs.rule(mlp, view))
    memory = LogRatio.of(runs.memory(gpt, view), runs.memory(mlp, view))
    leak = min(float(np.nanmin(runs.record(case, "nll_open")[1])) for case in names["GPT"])
    return Found(
        "; ".join(words),
        f"offset GPT over MLP at N = {large}: rule {rule}; memory {memory}",
        ((f"likelihood of bits that nothing determines, at least {leak / np.log(2):.2f} ln 2", bool(leak >= LEAKAGE)),),
        tuple(answers),
    )


def basins(runs: Runs, config: InnovationConfig, view: View) -> Found:
    """C7: basins of rule-valid corners grow around the rule clock, those of training samples around the memory clock."""
    wide, narrow = parity(config.G, config.open_at), parity(config.G, config.sizes[0])
    rise = {case: runs.passages(case, "basin_E_R", 0.1) for case in (wide, narrow)}
    dominate = {case: runs.passages(case, "basin_D_m", 0.1) for case in (wide, narrow)}
    top = {
        (case, name): np.nanmax(runs.record(case, name)[1], axis=1)
        for case in (wide, narrow)
        for name in ("basin_E_R", "basin_D_m")
    }
    end = np.array([row[np.isfinite(row)][-1] for row in runs.record(narrow, "basin_D_m")[1]])
    near_rule, near_memory = (
        LogRatio.of(rise[wide], runs.rule(wide, view)),
        LogRatio.of(dominate[narrow], runs.memory(narrow, view)),
    )
    first = LogRatio.of(dominate[wide], rise[wide])
    flat = float(np.nanmax(np.abs(runs.record(NO_RULE, "basin_E_R")[1])))
    held = max(float(np.nanmax(np.abs(runs.record(case, "basin_D_control")[1]))) for case in (wide, narrow))
    three = np.log(3)
    return Found(
        f"N = {config.open_at}: rule basins at {rise[wide]}, largest E_R {top[wide, 'basin_E_R'].mean():.2f}, training "
        f"basins at {dominate[wide]}; N = {config.sizes[0]}: training basins at {dominate[narrow]}, last D_m {end.mean():.2f}, "
        f"largest E_R {top[narrow, 'basin_E_R'].mean():.2f}",
        f"ln(rule basins/rule clock) at N = {config.open_at}: {near_rule}; "
        f"ln(training basins/memory clock) at N = {config.sizes[0]}: {near_memory}",
        (
            (f"no rule: largest |E_R| {flat:.3f}", flat <= 0.05),
            (f"control set: largest |D_m| {held:.3f}", held <= 0.05),
        ),
        (
            every(top[wide, "basin_E_R"] >= 0.2, top[wide, "basin_E_R"] < 0.2),
            every(
                (near_rule.low > -three) & (near_rule.high < three), (near_rule.high < -three) | (near_rule.low > three)
            ),
            every(first.low > 0, first.high <= 0),
            every(end >= 0.2, end < 0.2),
            every(
                (near_memory.low > -three) & (near_memory.high < three),
                (near_memory.high < -three) | (near_memory.low > three),
            ),
            every(
                top[narrow, "basin_E_R"] < top[narrow, "basin_D_m"],
                top[narrow, "basin_E_R"] >= top[narrow, "basin_D_m"],
            ),
        ),
    )


CLAIMS: dict[str, tuple[str, Callable[[Runs, InnovationConfig, View], Found]]] = {
    "C1": ("the rule clock increases with rule complexity", complexity),
    "C2": ("the rule clock decreases with capacity", capacity),
    "C3": ("the memory clock is nearly the same for every rule", invariance),
    "C4": ("the memory clock grows nearly linearly with N", linear_in_size),
    "C5": ("the window widens with N, narrows with complexity, can vanish", window),
    "C6": ("diffusion and autoregressive models share the structure, with offsets", families),
    "C7": ("rule basins grow around the rule clock, training basins dominate around the memory clock", basins),
}
"""What the abstract states, by number."""


def needed(config: InnovationConfig) -> dict[str, list[str]]:
    """Cases that each claim needs."""
    compared = [parity(g, config.compare_at) for g in config.complexities]
    sizes = [parity(config.G, n) for n in config.sizes]
    own = getattr(config.model, "width", 0)
    return {
        "C1": [*compared, NO_RULE],
        "C2": [
            *(width(w) for w in (*config.widths, own, config.rate_width)),
            *(width(w, corrected=True) for w in config.corrected_widths),
            AFFINE,
        ],
        "C3": [*compared, NO_RULE, *sizes],
        "C4": [*sizes, FRESH],
        "C5": [*sizes, *compared, FRESH],
        "C6": [
            *(f"gpt N={n}" for n in config.gpt_sizes),
            *(f"dit N={n}" for n in config.dit_sizes),
            *(parity(config.G, n) for n in config.gpt_sizes),
        ],
        "C7": [sizes[0], parity(config.G, config.open_at), NO_RULE] if config.basins else ["basins"],
    }
