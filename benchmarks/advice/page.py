"""The tables and the figure of docs/choose.md on the truth of the advice: `python -m benchmarks.advice.page`."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from eigenclock.advice.result import number
from eigenclock.files import markdown
from examples import pages
from .judge import FRACTIONS, METHODS, measured, predicted, resampled, table
from .runs import DEFAULT, RECIPES, Setting, settings

PAGE, FIGURE = Path("docs/choose.md"), Path("docs/studies/advice/advice.png")
WORDS = {"chain": "chain", "unet": "U-Net"}
DATA = {"natural16": "natural patches", "fashion": "Fashion-MNIST", "digits": "digits", "field": "Gaussian field"}
COLOURS = {"natural16": "#0072B2", "fashion": "#D55E00", "digits": "#999999", "field": "#CC79A7"}
SHOWN = 0.25


def main() -> None:
    """Write all of them."""
    rows = table()
    pages.insert(PAGE, "advice-short", short(rows))
    pages.insert(PAGE, "advice-truth", truth(rows))
    pages.insert(PAGE, "advice-recipes", recipes())
    figure()


def title(setting: Setting) -> str:
    """Data and network in words."""
    data, network = setting.name.split("_")
    return f"{DATA[data]}, {WORDS[network]}"


def interval(values: tuple[float, float, float]) -> str:
    """A share with its interval."""
    return f"{values[0]:.2f} [{values[1]:.2f}, {values[2]:.2f}]"


def regrets(rows: pd.DataFrame, method: str) -> str:
    """Median and largest regret of a method."""
    known = rows[rows["method"] == method]["regret"].dropna()
    return f"{known.median():.2f} (≤ {known.max():.1f})" if len(known) else "–"


def short(rows: pd.DataFrame) -> str:
    """What the judged networks say in three lines."""
    judged = rows[rows["role"] == "judged"]
    lines = [
        {
            "what ranks the recipes": name,
            "concordance [90 %]": interval(resampled("judged", method)),
            "regret, median (largest)": regrets(judged, method),
        }
        for method, name in zip(
            METHODS, ("`choose`", "the paper's plain theory", "EDM's defaults, always"), strict=True
        )
    ]
    return markdown(pd.DataFrame(lines))


def truth(rows: pd.DataFrame) -> str:
    """A row per setting and distance, then all judged together by distance and by network."""
    lines = []
    for (role, name, fraction), part in rows.groupby(["role", "setting", "fraction"], sort=False):
        setting = next(one for one in settings() if one.name == name)
        lines.append(
            {
                "data, network": title(setting) + (" (chose the theory)" if role == "choice" else ""),
                "W₂ below": f"{fraction:g}",
                "arrived": _arrived(part, setting),
                "concordance": _mean(part, "choose"),
                "plain theory": _mean(part, "plain theory"),
                "regret": regrets(part, "choose"),
                "regret, plain": regrets(part, "plain theory"),
                "regret, EDM": regrets(part, "EDM's defaults"),
            }
        )
    judged = rows[rows["role"] == "judged"]
    for words, fraction, network in (
        *((f"**judged, W₂ < {f:g}**", f, "") for f in FRACTIONS),
        ("**judged, chain**", None, "chain"),
        ("**judged, U-Net**", None, "unet"),
        ("**judged, all**", None, ""),
    ):
        part = judged[judged["setting"].str.contains(network)]
        part = part if fraction is None else part[part["fraction"] == fraction]
        lines.append(
            {
                "data, network": words,
                "W₂ below": "" if fraction is None else f"{fraction:g}",
                "arrived": "",
                "concordance": interval(resampled("judged", "choose", fraction, network)),
                "plain theory": interval(resampled("judged", "plain theory", fraction, network)),
                "regret": regrets(part, "choose"),
                "regret, plain": regrets(part, "plain theory"),
                "regret, EDM": regrets(part, "EDM's defaults"),
            }
        )
    return markdown(pd.DataFrame(lines))


def _arrived(part: pd.DataFrame, setting: Setting) -> str:
    known = part[part["method"] == "choose"]["arrived"]
    return f"{known.mean():.3g} of {len(setting.recipes)}"


def _mean(part: pd.DataFrame, method: str) -> str:
    return f"{part[part['method'] == method]['concordance'].mean():.2f}"


def recipes() -> str:
    """A row per recipe: units, and steps that networks took to a quarter of the data's norm."""
    i = int(np.flatnonzero(FRACTIONS == SHOWN)[0])
    judged = [one for one in settings() if one.role == "judged"]
    lines = []
    for recipe in RECIPES:
        line = {"recipe": recipe}
        for setting in judged:
            if recipe not in setting.recipes:
                line[f"{title(setting)}"] = ""
                continue
            units = predicted(setting)["choose"][recipe][i]
            steps = [measured(setting, seed)[recipe][i] for seed in setting.seeds]
            known = f"{np.mean(steps):,.0f}" if np.isfinite(steps).all() else f"> {setting.steps:,}"
            line[f"{title(setting)}"] = f"{number(units)} → {known}"
        lines.append(line)
    return markdown(pd.DataFrame(lines))


def figure() -> None:
    """Units of training against steps, a panel per network, every recipe of every judged data set and seed."""
    picture, axes = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained", width_ratios=[1.5, 1])
    for ax, network in zip(axes, WORDS, strict=True):
        for setting in settings():
            data, own = setting.name.split("_")
            if own != network or setting.role != "judged":
                continue
            given = predicted(setting)["choose"]
            for seed in setting.seeds:
                steps = measured(setting, seed)
                for k, (fraction, marker) in enumerate(zip(FRACTIONS, "o^s", strict=True)):
                    x = np.array([given[recipe][k] for recipe in setting.recipes])
                    y = np.array([steps[recipe][k] for recipe in setting.recipes])
                    first = seed == setting.seeds[0]
                    words = f"{DATA[data]}, W₂ < {fraction:g}" if first else None
                    ax.plot(x, y, marker, color=COLOURS[data], alpha=0.35 + 0.25 * k, ms=5, mew=0, label=words)
                    late = np.isnan(y) & np.isfinite(x)
                    ax.plot(
                        x[late],
                        np.full(late.sum(), setting.steps * 1.25),
                        marker,
                        mfc="none",
                        color=COLOURS[data],
                        ms=5,
                    )
                    own_default = setting.recipes.index(DEFAULT)
                    ax.plot(x[own_default], y[own_default], marker, mfc="none", color="black", ms=9, mew=1.2)
        ax.set(xscale="log", yscale="log", xlabel="predicted: units of training", title=WORDS[network])
    axes[0].set_ylabel("measured: steps")
    axes[0].legend(
        frameon=False,
        fontsize=8,
        loc="lower right",
        title="open, above: never; ringed: EDM's defaults",
        title_fontsize=8,
    )
    picture.savefig(FIGURE, dpi=150)
    plt.close(picture)


if __name__ == "__main__":
    main()
