"""Class imbalance at its smallest: what every part writes, the same numbers again, parts without data, claims that turn around."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import eigenclock as ec
from eigenclock_studies import run_study
from eigenclock_studies.class_imbalance import (
    STUDY,
    Mixture,
    RandomFeatures,
    fashion_runs,
    hermite_coefficients,
    part_fashion,
    part_mlp,
    part_random_features,
    part_ten,
    return_probability,
    rf_exact_losses,
    rf_moments,
    rf_resolvent,
    speciation_time,
)
from eigenclock_studies.class_imbalance.network import SmallNetwork
from eigenclock_studies.class_imbalance.random_features import class_losses

T, PSI_P = 0.1, 4.0
TWO = Mixture((1.5, 0.5), (0.3, 0.7), 6)


def test_the_order_of_a_trained_network(tmp_path):
    options = part_mlp.Options(3, SmallNetwork(steps=300, checkpoints=80), shares=(0.5, 0.05))
    dataset = part_mlp.measure(options.cells(), options.network, 3, tmp_path / "mlp.nc")
    assert dataset["loss"].isel(step=0).values == pytest.approx(np.ones((6, 3, 2)))
    balanced, rare, one = (
        part_mlp.log_ratio(dataset, options, cell, t)
        for cell, t in (("high 0.5", 0.5), ("high 0.05", 0.2), ("one centroid 0.05", 0.2))
    )
    assert (balanced.high < 0).all()
    assert (rare.low > 0).sum() >= 2
    assert (one.high < 0).all()
    again = part_mlp.measure(options.cells(), options.network, 3, tmp_path / "again.nc")
    assert again["loss"].equals(dataset["loss"])


def test_momentum_and_a_falling_rate_change_how_far_a_run_comes():
    plain = SmallNetwork(hidden=8, steps=40, batch=16, checkpoints=10)
    mixture = [Mixture((1.0, 1.0), (0.5, 0.5), 4)]
    from eigenclock_studies.class_imbalance.network import class_losses as trained

    steps, still = trained(mixture, plain, 2, 0)
    _, falling = trained(mixture, replace(plain, decay=1.0), 2, 0)
    _, heavy = trained(mixture, replace(plain, momentum=0.9, lr=plain.lr / 10), 2, 0)
    assert steps[-1] == 40
    assert not np.allclose(still[..., -1], falling[..., -1])
    # a momentum of 0.9 makes a rate ten times smaller as fast in the long run: between a tenth of the way and all of it
    way = (1 - heavy[..., -1]) / (1 - still[..., -1])
    assert (way > 0.1).all()
    assert (way < 1.3).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("classes")
    run_study("class_imbalance", preset="tiny", out=out, command="eigenclock study class_imbalance")
    return out


def test_study_at_its_smallest(folder):
    page = (folder / "report.html").read_text()
    assert "reconstruction" in page
    assert "synthetic" in page
    for part in STUDY.plans:
        claims = pd.read_csv(folder / f"{part}_claims.csv")
        assert claims["verdict"].str.startswith("not run").all(), "the smallest size issues no verdict"
        assert xr.load_dataset(folder / f"{part}.nc", engine="h5netcdf").sizes
        assert len(list(folder.glob(f"{part}_*.png"))) == 1
    assert json.loads((folder / "manifest_all.json").read_text())["seconds"].keys() == STUDY.plans.keys()


def test_same_numbers_again(folder, tmp_path):
    for part in ("random_features", "mlp", "fashion", "learned"):
        run_study("class_imbalance", preset="tiny", out=tmp_path, part=part)
        again, kept = (xr.load_dataset(one / f"{part}.nc", engine="h5netcdf") for one in (tmp_path, folder))
        assert again.drop_attrs().equals(kept.drop_attrs())


def test_without_data_the_other_parts_are_whole(tmp_path):
    for options, part in ((fashion_runs.PRESETS, part_fashion), (fashion_runs.TEN_PRESETS, part_ten)):
        found = part.run(options["cpu"], tmp_path, lambda words: None)
        assert str(found.claims[0].verdict).startswith("not run (needs Fashion-MNIST")
    study = STUDY("tiny")
    with pytest.raises(ec.InputError, match="data must be one file or folder of labelled images, got 2"):
        study.take_data(("a", "b"))
    study.take_data(("nowhere.npz",))
    with pytest.raises(ec.InputError, match="which does not exist"):
        part_fashion.run(study.options["fashion"], tmp_path, lambda words: None)


def test_turning_the_classes_around_turns_the_claim_around():
    """Claims of the random-feature part are computed: with the classes exchanged, low variance is first and the claim fails."""
    seeds = tuple(range(5))
    options = replace(part_random_features.PRESETS["tiny"], seeds=seeds, shares=(0.5,), other_psi_n=())
    cells = {name: RandomFeatures(cell.mixture, 8, 4, draws=8, test=500) for name, cell in options.cells().items()}
    loss = np.stack([[class_losses(cell, seed) for seed in seeds] for cell in cells.values()])
    dims = ("cell", "replicate", "split", "class", "tau")
    coords = {"cell": list(cells), "split": ["draws", "train", "test"], "tau": part_random_features.TAU}
    ratios, outcomes = [], []
    for values in (loss, loss[:, :, :, ::-1]):
        dataset = xr.Dataset({"loss": (dims, values)}, coords=coords)
        found = part_random_features.clocks(dataset, "variance 0.5", cells["variance 0.5"])
        ratios.append(part_random_features.log_ratio(found, "half", 1, 0))
        outcomes.append(part_random_features.claims(dataset, options)[0].verdict.outcome)
    assert ratios[0].mean.low > 0
    assert ratios[1].mean.high < 0
    assert ratios[0].mean.value == pytest.approx(-ratios[1].mean.value)
    assert outcomes[1] == "not shown"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Mixture((1.0, 1.0), (0.5, 0.6), 4), r"pi must be > 0 and sum to one, got \(0.5, 0.6\)"),
        (lambda: Mixture((1.0, 1.0), (1.0, 0.0), 4), "pi must be > 0 and sum to one"),
        (lambda: Mixture((1.0, 0.0), (0.5, 0.5), 4), r"variance must be class variances > 0, got \(1.0, 0.0\)"),
        (lambda: Mixture((1.0,), (0.5, 0.5), 4), "pi must have one entry per class, 1, got 2"),
        (lambda: Mixture((1.0, 1.0), (0.5, 0.5), 4, (1.0,)), "norm2 must have 2 entries, one per class, got 1"),
        (lambda: Mixture((1.0, 1.0), (0.99, 0.01), 4).counts(20), r"every class must have at least 2 training samples, got \[20, 0\] of n = 20"),
        (lambda: rf_resolvent([-1.0], (1.0,), (1.0,), 0.0, 4, T), "psi_p must be a finite number > 0, got 0.0"),
        (lambda: rf_resolvent([-1.0], (1.0,), (1.0,), 4, -1.0, T), "psi_n must be a finite number > 0, got -1.0"),
        (lambda: hermite_coefficients(1.0, 0.0), "t must be a finite number > 0, got 0.0"),
        (lambda: return_probability((0.5, 0.5), np.zeros((3, 2)), (1, 1), [1.0]), r"mu must have shape \(2, d\), got \(3, 2\)"),
        (lambda: return_probability((0.5, 0.5), np.full((2, 2), np.nan), (1, 1), [1.0]), "mu must be centroids"),
        (lambda: return_probability((0.5, 0.5), np.zeros((2, 2)), (1, 1), [0.0]), r"t must be times > 0, got \[0.0\]"),
        (lambda: speciation_time([2.0, 1.0], [1.0, 0.0]), "t must increase and r have its length"),
        (lambda: RandomFeatures(TWO, 4, 4, t=-1.0), "t must be a finite number > 0, got -1.0"),
        (lambda: rf_exact_losses(np.ones(2), np.eye(2), np.eye(2), np.ones((2, 2)), np.ones((2, 2)), [2.0, 1.0], T, 1.0), "tau must be an increasing grid of times >= 0"),
        (lambda: rf_moments(np.ones((2, 2)), np.ones((3, 2)), t=T, draws=3, rng=np.random.default_rng(0)), "draws must be even"),
        (lambda: run_study("class_imbalance", preset="tiny", out="x", part="rf"), "part must be one of 'random_features'"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ec.InputError, match=message):
        call()
