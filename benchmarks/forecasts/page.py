"""Tables of docs/forecasts.md, from the rows of `judge`."""

import numpy as np
import pandas as pd

SUFFIX = {"judged": "", "seen": " (seen)", "constants": " (constants)"}

BASELINES = ("0.1.0", "1/variance", "loss", "curve fit", "one time (known afterwards)")


def case_of(run: str) -> str:
    """Data and network of a run by its name, without seed and learning rate."""
    return run.rsplit("_seed", 1)[0].removesuffix("_slow").removesuffix("_mid")


WORDS = {
    "fashion": "Fashion-MNIST", "natural16": "natural patches", "field": "Gaussian field", "unet": "U-Net", "dit": "DiT",
    "epsilon_skip": "ε-network", "epsilon": "ε-network without skip", "_cosine_ema": ", cosine and EMA", "convnet": "ConvNet",
    "normed": "NormedMLP", "gaussian": "Gaussian",
}  # fmt: skip


def title_of(run: str) -> str:
    """Network and data of a run in words."""
    data, network = case_of(run).split("_", 1)
    for short, long in WORDS.items():
        network = network.replace(short, long)
    return f"{network}: {WORDS.get(data, data)}"


def _number(value: float, digits: int = 2) -> str:
    if not np.isfinite(value):
        return "–"
    return "> 9" if value > 9 else f"{value:.{digits}f}"


def _error(row: pd.Series) -> str:
    """Median and 90 % quantile; a dash where nothing was forecast."""
    return f"{_number(row['error'])} ({_number(row['error 90'])})" if np.isfinite(row["error"]) else "–"


def _per_cent(value: float) -> str:
    return f"{100 * value:.0f} %" if np.isfinite(value) else "–"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(["---", *["---:"] * (len(head) - 1)]) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def errors(table: pd.DataFrame) -> str:
    """Runs together, a row per share of the run: error, and how often baselines are beaten that made a forecast."""
    rows = []
    for fraction, part in table[table["error"].notna()].groupby("fraction"):
        ours = part[part.method == "forecast"].set_index("run")
        cells = [_per_cent(float(fraction)), str(len(ours))]
        cells.append(f"{_number(ours['error'].median())} ({_number(ours['error 90'].median())})")
        for name in BASELINES:
            other = part[part.method == name].set_index("run")["error"].reindex(ours.index)
            made = other.notna()
            cells.append(f"{int((ours['error'] < other)[made].sum())} of {int(made.sum())}")
        rows.append(cells)
    return _table(["after", "runs", "error (90 %)", *(f"beats {name}" for name in BASELINES)], rows)


def pairs(table: pd.DataFrame) -> str:
    """In how many pairs of data and network, by the median over their runs, each baseline is beaten, of those it speaks of."""
    rows = []
    for fraction, part in table[table["error"].notna()].groupby("fraction"):
        ours = part[part.method == "forecast"].set_index("run")["error"]
        cells = [_per_cent(float(fraction)), str(ours.index.map(case_of).nunique())]
        for name in BASELINES:
            other = part[part.method == name].set_index("run")["error"].reindex(ours.index).dropna()
            mine, theirs = (one.groupby(one.index.map(case_of)).median() for one in (ours[other.index], other))
            cells.append(f"{int((mine < theirs).sum())} of {len(theirs)}")
        rows.append(cells)
    return _table(["after", "pairs", *(f"beats {name}" for name in BASELINES)], rows)


def intervals(table: pd.DataFrame) -> str:
    """The same of intervals, and of modes that never came."""
    head = [
        "after",
        "in 80 %",
        "worst run",
        "best run",
        "score",
        "score of 0.1.0",
        "never came",
        "expected to",
        "surely",
    ]
    rows = []
    for fraction, part in table[table["error"].notna()].groupby("fraction"):
        ours = part[part.method == "forecast"].set_index("run")
        old = part[part.method == "0.1.0"].set_index("run")["score"].reindex(ours.index)
        weight, both = ours["to come"] / ours["to come"].sum(), old.notna()
        cells = [_per_cent(float(fraction)), _per_cent(float((ours["covered"] * weight).sum()))]
        cells += [_per_cent(ours["covered"].min()), _per_cent(ours["covered"].max())]
        cells += [_number(ours["score"][both].median()), _number(old.median())]
        rows.append([*cells, *(str(int(ours[column].sum())) for column in ("absent", "said", "sure"))])
    return _table(head, rows)


