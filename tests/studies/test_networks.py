"""Tests of `eigenclock_studies.networks`: side by side as alone, looked at along the way, never of other settings."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import eigenclock as ec
from eigenclock_studies.networks import Case, Recipe, Run, losses, place_of, runs_of, train_runs


@dataclass(frozen=True)
class Few:
    """Forty vectors."""

    d: int = 4

    def load(self):
        samples = np.random.default_rng(self.d).standard_normal((40, self.d)).astype(np.float32)
        return samples, ec.Spectrum.from_samples(samples)


@dataclass(frozen=True)
class Note:
    """Writes down when it looked."""

    steps: tuple[int, ...]

    def __call__(self, folder: Path, step: int, denoiser, samples) -> None:
        with open(folder / "looks.txt", "a") as file:
            file.write(f"{step} {len(samples)}\n")


RECIPE = Recipe(network=ec.MLP(8, 2), steps=40, batch_size=8, probes=4, probe_samples=8, gain_levels=2)


def cases():
    return [
        Case("plain", Few(), RECIPE),
        Case("looked", Few(3), replace(RECIPE, replacement=True, records=(1, 5, 30, 99)), (), (Note((10, 40)),)),
    ]


def test_side_by_side_as_alone(tmp_path):
    """Two processes find what one does, to the bit; records beyond the last step are left out; what is done is only read."""
    runs = runs_of(cases(), (0, 1))
    alone = train_runs(tmp_path / "alone", runs, workers=1)
    both = train_runs(tmp_path / "both", runs, workers=2)
    assert list(alone) == [("plain", 0), ("looked", 0), ("plain", 1), ("looked", 1)]
    for key, curves in alone.items():
        np.testing.assert_array_equal(curves[""].variance, both[key][""].variance)
    assert alone["looked", 0][""].time.values.tolist() == [0, 1, 5, 30]
    place = place_of(tmp_path / "both", Run(cases()[1], 1))
    looks = (place / "looks.txt").read_text().splitlines()
    assert looks[:2] == ["10 40", "40 40"]
    assert set(looks[2:]) <= {"40 40"}, "a finished run may be looked at again after its last step"
    assert losses(place)[0].tolist() == [10, 20, 30, 40]
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")}
    train_runs(tmp_path / "both", runs, workers=1)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")} == before


@pytest.mark.parametrize(
    "change", [{"probe_samples": 16}, {"records": (1, 2)}, {"network": ec.MLP(8, 3)}, {"replacement": True}]
)
def test_a_run_of_other_settings_is_not_taken_for_this_one(tmp_path, change):
    case = cases()[0]
    train_runs(tmp_path, [Run(case, 0)], workers=1)
    with pytest.raises(ec.InputError, match=r"settings differ from the run in|is of another network"):
        train_runs(tmp_path, [Run(replace(case, recipe=replace(RECIPE, **change)), 0)], workers=1)


def test_names_must_differ(tmp_path):
    with pytest.raises(ec.InputError, match="runs must have different names, got plain_seed0, plain_seed0"):
        train_runs(tmp_path, [Run(cases()[0], 0), Run(replace(cases()[0], source=Few(5)), 0)])
