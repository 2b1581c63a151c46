"""The claims of the abstract, each read from the dataset: statistic per seed, interval, control, verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ...passage import Passages
from ...replicates import LogRatio, student_interval
from .cases import AFFINE, FRESH, NO_RULE, InnovationConfig, parity, width
from .clocks import OTHER_READINGS, VIEWS, Runs, View, opening, point
from .forecast import forecast_table, smallest_open

Row = dict[str, str]
Answer = bool | None
"""True, False, or None where censoring or the interval leaves it open."""

LEAKAGE = 0.98 * np.log(2)
"""Held-out likelihood of bits that nothing determines cannot be better than ln 2; below this something leaked."""


@dataclass(frozen=True)
class Found:
    """What a claim's data say: words, interval in words, controls (name, passed), and the answer to each criterion."""

    here: str
    interval: str
    controls: tuple[tuple[str, Answer], ...]
    answers: tuple[Answer, ...]

    @property
    def verdict(self) -> str:
        """shown, not shown or undetermined; a control that fails leaves the claim undetermined."""
        if any(passed is not None and not passed for _, passed in self.controls):
            return "undetermined (a control failed)"
        if any(answer is not None and not answer for answer in self.answers):
            return "not shown"
        if any(answer is None for answer in (*self.answers, *(passed for _, passed in self.controls))):
            return "undetermined"
        return "shown"


def above(low: Any, high: Any, bound: float, *, mean: float | None = None) -> Answer:
    """Whether the mean over seeds lies above a bound with its interval, and is at least `mean`; from bounds of each seed."""
    if np.isfinite(low).all() and np.size(low) > 1:
        surely = student_interval(low)
        if surely.low > bound and surely.value >= (bound if mean is None else mean):
            return True
    if np.isfinite(high).all() and np.size(high) > 1:
        most = student_interval(high)
        if most.high < bound or (mean is not None and most.high < mean):
            return False
    return None


def every(yes: Any, no: Any) -> Answer:
    """True if `yes` holds for every seed, False if `no` for at least one, else None."""
    return True if np.all(yes) else False if np.any(no) else None


def censored(clock: Passages) -> Answer:
    """Whether a clock that should never be reached was not, in any seed."""
    return every(np.isinf(clock.high) & (clock.low > 0), np.isfinite(clock.high))


def _ratio(name: str, ratio: LogRatio) -> str:
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
        f"G = {config.G} over {ordered[0]}: {_ratio('(samples)', sample)}; {_ratio('(groups)', group)}",
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
    control = runs.rule(AFFINE, view)
    found = f"slope of ln time on ln width {_estimate(slopes)} over widths {plain}"
    return Found(
        found + f"; at rate ∝ 1/width {_estimate(again)} over {rated}",
        "; ".join(f"{w}: {runs.rule(width(w), view)}" for w in sorted((*config.widths, own))),
        ((f"affine denoiser: {control}", censored(control)),),
        (_negative(slopes), None if _negative(again) is False else _negative(again)),
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


def _inside(slopes: Any, low: float, high: float) -> Answer:
    """Whether the mean over seeds lies in a range; None if only its interval reaches in."""
    found = student_interval(slopes)
    if low <= found.value <= high:
        return True
    return False if found.high < low or found.low > high else None


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
    if (memory.low == memory.high).all() and (rule.low > 0).all():
        effect = np.abs(memory.low) / rule.low
        second = bool(effect.mean() <= 0.5)
        interval += f"; effect of G on memory over that on the rule {student_interval(effect)}"
    smaller = max(n for n in config.sizes if n < config.compare_at)
    moves = LogRatio.of(
        runs.memory(parity(config.G, config.compare_at), view), runs.memory(parity(config.G, smaller), view)
    )
    moved = every(moves.low > np.log(1.5), moves.high < np.log(1.5))
    return Found(words, interval, ((f"doubling N: {_ratio('', moves)}", moved),), (first, second))


def linear_in_size(runs: Runs, config: InnovationConfig, view: View) -> Found:
    """C4: the memory clock grows nearly linearly with N."""
    clocks = {n: runs.memory(parity(config.G, n), view) for n in config.sizes}
    seen = {n: clock.time for n, clock in clocks.items() if clock.hit.all()}
    slopes = _slopes(seen)
    answer: Answer = None if slopes is None else _inside(slopes, 0.8, 1.2)
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
        answers.append(_inside(slopes[0], 0.7, 1.3) if seen else None)
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
        "C2": [*(width(w) for w in (*config.widths[:2], own)), AFFINE],
        "C3": [*compared, NO_RULE, *sizes],
        "C4": [*sizes, FRESH],
        "C5": [*sizes, *compared, FRESH],
        "C6": [*(f"gpt N={n}" for n in config.gpt_sizes), *(parity(config.G, n) for n in config.gpt_sizes)],
        "C7": [sizes[0], parity(config.G, config.open_at), NO_RULE] if config.basins else ["basins"],
    }


def verdicts(runs: Runs, config: InnovationConfig) -> list[Row]:
    """A row per claim, then the other rules and the forecast."""
    rows = []
    for key, (words, judge) in CLAIMS.items():
        row = {"claim": f"{key}: {words}", "paper": "stated in the abstract, without figures known here"}
        if not config.judged or not runs.has(*needed(config)[key]):
            rows.append(row | {"here": "–", "interval": "–", "control": "–", "verdict": "not assessed"})
            continue
        found = judge(runs, config, View())
        others = [judge(runs, config, view).verdict for view in VIEWS]
        same = sum(other == found.verdict for other in others)
        changed = [name for name, view in OTHER_READINGS.items() if judge(runs, config, view).verdict != found.verdict]
        control = "; ".join(f"{name} ({_passed(ok)})" for name, ok in found.controls)
        control += f". Same verdict at {same} of {len(others)} pairs of targets"
        control += f"; changes with: {', '.join(changed)}" if changed else "; same by every other reading"
        rows.append(
            row | {"here": found.here, "interval": found.interval, "control": control, "verdict": found.verdict}
        )
    return rows + (_rules(runs, config) + _forecast(runs, config) if config.judged else [])


