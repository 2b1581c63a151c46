"""Part: both clocks of trained networks under definitions of our own, which count novel samples only."""

from pathlib import Path

import pandas as pd
import xarray as xr

from eigenclock.checks import InputError
from ..study import Part, Say
from ..sweep import sweep
from .cases import MEMORY_LEVELS, RULE_LEVELS, Case, Options
from .claims import every_claim
from .clocks import OTHER_READINGS, VIEWS, Runs, assemble, clock_table, summary_table
from .figures import figures
from .forecast import forecast_table
from .measurement import measure

LIMITS = (
    "Synthetic rules only: whether a window exists for real images is not tested here.",
    "Steps confound the number of samples seen, the batch and the repeats of the training set.",
    "Rule clock: validity of novel samples, beyond chance, through 0.1; memory clock: exact copies beyond those that a perfect "
    f"rule sampler makes, through 0.1. The table of targets has every verdict at all pairs of {RULE_LEVELS} and {MEMORY_LEVELS}, "
    "and by three other readings.",
)


def measured(options: Options, folder: Path, say: Say = lambda words: None) -> xr.Dataset:
    """Train every case for every seed and assemble what was measured; finished cases in `folder` are only read.

    Dims: case, seed, checkpoint, corner, sigma. `attrs`: source, options, the cases dropped for lack of time.
    """
    place, limit = folder / "runs" / "window", 60 * options.max_minutes
    kept: dict[tuple[str, int], xr.Dataset] = {}
    incomplete: set[str] = set()
    seconds = 0.0
    blocks: tuple[tuple[dict[str, Case], tuple[int, ...]], ...] = (
        (options.token_cases(), options.gpt_seeds),
        (options.cases(), options.seeds),
    )
    for cases, seeds in blocks:
        found = sweep(measure, cases, seeds=seeds, folder=place, workers=options.workers, limit_seconds=limit, say=say)
        dropped = {case for case, _ in found.dropped}
        kept |= {key: result for key, result in found.results.items() if key[0] not in dropped}
        incomplete |= dropped
        seconds += sum(found.seconds.values())
    if not kept:
        raise InputError(f"max_minutes must leave time for one case, got {options.max_minutes:g}")
    return assemble(kept).assign_attrs(
        source="arXiv:2605.10019", options=repr(options), dropped=", ".join(sorted(incomplete)), core_seconds=seconds
    )


def target_table(runs: Runs, options: Options) -> pd.DataFrame:
    """The verdict on every claim at every pair of targets, and by every other reading."""
    views = [("isotonic", view) for view in VIEWS] + list(OTHER_READINGS.items())
    rows = []
    for reading, view in views:
        at = {"rule target": view.rule, "memory target": view.memory, "reading": reading}
        rows += [{"claim": one.words, **at, "verdict": one.verdict.outcome} for one in every_claim(runs, options, view)]
    return pd.DataFrame(rows).drop_duplicates()


def robustness_table(targets: pd.DataFrame) -> pd.DataFrame:
    """Of every claim: the verdict at the primary targets, and at how many other targets and readings it is the same."""
    rows = []
    for claim, here in targets.groupby("claim", sort=False):
        primary = here[(here["rule target"] == 0.1) & (here["memory target"] == 0.1) & (here["reading"] == "isotonic")]
        verdict = primary["verdict"].iloc[0]
        pairs, readings = here[here["reading"] == "isotonic"], here[here["reading"] != "isotonic"]
        rows.append(
            {
                "claim": claim,
                "at the primary targets": verdict,
                "same at pairs of targets": f"{int((pairs['verdict'] == verdict).sum())} of {len(pairs)}",
                "same by other readings": f"{int((readings['verdict'] == verdict).sum())} of {len(readings)}",
            }
        )
    return pd.DataFrame(rows)


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, read both clocks, judge, draw."""
    dataset = measured(options, folder, say)
    runs = Runs(dataset)
    targets = target_table(runs, options)
    tables = {
        "summary": summary_table(runs),
        "robustness": robustness_table(targets),
        "clocks": clock_table(runs),
        "targets": targets,
        "forecast": forecast_table(runs, options),
    }
    dropped = dataset.attrs["dropped"]
    notes = (*LIMITS, *((f"Not run for lack of time: {dropped}.",) if dropped else ()))
    return Part(
        every_claim(runs, options),
        tables,
        figures(runs, options),
        dataset,
        notes,
        ("summary", "robustness", "forecast"),
    )
