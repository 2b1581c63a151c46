"""When each class appears among generated samples, and when it is copied, by the user's own classifier or labels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..checks import InputError, finite_array, number, numeric_array, say, sequence, shown
from ..clocks.passage import Clock, Passages
from ..curve.learning_curve import LearningCurve
from .class_gate import ClassGate, most_probable
from .copies import RATIO, answered, as_many, matches, some

FEWEST = 20
"""Fewest samples of a class of which copies are counted."""

Shares = Float[np.ndarray, "replicate time class"]


@dataclass(frozen=True, eq=False, repr=False)
class ClassClocks:
    """Emergence and memorisation of every class, over replicates.

    - `time` (time,): steps. - `proportions` (class,): in the data.
    - `share`: (replicate, time, class) of samples assigned to each class, over the classifier's pass rate.
    - `copied`, `by_chance`: (replicate, time, class) share of copies, of training and of control samples; NaN below `FEWEST`
      samples of a class, None without a training set. `excess` is their difference.
    - `emergence`, `memorized`: a `Passages` per class; `memorized` is None without a training set.
    - `counting`: (class, 2) interval of emergence in the first replicate from the noise of counting alone.
    """

    time: Float[np.ndarray, " time"]
    proportions: Float[np.ndarray, " class"]
    share: Shares
    copied: Shares | None
    by_chance: Shares | None
    emergence: list[Passages]
    memorized: list[Passages] | None
    counting: Float[np.ndarray, "class 2"]
    names: tuple[str, ...]

    @property
    def excess(self) -> Shares | None:
        """(replicate, time, class) copies beyond the control's."""
        return None if self.copied is None or self.by_chance is None else self.copied - self.by_chance

    def to_dataframe(self) -> pd.DataFrame:
        """A row per class: proportion, emergence and memorisation in words, with intervals and censoring."""
        rows = []
        for k, name in enumerate(self.names):
            row: dict[str, Any] = {
                "class": name,
                "proportion": self.proportions[k],
                "emergence": str(self.emergence[k]),
            }
            if len(self.share) == 1:
                row["emergence (counting noise)"] = "{:,.0f} … {:,.0f}".format(*self.counting[k])
            if self.memorized is not None:
                row["memorized"] = str(self.memorized[k])
            rows.append(row)
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return (
            f"ClassClocks(emergence: {', '.join(f'{n} {p}' for n, p in zip(self.names, self.emergence, strict=True))})"
        )


