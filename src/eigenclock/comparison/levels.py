"""How much of a run each level of theory explains: plain, preconditioned, with its sampler, its start, its layers (T4–T15)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Float

from ..checks import InputError, choice, instance, shown
from ..clocks.emergence import Direction, Threshold
from ..curve.learning_curve import LearningCurve
from ..recipe.architectures import Architecture, OneLayer, TwoLayer
from ..recipe.objectives import Denoising, Objective
from ..recipe.optimizers import GradientFlow
from ..recipe.recipe import Recipe
from ..recipe.samplers import ProbabilityFlow, Sampler
from ..spectrum.spectrum import Spectrum
from ..theory.predict import predict
from .compare import Comparison, comparison_of, said_of_objective, started_late

TIMES = np.concatenate([[0.0], np.geomspace(1e-4, 1e9, 600)])
"""Training times at which a level is predicted, in units of gradient flow of learning rate 1."""

MEANING = {
    "a": "the paper's plain theory: denoising, every noise level alone, exact flow",
    "b": "with the run's preconditioning, loss weight and noise density",
    "c": "and with its real, discrete sampler",
    "d": "and from the measured gain of the untrained network",
    "e": "as (c), with two untied layers from (1, 0): random inner layers, a small last one",
    "e_balanced": "as (c), with two untied layers from (0.1, 0.1): both small",
}
"""What each level knows of a run."""

LAYERED = {"e": TwoLayer((1.0, 0.0)), "e_balanced": TwoLayer((0.1, 0.1))}
"""The two named starts of level (e): which of them is a network's own is not known beforehand."""

BEFORE = ("a", "b", "c", *LAYERED)
"""Levels that need nothing of the run but its recipe."""

ENOUGH = 0.9
"""Share of the modes that level (c) times from which a level can be the best."""

START = 0.25
"""Generated variance before training, where it was not measured: σ_data² of EDM."""

MODES_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class Levels:
    """Predictions of one run at levels "a" to "e", and how each compares with what was measured.

    `curves` and `comparisons` by level; "d" is there if the untrained network's gain was measured, "e" and "e_balanced" are two
    untied layers from two starts. `levels["e"].of("falling")` is the comparison of falling modes alone.
    """

    curves: dict[str, LearningCurve]
    comparisons: dict[str, Comparison]

    def __getitem__(self, level: str) -> Comparison:
        if level not in self.comparisons:
            raise InputError(f"level must be one of {', '.join(self.comparisons)}, got {shown(level)}")
        return self.comparisons[level]

    def __iter__(self) -> Iterator[str]:
        return iter(self.comparisons)

    @property
    def before(self) -> dict[str, LearningCurve]:
        """Curves of the levels that need nothing of the run but its recipe: what a forecast may use."""
        return {name: self.curves[name] for name in BEFORE}

    @property
    def best(self) -> str:
        """The level of smallest median error among those that time nearly all the modes that (c) does; the simpler of equals."""
        one_layer = int(self.comparisons["c"].used.sum()) if "c" in self.comparisons else 0
        known = {
            name: c.median_error
            for name, c in self.comparisons.items()
            if np.isfinite(c.median_error) and c.used.sum() >= ENOUGH * one_layer
        }
        return min(known, key=lambda name: (known[name], name)) if known else "c"

    def to_dataframe(self, direction: Direction | None = None) -> pd.DataFrame:
        """A row per level: modes compared, rank correlation, time scale, median and 90 % |ln ratio|, slope, explained.

        `direction`: the rising, or the falling, modes alone, with a constant of their own; all of them with one by default.
        `null_error` is the median error that one time for all modes would leave.
        """
        chosen = {name: c if direction is None else c.of(direction) for name, c in self.comparisons.items()}
        return pd.DataFrame(
            [
                {
                    "level": name,
                    "meaning": MEANING[name],
                    "modes": int(c.used.sum()),
                    "rank_correlation": c.rank_correlation,
                    "time_scale": c.time_scale,
                    "median_error": c.median_error,
                    "null_error": c.null_error,
                    "error_90": c.error_90,
                    "slope": c.slope,
                    "explained": c.explained,
                    "disagreeing": int(c.disagreeing.size),
                }
                for name, c in chosen.items()
            ]
        )

    def __str__(self) -> str:
        return "\n".join(f"({name}) {MEANING[name]}: {c}{_by_direction(c)}" for name, c in self.comparisons.items())


