"""When will it begin, settle, be close? Expected steps, with intervals, of a run that is still going (*ours*, T20)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..checks import InputError, instance, number, shown
from ..curve.learning_curve import LearningCurve
from .compare import said_of_objective, started_late
from .drawn import Drawn
from .effective_time import NETWORKS, EffectiveTime
from .forecast_result import COVERAGE, Forecast
from .moment import quantiles
from .run_state import RunState
from .weighing import DRAWS, ONE_TIME, PLAIN, Weighed, future_of, likeliest, weigh, weights_of

ON_THE_WAY = (0.05, 0.8)
"""Progress between which a mode's place says best how many steps a unit of predicted time is."""

HORIZON = 100.0
"""How far a schedule is asked, in units of the last step."""


def forecast(
    curves: LearningCurve | Mapping[str, LearningCurve],
    measured: LearningCurve,
    *,
    at: float | None = None,
    schedule: Any = None,
    average: float | None = None,
    coverage: float = COVERAGE,
) -> Forecast:
    """Forecast the rest of a run from how far each mode has come on its path (*ours*, heuristic, T20).

    Every level of theory gives each mode's path from its start to what the sampler can reach; what was measured in the last
    records says where on it each mode is, and how fast it goes. Modes lend to their neighbours, levels are weighed by how well
    they describe the run so far, and speeds return to theory's. `docs/forecasts.md` has how often this was right.

    **Parameters**

    - `curves`: one prediction of the run in any unit of time, or several by name, as `predict_levels` gives them.
    - `measured`: what a probe has recorded so far. - `at`: use it only up to this step.
    - `schedule`: where the learning rate changes, a function of the step that gives it, or its value at every step: time is
      counted in Σ rate, and in Σ rate^¼ where `measured` holds errors of sampling, as that of a network does.
    - `average`: time constant in steps, 1/(1 − decay), of averaged weights if those are watched; by default what `train` noted.
    - `coverage`: probability of the intervals.

    Raises InputError if the curves are not of the same modes, or nothing was measured by `at`. Warns where the network predicts
    another target than a curve's.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum.power_law(50, exponent=1.5)
    >>> slow = ec.predict(spectrum, optimizer=ec.GradientFlow(lr=0.01), time=np.geomspace(1, 1e3, 60))  # stands for a run
    >>> expected = ec.forecast(ec.predict(spectrum), slow)
    >>> round(expected.time_scale, -1), int(expected.pending.sum())  # a hundred steps for a unit of predicted time
    (100.0, 41)

    ```
    """
    coverage = number("coverage", coverage, above=0, below=1)
    named = by_name(curves)
    instance("measured", measured, LearningCurve, "a learning curve")
    for name, curve in named.items():
        instance(f"curves[{name!r}]", curve, LearningCurve, "a learning curve")
        _check_same(curve, measured)
    at = None if at is None else number("at", at, at_least=0)
    standard = named["c"] if "c" in named else next(iter(named.values()))
    said_of_objective(None if standard.recipe is None else standard.recipe.objective, measured)
    last = float(measured.time.values[np.isfinite(measured.time.values)].max(initial=1.0))
    constant = float(measured.dataset.attrs.get("average", 0.0)) if average is None else average
    power = NETWORKS if "log_variance_error" in measured.dataset else 1.0
    clock = EffectiveTime.of(schedule, constant, HORIZON * max(last, 1.0), power)
    initial = standard.initial.values if started_late(measured) else measured.initial.values
    known = "reachable" in measured.dataset or measured.recipe is not None
    goal = (measured if known else standard).reachable.values
    state = RunState.of(measured, initial, goal, at, clock)
    levels = weigh(named, state) if state.order.size and np.isfinite(state.now) and state.back.size else {}
    return _made(state, levels, measured, clock, coverage)


def by_name(curves: Any) -> Mapping[str, LearningCurve]:
    """Curves by name: those given, or one called "given"."""
    named = {"given": curves} if isinstance(curves, LearningCurve) else curves
    if not isinstance(named, Mapping) or not named:
        raise InputError(f"curves must be a learning curve, or several by name, got {shown(curves)}")
    taken = next((name for name in named if name in (PLAIN, ONE_TIME)), None)
    if taken is not None:
        raise InputError(f"curves must not be named {taken!r}: a forecast has a level of that name itself")
    return named


def _check_same(curve: LearningCurve, measured: LearningCurve) -> None:
    if curve.target.size != measured.target.size or not np.allclose(curve.target, measured.target, rtol=1e-6):
        raise InputError(
            f"curve and measured must have the same modes, got {curve.target.size} and {measured.target.size} modes"
        )


def _made(
    state: RunState, levels: Mapping[str, Weighed], measured: LearningCurve, clock: EffectiveTime, coverage: float
) -> Forecast:
    """The forecast that follows from the levels, none if nothing has moved."""
    table, target = state.table, state.table.target
    passage = np.where(state.begun, table.time, np.nan)
    begin = np.repeat(np.where(table.gray_zone, 0.0, np.where(state.before, state.first, passage))[None], DRAWS, axis=0)
    columns, weights, future = [passage] * 3, {}, None
    if levels:
        future, weights = future_of(levels, state, 0), weights_of(levels)
        with np.errstate(divide="ignore"):
            wait = future.reaches(np.log(table.level[state.order]))
        steps = np.full((DRAWS, target.size), np.nan)
        steps[:, state.order] = np.maximum(clock.step(np.exp(state.now + wait)), state.made_at)
        coming = state.pending & state.moving
        begin[:, coming] = steps[:, coming]
        columns = [np.where(coming, column, passage) for column in quantiles(steps, coverage)]
    low, middle, high = columns
    scale, moved = _scale_and_moved(state, levels)
    return Forecast(
        middle, low, high, state.begun, state.pending, table.gray_zone, target, state.made_at, coverage, scale, weights, moved,
        begin, Drawn(state, future, measured, clock),
    )  # fmt: skip


def _scale_and_moved(state: RunState, levels: Mapping[str, Weighed]) -> tuple[float, int]:
    """Steps per unit of time of the likeliest level of theory, and the number of modes that have moved or begun."""
    if not levels:
        return float("nan"), int(state.begun.sum())
    level = levels[likeliest(levels)]
    progress, far = level.progress, level.grouped.at(level.progress.place)
    between = progress.informative & (far > ON_THE_WAY[0]) & (far < ON_THE_WAY[1])  # at its end a path says little
    sure = between if between.any() else progress.informative
    moved = state.begun.copy()
    moved[state.order] |= progress.informative[state.group]
    return float(np.exp(state.now - np.median(progress.place[sure]))), int(moved.sum())
