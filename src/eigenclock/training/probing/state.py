"""A probe's records as the state of a checkpoint: tensors, numbers and words, which load without a pickle."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from ...checks import InputError, instance
from ...curve.learning_curve import LearningCurve
from ...recipe.samplers import Sampler
from ...spectrum.spectrum import Spectrum
from .records import records_of

FORMAT = "eigenclock probe 1"

MAIN = ""
"""Name of the probe's own spectrum among those it follows."""

Records = dict[str, dict[int, dict[str, Any]]]


def state_of(
    curves: Mapping[str, LearningCurve],
    spectrum: Spectrum,
    sigma: Float[np.ndarray, " sigma"],
    sampler: Sampler,
    objective: str | None,
    seconds: float,
) -> dict[str, Any]:
    """State of a probe that has recorded these curves; a curve's variables by name, a row per step."""
    found: dict[str, Any] = {}
    for name, curve in curves.items():
        records = records_of(curve, last_step=int(curve.time.values[-1]))
        rows = {
            key: np.stack([record[key] for record in records.values()]) for record in records.values() for key in record
        }
        found[name] = {"step": torch.tensor(list(records))} | {
            key: torch.from_numpy(value) for key, value in rows.items()
        }
    return {
        "format": FORMAT,
        "variance": torch.tensor(spectrum.variance),
        "sigma": torch.tensor(sigma),
        "sampler": str(sampler),
        "objective": objective or "",
        "seconds": float(seconds),
        "curves": found,
    }


def records_of_state(
    state: Any, names: tuple[str, ...], spectrum: Spectrum, sigma: Float[np.ndarray, " sigma"], sampler: Sampler
) -> tuple[str | None, float, Records]:
    """Objective, seconds and records by curve and step of a state; InputError where it is not one of such a probe."""
    instance("state", state, Mapping, "what state_dict gave")
    if state.get("format") != FORMAT:
        raise InputError(f"state must be what the state_dict of a probe gave, got one without format {FORMAT!r}")
    for name, mine in (("variance", spectrum.variance), ("sigma", sigma)):
        other = np.asarray(state[name])
        if other.shape != mine.shape or not np.allclose(other, mine, rtol=1e-6):
            what = "the spectrum" if name == "variance" else "the noise levels"
            raise InputError(f"state must be of a probe with {what} of this one, got another's")
    if state["sampler"] != str(sampler):
        raise InputError(f"state must be of a probe with the sampler of this one, {sampler}, got {state['sampler']}")
    found: Records = {}
    for name, curve in state["curves"].items():
        if name not in names:
            raise InputError(f"state must hold curves named {', '.join(map(repr, names))}, got {name!r}")
        found[name] = _rows(name, curve, spectrum.n_modes if name == MAIN else None)
    return state["objective"] or None, float(state["seconds"]), found


def _rows(name: str, curve: Any, modes: int | None) -> dict[int, dict[str, Any]]:
    """Records by step of one curve of a state; InputError where its variables have not a row for every step."""
    rows = {key: np.asarray(value) for key, value in curve.items()} if isinstance(curve, Mapping) else {}
    steps = rows.pop("step", np.empty(0))
    whole = steps.ndim == 1 and "variance" in rows and all(len(row) == len(steps) for row in rows.values() if row.ndim)
    if not whole or modes not in (None, rows["variance"].shape[-1]):
        raise InputError(
            f"state must hold the curves of a probe, got one named {name!r} without its variance at every step"
        )
    return {step: {key: row[i] for key, row in rows.items()} for i, step in enumerate(steps.astype(int).tolist())}