def class_clocks(
    runs: Any,
    classify: Callable[[Any], Any] | Any = None,
    *,
    real: Any = None,
    proportions: Any = None,
    labels: Any = None,
    train: Any = None,
    control: Any = None,
    share: float = 0.5,
    copies: float = 0.1,
    ratio: float = RATIO,
    pass_rate: Any = None,
    names: Sequence[str] | None = None,
) -> ClassClocks:
    """When each class reaches a share of its proportion among generated samples, and when its samples become copies.

    **Parameters**

    - `runs`: one run or a list of them (seeds): a learning curve whose probe kept samples (`keep_samples`), or a pair of
      steps (time,) and samples (time, n, ...).
    - `classify`: samples (n, ...) → whole labels (n,) from 0, −1 for none; or probabilities (n, class), below 0.9 for none; or
      labels (time, n) of one run, (replicate, time, n) of several. Ordinary classifiers, scikit-learn's, give noise a class.
    - `real`: in its place (X, y), real samples (m, ...) that the model was not trained on and their classes (m,) from 0: what is
      like none of them is of no class (`ClassGate`); or such a gate.
    - `proportions`: (class,) in the training data, summing to one; or `labels`: (m,) of the training samples; default those of
      `real`.
    - `train`, `control`: training samples (m, ...), and held-out ones, for copies (as `memorization` counts them, by class); a
      control is needed, or near neighbours of one class would count as copies.
    - `share`: a class has emerged at this part of its proportion. - `copies`: it is memorised at this excess of copies. Both are
      read off a monotone fit, so that the noise of a few samples does not read early.
    - `pass_rate`: (class,) share of real samples of a class that `classify` accepts; default 1, or the gate's.
    - `names`: of the classes.

    Warns where most classes are there at the first record, which usually says that `classify` accepts noise. InputError for a
    class without samples, proportions that do not sum to one, labels of another length, or both of `classify` and `real`.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> rng, steps = np.random.default_rng(0), np.arange(1, 9)
    >>> x = np.where(rng.random((8, 400, 1)) < 0.05 * steps[:, None, None], 1.0, -1.0)  # the class at +1 grows step by step
    >>> clocks = ec.class_clocks((steps, x), lambda x: (x[:, 0] > 0).astype(int), proportions=[0.6, 0.4], names=["minus", "plus"])
    >>> clocks.emergence[1].time.round()
    array([4.])

    ```
    """
    if (classify is None) == (real is None):
        raise InputError(f"give either classify or real, got {'neither' if real is None else 'both'}")
    if isinstance(runs, tuple) and all(isinstance(run, LearningCurve | tuple) for run in runs):
        runs = list(runs)
    single = not isinstance(runs, list)
    pairs = [_steps_and_samples(run) for run in ([runs] if single else runs)]
    if not pairs:
        raise InputError("runs must hold at least one run, got none")
    time = pairs[0][0]
    if any(other.shape != time.shape or (other != time).any() for other, _ in pairs):
        raise InputError("runs must be recorded at the same steps")
    train = None if train is None else some("train", train)
    control = None if control is None else some("control", control)
    gate = None if real is None else _gate(real)
    if gate is not None and proportions is None and labels is None:
        proportions = gate.shares
    wanted = _proportions(proportions, labels, train)
    n_classes = wanted.size
    if gate is not None:
        if len(gate.limits) != n_classes:
            raise InputError(f"real must have the {n_classes} classes of the training samples, got {len(gate.limits)}")
        classify, pass_rate = gate, gate.pass_rate if pass_rate is None else pass_rate
        if gate.pass_rate.min() == 0:
            raise InputError(
                f"real must be told apart by class, got none of class {gate.pass_rate.argmin()} accepted: {gate}"
            )
    passing = np.ones(n_classes) if pass_rate is None else finite_array("pass_rate", pass_rate, "numbers in (0, 1]")
    if passing.shape != (n_classes,) or passing.min() <= 0 or passing.max() > 1:
        raise InputError(f"pass_rate must be {n_classes} numbers in (0, 1], got {shown(pass_rate)}")
    titles = tuple(str(k) for k in range(n_classes)) if names is None else tuple(map(str, sequence("names", names)))
    if len(titles) != n_classes:
        raise InputError(f"names must name {n_classes} classes, got {len(titles)}")
    number("share", share, above=0)
    number("copies", copies, above=0, below=1)
    if train is None and control is not None:
        raise InputError("train must be given with control: copies are counted against it")
    few = pairs[0][1].shape[1]
    if train is not None and few < FEWEST:
        raise InputError(
            f"runs must hold at least {FEWEST} samples each time to count copies, got {few}: Probe(keep_samples=...)"
        )
    for run in runs if train is not None and isinstance(runs, list) else [runs] if train is not None else []:
        if isinstance(run, LearningCurve) and run.spectrum.n_modes < run.spectrum.dimension:
            raise InputError(
                f"runs must keep whole samples to count copies, got {run.spectrum.n_modes} modes of "
                f"{run.spectrum.dimension} coordinates: give steps and samples"
            )
    if train is not None and control is None:
        raise InputError("control must be given with train: without held-out samples chance cannot be told from copies")

    assigned = [_labels(classify, samples, i, single, n_classes) for i, (_, samples) in enumerate(pairs)]
    counted = np.stack([(labels[..., None] == np.arange(n_classes)).mean(axis=1) for labels in assigned])
    found = counted / passing
    emergence = [
        Clock(f"share of {titles[k]}", share * wanted[k], smooth="isotonic").of(time, found[:, :, k])
        for k in range(n_classes)
    ]
    at_once = [name for name, one in zip(titles, emergence, strict=True) if (one.low == 0).all()]
    if n_classes > 1 and 2 * len(at_once) > n_classes:
        hint = (
            ""
            if gate is not None
            else ": usually classify accepts noise; let it give −1, or give real=(X, y) in its place"
        )
        say(f"{len(at_once)} of {n_classes} classes are there at the first record, step {time[0]:g}{hint}")
    n = pairs[0][1].shape[1]
    counting = [
        Clock("share", share * wanted[k] * passing[k], smooth="isotonic").sampling_interval(time, counted[0, :, k], n)
        for k in range(n_classes)
    ]
    copied = by_chance = None
    if train is not None:
        sets = (("train", train), ("control", as_many(control, len(train))))
        both = [
            [_copies(x, at, n_classes, known, ratio, name) for name, known in sets]
            for (_, x), at in zip(pairs, assigned, strict=True)
        ]
        copied, by_chance = np.stack(both, axis=1)
    memorized = None
    if copied is not None and by_chance is not None:
        memorized = [
            Clock(f"copies of {titles[k]}", copies, smooth="isotonic").of(time, (copied - by_chance)[:, :, k])
            for k in range(n_classes)
        ]
    return ClassClocks(time, wanted, found, copied, by_chance, emergence, memorized, np.array(counting), titles)


def _gate(real: Any) -> ClassGate:
    if isinstance(real, ClassGate):
        return real
    if not isinstance(real, tuple | list) or len(real) != 2:
        raise InputError(f"real must be (X, y), samples and their classes, got {shown(real)}")
    return ClassGate.of(*real)


