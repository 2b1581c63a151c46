"""Matplotlib Display objects: computed once, drawn as often as wanted, on any axes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..clocks.emergence import Emergence, PowerLaw, Threshold
from ..spectrum.spectrum import Spectrum
from .closeness import CLOSE, relative_distance
from .palette import GRAY_ZONE, MEASURED, PREDICTED, TARGET, mode_colour, spread_modes
from .pictures import montage, pixel_limits


@runtime_checkable
class Curve(Protocol):
    """What a display needs of a learning curve."""

    dataset: xr.Dataset
    source: str

    @property
    def spectrum(self) -> Spectrum: ...
    @property
    def total_variance(self) -> float: ...
    def emergence(self, threshold: Threshold = "geometric") -> Emergence: ...
    def kl(self) -> xr.DataArray: ...
    def wasserstein(self) -> xr.DataArray: ...
    def sample(self, n: int, *, time: float, seed: int) -> Any: ...


class Display(ABC):
    """A figure as data. `plot(ax=None)` draws it and returns itself, with `ax_` and `figure_` set."""

    ax_: Axes
    figure_: Figure

    @abstractmethod
    def draw(self, ax: Axes) -> None:
        """Draw on `ax`."""

    def plot(self, ax: Axes | None = None) -> "Display":
        """Draw on `ax`, or on a new figure."""
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
        self.draw(ax)
        object.__setattr__(self, "ax_", ax)
        object.__setattr__(self, "figure_", ax.figure)
        return self


@dataclass(frozen=True, eq=False)
class SpectrumDisplay(Display):
    """Variance of the modes against rank, training and held-out."""

    variance: Float[np.ndarray, " mode"]
    test_variance: Float[np.ndarray, " mode"] | None = None

    @classmethod
    def from_spectrum(cls, spectrum: Spectrum) -> "SpectrumDisplay":
        """The display of a spectrum."""
        return cls(spectrum.variance, spectrum.test_variance)

    def draw(self, ax: Axes) -> None:
        rank = np.arange(1, self.variance.size + 1)
        positive = self.variance > 0
        ax.loglog(rank[positive], self.variance[positive], color=PREDICTED, lw=2, label="training samples")
        if self.test_variance is not None:
            shown = self.test_variance > self.variance[positive].min() / 10
            ax.loglog(rank[shown], self.test_variance[shown], ".", ms=3, color=MEASURED, label="held-out samples")
        ax.set(xlabel="mode, by falling variance", ylabel="variance (data units²)")
        ax.legend(frameon=False)


@dataclass(frozen=True, eq=False)
class VarianceDisplay(Display):
    """Generated variance of chosen modes over training time, with targets and emergence; a second curve as markers."""

    time: Float[np.ndarray, " time"]
    variance: Float[np.ndarray, "time chosen"]
    modes: Int[np.ndarray, " chosen"]
    emergence: Emergence
    measured: Curve | None = None

    @classmethod
    def from_curve(cls, curve: Curve, *, modes: Any = None, measured: Curve | None = None) -> "VarianceDisplay":
        """The display of a curve's `modes` (by default about eight, spread in log rank)."""
        chosen = spread_modes(curve.dataset.sizes["mode"]) if modes is None else np.atleast_1d(np.asarray(modes))
        return cls(
            curve.dataset["time"].values,
            curve.dataset["variance"].values[:, chosen],
            chosen,
            curve.emergence(),
            measured,
        )

    def draw(self, ax: Axes) -> None:
        shown = np.isfinite(self.time) & (self.time > 0)
        for i, mode in enumerate(self.modes):
            colour = mode_colour(i / max(1, len(self.modes) - 1))
            ax.loglog(self.time[shown], self.variance[shown, i], color=colour, lw=1.8, label=f"mode {mode + 1}")
            ax.axhline(self.emergence.target[mode], color=colour, lw=0.8, ls=":")
            ax.plot(
                self.emergence.time[mode], self.emergence.level[mode], "o", color=colour, mfc="white", ms=7, mew=1.8
            )
            if self.measured is not None:
                time = self.measured.dataset["time"].values
                ax.plot(
                    time[time > 0], self.measured.dataset["variance"].values[time > 0, mode], ".", color=colour, ms=5
                )
        ax.set(xlabel="training time (optimizer steps)", ylabel="generated variance (data units²)")
        ax.legend(framealpha=1, edgecolor="white", fontsize=8, ncols=2)


@dataclass(frozen=True, eq=False)
class EmergenceDisplay(Display):
    """Emergence time against variance, with fitted power laws; one table or several."""

    tables: dict[str, Emergence]
    laws: dict[str, list[PowerLaw]] = field(default_factory=dict)

    @classmethod
    def from_curves(cls, threshold: Threshold = "geometric", **curves: Curve) -> "EmergenceDisplay":
        """The display of named curves, e.g. `predicted=..., measured=...`."""
        tables = {name: curve.emergence(threshold) for name, curve in curves.items()}
        laws = {name: [table.power_law("rising"), table.power_law("falling")] for name, table in tables.items()}
        return cls(tables, laws)

    def draw(self, ax: Axes) -> None:
        for (name, table), colour in zip(self.tables.items(), (PREDICTED, MEASURED, TARGET), strict=False):
            hidden = table.gray_zone & ~table.censored & (table.target > 0)
            ax.loglog(table.target[hidden], table.time[hidden], ".", color=GRAY_ZONE, ms=4)
            for law in self.laws[name]:
                use = table.select("rising" if law.direction == "rising" else "falling")
                if not use.any():
                    continue
                marker = "^" if law.direction == "rising" else "v"
                low, high = law.interval
                label = f"{name}, {law.direction}: {law.exponent:.2f} [{low:.2f}, {high:.2f}]"
                size, fill = (7, "none") if colour == PREDICTED else (3, colour)
                ax.loglog(table.target[use], table.time[use], marker, color=colour, ms=size, mfc=fill, label=label)
                ends = np.array([table.target[use].min(), table.target[use].max()])
                ax.loglog(ends, law.time(ends), color=colour, lw=1)
        ax.set(xlabel="data variance of the mode (data units²)", ylabel="emergence time (optimizer steps)")
        if ax.get_legend_handles_labels()[0]:
            ax.legend(frameon=False, fontsize=8, title="time ∝ variance^exponent [95 %]", title_fontsize=8)


