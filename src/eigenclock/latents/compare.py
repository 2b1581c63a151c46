"""Latent spaces side by side: in which of them will a diffusion model learn the covariance sooner (T22)."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..checks import InputError, finite_array, flag, shown
from .diagnose import METRICS, diagnose_latents

UNEVEN = 3.0
"""Ratio of the largest to the smallest deviation of a channel from which it is told."""

UNIT = (0.8, 1.25)
"""Deviations of latents that count as 1, which diffusion models are made for."""


@dataclass(frozen=True, eq=False, repr=False)
class LatentComparison:
    """Latent spaces ranked by the predicted time to learn their covariance; `print` gives the verdict.

    - `table`: a row per space, soonest first: `t_lin` with its 95 % interval `t_lin_low` to `t_lin_high`, `t_lin_raw` of the
      samples' own variances, in units that all spaces with one generator share; `times_best`; `modes`, `participation_ratio`;
      `std` of the latents as given and `scaling_factor` that makes it 1, `uneven` the largest channel's deviation over the
      smallest's; ssc, lpc, gsq and erank, NaN where their input was not given. `verdict` is "soonest", "not told apart" from
      it, "later", or "white" where the covariance says nothing.
    - `each`: what `diagnose_latents` found of each space, by name.
    """

    table: pd.DataFrame
    each: dict[str, Any]

    @property
    def best(self) -> str:
        """Name of the space that is learned soonest, of those whose covariance says something."""
        return str(self.table["space"].iloc[0])

    @property
    def verdict(self) -> str:
        """One sentence."""
        first, told = self.table.iloc[0], self.table[self.table["verdict"] != "white"]
        if told.empty:
            return "Standardised, all of these latents are white: their covariance says nothing of the order"
        alike = told["space"][told["verdict"] == "not told apart"].tolist()
        later = told[told["verdict"] == "later"]
        words = f"{first['space']} is learned soonest (t_lin {_interval(first)})"
        if alike:
            names = _and([str(first["space"]), *alike])
            words = f"{names} are learned soonest and are not told apart (t_lin {_interval(first)} of the first)"
        if len(later):
            row = later.iloc[0]
            words += f"; next comes {row['space']}, {row['times_best']:.2g} times as long ({_interval(row)})"
        white = self.table["space"][self.table["verdict"] == "white"].tolist()
        return words + (f"; of {_and(white)} the covariance says nothing, standardised it is white" if white else "")

    @property
    def notes(self) -> list[str]:
        """What to mind: scaling factors that are missing, channels of unlike size, too few samples."""
        found = []
        for _, row in self.table.iterrows():
            if not UNIT[0] <= row["std"] <= UNIT[1]:
                found.append(
                    f"{row['space']} has a standard deviation of {row['std']:.3g}, diffusion models expect 1: multiply by "
                    f"{row['scaling_factor']:.3g} (scaling_factor)"
                )
            if row["uneven"] > UNEVEN:
                found.append(
                    f"channels of {row['space']} differ {row['uneven']:.2g}-fold in size: one factor does not make them alike"
                )
            doubts = self.each[row["space"]].attrs["doubts"]
            if doubts:
                found.append(f"{row['space']}: {doubts}")
        return found

    def __str__(self) -> str:
        return "\n".join([self.verdict, *(f"Note: {note}" for note in self.notes)])

    def __repr__(self) -> str:
        return f"LatentComparison({len(self.table)} spaces; {self.best} first)"

    def _repr_html_(self) -> str:
        table = self.table.to_html(index=False, float_format="{:.4g}".format, border=0)
        return f"<p>{html.escape(str(self))}</p>{table}"


def compare_latents(
    latents: Any,
    *,
    decoders: Any = None,
    labels: Any = None,
    masks: Any = None,
    channels_last: bool = False,
    **options: Any,
) -> LatentComparison:
    """Several latent spaces side by side: which one will a diffusion model learn soonest (*ours*, T22).

    **Parameters**

    - `latents`: name → latents (n, d, h, w), or (n, D), of as many spaces, of the same samples or of others of the same data.
    - `decoders`: name → decoder of that space, as for `diagnose_latents`, where there is one.
    - `labels`, `masks`: of the samples, where all spaces hold the same ones.
    - `channels_last`: latents are (n, h, w, d), as `eigenclock.integrations.diffusers.latents_of` gives them.
    - `options`: of `diagnose_latents`, such as `seed`.

    Each space is standardised per channel, so that scaling factors change nothing of its time; the table has the factor that
    makes its deviation 1, and `notes` say where one is missing. InputError for fewer than two spaces, or latents that
    `diagnose_latents` refuses, by name; it warns of latents that look like (n, h, w, d).

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.standard_normal((2000, 4, 4, 4))
    >>> rough, smooth = noise + np.roll(noise, 1, axis=3), noise.cumsum(axis=2).cumsum(axis=3)
    >>> print(ec.compare_latents({"smooth": smooth, "rough": rough}).table[["space", "verdict"]].values.tolist())
    [['rough', 'soonest'], ['smooth', 'later']]

    ```
    """
    if not isinstance(latents, Mapping) or len(latents) < 2:
        raise InputError(f"latents must be two latent spaces or more by name, got {shown(latents)}")
    if len({str(name) for name in latents}) < len(latents):
        raise InputError(f"latents must have different names, got {', '.join(map(str, latents))}")
    if decoders is not None and not isinstance(decoders, Mapping):
        raise InputError(f"decoders must be decoders by the names of their spaces, got {shown(decoders)}")
    unknown = [name for name in decoders or {} if name not in latents]
    if unknown:
        raise InputError(f"decoders must be of the spaces {', '.join(map(str, latents))}, got {unknown[0]!r}")
    flag("channels_last", channels_last)
    each, rows = {}, []
    for name, given in latents.items():
        try:
            array = finite_array("latents", given, "latents (n, d, h, w) or (n, D)")
            if channels_last and array.ndim == 4:
                array = np.moveaxis(array, -1, 1)
            if not array.std() > 0:
                raise InputError(
                    f"latents must vary, got {array[(0,) * array.ndim] if array.size else 'none'} everywhere"
                )
            found = diagnose_latents(array, (decoders or {}).get(name), labels, masks, **options)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        each[str(name)] = found
        rows.append(_row(str(name), array, found))
    table = pd.DataFrame(rows)
    white = table["t_lin"] <= 0
    table = table.assign(white=white).sort_values(["white", "t_lin"], kind="stable").drop(columns="white")
    table = table.reset_index(drop=True)
    best = table.iloc[0]
    table.insert(5, "times_best", np.where(table["t_lin"] > 0, table["t_lin"] / (best["t_lin"] or np.nan), np.nan))
    table["verdict"] = [_verdict(i, row, best) for i, row in table.iterrows()]
    return LatentComparison(table, each)


def _row(name: str, z: Any, found: Any) -> dict[str, Any]:
    """A space's line of the table."""
    channel = np.moveaxis(z, 1, 0).reshape(z.shape[1], -1).astype(np.float64).std(axis=1)
    std, alive = float(np.sqrt((channel**2).mean())), channel[channel > 0]
    return {
        "space": name,
        **{key: float(found[key]) for key in ("t_lin", "t_lin_low", "t_lin_high", "t_lin_raw")},
        "modes": int(found["spectrum"].size),
        "participation_ratio": float(found["participation_ratio"]),
        "std": std,
        "scaling_factor": 1 / std if std > 0 else float("nan"),
        "uneven": float(alive.max() / alive.min()) if alive.size else float("nan"),
        **{metric: float(found["value"].sel(metric=metric)) for metric in METRICS},
    }


def _verdict(place: Any, row: Any, best: Any) -> str:
    """A space's place: spaces whose intervals overlap the first one's are not told apart from it."""
    if row["t_lin"] <= 0:
        return "white"
    if place == 0:
        return "soonest"
    known = np.isfinite([row["t_lin_low"], best["t_lin_high"]]).all()
    return "later" if known and row["t_lin_low"] > best["t_lin_high"] else "not told apart"


def _interval(row: Any) -> str:
    if not np.isfinite(row["t_lin_low"]):
        return f"{row['t_lin']:.3g}, no interval from so few"
    return f"{row['t_lin']:.3g}, {row['t_lin_low']:.3g} to {row['t_lin_high']:.3g}"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
