"""What a terminal and a notebook show of a spectrum."""

import html
from typing import Any

import numpy as np
import pandas as pd

ROWS = 8


def in_words(spectrum: Any) -> str:
    """A line for the terminal."""
    basis = (
        "abstract" if spectrum.basis is None else f"{type(spectrum.basis).__name__} of samples {spectrum.basis.shape}"
    )
    ends = f"{spectrum.variance.max():.3g} to {spectrum.variance.min():.3g}"
    return f"Spectrum({spectrum.n_modes} modes, {basis}, variance {ends})"


def as_html(spectrum: Any) -> str:
    """A sentence, and about eight modes, spread in ln rank: variance, share, share so far, size of their details."""
    variance, total = spectrum.variance, max(float(spectrum.variance.sum()), np.finfo(np.float64).tiny)
    ninety = int(np.searchsorted(np.cumsum(variance), 0.9 * variance.sum())) + 1
    named = "no samples behind it" if spectrum.n_samples is None else f"of {spectrum.n_samples:,} samples"
    sentence = (
        f"{spectrum.n_modes:,} modes {named}; the first {ninety:,} hold 90 % of the variance; "
        f"largest variance {variance.max():.3g}, smallest {variance.min():.3g}"
    )
    table = pd.DataFrame(
        {
            "mode": np.arange(1, variance.size + 1),
            "variance": variance,
            "share, %": 100 * variance / total,
            "so far, %": 100 * np.cumsum(variance) / total,
            "details of, pixels": spectrum.feature_size,
        }
    ).dropna(axis="columns", how="all")
    rows = np.unique(np.round(np.geomspace(1, variance.size, ROWS)).astype(int)) - 1
    shown = table.iloc[rows].to_html(index=False, float_format="{:.3g}".format, border=0)
    return f"<p>{html.escape(sentence)}</p>{shown}"