@dataclass(frozen=True, eq=False)
class KLDisplay(Display):
    """KL divergence from the generated to the data distribution over training, for named curves."""

    curves: dict[str, tuple[Float[np.ndarray, " time"], Float[np.ndarray, " time"]]]

    @classmethod
    def from_curves(cls, **curves: Curve) -> "KLDisplay":
        """The display of named curves."""
        return cls({name: (curve.dataset["time"].values, curve.kl().values) for name, curve in curves.items()})

    def draw(self, ax: Axes) -> None:
        for (name, (time, value)), colour in zip(self.curves.items(), (PREDICTED, MEASURED, TARGET), strict=False):
            shown = np.isfinite(time) & (time > 0) & np.isfinite(value)
            line = "-" if colour == PREDICTED else "."
            ax.loglog(time[shown], value[shown], line, color=colour, lw=2, ms=7, label=name)
        ax.set(xlabel="training time (optimizer steps)", ylabel="KL(generated ‖ data) (nats)")
        ax.legend(frameon=False)


@dataclass(frozen=True, eq=False)
class ClosenessDisplay(Display):
    """W₂ from the data as a share of their norm over training, for named curves, with the shares that count as close."""

    curves: dict[str, tuple[Float[np.ndarray, " time"], Float[np.ndarray, " time"]]]

    @classmethod
    def from_curves(cls, **curves: Curve) -> "ClosenessDisplay":
        """The display of named curves."""
        return cls(
            {
                name: (
                    curve.dataset["time"].values,
                    relative_distance(curve.wasserstein().values, curve.total_variance),
                )
                for name, curve in curves.items()
            }
        )

    def draw(self, ax: Axes) -> None:
        for (name, (time, value)), colour in zip(self.curves.items(), (PREDICTED, MEASURED, TARGET), strict=False):
            shown = np.isfinite(time) & (time > 0) & np.isfinite(value)
            line = "-" if colour == PREDICTED else "."
            ax.loglog(time[shown], value[shown], line, color=colour, lw=2, ms=7, label=name)
        for level in CLOSE:
            ax.axhline(level, color=GRAY_ZONE, lw=0.8, ls=":")
        ax.set(xlabel="training time (optimizer steps)", ylabel="W₂ from the data / norm of the data")
        ax.legend(frameon=False)


@dataclass(frozen=True, eq=False)
class SamplesDisplay(Display):
    """Samples of the generated distribution at several training times, from the same noise: a row of montages."""

    images: list[Float[np.ndarray, "n ..."]]
    times: list[float]
    limits: tuple[float, float]

    @classmethod
    def from_curve(cls, curve: Curve, times: Any, *, n: int = 9, seed: int = 0) -> "SamplesDisplay":
        """`n` samples at each of `times`."""
        images = [curve.sample(n, time=float(time), seed=seed) for time in times]
        return cls(images, [float(time) for time in times], pixel_limits(curve.spectrum))

    def draw(self, ax: Axes) -> None:
        tiles = [montage(image, self.limits) for image in self.images]
        gap = np.full((tiles[0].shape[0], 3, 3), 255, dtype=np.uint8)
        strip = np.concatenate([part for tile in tiles for part in (tile, gap)][:-1], axis=1)
        ax.imshow(strip, interpolation="nearest")
        width = tiles[0].shape[1] + 3
        ax.set_xticks([i * width + width / 2 for i in range(len(tiles))], [f"{time:g}" for time in self.times])
        ax.set_yticks([])
        ax.set_xlabel("training time (optimizer steps)")
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)


class CurvePlots:
    """`curve.plot`: each method draws one Display of the curve and returns it."""

    def __init__(self, curve: Curve) -> None:
        self._curve = curve

    def variance(self, ax: Axes | None = None, *, modes: Any = None) -> Display:
        """Generated variance of chosen modes over training."""
        return VarianceDisplay.from_curve(self._curve, modes=modes).plot(ax)

    def emergence(self, ax: Axes | None = None, *, threshold: Threshold = "geometric") -> Display:
        """Emergence time against variance, with power laws."""
        return EmergenceDisplay.from_curves(threshold, **{self._curve.source: self._curve}).plot(ax)

    def kl(self, ax: Axes | None = None) -> Display:
        """KL divergence over training."""
        return KLDisplay.from_curves(**{self._curve.source: self._curve}).plot(ax)

    def closeness(self, ax: Axes | None = None) -> Display:
        """W₂ from the data as a share of their norm over training."""
        return ClosenessDisplay.from_curves(**{self._curve.source: self._curve}).plot(ax)

    def spectrum(self, ax: Axes | None = None) -> Display:
        """The data's spectrum."""
        return SpectrumDisplay.from_spectrum(self._curve.spectrum).plot(ax)

    def samples(self, times: Any, ax: Axes | None = None, *, n: int = 9, seed: int = 0) -> Display:
        """Generated samples at several training times."""
        return SamplesDisplay.from_curve(self._curve, times, n=n, seed=seed).plot(ax)
