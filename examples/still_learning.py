"""My loss stopped moving: what is still being learned? A chain on natural 16×16 patches, watched for long after that.

x₀-prediction at noise levels drawn evenly in ln σ: most of its loss is what no network can know. Three minutes on one thread.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from matplotlib.axes import Axes

import eigenclock as ec
from eigenclock.curve.marginals import excess_kurtosis, filter_kurtosis
from eigenclock.curve.palette import GRAY_ZONE, MEASURED, PREDICTED, TARGET
from eigenclock.data import DataSet
from examples import plates

STEPS, BATCH, RATE, AVERAGE = 12_000, 128, 5e-4, 0.98
PATCHES, HELD_OUT = 4000, 2000
SAMPLES, LEVELS = 192, (0.02, 0.05, 0.13, 0.32, 0.8, 2.0)
SAMPLER = ec.Heun(steps=40)
FLAT = 0.03
"""A loss is called flat from where on it stays within this share of its last value."""

SIZES = ((8, np.inf), (4, 8), (2, 4), (0, 2))
"""Feature sizes in pixels by which modes are counted."""

GROUP, RIGHT = 16, 2.0
"""Modes of neighbouring size that are looked at together, and the factor within which their variance counts as there."""

DECADES = (2, 3, 5, 10, 20, 30, 50)
"""Ticks of the losses."""

Series = Float[np.ndarray, " time"]


def main(out: Path, steps: int = STEPS, patches: int = PATCHES, samples: int = SAMPLES) -> dict[str, str]:
    """Write still_learning; the tables of the page, by name, as Markdown."""
    data = ec.data.natural_patches(16, n=patches, n_test=max(patches // 2, 2)).standardized()
    curve, step, loss = trained(data, steps, samples)
    control = control_curve(data, samples)
    flat = flat_since(step, loss)
    moments = {
        "when the loss went flat": int(np.searchsorted(curve.time.values, flat)),
        "at the end": len(curve.time) - 1,
    }
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    draw_losses(left, curve, step, loss, flat)
    draw_clocks(right, curve, flat)
    plates.save(figure, series(curve, step, loss), out, "still_learning")
    return {
        "still": still_table(curve, {"before training": 0, **moments}, step, loss),
        "stopping": stopping_table(curve, moments),
        "structure": structure_table(curve, moments, control, data),
    }


def trained(data: DataSet, steps: int, samples: int) -> tuple[ec.LearningCurve, Series, Series]:
    """Train under the probe: its curve, and steps and values of the loss, a mean of ten steps each."""
    spectrum = ec.Spectrum.from_samples(data.samples)
    along = np.union1d(ec.log_steps(1, steps, 24), np.linspace(steps / 20, steps, 20).astype(int))
    probe = ec.Probe(
        spectrum,
        sampler=SAMPLER,
        steps=along,
        n_samples=samples,
        data=data.samples,
        test=data.test,
        sigma=LEVELS,
        gain_samples=512,
        watch={"copies": lambda x: ec.memorization(x, data.samples, data.test)},
        batch_size=BATCH,
    )
    run = ec.train(
        ec.MLP(256, 5).build(data.samples.shape[1:]),
        data.samples,
        objective=ec.Denoising(path="vp"),
        optimizer=ec.Adam(RATE),
        steps=steps,
        probe=probe,
        options=ec.LoopOptions(batch_size=BATCH, ema=AVERAGE, device="cpu", threads=1),
    )
    step, loss = (np.array([record[key] for record in run.metrics], dtype=np.float64) for key in ("step", "loss"))
    return probe.curve(), step, loss


def control_curve(data: DataSet, samples: int) -> ec.LearningCurve:
    """Theory's control: the best linear denoiser, whose samples are Gaussian, probed in the same way."""
    spectrum = ec.Spectrum.from_samples(data.samples)

    def linear(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        gain = spectrum.variance / (spectrum.variance + float(sigma) ** 2)
        return torch.as_tensor(spectrum.from_modes(gain * spectrum.to_modes(x.double().numpy())), dtype=x.dtype)

    probe = ec.Probe(spectrum, sampler=SAMPLER, steps=[0], n_samples=samples, data=data.samples, sigma=())
    probe(0, linear)
    return probe.curve()


def smoothed(step: Series, loss: Series) -> Series:
    """Mean of the loss over the last fifth of the steps before each record."""
    first = np.searchsorted(step, 0.8 * step, side="right")
    whole = np.concatenate([[0.0], np.cumsum(loss)])
    here = np.arange(loss.size) + 1
    first = np.minimum(first, here - 1)
    return (whole[here] - whole[first]) / (here - first)


def flat_since(step: Series, loss: Series) -> float:
    """Step from which the smoothed loss stays within `FLAT` of its last value."""
    smooth = smoothed(step, loss)
    away = np.abs(smooth / smooth[-1] - 1) > FLAT
    return float(step[min(np.where(away, np.arange(step.size) + 1, 0).max(), step.size - 1)])


def relative_distance(curve: ec.LearningCurve) -> Series:
    """W₂ from the data as a share of the data's norm."""
    return curve.wasserstein().values / np.sqrt(curve.target.values.sum())


def in_band(curve: ec.LearningCurve, factor: float = 1.25) -> Bool[np.ndarray, "time mode"]:
    """Which modes are within a factor of what a perfect network would give, two standard errors allowed."""
    slack = 2 * curve.dataset["log_variance_error"].values
    return np.abs(np.log(curve.variance.values / curve.reachable.values)) <= np.log(factor) + slack


def begun(curve: ec.LearningCurve) -> Bool[np.ndarray, "time mode"]:
    """Which modes have passed half of their way, in the logarithm, or started within a factor of two of its end."""
    table = curve.emergence()
    passed = np.where(table.censored, np.inf, table.time)
    return table.gray_zone | (passed <= curve.time.values[:, None])


def settled(curve: ec.LearningCurve) -> Bool[np.ndarray, "time mode"]:
    """Which modes have settled, as the whole run has shown."""
    return np.nan_to_num(curve.settling().time, nan=np.inf) <= curve.time.values[:, None]


def finest_there(curve: ec.LearningCurve) -> Series:
    """Size in pixels of the finest details that are there, at every record.

    Modes are taken in groups of `GROUP` from coarse to fine; a group is there if its variance is within a factor of `RIGHT` of
    the data's. The size is that of the last group before the first that is not; NaN where the coarsest is not.
    """
    size = curve.spectrum.feature_size
    order = np.argsort(-size, kind="stable")
    groups = np.array_split(order, max(order.size // GROUP, 1))
    ratio = np.stack([curve.variance.values[:, g].sum(axis=1) / curve.target.values[g].sum() for g in groups], axis=1)
    there = np.abs(np.log(ratio)) <= np.log(RIGHT)
    count = np.logical_and.accumulate(there, axis=1).sum(axis=1)
    finest = np.array([np.nan, *(np.median(size[g]) for g in groups)])
    return finest[count]


def level_losses(curve: ec.LearningCurve, name: str) -> Float[np.ndarray, "time sigma"]:
    """Denoising error of all modes at each noise level."""
    return curve.dataset[name].values.sum(axis=1)


def series(curve: ec.LearningCurve, step: Series, loss: Series) -> pd.DataFrame:
    """The numbers behind the figure, at the probe's steps."""
    time, share = curve.time.values, curve.target.values / curve.target.values.sum()
    total = ec.stopping(curve).dataset
    return pd.DataFrame(
        {
            "step": time,
            "smoothed_loss": np.interp(time, step, smoothed(step, loss)),
            "train_total": total["train_total"].values,
            "test_total": total["test_total"].values,
            "distance": relative_distance(curve),
            "variance_begun": begun(curve) @ share,
            "variance_in_band": in_band(curve) @ share,
            "variance_settled": settled(curve) @ share,
            "modes_settled": settled(curve).sum(axis=1),
            "modes_begun": begun(curve).sum(axis=1),
            "modes_in_band": in_band(curve).sum(axis=1),
            "finest_pixels": finest_there(curve),
            "kurtosis": curve.dataset["kurtosis"].median("mode").values,
            "filter_kurtosis": curve.dataset["filter_kurtosis"].mean("filter").values,
            "copies_excess": curve.dataset["copies_excess"].values,
        }
    )


def draw_losses(ax: Axes, curve: ec.LearningCurve, step: Series, loss: Series, flat: float) -> None:
    """The loss as it is logged, smoothed, and the held-out error beside it."""
    ax.axvspan(flat, step[-1], color=GRAY_ZONE, alpha=0.25, lw=0)
    ax.plot(step, loss, color=GRAY_ZONE, lw=0.6)
    ax.plot(step, smoothed(step, loss), color=TARGET, lw=2.2, label="training loss, smoothed")
    held_out = level_losses(curve, "test_loss")
    for i, colour in ((-1, PREDICTED), (0, MEASURED)):
        label = f"held-out error at noise level {LEVELS[i]:g}"
        ax.plot(curve.time.values, held_out[:, i], "o-", color=colour, lw=1.4, ms=3, label=label)
    ax.set(yscale="log", ylim=(0.8 * held_out.min(), 4 * loss[-1]), xlim=(0, step[-1]))
    ax.set_yticks(DECADES, [f"{one:g}" for one in DECADES])
    ax.set_yticks([], minor=True)
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set(xlabel="training time (optimizer steps)", ylabel="loss", title=f"the loss is flat from step {flat:,.0f} on")
    ax.legend(frameon=False, fontsize=9, loc="upper right")


def draw_clocks(ax: Axes, curve: ec.LearningCurve, flat: float) -> None:
    """What the samples show over the same steps."""
    time, share = curve.time.values, curve.target.values / curve.target.values.sum()
    ax.axvspan(flat, time[-1], color=GRAY_ZONE, alpha=0.25, lw=0)
    for value, colour, label in (
        (begun(curve) @ share, PREDICTED, "share of the variance that has begun"),
        (settled(curve) @ share, MEASURED, "share of the variance that has settled"),
        (settled(curve).mean(axis=1), "#E69F00", "share of the modes that have settled"),
        (relative_distance(curve), TARGET, "W₂ from the data over their norm"),
    ):
        ax.plot(time, value, color=colour, lw=1.8, label=label)
    ax.set(xlabel="training time (optimizer steps)", ylabel="share", ylim=(0, 1.04), xlim=(0, time[-1]))
    ax.set(title="what is being learned")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    size = ax.twinx()
    size.plot(time, finest_there(curve), drawstyle="steps-post", color="#009E73", lw=1.6, ls="--")
    size.set(ylim=(0, 8.32))
    size.set_ylabel("finest details that are there (pixels, dashed)", color="#009E73")
    ax.legend(frameon=False, fontsize=9, loc="center right")


def still_table(curve: ec.LearningCurve, moments: dict[str, int], step: Series, loss: Series) -> str:
    """What is there when the loss went flat, and at the end."""
    time, share = curve.time.values, curve.target.values / curve.target.values.sum()
    smooth = np.interp(time, step, smoothed(step, loss), left=np.nan)
    distance, finest = relative_distance(curve), finest_there(curve)
    inside, twice, started = in_band(curve), in_band(curve, RIGHT), begun(curve)
    rows = {
        "step": [f"{one:,.0f}" for one in time],
        "training loss, smoothed": [known(one) for one in smooth],
        "W₂ from the data, share of their norm": [f"{one:.2f}" for one in distance],
        f"modes begun, of {share.size}": [f"{one.sum()}" for one in started],
        "modes in their band, ×1.25": [f"{one.sum()}" for one in inside],
        "modes within a factor of two": [f"{one.sum()}" for one in twice],
        "share of the variance in its band": [f"{100 * share[one].sum():.0f} %" for one in inside],
        "finest details that are there, pixels": [known(one) for one in finest],
    }
    for words, these in sizes_of(curve).items():
        made = curve.variance.values[:, these].sum(axis=1) / curve.target.values[these].sum()
        of = f"{these.sum()} modes, {100 * share[these].sum():.0f} %"
        rows[f"variance of {words}, over the data's ({of})"] = [f"{one:.2f}" for one in made]
    return plates.markdown(
        [{"": name, **{when: values[i] for when, i in moments.items()}} for name, values in rows.items()]
    )


def sizes_of(curve: ec.LearningCurve) -> dict[str, Bool[np.ndarray, " mode"]]:
    """Modes by the size of their features, in words."""
    size, found = curve.spectrum.feature_size, {}
    for low, high in SIZES:
        words = f"{low} pixels and more" if np.isinf(high) else f"{low} to {high} pixels"
        found[words if low else f"less than {high} pixels"] = (size >= low) & (size < high)
    return found


def stopping_table(curve: ec.LearningCurve, moments: dict[str, int]) -> str:
    """How the held-out error has changed since the loss went flat, by noise level and size, and where it was least."""
    stop, flat = ec.stopping(curve).dataset, moments["when the loss went flat"]
    test, train = level_losses(curve, "test_loss"), level_losses(curve, "train_loss")
    best, rise = stop["level_best_time"].values, 1 + stop["level_rise"].values
    rows = {
        "held-out error, when flat": [f"{one:.3g}" for one in test[flat]],
        "held-out error, at the end": [f"{one:.3g}" for one in test[-1]],
        "training error, at the end": [f"{one:.3g}" for one in train[-1]],
        "change of the held-out error": [percent(one) for one in test[-1] / test[flat]],
    }
    for words, these in sizes_of(curve).items():
        part = curve.dataset["test_loss"].values[:, these].sum(axis=1)
        rows[f"along modes of {words}"] = [percent(one) for one in part[-1] / part[flat]]
    rows["least at step"] = ["not yet" if np.isnan(one) else f"{one:,.0f}" for one in best]
    rows["rise since then"] = ["–" if np.isnan(one) else percent(more) for one, more in zip(best, rise, strict=True)]
    columns = [f"σ = {sigma:g}" for sigma in LEVELS]
    copies = 100 * curve.dataset["copies_excess"].values
    told = f"Copies beyond those of held-out patches: {copies[flat]:.1f} % when flat, {copies[-1]:.1f} % at the end."
    table = plates.markdown([{"": name, **dict(zip(columns, cells, strict=True))} for name, cells in rows.items()])
    return f"{table}\n\n`{ec.stopping(curve)}` {told}"


def known(value: float) -> str:
    """A number, or a dash where there is none."""
    return f"{value:.1f}" if np.isfinite(value) else "–"


def percent(ratio: float) -> str:
    """A ratio as a change in per cent."""
    return f"{100 * (ratio - 1):+.0f} %"


def structure_table(curve: ec.LearningCurve, moments: dict[str, int], control: ec.LearningCurve, data: DataSet) -> str:
    """Kurtosis along modes and after filters: of the samples, of as many held-out patches, and of theory's control."""
    held_out = data.samples if data.test is None else data.test
    some = held_out[:SAMPLES]
    real = float(np.median(excess_kurtosis(curve.spectrum.to_modes(some)))), filter_kurtosis(some)
    linear = control.dataset
    rows = []
    seen = {name: (curve.dataset, i) for name, i in moments.items()} | {"best linear denoiser (control)": (linear, 0)}
    for name, (dataset, i) in seen.items():
        along, filters = float(dataset["kurtosis"][i].median()), dataset["filter_kurtosis"].values[i]
        distance = f"{float(dataset['marginal_distance'][i].median()):.2f}"
        rows.append(structure_row(name, along, filters, distance))
    rows.append(structure_row(f"{len(some)} held-out patches", *real, "–"))
    whole = curve.dataset
    floor = f"{float(whole['marginal_floor'].median()):.2f} (floor)"
    rows.append(
        structure_row("all data", float(whole["data_kurtosis"].median()), whole["data_filter_kurtosis"].values, floor)
    )
    return plates.markdown(rows)


def structure_row(name: str, along: float, filters: np.ndarray, distance: str) -> dict[str, str]:
    """One row of the table of structure."""
    names = ("horizontal difference", "vertical difference", "Laplacian")
    kurtosis = {f"after {one}": f"{value:.1f}" for one, value in zip(names, filters, strict=True)}
    return {
        "samples": name,
        "kurtosis along modes, median": f"{round(along, 1) + 0:.1f}",
        **kurtosis,
        "W₁ of marginals": distance,
    }


if __name__ == "__main__":
    for name, table in main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/still_learning")).items():
        print(f"{name}\n{table}\n")
