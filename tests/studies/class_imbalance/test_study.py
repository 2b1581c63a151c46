"""Class imbalance: exact flows against descent, equations against matrices, posteriors against sampling, the study at its smallest."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import eigenclock as ec
from eigenclock_studies import run_study
from eigenclock_studies.class_imbalance import (
    ClassImbalance,
    Mixture,
    RandomFeatures,
    fashion_runs,
    hermite_coefficients,
    part_fashion,
    part_mlp,
    part_random_features,
    return_probability,
    rf_exact_losses,
    rf_moments,
    rf_resolvent,
    run,
    speciation_time,
)
from eigenclock_studies.class_imbalance.network import SmallNetwork
from eigenclock_studies.class_imbalance.random_features import class_losses

T, PSI_P = 0.1, 4.0
TWO = Mixture((1.5, 0.5), (0.3, 0.7), 6)


def test_the_order_of_a_trained_network():
    options = part_mlp.Options(3, SmallNetwork(steps=300, checkpoints=80), (0.5, 0.05))
    first = part_mlp.class_losses(list(options.cells().values()), options.network, 3, 0)
    dataset = xr.Dataset(
        {"loss": (("cell", "replicate", "class", "step"), first[1])},
        coords={"cell": list(options.cells()), "step": first[0].astype(float)},
    )
    assert first[1][..., 0] == pytest.approx(np.ones_like(first[1][..., 0]))
    balanced, rare, one = (
        part_mlp.log_ratio(dataset, options, cell, t)
        for cell, t in (("high 0.5", 0.5), ("high 0.05", 0.2), ("one centroid 0.05", 0.2))
    )
    assert (balanced.high < 0).all()
    assert (rare.low > 0).sum() >= 2
    assert (one.high < 0).all()
    again = part_mlp.class_losses(list(options.cells().values()), options.network, 3, 0)
    assert (first[1] == again[1]).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("classes")
    run_study("class_imbalance", preset="tiny", out=out, command="eigenclock study class_imbalance")
    return out


def test_study_at_its_smallest(folder):
    page = (folder / "report.html").read_text()
    assert "reconstruction" in page
    assert "known negative" in page
    assert "synthetic" in page
    for part in ClassImbalance.preset("tiny").parts():
        claims = pd.read_csv(folder / f"{part}_claims.csv")
        assert not claims["verdict"].isin(["supported", "not supported"]).any(), "the smallest size issues no verdict"
        assert xr.load_dataset(folder / f"{part}.nc", engine="h5netcdf").sizes
        assert len(list(folder.glob(f"{part}_*.png"))) == 1
    assert (
        json.loads((folder / "manifest_all.json").read_text())["seconds"].keys()
        == ClassImbalance.preset("tiny").parts().keys()
    )


def test_same_numbers_again(folder, tmp_path):
    study = ClassImbalance.preset("tiny")
    for part in ("random_features", "mlp", "fashion"):
        again = run(study, folder=tmp_path, part=part)
        kept = xr.load_dataset(folder / f"{part}.nc", engine="h5netcdf")
        assert again.drop_attrs().equals(kept.drop_attrs())
        known = run(study, folder=folder, part=part)
        assert known.drop_attrs().equals(kept.drop_attrs())


def test_without_data_the_other_parts_are_whole(tmp_path):
    study = replace(ClassImbalance.preset("tiny"), fashion=fashion_runs.PRESETS["cpu"])
    part = study.parts()["fashion"](tmp_path, lambda words: None)
    assert part.claims[0]["verdict"].startswith("not run: needs Fashion-MNIST")
    with pytest.raises(ec.InputError, match="part fashion was not run: it needs data"):
        run(study, folder=tmp_path, part="fashion")
    with pytest.raises(
        ec.InputError, match="part must be one of random_features, spectrum, mlp, speciation, fashion, copies, got 'rf'"
    ):
        run(study, folder=tmp_path, part="rf")
    with pytest.raises(ec.InputError, match="data must be one file or folder of labelled images, got 2"):
        study.with_data(("a", "b"))
    with pytest.raises(ec.InputError, match="which does not exist"):
        part_fashion.run(study.with_data(("nowhere.npz",)).fashion, tmp_path, lambda words: None)


def test_turning_the_classes_around_turns_the_claim_around():
    """Claims of the random-feature part are computed: with the classes exchanged, low variance is first and the claim fails."""
    options = replace(part_random_features.PRESETS["tiny"], replicates=5, shares=(0.5,), other_psi_n=())
    cells = {name: RandomFeatures(cell.mixture, 8, 4, draws=8, test=500) for name, cell in options.cells().items()}
    loss = np.stack([[class_losses(cell, seed) for seed in range(5)] for cell in cells.values()])
    dims = ("cell", "replicate", "split", "class", "tau")
    coords = {"cell": list(cells), "split": ["draws", "train", "test"], "tau": part_random_features.TAU}
    ratios = []
    for values in (loss, loss[:, :, :, ::-1]):
        dataset = xr.Dataset({"loss": (dims, values)}, coords=coords, attrs={"truncated": 0})
        found = part_random_features.clocks(dataset, "variance 0.5", cells["variance 0.5"])
        ratios.append(part_random_features.log_ratio(found, "half", 1, 0))
        verdict_ = part_random_features.claims(dataset, options)[0]["verdict"]
    assert ratios[0].mean.low > 0
    assert ratios[1].mean.high < 0
    assert ratios[0].mean.value == pytest.approx(-ratios[1].mean.value)
    assert verdict_ != "supported"


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
