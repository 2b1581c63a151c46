"""The page of a study in docs/, from the folder that `eigenclock study` wrote: tables, figures and the numbers behind them.

python -m examples.study_pages
"""

import json
import shutil
from pathlib import Path

import pandas as pd

from eigenclock.files import markdown
from eigenclock.jobs.studies import study_names
from examples import pages

DOCS = Path("docs")
OWN_PAGE = "spectral_bias"
"""The study whose page has tables of two folders; every other page is made by `study_page` alone."""

FOLDERS = (Path("runs/spectral_bias"), Path("runs/spectral_bias_more"))
"""Its preset cpu; and the part on images with more data and networks."""

FEWEST = 5
"""Fewest modes still to come for a forecast to be judged."""

MOST_BYTES = 600_000
"""Tables larger than this stay where they were made."""


def main(docs: Path, cpu: Path, more: Path) -> None:
    """Tables into docs/spectral_bias.md, figures and CSV files beside it."""
    study_page(docs, OWN_PAGE, cpu)
    page = docs / f"{OWN_PAGE}.md"
    if (more / "images_claims.csv").exists():
        pages.insert(page, "more images", claims_of(more, "images"))
    pages.insert(page, "theirs and here", markdown(theirs_and_here(cpu)))
    if (on_gpu := docs / "studies" / OWN_PAGE / "h200_gaussian_laws.csv").exists():
        pages.insert(page, "on a GPU", markdown(on_a_gpu(on_gpu)))
    for name, made in (("levels", levels), ("forecasts", forecasts), ("coverage", coverage)):
        pages.insert(page, name, markdown(made(cpu, more)))
    pages.insert(page, "patches", markdown(patches(cpu)))
    pages.insert(docs / "networks.md", "norm", markdown(norm(more)))


def norm(folder: Path) -> pd.DataFrame:
    """The chain beside the network with a norm before its output, on the same data: laws, spread, what level (e) leaves."""
    rows: list[dict[str, str]] = []
    if not (folder / "images_laws.csv").exists():
        return pd.DataFrame(rows)
    laws, errors = (pd.read_csv(folder / f"images_{name}.csv") for name in ("laws", "levels"))
    first = laws["data"].iloc[0]
    for network in ("MLP", "NormedMLP"):
        here = laws[(laws["data"] == first) & (laws["network"] == network) & (laws["threshold"] == "geometric")]
        of = errors[(errors["data"] == first) & (errors["network"] == network) & (errors["direction"] == "both")]
        mean = of[of["level"] == "e"][["median_error", "null_error", "rank_correlation", "repetition"]].mean()
        falling = here[here["direction"] == "falling"].iloc[0]
        rows.append(
            {
                "network": network,
                "falling modes": f"{falling['modes']:.0f}, {falling['not_reached']:.0f} not begun",
                "α, time ∝ variance^−α": _interval(falling["alpha"], falling["low"], falling["high"]),
                "R²": _number(falling["r2"]),
                "ln of times, 90 % over 10 %": _interval(
                    falling["spread"], falling["spread_low"], falling["spread_high"]
                ),
                "rank correlation with level (e)": _number(mean["rank_correlation"]),
                "what (e) leaves": _number(mean["median_error"]),
                "one time for all": _number(mean["null_error"]),
                "two seeds": _number(mean["repetition"]),
            }
        )
    return pd.DataFrame(rows)


def claims_of(folder: Path, part: str) -> str:
    """Claims of a part with their verdicts, and below them, folded, the numbers behind these and where each must lie."""
    claims, numbers = (
        pd.read_csv(folder / f"{part}_{name}.csv", dtype=str, keep_default_na=False) for name in ("claims", "numbers")
    )
    table = markdown(bold(claims))
    if numbers.empty:
        return table
    folded = (
        f'<details markdown="1"><summary>The numbers behind the verdicts</summary>\n\n{markdown(numbers)}\n\n</details>'
    )
    return f"{table}\n\n{folded}"


