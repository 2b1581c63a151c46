"""Records become a curve and come back, also those of an earlier version, which lacks some of them."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.curve.marginals import FILTERS
from eigenclock.training.probing.records import numbers

IMAGES = np.random.default_rng(3).exponential(size=(60, 4, 4))
SPECTRUM = ec.Spectrum.from_samples(IMAGES)


def new_probe():
    return ec.Probe(
        SPECTRUM,
        sampler=ec.Heun(steps=3),
        steps=[1, 2],
        n_samples=16,
        data=IMAGES[:40],
        test=IMAGES[40:],
        sigma=[0.5, 2.0],
    )


def shrink(x, sigma):
    return x / (1 + sigma**2)


@pytest.fixture(scope="module")
def curve():
    probe = new_probe()
    for step in range(3):
        probe(step, shrink)
    return probe.curve()


def test_what_is_recorded_is_named_and_has_units(curve):
    data = curve.dataset
    dims = {
        "kurtosis": ("time", "mode"),
        "marginal_distance": ("time", "mode"),
        "filter_kurtosis": ("time", "filter"),
        "data_kurtosis": ("mode",),
        "data_filter_kurtosis": ("filter",),
        "marginal_floor": ("mode",),
        "log_variance_error": ("time", "mode"),
        "train_loss": ("time", "mode", "sigma"),
        "test_loss": ("time", "mode", "sigma"),
    }
    for name, wanted in dims.items():
        assert data[name].dims == wanted
        assert {"long_name", "units"} <= set(data[name].attrs), name
    assert data["filter"].values.tolist() == list(FILTERS)


def test_everything_survives_a_file_and_a_resumed_run(curve, tmp_path):
    curve.save(tmp_path / "m.nc")
    loaded = ec.LearningCurve.load(tmp_path / "m.nc")
    assert loaded.dataset.identical(curve.dataset)
    again = new_probe()
    again.restore({"": loaded}, last_step=1)
    again(2, shrink)
    assert again.curve().dataset.identical(curve.dataset)


def test_what_an_earlier_version_did_not_record_is_nan(curve):
    lacking = ["kurtosis", "marginal_distance", "filter_kurtosis", "test_loss", "train_loss", "data_kurtosis", "filter"]
    old = ec.LearningCurve(curve.dataset.drop_vars(lacking), recipe=None, source="measurement")
    probe = new_probe()
    probe.restore({"": old}, last_step=1)
    probe(2, shrink)
    data = probe.curve().dataset
    for name in ("kurtosis", "filter_kurtosis", "test_loss"):
        assert np.isnan(data[name][:2]).all()
        assert np.array_equal(data[name][2], curve.dataset[name][2])
    assert np.array_equal(data["variance"], curve.dataset["variance"])


@pytest.mark.parametrize("name", ["train_loss", "data_kurtosis"])
def test_watchers_leave_the_probes_own_names_alone(name):
    first, second = name.split("_")
    with pytest.raises(ec.InputError, match=f"must not record '{name}'"):
        numbers("watch", first, 0, lambda seen: {second: 1.0}, None)