def _steps_and_samples(run: Any) -> tuple[Float[np.ndarray, " time"], Any]:
    if isinstance(run, LearningCurve):
        if run.dataset.sizes.get("particle", 0) == 0:
            raise InputError("runs must be learning curves with kept samples: Probe(..., keep_samples=...)")
        kept = run.dataset["particles"].values
        flat = run.spectrum.from_modes(kept.reshape(-1, kept.shape[-1]))
        return run.dataset["time"].values, flat.reshape(*kept.shape[:2], *flat.shape[1:])
    try:
        steps, samples = run
        time, array = (
            numeric_array("steps", steps, "steps").astype(np.float64),
            numeric_array("samples", samples, "samples"),
        )
    except (TypeError, ValueError) as error:
        if "masked" in str(error):
            raise
        raise InputError("runs must be learning curves, or pairs of steps (time,) and samples (time, n, ...)") from None
    if array.ndim < 3 or len(array) != time.size:
        raise InputError(f"samples must have shape (time, n, ...) with {time.size} times, got {array.shape}")
    return time, array


def _proportions(proportions: Any, labels: Any, train: Any) -> Float[np.ndarray, " class"]:
    if (proportions is None) == (labels is None):
        raise InputError("give either proportions or labels of the training samples")
    if proportions is not None:
        wanted = finite_array("proportions", proportions, "numbers > 0 that sum to one")
        if wanted.ndim != 1 or wanted.size == 0 or wanted.min() <= 0 or abs(wanted.sum() - 1) > 1e-6:
            raise InputError(
                f"proportions must be > 0 and sum to one, got {shown(proportions)}, which sum to {wanted.sum():.6g}"
            )
        return wanted / wanted.sum()
    known = numeric_array("labels", labels, "whole numbers >= 0 of shape (m,)")
    if known.ndim != 1 or known.dtype.kind not in "iu" or known.size == 0 or known.min() < 0:
        raise InputError(f"labels must be whole numbers >= 0 of shape (m,), got {known.dtype} of shape {known.shape}")
    if train is not None and len(known) != len(train):
        raise InputError(f"labels must be as many as train, got {len(known)} for {len(train)} samples")
    counts = np.bincount(known)
    if counts.min() == 0:
        raise InputError(f"every class must have samples, got none of class {int(counts.argmin())} in labels")
    return counts / counts.sum()


def _given(labels: Any) -> Any:
    """Labels as an array; texts are refused by what they should be."""
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "US":
        return labels
    return numeric_array("classify", labels, "a function that gives labels, or labels")


def _told(given: Any, n_classes: int) -> Any:
    """Labels, also of probabilities (n, class)."""
    return most_probable(given) if given.dtype.kind == "f" and given.shape[1:] == (n_classes,) else given


def _labels(classify: Any, samples: Any, run: int, single: bool, n_classes: int) -> Any:
    """(time, n) labels of a run."""
    if callable(classify):
        found = [_told(_given(answered("classify", classify, at)), n_classes) for at in samples]
        finite = np.isfinite(samples.reshape(*samples.shape[:2], -1)).all(axis=2)
        bad = next((at.shape for at in found if at.shape != samples.shape[1:2]), None)
        if bad is not None:
            raise InputError(f"classify must give {samples.shape[1]} labels, one per sample, got shape {bad}")
        labels = np.stack(found)
        if labels.dtype.kind in "iu":
            labels = np.where(finite, labels, -1)  # what a diverged model draws belongs to no class
    else:
        given = _given(classify)
        if not single and (given.ndim == 0 or run >= len(given)):
            raise InputError(f"classify must give labels of every run, got shape {given.shape}")
        labels = given if single else given[run]
    if labels.shape != samples.shape[:2]:
        raise InputError(f"classify must have shape {samples.shape[:2]}, a label per sample, got {labels.shape}")
    if labels.dtype.kind not in "iu" or labels.min() < -1 or labels.max() >= n_classes:
        got = labels.dtype if labels.dtype.kind not in "iu" else f"{labels.min()} to {labels.max()}"
        raise InputError(f"classify must give whole labels from −1 to {n_classes - 1}, got {got}")
    return labels


def _copies(samples: Any, labels: Any, n_classes: int, known: Any, ratio: float, name: str) -> Any:
    """(time, class) share of a class's samples that are copies of `known`, NaN where it has too few samples."""
    flat = samples.reshape(-1, *samples.shape[2:])
    flat = np.where((labels >= 0).reshape(-1, *[1] * (flat.ndim - 1)), flat, 0)  # those of no class are not counted
    copied = matches(flat, known, ratio=ratio, name=name).reshape(labels.shape)
    belongs = labels[..., None] == np.arange(n_classes)
    counts = belongs.sum(axis=1)
    return np.where(counts >= FEWEST, (copied[..., None] & belongs).sum(axis=1) / np.maximum(counts, 1), np.nan)
