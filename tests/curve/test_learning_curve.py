"""Tests of `eigenclock.curve.learning_curve`."""

from pathlib import Path

import numpy as np
import pytest
from recipes import OBJECTIVES

import eigenclock as ec


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_round_trip_is_exact(tmp_path, objective):
    spectrum = ec.Spectrum([2.0, 0.3, 0.0])
    curve = ec.predict(
        spectrum, objective=objective, time=[0.0, 1 / 3, np.inf], keep_gain=True, keep_loss=True, sigma=[0.1, 1.0]
    )
    curve.save(tmp_path / "curve.nc")
    loaded = ec.LearningCurve.load(tmp_path / "curve.nc")
    assert loaded.dataset.identical(curve.dataset)
    assert loaded.recipe == curve.recipe
    assert loaded.source == "theory"


@pytest.mark.parametrize("basis", ["pca", "fourier"])
@pytest.mark.parametrize("shape", [(6,), (4, 5), (4, 4, 3)])
def test_spectrum_travels_with_the_curve(tmp_path, rng, basis, shape):
    x = rng.standard_normal((50, *shape)) + 1
    spectrum = ec.Spectrum.from_samples(x, basis=basis, test=x[:20])
    curve = ec.predict(spectrum, time=[1.0, 10.0])
    curve.save(tmp_path / "curve.nc")
    loaded = ec.LearningCurve.load(tmp_path / "curve.nc")
    assert loaded.dataset.identical(curve.dataset)
    assert (loaded.spectrum.mean == spectrum.mean).all()
    assert (loaded.spectrum.test_variance == spectrum.test_variance).all()
    assert loaded.spectrum.n_samples == 50
    assert (loaded.sample(3, time=10.0, seed=1) == curve.sample(3, time=10.0, seed=1)).all()


def test_samples_have_the_predicted_distribution(patches):
    _, spectrum = patches
    curve = ec.predict(
        spectrum,
        time=[10.0, 1000.0],
        objective=ec.EDM(),
        architecture=ec.OneLayer(0.0),
        optimizer=ec.GradientFlow(0.01),
    )
    n = 20_000
    drawn = spectrum.to_modes(curve.sample(n, time=10.0, seed=0))
    deviation = (drawn.var(axis=0) / curve.variance.values[0] - 1) / np.sqrt(2 / n)
    assert np.abs(deviation).max() < 4.5  # the largest of 64 normal deviates
    assert drawn.shape == (n, 64)


def test_same_noise_at_every_time(patches):
    """Between two times only the modes' amplitudes change, never their signs."""
    _, spectrum = patches
    curve = ec.predict(spectrum, time=[0.0, 1.0, 100.0])
    early, late = (spectrum.to_modes(curve.sample(4, time=t, seed=3)) for t in (1.0, 100.0))
    ratio = np.sqrt(curve.variance.values[2] / curve.variance.values[1])
    assert np.allclose(late, early * ratio, rtol=1e-8, atol=1e-12)


def test_variance_between_records():
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0, 4.0, np.inf])
    middle = np.sqrt(np.prod(curve.variance.values[:2]))
    assert curve.variance_at(2.0)[0] == pytest.approx(middle)
    assert curve.variance_at(0.0)[0] == curve.initial.values[0]
    assert curve.variance_at(np.inf)[0] == curve.variance.values[2, 0]
    with pytest.raises(ec.InputError, match=r"^time must be 0 or in \[1, inf\], the recorded range, got 0\.5$"):
        curve.variance_at(0.5)
    with pytest.raises(ec.InputError, match=r"^time must be recorded, or lie between two recorded times"):
        curve.variance_at(9.0)
    with pytest.raises(ec.InputError, match=r"^this spectrum is abstract"):
        curve.sample(1, time=1.0, seed=0)


def test_arrays_carry_names_and_units():
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0], keep_gain=True)
    assert curve.variance.dims == ("time", "mode")
    assert curve.variance.attrs["units"] == "data units²"
    assert curve.dataset["time"].attrs["units"] == "optimizer steps"
    assert curve.kl().attrs["units"] == "nats"
    assert "theory, 1 times × 1 modes" in repr(curve)


def damaged(tmp_path):
    good = tmp_path / "good.nc"
    ec.predict(ec.Spectrum([1.0]), time=[1.0]).save(good)
    content = good.read_bytes()
    (tmp_path / "truncated.nc").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.nc").write_bytes(b"")
    (tmp_path / "text.nc").write_text("not a curve")
    (tmp_path / "pickle.nc").write_bytes(b"\x80\x04\x95")
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0])
    for name, old, new in (("later.nc", "OneLayer", "DeepNet!"), ("typo.nc", '"init": 0.1', '"unit": 0.1')):
        curve.save(tmp_path / name)
        written = (tmp_path / name).read_bytes()
        assert old.encode() in written
        (tmp_path / name).write_bytes(written.replace(old.encode(), new.encode()))
    dataset = ec.Spectrum([1.0]).to_dataset()
    dataset.to_netcdf(tmp_path / "spectrum.nc", engine="h5netcdf")


@pytest.mark.parametrize(
    "name", ["truncated.nc", "empty.nc", "text.nc", "pickle.nc", "spectrum.nc", "later.nc", "typo.nc"]
)
def test_damaged_files_are_one_line_errors(tmp_path, name):
    damaged(tmp_path)
    with pytest.raises(ec.InputError, match=r"^not a readable learning curve: .*") as error:
        ec.LearningCurve.load(tmp_path / name)
    assert "\n" not in str(error.value)


def test_missing_and_unwritable(tmp_path):
    with pytest.raises(ec.InputError, match=r"^learning curve not found: "):
        ec.LearningCurve.load(tmp_path / "none.nc")
    (tmp_path / "file").write_text("")
    with pytest.raises(ec.InputError, match=r"^cannot write .*curve\.nc: "):
        ec.predict(ec.Spectrum([1.0]), time=[1.0]).save(tmp_path / "file" / "curve.nc")


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0])
    curve.save(tmp_path / "curve.nc")
    before = (tmp_path / "curve.nc").read_bytes()

    def crash(self, content):
        with self.open("wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", crash)
    with pytest.raises(ec.InputError, match=r"^cannot write .*curve\.nc: No space left on device$"):
        curve.save(tmp_path / "curve.nc")
    assert (tmp_path / "curve.nc").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["curve.nc"]


def test_saving_over_a_folder_is_refused(tmp_path):
    (tmp_path / "curve.nc").mkdir()
    with pytest.raises(ec.InputError, match=r"^cannot write .*curve\.nc: it is a folder$"):
        ec.predict(ec.Spectrum([1.0]), time=[1.0]).save(tmp_path / "curve.nc")


@pytest.mark.parametrize(
    ("source", "kind"), [("theory", "predicted"), ("simulation", "simulated"), ("measurement", "measured")]
)
def test_a_curve_says_what_it_is_called(source, kind):
    dataset = ec.predict(ec.Spectrum([1.0]), time=[1.0]).dataset
    assert ec.LearningCurve(dataset, recipe=None, source=source).kind == kind
