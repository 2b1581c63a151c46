"""Sweeps: every case once, kept before the next starts, on several cores, within a limit of time."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr
from support.cluster import two_workers, warnings_of_servers

import eigenclock as ec
from eigenclock_studies.sweep import sweep


def draw(setting, seed):
    return xr.Dataset({"value": ("x", np.random.default_rng(seed).standard_normal(3) * setting)})


def fails_at_two(setting, seed):
    if seed == 2:
        raise RuntimeError("broken")
    return draw(setting, seed)


def test_results_do_not_depend_on_the_number_of_workers(tmp_path):
    settings = {"one": 1.0, "two": 2.0}
    alone = sweep(draw, settings, seeds=(3, 1), folder=tmp_path / "a", workers=1)
    side = sweep(draw, settings, seeds=(3, 1), folder=tmp_path / "b", workers=2)
    assert list(alone.results) == list(side.results) == [("one", 3), ("one", 1), ("two", 3), ("two", 1)]
    for key, found in alone.results.items():
        assert found["value"].equals(side.results[key]["value"])
    assert [one.attrs["seed"] for one in alone.seeds_of("two")] == [1, 3]


@pytest.mark.parametrize("workers", [None, 2])
def test_any_executor_does(tmp_path, workers):
    """The same results as here, and the executor lives on; a relative folder means this process's."""
    settings, seeds = {"one": 1.0, "two": 2.0}, (3, 1, 0)
    alone = sweep(draw, settings, seeds=seeds, folder=tmp_path / "a", workers=1)
    with ThreadPoolExecutor(2) as pool:
        others = sweep(draw, settings, seeds=seeds, folder=tmp_path / "b", executor=pool, workers=workers)
        assert pool.submit(int, "7").result() == 7
    assert list(alone.results) == list(others.results)
    for key, found in alone.results.items():
        assert found["value"].equals(others.results[key]["value"])


def learned(exponent, seed):
    """What cases of studies do, small: samples by the seed, their spectrum, and its variances along training."""
    spectrum = ec.Spectrum.power_law(4, exponent=exponent)
    samples = np.sqrt(spectrum.variance) * np.random.default_rng(seed).standard_normal((64, 4))
    return ec.predict(ec.Spectrum.from_samples(samples), time=[1.0, 10.0, 100.0]).dataset[["variance"]]


def test_cases_on_a_cluster_are_those_of_this_process(tmp_path):
    """Processes of their own, as on a cluster's nodes; a case that has failed there is an exception here."""
    settings, seeds = {"slow": 1.0, "fast": 2.0}, (0, 1, 2)
    alone = sweep(learned, settings, seeds=seeds, folder=tmp_path / "a", workers=1)
    with two_workers() as client, warnings_of_servers():
        others = sweep(learned, settings, seeds=seeds, folder=tmp_path / "b", executor=client.get_executor())
        with pytest.raises(RuntimeError, match="broken"):
            sweep(fails_at_two, {"a": 1.0}, seeds=(0, 2), folder=tmp_path / "c", executor=client.get_executor())
    assert list(alone.results) == list(others.results)
    for key, found in alone.results.items():
        assert found.drop_attrs().equals(others.results[key].drop_attrs())


def test_a_failure_leaves_nothing_running_on_the_executor(tmp_path):
    """What had not started is called off; what had is waited for, and kept."""
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(RuntimeError, match="broken"):
            sweep(fails_at_two, {"a": 1.0}, seeds=(0, 2, *range(3, 60)), folder=tmp_path, executor=pool)
        kept = len(list(tmp_path.glob("*.nc")))
    assert len(list(tmp_path.glob("*.nc"))) == kept < 59


def test_what_is_finished_is_only_read(tmp_path):
    with pytest.raises(RuntimeError, match="broken"):
        sweep(fails_at_two, {"a": 1.0}, seeds=(0, 1, 2, 3), folder=tmp_path, workers=1)
    assert len(list(tmp_path.glob("*.nc"))) == 2
    said = []
    before = {file: file.stat().st_mtime_ns for file in tmp_path.glob("*.nc")}
    found = sweep(draw, {"a": 1.0}, seeds=(0, 1, 2, 3), folder=tmp_path, workers=1, say=said.append)
    assert said[0] == "2 of 4 done"
    assert len(found.results) == 4
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_another_setting_of_the_same_name_is_done_again(tmp_path):
    sweep(draw, {"a": 1.0}, seeds=(0,), folder=tmp_path, workers=1)
    found = sweep(draw, {"a": 5.0}, seeds=(0,), folder=tmp_path, workers=1)
    assert found.results["a", 0]["value"].values == pytest.approx(5 * np.random.default_rng(0).standard_normal(3))


def test_names_that_clean_to_one_file_name_stay_apart(tmp_path):
    found = sweep(draw, {"a/b": 1.0, "a b": 2.0}, seeds=(0,), folder=tmp_path, workers=1)
    assert len(list(tmp_path.glob("*.nc"))) == 2
    assert (found.results["a b", 0]["value"] == 2 * found.results["a/b", 0]["value"]).all()


def test_no_case_starts_after_the_limit(tmp_path, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr("eigenclock_studies.sweep.clock.perf_counter", lambda: float(next(clock)))
    found = sweep(draw, {"a": 1.0, "b": 2.0}, seeds=(0, 1), folder=tmp_path, workers=1, limit_seconds=2.5)
    assert 0 < len(found.results) < 4
    assert len(found.results) + len(found.dropped) == 4
    assert set(found.dropped).isdisjoint(found.results)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"settings": {}}, "settings and seeds must not be empty"),
        ({"seeds": ()}, "settings and seeds must not be empty"),
        ({"seeds": (1, 1)}, r"seeds must be different, got \(1, 1\)"),
        ({"seeds": (-1,)}, "seeds must be a whole number >= 0, got -1"),
        ({"workers": 0}, "workers must be a whole number >= 1, got 0"),
        ({"limit_seconds": 0}, "limit_seconds must be a finite number > 0, got 0"),
    ],
)
def test_errors(tmp_path, more, message):
    given = {"settings": {"a": 1.0}, "seeds": (0,), "folder": tmp_path, "workers": 1} | more
    with pytest.raises(ec.InputError, match=message):
        sweep(draw, **given)


def test_settings_must_say_what_they_are(tmp_path):
    for setting in (np.zeros(5000), object()):
        with pytest.raises(ec.InputError, match=r"settings\['a'\] must have a faithful repr"):
            sweep(draw, {"a": setting}, seeds=(0,), folder=tmp_path, workers=1)
    with pytest.raises(ec.InputError, match="case must return an xarray Dataset, got float"):
        sweep(lambda setting, seed: 1.0, {"a": 1.0}, seeds=(0,), folder=tmp_path, workers=1)


def test_a_broken_file_is_done_again(tmp_path):
    sweep(draw, {"a": 1.0}, seeds=(0,), folder=tmp_path, workers=1)
    file = next(tmp_path.glob("*.nc"))
    file.write_bytes(file.read_bytes()[:200])
    found = sweep(draw, {"a": 1.0}, seeds=(0,), folder=tmp_path, workers=1)
    assert found.results["a", 0]["value"].size == 3