def _by_direction(whole: Comparison) -> str:
    """What is left of rising and of falling modes, each with a constant of their own, where a run has both."""
    parts = {d: whole.of(d) for d in ("rising", "falling")}
    if any(np.isnan(one.median_error) for one in parts.values()):
        return ""
    return "; " + ", ".join(f"{d} alone {one.median_error:.3f} (×{one.time_scale:.3g})" for d, one in parts.items())


def compare_levels(
    measured: LearningCurve,
    *,
    objective: Objective,
    sampler: Sampler,
    architecture: Architecture = OneLayer(0.0),
    threshold: Threshold = "geometric",
) -> Levels:
    """Set a measured run against the theory at every level of what it knows about the run.

    All levels are gradient flow of learning rate 1: one constant, fitted in each comparison, converts their time to steps.

    **Parameters**

    - `measured`: curve of a probe (or of any other source, with its spectrum).
    - `objective`, `sampler`: of the run. - `architecture`: of the theory's network, one layer that starts at zero unless said.
    - `threshold`: see `LearningCurve.emergence`.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> recipe = dict(objective=ec.EDM(density=ec.LogNormal()), sampler=ec.Heun(steps=20))
    >>> spectrum, time = ec.Spectrum.power_law(64, exponent=2.0), np.geomspace(1, 1e6, 99)
    >>> run = ec.predict(spectrum, architecture=ec.OneLayer(0.0), **recipe, time=time)  # stands for a measured run
    >>> levels = ec.compare_levels(run, **recipe)
    >>> levels.best, bool(levels["c"].median_error < 0.01 < levels["a"].median_error)
    ('c', True)

    ```
    """
    instance("measured", measured, LearningCurve, "a learning curve")
    instance("objective", objective, Objective, "an objective of the theory, such as EDM()")
    said_of_objective(objective, measured)
    spectrum = measured.spectrum
    curves = {name: predict_level(name, spectrum, objective, sampler, architecture, measured) for name in "abc"}
    if "gain" in measured.dataset and "first_step" in measured.dataset.attrs and not started_late(measured):
        curves["d"] = predict_level("d", spectrum, objective, sampler, architecture, measured)
    curves |= {name: predict_level(name, spectrum, objective, sampler) for name in LAYERED}
    return Levels(curves, {name: comparison_of(curve, measured, threshold) for name, curve in curves.items()})


def predict_levels(
    spectrum: Spectrum, objective: Objective, sampler: Sampler, architecture: Architecture = OneLayer(0.0)
) -> dict[str, LearningCurve]:
    """The predictions of all levels that need nothing of a run but its recipe, by level: "a", "b", "c", "e", "e_balanced".

    **Parameters**

    - `spectrum`: of the data. - `objective`, `sampler`: of the run. - `architecture`: of the theory's network at levels "b" and
      "c". Level "e" is two untied layers, from gains (1, 0): random inner layers and a small last one, as networks usually
      start; "e_balanced" from (0.1, 0.1) (T13).

    Times are of gradient flow of learning rate 1. InputError for values of the wrong kinds.

    ```python
    >>> import eigenclock as ec
    >>> curves = ec.predict_levels(ec.Spectrum([1.0, 1e-3]), ec.EDM(density=ec.LogNormal()), ec.Heun(steps=20))
    >>> list(curves)
    ['a', 'b', 'c', 'e', 'e_balanced']
    >>> curves["e_balanced"].emergence().censored.tolist()  # from there a gain keeps its sign: what must fall never does
    [False, True]

    ```
    """
    return {level: predict_level(level, spectrum, objective, sampler, architecture) for level in BEFORE}