def _passed(answer: Answer) -> str:
    return {True: "passed", False: "FAILED", None: "undetermined"}[answer]


def target_table(runs: Runs, config: InnovationConfig) -> pd.DataFrame:
    """The verdict on every claim at every pair of targets, and by every other reading."""
    rows = []
    for key, (_, judge) in CLAIMS.items():
        if not config.judged or not runs.has(*needed(config)[key]):
            continue
        for view in VIEWS:
            verdict = judge(runs, config, view).verdict
            rows.append(
                {
                    "claim": key,
                    "rule target": view.rule,
                    "memory target": view.memory,
                    "reading": "isotonic",
                    "verdict": verdict,
                }
            )
        for name, view in OTHER_READINGS.items():
            verdict = judge(runs, config, view).verdict
            rows.append(
                {
                    "claim": key,
                    "rule target": view.rule,
                    "memory target": view.memory,
                    "reading": name,
                    "verdict": verdict,
                }
            )
    return pd.DataFrame(rows, columns=["claim", "rule target", "memory target", "reading", "verdict"])


def _rules(runs: Runs, config: InnovationConfig) -> list[Row]:
    """Whether each clock exists for two other rules."""
    rows = []
    n = config.sizes[len(config.sizes) // 2]
    for name in (f"GroupWeight N={n}", f"Permutation N={n}"):
        if not runs.has(name):
            continue
        rule, memory, alike = runs.rule(name), runs.memory(name), "–"
        if name.startswith("GroupWeight") and runs.has(parity(config.G, n)):
            alike = _ratio("of its memory clock to parity's", LogRatio.of(memory, runs.memory(parity(config.G, n))))
        rows.append(
            {
                "claim": f"both clocks exist for {name.replace(' N=', ', N = ')}",
                "paper": "other rules and puzzles, not known here",
                "here": f"rule clock {rule}; memory clock {memory}",
                "interval": alike,
                "control": f"matches of a disjoint control set, at most {np.nanmax(runs.record(name, 'M_ctrl')[1]):.3f}",
                "verdict": "shown" if rule.hit.all() and memory.hit.all() else _which(rule, memory),
            }
        )
    return rows


def _which(rule: Passages, memory: Passages) -> str:
    seen = [name for name, clock in (("rule clock", rule), ("memory clock", memory)) if clock.hit.all()]
    return f"undetermined: only the {seen[0]} was reached" if seen else "undetermined: neither clock was reached"


def _forecast(runs: Runs, config: InnovationConfig) -> list[Row]:
    """The forecast against its baselines, and the lower bound on N."""
    table = forecast_table(runs, config)
    rows: list[Row] = []
    if len(table):
        seen = table["ln error"].notna()
        least = table["ln error"].abs().where(seen, np.maximum(-table["ln error at most"], 0.0))
        errors = table.assign(size=table["ln error"].abs()).groupby("law", sort=False)["size"].mean()
        bounds = table.assign(size=least).groupby("law", sort=False)["size"].mean()
        ours = table[table["law"] == "linear"]
        far = np.log(1.5)
        missed = (ours["ln error at most"] < -far) | (ours["ln error"].abs() > far)
        met = (ours["ln error"].abs() <= far).all() and (errors["linear"] < errors.drop("linear")).all()
        verdict = "not shown" if missed.any() else "shown" if met else "undetermined"
        fits = "; ".join(
            f"N = {r['N']}: predicted {r['predicted']:,.0f} [{r['low']:,.0f}, {r['high']:,.0f}], observed {r['observed (words)']}"
            for _, r in ours.iterrows()
        )
        rows.append(
            {
                "claim": f"forecast: memory clock = c·N, fitted on N = {ours['fitted on'].iloc[0]} only",
                "paper": "ours",
                "here": f"c = {ours['steps per sample'].iloc[0]:.1f} steps per sample; {fits}",
                "interval": "95 % prediction interval of one run, in brackets",
                "control": f"mean |ln error|{'' if seen.all() else ', at least (censored)'}: "
                + ", ".join(f"{law} {error:.2f}" for law, error in bounds.items()),
                "verdict": verdict,
            }
        )
    bound, at_least = smallest_open(runs, config)
    if np.isfinite(at_least):
        known = [n for n in (*config.sizes, *config.held_out) if runs.has(parity(config.G, n))]
        wrong = [n for n in known if n < at_least and opening(runs.window(parity(config.G, n))) == "open"]
        words = (
            f"{bound:,.0f}" if np.isfinite(bound) else f"at least {at_least:,.0f} (rule clock of fresh data censored)"
        )
        rows.append(
            {
                "claim": "forecast: closed for every N below (rule clock of fresh data)/c",
                "paper": "ours",
                "here": f"bound {words}; "
                + "; ".join(f"N = {n}: {opening(runs.window(parity(config.G, n)))}" for n in known),
                "interval": "–",
                "control": f"open below the bound: {', '.join(map(str, wrong)) or 'none'}",
                "verdict": "not shown" if wrong else "shown",
            }
        )
    return rows
