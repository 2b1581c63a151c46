"""Units of training in steps of the user's network: the best recipes, each trained for a few hundred steps (T20, T24)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError, finite_array, instance, integer, random_seed, shown
from ..comparison.forecast import forecast
from ..comparison.levels import predict_level
from ..data import DataSet
from ..spectrum.spectrum import Spectrum
from .candidates import Candidate
from .groups import Standardization
from .result import Advice, row_words

FIRST = 3
"""Recipes that are trained."""

LEVELS = ("a", "c", "e", "e_balanced")
"""Levels of theory that a forecast weighs: with the run's own sampler, and the paper's."""

RECORDS, SAMPLES = 24, 192
"""Of the probe: steps at which it looks, and samples."""


def calibrate(
    advice: Advice,
    samples: Any,
    *,
    steps: int = 300,
    network: Any = None,
    optimizer: Any = None,
    options: Any = None,
    seed: int = 0,
    progress: Any = None,
) -> Advice:
    """The advice with the training that recipes need in steps of a network (T20, T24).

    The best three recipes without the data's spectrum in them are trained for `steps` and watched; `ec.forecast` says from that
    at which step each stays within each share of the data's norm, with an interval. The other recipes follow from the three by
    their units: a ratio of units counts as that ratio to the power of 0.6 in steps, as it did on the data that set it.

    **Parameters**

    - `samples`: (n, *shape) the data, as their spectrum was made of. - `steps`: of each training.
    - `network`: to be built for them; `MLP(256, 5)` by default. - `optimizer`: `Adam(3e-4)` by default. - `options`:
      `LoopOptions`.
    - `seed`: of weights, order and noise. - `progress`: called with steps done, of all trainings, their number, and the recipe.

    The table has, for each fraction x, `steps_x`, `steps_low_x` and `steps_high_x` (80 %). InputError for values of the wrong
    kinds, or where no recipe needs any training.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> samples = np.random.default_rng(0).standard_normal((500, 8)) * np.geomspace(1, 0.1, 8)
    >>> spectrum = ec.Spectrum.from_samples(samples)
    >>> advice = ec.choose(spectrum, recipes=[ec.EDM(density=ec.LogNormal())], standardizations="none")
    >>> known = ec.calibrate(advice, samples, steps=30, network=ec.MLP(16, 2))
    >>> [name for name in known.table if name.startswith("steps_0.25")]
    ['steps_0.25']

    ```
    """
    from ..training.loop import train
    from ..training.network_options import MLP, Network
    from ..training.optimizers import Adam
    from ..training.options import LoopOptions
    from ..training.probing.cadence import log_steps
    from ..training.probing.recorder import Recorder

    instance("advice", advice, Advice, "what ec.choose gives")
    integer("steps", steps, at_least=10)
    random_seed(seed)
    if progress is not None and not callable(progress):
        raise InputError(f"progress must be a function of steps, their number and a recipe, got {shown(progress)}")
    network = MLP(256, 5) if network is None else network
    optimizer = Adam(3e-4) if optimizer is None else optimizer
    instance("network", network, Network, "a network to build, such as MLP(256, 5)")
    given = finite_array("samples", samples, "an array of finite numbers (n, ...)")
    _check_same(advice, given)
    rows = trained_rows(advice)
    if not rows:
        raise InputError("calibration needs a recipe that comes close after some training, got none")
    expected = {}
    for k, row in enumerate(rows):
        candidate = advice.candidates[row]
        data = standardised(given, candidate.standardization)
        spectrum = Spectrum.from_samples(data)
        marks = log_steps(1, steps, RECORDS)
        probe = Recorder(spectrum, sampler=advice.sampler, steps=marks, n_samples=SAMPLES, sigma=(), seed=seed)
        train(
            network.build(data.shape[1:], spectrum=spectrum, seed=seed),
            data,
            objective=candidate.objective,
            optimizer=optimizer,
            steps=steps,
            options=LoopOptions() if options is None else options,
            probe=probe,
            seed=seed,
            progress=None if progress is None else _part(progress, k, len(rows), candidate),
        )
        levels = {name: predict_level(name, spectrum, candidate.objective, advice.sampler) for name in LEVELS}
        future = forecast(levels, probe.curve())
        expected[row] = future.closeness(advice.fractions)[["step", "low", "high"]].to_numpy()
    table = in_steps(advice, expected)
    words = (
        f"On {type(network).__name__} with {type(optimizer).__name__}(lr={optimizer.lr:g}), forecast from {steps:,} steps of the "
        f"first {len(rows)}: {row_words(table.iloc[rows[0]], advice.by)}"
    )
    return replace(advice, table=table, calibrated=words)


def _check_same(advice: Advice, samples: Float[np.ndarray, "n ..."]) -> None:
    """InputError for samples of another shape, or another size, than those the advice is about."""
    known = advice.spectrum
    shape = (known.dimension,) if known.basis is None else known.basis.shape
    if samples.shape[1:] != shape:
        raise InputError(
            f"samples must have shape (n, {', '.join(map(str, shape))}) as the advice's, got {samples.shape}"
        )
    ratio = float(samples.var(axis=0).sum() / known.variance.sum())
    if not 1 / UNLIKE < ratio < UNLIKE:
        raise InputError(f"samples must be those of the advice, got {ratio:.3g} times their variance")


UNLIKE = 2.0
"""Ratio of variances from which samples are not those of a spectrum."""


def trained_rows(advice: Advice) -> list[int]:
    """Rows of the first three recipes that come close, but not from the start, and have no spectrum in them."""
    times = advice.table[f"close_{advice.by:g}"].to_numpy()
    plain = np.array([not one.spectral for one in advice.candidates])
    return [int(row) for row in np.flatnonzero(plain & (times > 0))[:FIRST]]


POWER = 0.6
"""Power of a predicted ratio of times that networks show: set on digits and a Gaussian field (`benchmarks/advice`)."""


def in_steps(advice: Advice, expected: dict[int, Float[np.ndarray, "fraction 3"]]) -> Any:
    """The table with steps and their intervals: those of the trained recipes as expected, the others' by the ratio of units."""
    table, trained = advice.table.copy(), list(expected)
    for i, fraction in enumerate(advice.fractions):
        units = table[f"close_{fraction:g}"].to_numpy(dtype=np.float64)
        known = np.array([expected[row][i] for row in trained])
        reached = np.isfinite(known).all(axis=1) & (units[trained] > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            per = np.log(known[reached]) - POWER * np.log(units[trained][reached])[:, None]
            middle = per.mean(axis=0) if reached.any() else np.full(3, np.nan)
            steps = np.exp(middle[:, None] + POWER * np.log(units))
        start = np.array([0.0 if one.spectral else np.nan for one in advice.candidates])
        steps[:, units == 0] = start[units == 0]  # other networks do not start where theory has them
        steps[:, trained] = known.T
        for name, values in zip(("steps", "steps_low", "steps_high"), steps, strict=True):
            table[f"{name}_{fraction:g}"] = values
    return table


def standardised(samples: Float[np.ndarray, "n ..."], standardization: Standardization) -> Float[np.ndarray, "n ..."]:
    """Samples as data sets are standardised, or as they are."""
    if standardization == "none":
        return samples
    return DataSet(samples, None, "samples", "").standardized(each=standardization == "pixel").samples


def _part(
    progress: Callable[[int, int, str], None], k: int, count: int, candidate: Candidate
) -> Callable[[int, int, str], None]:
    def report(done: int, total: int, words: str) -> None:
        progress(k * total + done, count * total, candidate.name)

    return report
