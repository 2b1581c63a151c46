"""Claims on the latent spectrum: over the modes of an arm, and over arms."""

import numpy as np
import pandas as pd
import scipy.stats

from eigenclock.clocks.replicates import LogRatio, mean_correlation
from ..claims import OURS, above, factor, row, signs, verdict
from .claims import Row, Runs, scalars, sign_of
from .clocks import FEWEST_MODES, covariance_clock, exponents, joined, order_of_modes, speedup, sustained


def mode_order(runs: Runs, *, enough: bool) -> list[Row]:
    """H4: the spectrum predicts mode clocks; H4-neg: and not sample quality."""
    rows = []
    plain = [name for name in runs if not name.startswith(("omega", "permutation"))]
    coded = [name for name in runs if name.startswith("omega")]

    def over(names: list[str]) -> tuple[list[float], int]:
        pairs = [order_of_modes(run) for name in names for run in runs[name]]
        return [one for one, _ in pairs], min((n for _, n in pairs), default=0)

    found, modes = over(plain)
    other, _ = over(coded)
    slopes = np.array([exponents(run) for run in runs["none"]])
    known = modes >= FEWEST_MODES and bool(np.isfinite(found).all())
    good = bool(np.min(found) >= 0.75) if known else None
    beside = f"; coupled arms {np.nanmin(other):.2f} to {np.nanmax(other):.2f}" if other else ""
    rows.append(
        row(
            "H4: the latent spectrum predicts mode clocks",
            f"rank correlation over modes: least {np.nanmin(found):.3f}, median {np.nanmedian(found):.3f} in {len(found)} runs "
            "without a coupling",
            f"at least {modes} uncensored modes, {FEWEST_MODES} wanted" + beside,
            "exponent of τ in λ, not assumed: "
            f"{np.nanmean(slopes[:, 0]):.2f} of growing, {np.nanmean(slopes[:, 1]):.2f} of shrinking modes",
            verdict(good, enough=enough),
            paper=OURS,
        )
    )
    if coded:
        worst = coded[-1]
        covariance = LogRatio.of(*(joined([covariance_clock(run) for run in runs[name]]) for name in (worst, "none")))
        consistency = speedup(runs["none"], runs[worst], "consistency")
        predicted = float(np.mean(scalars(runs[worst], "t_lin") / scalars(runs["none"], "t_lin")))
        product = sign_of(covariance) * sign_of(consistency)
        opposite = None if product == 0 else product < 0
        rows.append(
            row(
                "H4-neg: the spectrum alone does not predict sample quality",
                f"{worst} over identity: covariance clock {factor(covariance)}, predicted {predicted:.2f}; "
                f"consistency clock {factor(consistency)}",
                f"covariance {signs(covariance)}; consistency {signs(consistency)}",
                "covariance alone misses local continuity",
                verdict(opposite, enough=enough),
                paper=OURS,
            )
        )
    return rows


def link_table(runs: Runs) -> pd.DataFrame:
    """Per arm and seed: time predicted from the spectrum, measured covariance clock, steps to the baseline's final values."""
    rows = []
    for name, several in runs.items():
        for i, run in enumerate(several):
            base = runs["none"][i]
            rows.append(
                {
                    "arm": name,
                    "seed": i,
                    "predicted": float(run["t_lin"]),
                    "covariance clock": covariance_clock(run).low[0],
                    "pixel clock": sustained(
                        run["step"].values,
                        run["fd"].sel(feature="pix").values,
                        1.1 * float(base["fd"].sel(feature="pix")[-1]),
                    ).low[0],
                    "final pixel distance": float(run["fd"].sel(feature="pix")[-1]),
                    "final consistency lost": 1 - float(run["consistency"][-1]),
                    "LPC": float(run["lpc"]),
                }
            )
    return pd.DataFrame(rows)


def links(table: pd.DataFrame, *, enough: bool) -> list[Row]:
    """Rank correlation over arms, per seed, of what the spectrum (and local continuity) say with what was measured."""
    rows = []
    for cause, words in (("predicted", "the latent spectrum"), ("LPC", "local continuity (LPC)")):
        for measured in ("covariance clock", "final pixel distance", "final consistency lost"):
            found = [
                float(scipy.stats.spearmanr(one[cause], one[measured]).statistic)
                for _, one in table.groupby("seed")
                if len(one) >= 4 and min(one[measured].nunique(), one[cause].nunique()) > 1
            ]
            if not found:
                continue
            mean = mean_correlation(found)
            rows.append(
                row(
                    f"link: {words} orders the arms by {measured}",
                    f"rank correlation over arms {mean.value:.2f}",
                    f"{mean}; per seed {', '.join(f'{one:.2f}' for one in found)}",
                    f"{table['arm'].nunique()} arms; 0 if it says nothing, negative if it misleads",
                    verdict(above(mean, 0), enough=enough),
                    paper=OURS,
                )
            )
    return rows
