"""The page of spectral preconditioning in docs/, from folders that `eigenclock study spectral_bias --part cure` wrote.

python -m examples.cure_page [folder] [folder of the U-Net with more seeds, on a GPU]
"""

import shutil
import sys
from pathlib import Path

import pandas as pd

from eigenclock.files import markdown
from examples import pages
from examples.study_pages import bold

DOCS = Path("docs")
PAGE = "preconditioning.md"

FOLDERS = (Path("runs/spectral_bias"), Path("runs/spectral_bias_h200"))

SHOWN = {"chain": (200, 2000), "unet": (100, 300, 1000, 2000)}
"""Steps of the table by network."""

COLUMNS = {
    "denoising": "denoising error",
    "coarse": "W₁, coarse",
    "fine": "W₁, fine",
    "frechet": "Fréchet",
}


def main(docs: Path, folder: Path, gpu: Path) -> None:
    """Tables into the page, figures and CSV files beside those of the study."""
    page, out = docs / PAGE, docs / "studies" / "spectral_bias"
    out.mkdir(parents=True, exist_ok=True)
    claims, measured, speeds = _read(folder)
    controls = pd.read_csv(folder / "cure_controls.csv")
    first = measured["data"].iloc[0]
    pages.insert(page, "claims", markdown(bold(claims)))
    main_rows = measured[measured["data"] == first]
    for network in SHOWN:
        pages.insert(page, f"measured, {network}", markdown(table(main_rows[main_rows["network"] == network])))
    pages.insert(page, "other data", markdown(table(measured[measured["data"] != first], data=True)))
    pages.insert(page, "levels", markdown(levels(main_rows)))
    pages.insert(page, "speed", markdown(factors(speeds[speeds["data"] == first].drop(columns="data"))))
    more_claims, more, more_speeds = _read(gpu)
    pages.insert(page, "claims, more seeds", markdown(bold(more_claims)))
    pages.insert(page, "measured, more seeds", markdown(table(more)))
    pages.insert(page, "speed, more seeds", markdown(factors(more_speeds.drop(columns=["data", "network"]))))
    pages.insert(page, "controls", markdown(controls.round(3)))
    for name, place in (("paper", folder), ("h200", gpu)):
        for file in sorted(place.glob("cure_*")):
            if file.suffix in (".csv", ".png"):
                shutil.copy(file, out / f"{name}_{file.name}")


def _read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Claims, measurements and speed-ups of a folder."""
    claims = pd.read_csv(folder / "cure_claims.csv", dtype=str, keep_default_na=False)
    return claims, pd.read_csv(folder / "cure_measured.csv"), pd.read_csv(folder / "cure_speed_ups.csv")


def table(rows: pd.DataFrame, *, data: bool = False) -> pd.DataFrame:
    """A row per method and step: means, in brackets the interval over seeds where there are several."""
    shown = []
    for row in rows.itertuples():
        if not data and row.step not in SHOWN[row.network]:
            continue
        line = {"data": row.data, "network": row.network} if data else {}
        line |= {"method": row.method, "steps": f"{row.step:,}"}
        for name, title in COLUMNS.items():
            value, low, high = (getattr(row, name + end) for end in ("", "_low", "_high"))
            line[title] = f"{value:.3g}" + ("" if pd.isna(low) else f"<br>[{low:.3g}, {high:.3g}]")
        line["kurtosis"] = f"{row.laplacian_kurtosis:.1f}"
        shown.append(line)
    return pd.DataFrame(shown)


def factors(rows: pd.DataFrame) -> pd.DataFrame:
    """Speed-ups under the titles of what they are of; "–" on whitened data, whose denoising is another task."""
    named = rows.drop(columns="variance").fillna("–").rename(columns={"step": "steps", **COLUMNS})
    return named.replace({r" \((\d+) of (\d+) censored\)": r"<br>(\1 of \2 censored)", r" \[": "<br>["}, regex=True)


def levels(rows: pd.DataFrame) -> pd.DataFrame:
    """Denoising error by noise level, of EDM and SpectralEDM, at the steps shown."""
    named = {
        name: f"σ = {name.removeprefix('denoising_')}"
        for name in rows.columns
        if name.startswith("denoising_0") or name in ("denoising_2", "denoising_5")
    }
    kept = rows[[step in SHOWN[network] for step, network in zip(rows["step"], rows["network"], strict=True)]]
    kept = kept[
        kept["method"].str.startswith(("EDM", "SpectralEDM")) & ~kept["method"].str.contains("whitened|Muon|SNR")
    ]
    return kept[["network", "method", "step", *named]].rename(columns=named).round(3)


if __name__ == "__main__":
    given = [Path(name) for name in sys.argv[1:]]
    main(DOCS, *given, *FOLDERS[len(given) :])
