"""When to stop: planted losses, and a linear model whose best times are known by theory."""

import numpy as np
import pytest
import torch

import eigenclock as ec

TIME = np.array([0.0, 1.0, 2.0, 4.0, 8.0])


def curve_of(test, train=None, null=None, time=TIME):
    """A measured curve with these held-out losses (time, mode, sigma)."""
    test = np.asarray(test, dtype=float)
    times, modes, levels = test.shape
    spectrum = ec.Spectrum(np.ones(modes))
    if null is not None:
        spectrum = ec.Spectrum(np.ones(modes), basis=ec.PCA(np.eye(modes, modes + 2), (modes + 2,)))
    data = spectrum.to_dataset().assign_coords(time=time[:times], sigma=np.arange(1.0, levels + 1))
    data["variance"] = (("time", "mode"), np.ones((times, modes)))
    data["initial"] = ("mode", np.ones(modes))
    for name, values in (
        ("test_loss", test),
        ("train_loss", test if train is None else np.asarray(train, dtype=float)),
    ):
        data[name] = (("time", "mode", "sigma"), values)
    if null is not None:
        data["null_variance"] = (("time",), np.ones(times))
        data["test_null_loss"] = (("time", "sigma"), np.asarray(null, dtype=float))
    return ec.LearningCurve(data, recipe=None, source="measurement")


def test_planted_losses():
    """Falls for ever, has its least in the middle, rises from the start, does not move."""
    test = np.array([[5, 4, 3, 2, 1], [3, 2, 1, 2, 4], [1, 2, 3, 4, 5], [2, 2, 2, 2, 2]]).T[:, :, None]
    found = ec.stopping(curve_of(test, train=test / 2))
    np.testing.assert_array_equal(found.best_time.values.ravel(), [np.nan, 2, 0, np.nan])
    assert found.dataset["rise"].values.ravel().tolist() == [0, 3, 4, 0]
    assert found.overfits.values.ravel().tolist() == [False, True, True, False]
    # all modes: 11, 10, 9, 10, 12
    assert found.dataset["level_best_time"].values.tolist() == [2]
    assert found.dataset["level_rise"].values[0] == pytest.approx(12 / 9 - 1)
    np.testing.assert_allclose(found.dataset["test_total"], np.array([11, 10, 9, 10, 12]) / 11)
    np.testing.assert_allclose(found.dataset["train_total"], found.dataset["test_total"])
    assert found.stopping_time == 2
    assert repr(found) == (
        "Stopping(4 modes × 1 noise levels: 50 % overfit; least total held-out loss at step 2, 33 % below that at step 8)"
    )


@pytest.mark.parametrize("records", [6, 10, 20, 40])
def test_scatter_from_record_to_record_is_not_overfitting(records, rng):
    """Two thousand modes: normal scatter about a constant or a falling loss, and the same about one that ends 24 scatters higher.

    The least of 40 flat records lies 2.2 scatters low on average, so that the last must lie 2.8 high, by chance 0.3 %; scatter is
    itself known to a tenth (40 records) or a half (6), which lets through more: one in twelve at most is asked for.
    """
    scatter, time = 0.05 * rng.standard_normal((records, 2000, 1)), np.arange(float(records))
    courses = {"flat": 0 * time, "falling": -time / 40, "rising": np.maximum(time / time[-1] - 0.5, 0) * 2.4}
    share = {}
    for name, course in courses.items():
        found = ec.stopping(curve_of(np.exp(course[:, None, None] + scatter), time=time))
        share[name] = float(found.overfits.mean())
    assert share["flat"] < 1 / 12
    assert share["falling"] < share["flat"]
    assert share["rising"] > 0.95
    if records >= 20:
        assert float(found.dataset["scatter"].median()) == pytest.approx(0.05, rel=0.1)  # a median of thousands