def bold(claims: pd.DataFrame) -> pd.DataFrame:
    """Claims with the word of the verdict in bold."""
    outcome = claims["verdict"].str.partition(" (")
    reason = outcome[1] + outcome[2]
    return claims.assign(verdict="**" + outcome[0] + "**" + reason)


def theirs_and_here(cpu: Path) -> pd.DataFrame:
    """The laws of Gaussian data, theirs beside ours: both thresholds, both directions of regression."""
    file = cpu / "gaussian_laws.csv"
    return pd.DataFrame(
        [
            {
                "data": f"d = {law.d}, {law.direction}",
                "threshold": law.threshold,
                "theirs": law.theirs,
                "α here, time on variance": _interval(law.alpha, law.low, law.high),
                "seeds": law.seeds,
                "variance on time": _number(law.inverse_alpha),
                "steps at variance 1": _number(law.factor, 0),
                "R²": _number(law.r2),
                "modes": f"{law.modes:.0f}",
                "not begun": f"{law.not_reached:.0f}",
            }
            for law in (pd.read_csv(file).itertuples() if file.exists() else ())
        ]
    )


def on_a_gpu(file: Path) -> pd.DataFrame:
    """The laws of the preset paper by the authors' threshold, made on another machine and kept beside the page."""
    laws = pd.read_csv(file)
    return pd.DataFrame(
        [
            {
                "data": f"d = {law.d}, {law.direction}",
                "network": law.network,
                "theirs": law.theirs,
                "α here": _interval(law.alpha, law.low, law.high),
                "R²": _number(law.r2),
                "modes": f"{law.modes:.0f}",
                "not begun": f"{law.not_reached:.0f}",
            }
            for law in laws[laws["threshold"] == "geometric"].itertuples()
        ]
    )


def _number(value: float, digits: int = 2) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def _interval(value: float, low: float, high: float) -> str:
    return "–" if pd.isna(value) else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def patches(cpu: Path) -> pd.DataFrame:
    """Laws and spreads of the convolutional part: image modes and modes of patches."""
    file = cpu / "convolution_laws.csv"
    laws = pd.read_csv(file) if file.exists() else pd.DataFrame(columns=["alpha"])
    return pd.DataFrame(
        [
            {
                "network": law.network,
                "modes of": law.modes_of,
                "direction": law.direction,
                "α": _interval(law.alpha, law.low, law.high),
                "ln of times, 90 % over 10 %": _interval(law.spread, law.spread_low, law.spread_high),
                "modes": f"{law.modes:.0f}",
                "not begun": f"{law.not_reached:.0f}",
            }
            for law in laws.dropna(subset=["alpha"]).itertuples()
        ]
    )


def study_page(docs: Path, name: str, folder: Path) -> None:
    """Claims of every part, further tables and durations into docs/`name`.md, figures and CSV files beside it.

    Of the page's tables "part" takes the claims of that part, "file: column, column" these columns of the folder's file.csv.
    """
    page, out = docs / f"{name}.md", docs / "studies" / name
    if not folder.exists() or not page.exists():
        return
    out.mkdir(parents=True, exist_ok=True)
    for table in pages.names(page):
        stem, _, columns = table.partition(": ")
        claims, whole, kept = folder / f"{stem}_claims.csv", folder / f"{stem}.csv", out / f"{stem}.csv"
        if claims.exists():
            pages.insert(page, table, claims_of(folder, stem))
        elif whole.exists() or kept.exists():  # the latter made on another machine, and kept beside the page
            found = pd.read_csv(whole if whole.exists() else kept, keep_default_na=False)
            pages.insert(page, table, markdown(found[columns.split(", ")] if columns else found))
    words = page.read_text(encoding="utf-8")
    made = [
        kept
        for kept in sorted(folder.iterdir())
        if kept.suffix == ".csv" or (kept.suffix == ".png" and f"cpu_{kept.name}" in words)
    ]
    for gone in set(out.glob("cpu_*")) - {out / f"cpu_{kept.name}" for kept in made}:
        gone.unlink()
    for kept in made:
        if 1 < kept.stat().st_size < MOST_BYTES:
            shutil.copy(kept, out / f"cpu_{kept.name}")
    pages.insert(page, "durations", part_durations(folder))


