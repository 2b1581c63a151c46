"""Claims of the study: what was measured, its interval, its control, its verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from eigenclock.clocks.replicates import Estimate, LogRatio, student_interval
from ..claims import OURS, above, factor, row, signs, verdict
from .clocks import covariance_clock, joined, speedup
from .config import CONTROLS

Runs = Mapping[str, Sequence[xr.Dataset]]
Row = dict[str, str]

GATE_L1, GATE_FLOOR = 1.3, 1.6
"""Most that an arm's reconstruction and its floors may exceed the control's, for its generator to be compared."""

FEWEST = 3
PAPER = "stated in the abstract and figures at ImageNet scale; only the claim is tested here"


def scalars(runs: Sequence[xr.Dataset], name: str) -> np.ndarray:
    """A scalar over seeds."""
    return np.array([float(run[name]) for run in runs])


def final(runs: Sequence[xr.Dataset], feature: str) -> np.ndarray:
    """Last Fréchet distance over seeds."""
    return np.array([float(run["fd"].sel(feature=feature)[-1]) for run in runs])


def gate(arm: Sequence[xr.Dataset], control: Sequence[xr.Dataset]) -> tuple[bool, str]:
    """Whether an arm reconstructs well enough to be compared, and in words."""
    l1 = scalars(arm, "l1").mean() / scalars(control, "l1").mean()
    floors = {
        name: np.mean([float(one["fd_floor"].sel(feature=name)) for one in arm])
        / np.mean([float(one["fd_floor"].sel(feature=name)) for one in control])
        for name in ("pix", "cls")
    }
    passed = l1 <= GATE_L1 and all(one <= GATE_FLOOR for one in floors.values())
    words = f"L1 ×{l1:.2f}, floors ×{floors['pix']:.2f} (pixels) ×{floors['cls']:.2f} (classifier)"
    return bool(passed), words


def above_one(ratio: LogRatio) -> bool | None:
    """Whether a speed-up is surely above 1, surely not (interval reaches 1 or below), or unknown for censoring."""
    mean = ratio.mean
    if np.isinf(mean.low) or np.isnan(mean.low):
        return None
    return bool(mean.low > 0)


def faster(runs: Runs, arm: str, *, enough: bool) -> Row:
    """H3 for one arm: faster by pixels and by consistency."""
    base, ours = runs["none"], runs[arm]
    ratios = {name: speedup(ours, base, name) for name in ("pix", "cls", "consistency")}
    passed, words = gate(ours, base)
    up = {name: above_one(one) for name, one in ratios.items()}
    middle = {name: sign_of(one) for name, one in ratios.items()}
    if not enough:
        found = "inconclusive (too few replicates)"
    elif not passed:
        found = "confounded: it reconstructs worse"
    elif middle["pix"] * middle["consistency"] < 0 or middle["pix"] * middle["cls"] < 0:
        found = "mixed"
    elif up["pix"] and up["consistency"]:
        found = "supported"
    else:
        found = "not supported"
    return row(
        f"H3: alignment “{arm}” gives faster convergence",
        "speed-up to the baseline's final value: " + "; ".join(f"{name} {factor(one)}" for name, one in ratios.items()),
        "; ".join(f"{name} {signs(one)}" for name, one in ratios.items()),
        f"{words}; final Fréchet distance of pixels {final(ours, 'pix').mean():.1f} against {final(base, 'pix').mean():.1f}",
        found,
        paper=PAPER,
    )


def sign_of(ratio: LogRatio) -> int:
    """+1 or −1 where the mean, or its bound, has a sign; else 0. A censored time lies strictly beyond its bound."""
    low, high = float(ratio.low.mean()), float(ratio.high.mean())
    if low > 0 or (low == 0 and high > 0):
        return 1
    return -1 if high < 0 or (high == 0 and low < 0) else 0


def geometry(runs: Runs, omega: str, *, enough: bool) -> list[Row]:
    """H1 and its null: the same information re-coded, and a rotation."""
    base, ours, turned = runs["none"], runs[omega], runs["rotation"]
    consistency = speedup(base, ours, "consistency")
    pixel = final(ours, "pix") / final(base, "pix")
    continuity = scalars(ours, "lpc") / scalars(base, "lpc")
    times = np.exp(consistency.low)
    met = bool((times >= 2).all() and (pixel >= 1.5).all() and (continuity >= 1.8).all())
    missed = bool((np.exp(consistency.high) < 2).any() or (pixel < 1.5).any() or (continuity < 1.8).any())
    null = {
        "final pixel distance": student_interval(np.log(final(turned, "pix") / final(base, "pix"))),
        "continuity (LPC)": student_interval(np.log(scalars(turned, "lpc") / scalars(base, "lpc"))),
        "consistency clock": speedup(base, turned, "consistency").mean,
    }
    floor = max(float(np.abs(a["fd_floor"] - b["fd_floor"]).max()) for a, b in zip(base, ours, strict=True))
    return [
        row(
            f"H1: geometry, not reconstruction, sets convergence ({omega} against identity)",
            f"consistency clock × {factor(consistency)}; final pixel distance × {', '.join(f'{one:.1f}' for one in pixel)}; "
            f"continuity (LPC) × {', '.join(f'{one:.1f}' for one in continuity)}",
            f"{signs(consistency)}; per-seed bounds ≥ 2, ≥ 1.5, ≥ 1.8",
            f"same reconstruction: floors differ by {floor:.1e}; classifier distance, which is blind to weak noise: × "
            + ", ".join(f"{one:.2f}" for one in final(ours, "cls") / final(base, "cls")),
            verdict(True if met else False if missed else None, enough=enough),
            paper=PAPER,
        ),
        row(
            "H1-null: a rotation changes nothing for an MLP",
            "; ".join(f"{name} × {np.exp(one.value):.2f}" for name, one in null.items()),
            "; ".join(f"{name} [{np.exp(one.low):.2f}, {np.exp(one.high):.2f}]" for name, one in null.items()),
            "the interval must hold 1, the point lie in [0.8, 1.25]",
            verdict(*map(_unchanged, null.values()), enough=enough),
            paper=OURS,
        ),
    ]


def _unchanged(log_ratio: Estimate) -> bool | None:
    """Whether a ratio's interval holds 1 and its mean lies in [0.8, 1.25]; None where only the interval does, or censored."""
    if log_ratio.excludes(0):
        return False
    return True if abs(log_ratio.value) <= np.log(1.25) else None


