"""Rules against copies: when a model learns a rule, when it starts to copy, and whether there is a window in between."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from eigenclock.checks import InputError
from eigenclock.exact.ledger import loss_ledger
from eigenclock.exact.rules import GroupParity
from ..study import Part, Preset, Say, Study
from ..sweep import sweep
from . import figures as draw
from .basins import LEVELS
from .cases import CALIBRATION_SEED, Case, InnovationConfig, parity
from .clocks import Runs, View, assemble, clock_table, summary_table
from .forecast import forecast_table
from .measurement import measure
from .verdicts import claim_rows, target_table

RECONSTRUCTION = (
    "A reconstruction: only the abstract of arXiv:2605.10019 is known here. Rules, sizes, thresholds and controls are ours; "
    "nothing below repeats a figure of the paper, and no verdict is about it."
)

LIMITS = (
    "Synthetic rules only: whether a window exists for real images is not tested here.",
    "Steps confound the number of samples seen, the batch and the repeats of the training set.",
    "An exact match depends on reading real values as bits; verdicts depend on targets, horizons and widths that we chose.",
    "Whether the rule clock depends on N is not in the abstract: it is measured, not assumed.",
)


def run(config: InnovationConfig, *, folder: str | Path, say: Say = lambda words: None) -> xr.Dataset:
    """Train every case for every seed and assemble what was measured; finished cases in `folder` are only read.

    Dims: case, seed, checkpoint, corner, sigma. `attrs`: status, source, config, blocks_dropped for lack of time.
    """
    cases = config.cases()
    found = sweep(
        measure,
        cases,
        seeds=config.seeds,
        folder=Path(folder) / "runs" / "window",
        workers=config.workers,
        limit_seconds=60 * config.max_minutes,
        say=say,
    )
    if not found.results:
        raise InputError(f"max_minutes must leave time for one case, got {config.max_minutes:g}")
    incomplete = {case for case, _ in found.dropped}
    kept = {key: result for key, result in found.results.items() if key[0] not in incomplete}
    seconds = sum(found.seconds.values())
    return assemble(kept).assign_attrs(
        status="reconstruction",
        source="arXiv:2605.10019",
        config=repr(config),
        blocks_dropped=", ".join(sorted(incomplete)),
        core_seconds=seconds,
    )


def calibrate(config: InnovationConfig, *, steps: int | None = None) -> InnovationConfig:
    """The config with horizons from steps per sample, measured with a seed that is never reported, at the smallest N."""
    factors: dict[str, float] = {}
    for field, case in (("kappa", parity(config.G, config.sizes[0])), ("token_kappa", f"gpt N={config.gpt_sizes[0]}")):
        chosen = config.cases()[case]
        longer = replace(chosen, steps=steps or 4 * chosen.steps, basins=False)
        clock = Runs(assemble({(case, CALIBRATION_SEED): measure(longer, CALIBRATION_SEED)})).memory(case)
        if clock.hit.all():
            factors[field] = float(np.ceil(1.6 * clock.time[0] / chosen.N))
    return replace(config, **factors)  # type: ignore[arg-type]


@dataclass(frozen=True)
class InnovationWindow(Study):
    """Two clocks on exactly checkable rules (after the abstract of arXiv:2605.10019)."""

    window: InnovationConfig
    ledger: tuple[int, ...] = (3, 4, 6, 8, 12)
    name = "innovation_window"
    title = "Rules against copies: the innovation window"
    status = RECONSTRUCTION

    @classmethod
    def preset(cls, name: Preset) -> "InnovationWindow":
        config = InnovationConfig.preset(name)
        return cls(config, (3, 4) if name == "tiny" else tuple(g for g in (2, 3, 4, 6, 8, 9, 12) if config.D % g == 0))

    def parts(self) -> dict[str, Callable[[Path, Say], Part]]:
        return {"exact": lambda folder, say: self._exact(), "window": self._window}

    def _exact(self) -> Part:
        """What the closed forms say: the loss ledger, and basins of the three exact denoisers."""
        config, n_draws = self.window, 20_000 if self.window.judged else 1000
        rows = []
        for group in self.ledger:
            found = loss_ledger(GroupParity(config.D, group), config.compare_at, n_draws=n_draws, seed=0)
            rows.append({"G": group, "N": config.compare_at} | {name: float(value) for name, value in found.items()})
        table = pd.DataFrame(rows)
        rates = draw.reference_rates(GroupParity(config.D, config.G), config.sizes[0], 0)
        basins = pd.DataFrame(
            [
                {
                    "denoiser": name,
                    "corner": corner,
                    **{f"σ = {s:g}": rate for s, rate in zip(LEVELS, row, strict=True)},
                }
                for name, found in rates.items()
                for corner, row in zip(("training", "valid, unseen", "one bit off", "control"), found, strict=True)
            ]
        )
        pictures = {"ledger": draw.ledger_figure(table), "basins": draw.reference_figure(rates)}
        return Part(_ledger_claims(table, config), {"ledger": table, "basins": basins}, pictures)

    def _window(self, folder: Path, say: Say) -> Part:
        """Both clocks of trained networks."""
        config = self.window
        dataset = run(config, folder=folder, say=say)
        runs = Runs(dataset)
        tables = {
            "summary": summary_table(runs),
            "clocks": clock_table(runs),
            "targets": target_table(runs, config),
            "forecast": forecast_table(runs, config),
        }
        dropped = dataset.attrs["blocks_dropped"]
        notes = (*LIMITS, *((f"Not run for lack of time: {dropped}.",) if dropped else ()))
        return Part(claim_rows(runs, config), tables, draw.figures(runs, config), dataset, notes, ("summary",))


def _ledger_claims(table: pd.DataFrame, config: InnovationConfig) -> list[dict[str, str]]:
    """What the rule is worth in the loss against what the training set is worth."""
    first, last = table.iloc[0], table.iloc[-1]
    falls = bool((np.diff(table["gain"]) < 0).all())
    spread = float(np.ptp(table["memorising"]))
    noise = float(4 * table["memorising_error"].max())
    return [
        {
            "claim": f"exact optima: the reward for the rule falls with G, the memorising floor does not move (D = {config.D})",
            "paper": "ours",
            "here": f"rule's gain {first['gain']:.2f} of {first['factorised']:.2f} at G = {first['G']:g}, {last['gain']:.2f} "
            f"at G = {last['G']:g}; memorising floor {table['memorising'].min():.2f} … {table['memorising'].max():.2f}",
            "interval": f"standard errors: gain {table['gain_error'].max():.3f}, floor {table['memorising_error'].max():.2f}",
            "control": "the floor's spread over G against four standard errors: " + f"{spread:.2f} < {noise:.2f}",
            "verdict": ("shown" if falls and spread < noise else "not shown") if config.judged else "not assessed",
        }
    ]


STUDY = InnovationWindow

__all__ = ["STUDY", "Case", "InnovationConfig", "InnovationWindow", "Runs", "View", "calibrate", "measure", "run"]
