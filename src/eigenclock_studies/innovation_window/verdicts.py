"""The table of verdicts: every claim at the primary targets, at all others, the further rules, and the forecast."""

import numpy as np
import pandas as pd

from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import LogRatio
from ..claims import PAPER
from .answers import Answer
from .cases import InnovationConfig, parity
from .claims import CLAIMS, in_words, needed
from .clocks import OTHER_READINGS, VIEWS, Runs, View, opening
from .forecast import forecast_table, sizes_of, smallest_open

Row = dict[str, str]


def claim_rows(runs: Runs, config: InnovationConfig) -> list[Row]:
    """A row per claim, then the other rules and the forecast."""
    rows = []
    for key, (words, judge) in CLAIMS.items():
        row = {"claim": f"{key}: {words}", "paper": PAPER}
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
            alike = in_words("of its memory clock to parity's", LogRatio.of(memory, runs.memory(parity(config.G, n))))
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
        met = met and set(ours["N"]) == set(sizes_of(config)[1])
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
        below = [opening(runs.window(parity(config.G, n))) for n in known if n < at_least]
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
                "verdict": "not shown" if wrong else "shown" if below and set(below) == {"closed"} else "undetermined",
            }
        )
    return rows