def by_run(table: pd.DataFrame, apart: dict[str, float]) -> str:
    """A row per run and share: error (90 %) of every method, coverage, spread between seeds."""
    head = ["run", "after", "to begin", "forecast", *BASELINES, "in the 80 % interval", "two seeds"]
    rows = []
    known = table[(table["role"] == "judged") | table["fraction"].isin((0.02, 0.05, 0.1))]
    for (role, run, fraction), part in known.groupby(["role", "run", "fraction"], sort=False):
        by = part.set_index("method")
        if by["error"].isna().all():
            without_errors(rows, run, role, fraction, by, len(head))
            continue
        name = str(run).rsplit("_seed", 1)
        cells = [f"{name[0]}, seed {name[1]}{SUFFIX[role]}", _per_cent(fraction)]
        cells.append(str(int(by["to come"].iloc[0])))
        cells += [_error(by.loc[m]) for m in ("forecast", *BASELINES)]
        spread = apart.get(case_of(str(run)), np.nan)
        rows.append([*cells, _per_cent(by.loc["forecast", "covered"]), _number(spread)])
    return _table(head, rows)


def without_errors(rows: list[list[str]], run: str, role: str, fraction: float, by: pd.DataFrame, cells: int) -> None:
    """A row of a run in which fewer than five modes were still to begin, and nothing is judged; those that set constants none."""
    if role != "constants":
        name = str(run).rsplit("_seed", 1)
        left = [f"{name[0]}, seed {name[1]}{SUFFIX[role]}", _per_cent(fraction), str(int(by["to come"].iloc[0]))]
        rows.append([*left, *["–"] * (cells - len(left))])


def closeness(close: pd.DataFrame) -> str:
    """Closeness and settling of runs: median factor, coverage, and the median error of settling."""
    head = [
        "after",
        "W₂ < ¼: runs",
        "median factor",
        "in the interval",
        "W₂ < ⅒: runs",
        "median factor ",
        "in the interval ",
    ]
    head += ["settles: runs", "median error of settling"]
    rows = []
    for fraction, part in close.groupby("fraction"):
        cells = [_per_cent(float(fraction))]
        for name in ("close 0.25", "close 0.1"):
            known = part[part[name].notna()] if name in part else part.iloc[:0]
            factor = np.exp(np.abs(known[name]).median()) if len(known) else np.nan
            cells += [
                str(len(known)),
                _number(factor),
                _per_cent(known[f"{name} covered"].mean() if len(known) else np.nan),
            ]
        known = part[part["settling"].notna()] if "settling" in part else part.iloc[:0]
        rows.append([*cells, str(len(known)), _number(known["settling"].median() if len(known) else np.nan)])
    return _table(head, rows)


def close_seeds(apart: pd.DataFrame) -> str:
    """How far seeds of a case differ in the steps from which they are close: what no forecast can be asked to beat by much."""
    rows = []
    for _, row in apart.iterrows():
        cells = [f"{title_of(row['case'])}{_rate(row['case'])}", str(row["seeds"])]
        for fraction in ("0.25", "0.1"):
            cells += [str(row[f"come {fraction}"]), _number(row[f"factor {fraction}"])]
        rows.append(cells)
    return _table(
        ["runs of", "seeds", "W₂ < ¼: come", "factor between two", "W₂ < ⅒: come", "factor between two "], rows
    )


def _rate(case: str) -> str:
    """Which learning rate, of cases that have several."""
    return next((f", {word}" for word in ("mid", "slow") if case.endswith(f"_{word}")), "")


def scatter(close: pd.DataFrame) -> str:
    """How much runs of each pair scatter from record to record: median and range over runs and shares from 5 % on."""
    later = close[close["fraction"] >= SETTLED_DOWN]
    rows = []
    for name, part in later.groupby(later["run"].map(title_of)):
        size = part["scatter"]
        sizes = [_number(value) for value in (size.median(), size.min(), size.max())]
        rows.append([str(name), str(part["run"].nunique()), *sizes])
    return _table(["runs of", "runs", "scatter of ln variance", "least", "most"], rows)


SETTLED_DOWN = 0.05
"""Share of a run from which its scatter is told from its way."""