def predict_level(
    level: str,
    spectrum: Spectrum,
    objective: Objective,
    sampler: Sampler,
    architecture: Architecture = OneLayer(0.0),
    measured: LearningCurve | None = None,
) -> LearningCurve:
    """The prediction of one level; "d" needs `measured`, "a" takes the start of its generated variance from it.

    InputError for other levels than "a" to "e" and "e_balanced".
    """
    choice("level", level, tuple(MEANING))
    instance("objective", objective, Objective, "an objective of the theory, such as EDM()")
    instance("sampler", sampler, Sampler, "a sampler of the theory")
    if measured is not None:
        instance("measured", measured, LearningCurve, "a learning curve")
    flow = ProbabilityFlow(sampler.sigma_min, sampler.sigma_max)
    if level == "d":
        if measured is None:
            raise InputError("level d needs the measured gain of the untrained network")
        return _from_measured_start(spectrum, objective, sampler, measured)
    if level == "a":
        known = measured is not None and not started_late(measured)
        start = float(np.median(measured.initial.values)) if known and measured is not None else START
        parts = Recipe(Denoising(), OneLayer(plain_start(start, sampler)), GradientFlow(), flow)
    elif level == "b":
        parts = Recipe(objective, architecture, GradientFlow(), flow)
    else:
        parts = Recipe(objective, LAYERED.get(level, architecture), GradientFlow(), sampler)
    return predict(spectrum, time=TIMES, **vars(parts))


def plain_start(variance: float, sampler: Sampler) -> float:
    """Gain Q of one layer from which the exact flow generates this variance: v = σ_T²(σ₀/σ_T)^{2(1−Q)} (T5)."""
    high, low = sampler.sigma_max, sampler.sigma_min
    return float(1 - np.log(high / np.sqrt(variance)) / np.log(high / low))


def _from_measured_start(
    spectrum: Spectrum, objective: Objective, sampler: Sampler, measured: LearningCurve
) -> LearningCurve:
    """One layer per noise level that starts from a measured gain instead of zero (T4 on T15)."""
    levels, known, flow = sampler.levels, measured.dataset["sigma"].values, GradientFlow()
    objective, sampler = objective.bound(spectrum, sampler.sigma_min), sampler.bound(spectrum)
    row = objective.row(known)
    # the network's own gain is smooth in σ, the denoiser's is not: the first is interpolated
    learns = row.slope != 0  # of a mode that stays at the mean nothing is learned
    own = (measured.gain.values[0] - row.offset) / np.where(learns, row.slope, 1)
    start = _at_levels(np.where(learns, own, 0.0), known, levels)
    variance = np.empty((TIMES.size, spectrum.n_modes))
    for first in range(0, spectrum.n_modes, MODES_AT_ONCE):
        some = np.arange(first, min(first + MODES_AT_ONCE, spectrum.n_modes))
        regression = objective.some(some).regression(spectrum.variance[some], levels)
        network_start = start[some]
        way = flow.progress(2 * regression.rate * regression.curvature, TIMES)
        gain = regression.denoiser_gain(network_start + (regression.optimum - network_start) * way)
        variance[:, some] = sampler.some(some).variance(gain)
    dataset = spectrum.to_dataset()
    dataset.coords["time"] = ("time", TIMES)
    dataset["variance"] = (("time", "mode"), variance)
    dataset["initial"] = ("mode", variance[0])
    return LearningCurve(dataset, recipe=None, source="theory")


def _at_levels(
    gain: Float[np.ndarray, "mode known"], known: Float[np.ndarray, " known"], levels: Float[np.ndarray, " sigma"]
) -> Float[np.ndarray, "mode sigma"]:
    """A network's gain at other noise levels, linear in ln σ, constant beyond the ends."""
    order = np.argsort(known)
    line = scipy.interpolate.make_interp_spline(np.log(known[order]), gain[:, order], k=1, axis=1)
    return line(np.log(np.clip(levels, known.min(), known.max())))