def test_levels_count_alike_whatever_their_size():
    """A level of a thousand times the loss, falling, does not hide one that rises tenfold."""
    test = np.stack([np.array([1000, 900, 800, 700, 600]), np.array([1, 0.5, 1, 5, 10])], axis=1)[:, None]
    found = ec.stopping(curve_of(test))
    np.testing.assert_array_equal(found.dataset["level_best_time"], [np.nan, 1])
    assert found.stopping_time == 1


def test_directions_without_training_variance_count():
    """Modes alone would go on for ever; two directions beside them overfit."""
    test = np.linspace(5, 1, 5)[:, None, None]
    null = np.array([0.0, 0, 1, 2, 3])[:, None]
    assert np.isnan(ec.stopping(curve_of(test)).stopping_time)
    found = ec.stopping(curve_of(test, null=null))
    assert found.stopping_time == 1  # 5, 4, 3 + 2, 2 + 4, 1 + 6
    assert np.isnan(found.best_time).all()


def test_not_yet_and_diverged():
    found = ec.stopping(curve_of(np.linspace(5, 1, 5)[:, None, None]))
    assert np.isnan(found.stopping_time)
    assert repr(found).endswith("total held-out loss is least at the last record, step 8: not yet)")
    lost = ec.stopping(curve_of(np.array([3, 2, 1, np.nan, np.nan])[:, None, None]))
    assert lost.stopping_time == 2
    assert np.isinf(lost.dataset["rise"]).all()
    single = ec.stopping(curve_of(np.ones((1, 2, 2))))
    assert np.isnan(single.best_time).all()
    assert not single.overfits.any()


def test_best_times_of_a_linear_model_are_those_of_theory(rng):
    """One layer under a gradient flow, probed at its gains of theory; train and test share eigenvectors, not variances.

    `generalization` knows the second moments of the samples alone, the measurement also their chance products with the noise:
    of relative size 1/√n in the optimum, which moves a mode's best time by a record or two of 1.26 in ratio.
    """
    n, d = 4000, 4
    train = rng.standard_normal((n, d)) * np.sqrt([1.0, 0.3, 0.1, 0.05])
    test = rng.standard_normal((n, d)) * np.sqrt([1.2, 0.2, 0.05, 0.01])
    spectrum, sigma, steps = ec.Spectrum(train.var(axis=0)), np.array([0.2, 0.5]), np.arange(31)
    time = np.concatenate([[0], np.geomspace(0.05, 40, 30)])
    recipe = {"architecture": ec.OneLayer(0.0), "time": time, "sigma": sigma}
    gain = ec.predict(
        spectrum, objective=ec.Denoising(), sampler=ec.ProbabilityFlow(0.1, 1.0), keep_gain=True, **recipe
    ).gain.values
    probe = ec.Probe(
        spectrum,
        sampler=ec.Euler(steps=2),
        steps=steps[1:],
        n_samples=8,
        gain_samples=n,
        data=train,
        test=test,
        sigma=sigma,
    )

    def model(step):
        table = torch.tensor(gain[step], dtype=torch.float32)
        return lambda x, level: x * table[:, int(np.abs(sigma - float(level)).argmin())]

    for step in steps:
        probe(int(step), model(step))
    found = ec.stopping(probe.curve())
    held_out = ec.Spectrum(spectrum.variance, test_variance=(test**2).mean(axis=0))
    theory = ec.generalization(held_out, **recipe)
    assert (found.overfits.values[1:] == theory.overfits.values[1:]).all()
    assert np.isnan(found.best_time.values[0]).all()
    assert np.isinf(theory.best_time.values[0]).all()
    measured = np.interp(found.best_time.values[1:], steps, np.log(np.maximum(time, 1e-3)))
    assert np.abs(measured - np.log(theory.best_time.values[1:])).max() < 2 * np.log(time[2] / time[1])


def test_needs_held_out_losses():
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0, 2.0])
    with pytest.raises(
        ec.InputError,
        match=r"^curve must hold held-out losses, got one without: Probe\(\.\.\., data=\.\.\., test=\.\.\.\)$",
    ):
        ec.stopping(curve)
    with pytest.raises(ec.InputError, match=r"^curve must be a learning curve"):
        ec.stopping(3)