def tables(name: str, *folders: Path) -> pd.DataFrame:
    """A table of the parts on Gaussian data and on images, of all folders that have it, with the column `data`."""
    found = []
    for folder in folders:
        for part in ("gaussian", "images"):
            file = folder / f"{part}_{name}.csv"
            if file.exists():
                table = pd.read_csv(file)
                if part == "gaussian":
                    table["data"], table["network"] = "Gaussian, d = " + table["d"].astype(str), "MLP"
                other = table["network"] != "MLP"  # what the second folder trains longer is in the first one already
                found.append(table[other if folder != folders[0] else slice(None)].assign(part=part))
    return pd.concat(found)


def levels(cpu: Path, more: Path) -> pd.DataFrame:
    """Errors, order and slope of every level by direction, mean over seeds, beside what two seeds of one run differ by."""
    table = tables("levels", cpu, more)
    table = table[table["modes"] >= FEWEST].groupby(["data", "network", "direction", "level"], sort=False)
    kept = [
        "modes",
        "median_error",
        "error_90",
        "rank_correlation",
        "slope",
        "null_error",
        "repetition",
        "repetition_90",
    ]
    mean = table[kept].mean().reset_index()
    mean["modes"] = mean["modes"].round().astype(int)
    return mean.round(3).rename(
        columns={"null_error": "one time for all", "repetition": "two seeds", "repetition_90": "their 90"}
    )


def forecasts(cpu: Path, more: Path) -> pd.DataFrame:
    """Error and coverage of forecasts by data set and by how early they were made."""
    rows = []
    for (data, network, fraction), here in tables("forecasts", cpu, more).groupby(
        ["data", "network", "fraction"], sort=False
    ):
        ours = here[(here["method"] == "theory") & (here["forecast"] >= FEWEST)]
        if ours.empty:
            continue
        row = {"data": data, "network": network, "made after": f"{100 * fraction:g} %", "runs": str(len(ours))}
        for method, label in (("theory", "theory"), ("1/variance", "1/variance"), ("loss", "loss")):
            known = here[(here["method"] == method) & (here["forecast"] >= FEWEST)]["error"].dropna()
            row[f"error, {label}"] = f"{known.median():.2f}" if len(known) else "–"
        row["within the 80 % interval"] = _share(ours["covered"])
        row["90 % of the variance within its interval"] = _share(ours["moment_covered"])
        rows.append(row)
    return pd.DataFrame(rows)


def coverage(cpu: Path, more: Path) -> pd.DataFrame:
    """How often 80 % intervals held; first drafts of the forecast were tried on some of these runs (docs/forecasts.md)."""
    table = tables("forecasts", cpu, more)
    table = table[(table["method"] == "theory") & (table["forecast"] >= FEWEST)]
    names = {"covered": "modes that came", "open": "modes that did not come", "moment_covered": "90 % of the variance"}
    return pd.DataFrame(
        {"runs": runs, "forecasts": len(here), **{words: _share(here[name]) for name, words in names.items()}}
        for runs, here in table.groupby("part", sort=False)
    )


def _share(values: pd.Series) -> str:
    known = values.dropna()
    return f"{100 * known.mean():.0f} %" if len(known) else "–"


def part_durations(folder: Path) -> str:
    """How long each part took when it was run last, by the command that ran it, and all together."""
    took: dict[str, list[str]] = {}
    total = 0.0
    for file in sorted(folder.glob("*_run.json")):
        content = json.loads(file.read_text())
        total += content["seconds"]
        took.setdefault(content["command"], []).append(f"{file.stem.removesuffix('_run')} {content['seconds']:.0f} s")
    lines = [f"* `{command}`: {', '.join(parts)}" for command, parts in took.items()]
    return "\n".join([*lines, "", f"Together {total / 60:.1f} minutes on two cores."])


if __name__ == "__main__":
    main(DOCS, *FOLDERS)
    for study in study_names():
        if study != OWN_PAGE:
            study_page(DOCS, study, Path("runs") / study)
