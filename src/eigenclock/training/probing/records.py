"""What a probe recorded, step by step, as a LearningCurve and back."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from ...checks import InputError, instance, say, shown
from ...curve.learning_curve import LearningCurve
from ...curve.marginals import FILTERS
from ...spectrum.spectrum import Spectrum

DIMENSIONS = {
    "variance": ("time", "mode"),
    "generated_mean": ("time", "mode"),
    "log_variance_error": ("time", "mode"),
    "kurtosis": ("time", "mode"),
    "marginal_distance": ("time", "mode"),
    "filter_kurtosis": ("time", "filter"),
    "alignment": ("time",),
    "null_variance": ("time",),
    "gain": ("time", "mode", "sigma"),
    "gain_r2": ("time", "mode", "sigma"),
    "denoising_error": ("time", "sigma"),
    "train_loss": ("time", "mode", "sigma"),
    "test_loss": ("time", "mode", "sigma"),
    "train_null_loss": ("time", "sigma"),
    "test_null_loss": ("time", "sigma"),
    "particles": ("time", "particle", "mode"),
}
"""What a record holds of the modes; anything else is a number per step, from what the user watches."""

FACTS = {
    "reachable": ("mode",),
    "data_kurtosis": ("mode",),
    "marginal_floor": ("mode",),
    "data_filter_kurtosis": ("filter",),
}
"""What is known of the data, and of the sampler, whatever the step, beside the records."""

Records = Mapping[int, Mapping[str, Any]]


def as_curve(
    records: Records,
    spectrum: Spectrum,
    sigma: Float[np.ndarray, " sigma"],
    noise: Float[np.ndarray, "particle mode"],
    mean: Float[np.ndarray, " mode"],
    objective: str | None,
    facts: Mapping[str, Any],
) -> LearningCurve:
    """Records by step as a curve.

    `noise` is what the kept particles started from, `mean` the data's mean along the modes, `facts` are those of the data, by
    name. What a step lacks, such as one that an earlier version recorded, is NaN there.
    """
    steps = sorted(records)
    dataset = spectrum.to_dataset()
    dataset.coords["time"] = ("time", np.array(steps, dtype=np.float64))
    if "gain" in records[steps[0]]:
        dataset.coords["sigma"] = ("sigma", sigma)
    names = dict.fromkeys(name for step in steps for name in records[step])
    for name in names:
        dims = DIMENSIONS.get(name, ("time",))
        shape = next(np.shape(records[step][name]) for step in steps if name in records[step])
        rows = (np.asarray(records[step].get(name, np.nan)) for step in steps)
        dataset[name] = (dims, np.stack([np.broadcast_to(row, shape) for row in rows]))
    if "filter_kurtosis" in dataset:
        dataset.coords["filter"] = list(FILTERS)
    for name, value in facts.items():
        dataset[name] = (FACTS[name], value)
    if "particles" in dataset:
        dataset["noise"] = (("particle", "mode"), noise)
    dataset["initial"] = dataset["variance"][0].drop_vars("time")
    if "null_variance" in dataset:
        dataset["null_initial"] = dataset["null_variance"][0].drop_vars("time")
    if "generated_mean" in dataset:
        dataset["initial_mean"] = dataset["generated_mean"][0].drop_vars("time")
        dataset["target_mean"] = ("mode", mean)
    dataset.attrs |= {"first_step": steps[0], "correlated": 0} | ({} if objective is None else {"objective": objective})
    return LearningCurve(dataset, recipe=None, source="measurement")


def records_of(curve: LearningCurve, last_step: int) -> dict[int, dict[str, Any]]:
    """Records by step of a curve, up to a step."""
    data = curve.dataset
    kept = [str(name) for name in data.data_vars if data[name].dims[:1] == ("time",)]
    steps = data["time"].values.astype(int).tolist()
    return {step: {name: data[name].values[i] for name in kept} for i, step in enumerate(steps) if step <= last_step}


def check_restored(
    name: Any, curve: Any, names: tuple[str, ...], spectrum: Spectrum, sigma: Float[np.ndarray, " sigma"]
) -> None:
    """Raise unless a curve is one that a probe of this spectrum, at these noise levels, has recorded under that name."""
    if name not in names:
        raise InputError(f"curves must be named {', '.join(map(repr, names))}, got {shown(name)}")
    instance(f"curves[{name!r}]", curve, LearningCurve, "a learning curve")
    target = curve.target.values
    if target.shape != spectrum.variance.shape or not np.allclose(target, spectrum.variance, rtol=1e-6):
        raise InputError(f"curves[{name!r}] must be of the probe's spectrum, got one of {target.size} other modes")
    known = curve.dataset["sigma"].values if "gain" in curve.dataset else np.empty(0)
    if name == "" and (known.shape != sigma.shape or not np.allclose(known, sigma)):
        raise InputError(f"curves[''] must have the gain at the probe's {sigma.size} noise levels, got {known.size}")


def watchers(watch: Any, inspect: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Functions by name of generated samples and of the denoiser; InputError for anything else, or a name in both."""
    for name, given in (("watch", watch), ("inspect", inspect)):
        if given is not None and not (isinstance(given, Mapping) and all(map(callable, given.values()))):
            raise InputError(f"{name} must be functions by name, got {type(given).__name__}")
    both = set(watch or {}) & set(inspect or {})
    if both:
        raise InputError(f"watch and inspect must have different names, got {min(both)!r} in both")
    return dict(watch or {}), dict(inspect or {})


def numbers(what: str, name: str, step: int, look: Callable[[Any], Any], seen: Any) -> dict[str, float]:
    """What a watcher finds in samples or in a denoiser, as numbers named after it; else an InputError that says `what`."""
    try:
        answer = look(seen)
    except InputError as error:
        raise InputError(f"{what} at step {step}: {error}") from error
    found = answer.record() if hasattr(answer, "record") else answer
    if not isinstance(found, Mapping):
        raise InputError(f"{what} must give numbers by name, got {type(found).__name__}")
    named = {f"{name}_{key}": value for key, value in found.items()}
    taken = next((key for key in named if key in {*DIMENSIONS, *FACTS}), None)
    if taken is not None:
        raise InputError(f"{what} must not record {taken!r}, which the probe does itself: name it otherwise")
    try:
        return {key: float(value) for key, value in named.items()}
    except (TypeError, ValueError):
        raise InputError(f"{what} must give numbers by name, got {', '.join(map(str, found))} that are not") from None


FEW, RATIO = 16, 2.0
"""Fewer samples say nothing about a spectrum; variances further apart than this factor are not the same data's."""


def said_of_fit(
    name: str,
    along: Float[np.ndarray, "n mode"],
    mean: Float[np.ndarray, " mode"],
    variance: Float[np.ndarray, " mode"],
) -> None:
    """Warn if samples `name`, in mode coordinates, are not of the spectrum: their total variance or their mean differs."""
    if len(along) < FEW or not variance.sum() > 0:
        return
    ratio = float(along.var(axis=0).sum() / variance.sum())
    shift = float(((along.mean(axis=0) - mean) ** 2).sum() / variance.sum())
    if not 1 / RATIO < ratio < RATIO:
        say(f"{name} do not fit the spectrum: {ratio:.3g} times its variance; give both in the same units", level=4)
    elif shift > 0.25 + RATIO / len(along):
        say(
            f"{name} do not fit the spectrum: their mean lies {shift**0.5:.3g} standard deviations from its own",
            level=4,
        )