def properties(runs: Runs, *, enough: bool) -> list[Row]:
    """H2: what each alignment does to the latent space's own numbers."""
    rows, base = [], runs["none"]
    for key, arm, metric, words in (
        ("H2a", "scr", "gsq", "SCR raises global semantics (GSQ)"),
        ("H2b", "all", "lpc", "MCR, in “all”, lowers LPC"),
        ("H2c", "ssr" if "ssr" in runs else "all", "ssc", "SSR raises spatial structure (SSC)"),
    ):
        if arm not in runs:
            continue
        ours, theirs = scalars(runs[arm], metric), scalars(base, metric)
        change = _change(ours, theirs, metric)
        moved = {name: _change(scalars(runs[name], metric), theirs, metric).mean() for name in CONTROLS if name in runs}
        control = "; ".join(f"{name} prior {value:+.3f}" for name, value in moved.items())
        match key:
            case "H2a":
                answer = "supported" if (change > 0).all() and change.mean() >= 0.02 else "not supported"
            case "H2b":
                answer = "supported" if (change <= 0.9).all() else "not supported"
            case _:
                chance, teacher = scalars(runs[arm], "ssc_chance").mean(), "4×4 tokens are too few for it to be read"
                answer, control = "reported, no threshold", f"chance {chance:.3f}; {teacher}"
        rows.append(
            row(
                f"{key}: {words}",
                f"{'ratio' if metric == 'lpc' else 'difference'} {', '.join(f'{one:.3f}' for one in change)}",
                str(student_interval(change)),
                control or "no controls of the prior were run",
                answer if enough or answer.startswith("reported") else "inconclusive (too few replicates)",
                paper=PAPER,
            )
        )
    return rows


def _change(ours: np.ndarray, theirs: np.ndarray, metric: str) -> np.ndarray:
    """A ratio for LPC, a difference for the rest."""
    return ours / theirs if metric == "lpc" else ours - theirs


def prior_controls(runs: Runs, *, enough: bool) -> list[Row]:
    """E3: whether a wrong prior does as well as the true one."""
    if "scr" not in runs:
        return []
    rows = []
    for name in CONTROLS:
        if name not in runs:
            continue
        over = {one: speedup(runs["scr"], runs[name], one) for one in ("pix", "consistency")}
        ups = [_faster(one) for one in over.values()]
        rows.append(
            row(
                f"the gain is the prior's, not regularisation's: scr against a {name} prior",
                "speed-up: " + "; ".join(f"{one} {factor(ratio)}" for one, ratio in over.items()),
                "; ".join(f"{one} {signs(ratio)}" for one, ratio in over.items()),
                f"GSQ {scalars(runs['scr'], 'gsq').mean():.3f} against {scalars(runs[name], 'gsq').mean():.3f}; "
                f"{name} prior: {gate(runs[name], runs['none'])[1]}",
                verdict(*ups, enough=enough),
                paper=OURS,
            )
        )
    return rows


def _faster(ratio: LogRatio) -> bool | None:
    """Whether an arm is faster: surely, surely not (every seed at most as fast, or the whole interval below 1), or unknown."""
    if (ratio.high <= 0).all() and not (ratio.low == ratio.high).all():
        return False
    return above(ratio.mean, 0)


def arm_table(runs: Runs) -> pd.DataFrame:
    """Means over seeds of everything, an arm a row."""
    names = {
        "l1": "L1",
        "ssc": "SSC",
        "lpc": "LPC",
        "gsq": "GSQ",
        "erank": "eRank",
        "participation_ratio": "participation",
        "t_lin": "T_lin",
    }
    rows: list[dict[str, Any]] = []
    for arm, several in runs.items():
        first = several[0]
        rows.append(
            {
                "arm": arm,
                **{words: scalars(several, name).mean() for name, words in names.items()},
                "floor, pixels": np.mean([float(one["fd_floor"].sel(feature="pix")) for one in several]),
                "FD, pixels": final(several, "pix").mean(),
                "FD, classifier": final(several, "cls").mean(),
                "consistency": np.mean([float(one["consistency"][-1]) for one in several]),
                "covariance clock": str(joined([covariance_clock(one) for one in several])),
                "gate": "–" if arm == "none" else ("passed" if gate(several, runs["none"])[0] else "failed"),
                "explained by the prior": float(first["explained"]),
            }
        )
    return pd.DataFrame(rows)
