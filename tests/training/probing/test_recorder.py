"""The probe: against theory, without touching training, on any callable."""

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.checks import InputWarning


def wrong_gain(spectrum, gain):
    """A linear denoiser, per mode gain(σ)·(y − mean) + mean."""
    basis = torch.tensor(
        spectrum.basis.from_modes(np.eye(spectrum.n_modes)).reshape(spectrum.n_modes, -1), dtype=torch.float32
    )
    mean = torch.tensor(spectrum.mean.reshape(-1), dtype=torch.float32)

    def denoiser(x, sigma):
        flat = x.reshape(len(x), -1) - mean
        keep = torch.tensor(gain(float(sigma)), dtype=torch.float32)
        return (((flat @ basis.T) * keep) @ basis + mean).reshape(x.shape)

    return denoiser


def test_linear_denoisers_are_measured_exactly(patches):
    """Variance as of theory's discrete sampler, gain as it is: however few the samples, but for 32 bits."""
    _, spectrum = patches
    curve = ec.predict(spectrum, objective=ec.EDM(), architecture=ec.OneLayer(0.0), sampler=ec.Heun(steps=12), time=[0.0, 3.0, 1e6], keep_gain=True,
                       sigma=ec.Heun(steps=12).levels)  # fmt: skip
    levels, table = curve.dataset["sigma"].values, curve.gain.values
    probe = ec.Probe(
        spectrum, sampler=ec.Heun(steps=12), steps=[3, 10], n_samples=200, sigma=levels[::3], gain_samples=200
    )
    for i, step in enumerate((0, 3, 10)):
        probe(step, wrong_gain(spectrum, lambda sigma, i=i: table[i][:, np.abs(levels - sigma).argmin()]))
    measured = probe.curve()
    # 32-bit samples: √64 coordinates, start at σ = 80, seven digits
    np.testing.assert_allclose(measured.variance.values, curve.variance.values, rtol=2e-3)
    np.testing.assert_allclose(measured.gain.values, table[:, :, ::3], atol=2e-5)
    r2 = measured.dataset["gain_r2"].values
    assert r2[table[:, :, ::3] > 1e-4].min() > 0.999
    assert measured.alignment.values.min() > 0.9
    # the noise is centred on 0, not on the data's mean: of that offset the factor √v/σ_max of every mode is left
    expected = measured.dataset["target_mean"].values * (1 - np.sqrt(curve.variance.values) / 80)
    np.testing.assert_allclose(measured.dataset["generated_mean"].values, expected, atol=2e-5)
    assert measured.dataset["particles"].shape == (3, 16, spectrum.n_modes)


def test_measured_gain_predicts_the_generated_variance(patches):
    """T15 fed to T6."""
    _, spectrum = patches
    sampler = ec.Heun(steps=10)
    probe = ec.Probe(spectrum, sampler=sampler, steps=[1], n_samples=100, sigma=sampler.levels[::-1])
    probe(0, wrong_gain(spectrum, lambda sigma: 0.8 * spectrum.variance / (spectrum.variance + sigma**2)))
    curve = probe.curve()
    predicted = sampler.variance(curve.gain.values[:, :, ::-1])
    np.testing.assert_allclose(curve.variance.values, predicted, rtol=2e-3)


def test_training_with_and_without_a_probe_is_the_same(patches):
    data, spectrum = patches
    torch.manual_seed(3)
    state = torch.get_rng_state()
    models = []
    for probed in (False, True):
        probe = ec.Probe(spectrum, sampler=ec.Stochastic(steps=4), steps=[1, 2, 5], n_samples=16) if probed else None
        network = ec.MLP(16, 2).build((8, 8), seed=1)
        trained = ec.train(network, data.samples, objective=ec.EDM(density=ec.LogNormal()), optimizer=ec.Adam(1e-3), steps=8, probe=probe,
                           options=ec.LoopOptions(batch_size=16, device="cpu"))  # fmt: skip
        assert trained.network.training
        models.append(torch.cat([p.detach().flatten() for p in network.parameters()]))
    assert torch.equal(*models)
    assert torch.equal(torch.get_rng_state(), state), "the user's own streams are as they were"


def test_acts_only_at_its_own_steps():
    calls = []

    def denoiser(x, sigma):
        calls.append(x.shape)
        return x / (1 + sigma**2)

    probe = ec.Probe(ec.Spectrum([1.0, 0.5]), sampler=ec.Euler(steps=3), steps=[2, 4], n_samples=8, sigma=())
    for step in range(6):
        before = len(calls)
        probe(step, denoiser)
        assert (len(calls) > before) == (step in (0, 2, 4))
    assert all(shape[1:] == (2,) for shape in calls)
    assert probe.seconds > 0
    assert "gain" not in probe.curve().dataset


def test_modules_come_back_in_the_mode_they_were_in():
    class Dropped(torch.nn.Module):
        def forward(self, x, sigma):
            assert not self.training
            return torch.nn.functional.dropout(x, 0.5, self.training)

    module = Dropped()
    ec.Probe(ec.Spectrum([1.0]), sampler=ec.Euler(steps=2), steps=[1], n_samples=4)(0, module)
    assert module.training


def test_networks_within_adapters_are_probed_as_they_sample():
    """Batch statistics stay as they are, a frozen layer stays frozen, through any adapter."""
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1), torch.nn.BatchNorm2d(1))
    network[2].eval()
    before = network[1].running_mean.clone()
    denoiser = ec.as_denoiser(Two(network), objective=ec.Denoising(), condition=torch.log, channels_first=True)
    spectrum = ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((30, 3, 3)))
    ec.Probe(spectrum, sampler=ec.Euler(steps=2), steps=[1], n_samples=8)(0, denoiser)
    assert torch.equal(network[1].running_mean, before)
    assert [layer.training for layer in network] == [True, True, False]


class Two(torch.nn.Module):
    """A network that ignores its condition."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, condition):
        return self.inner(x)


def test_other_spectra_and_samplers(patches):
    data, spectrum = patches
    fourier, patch = ec.Spectrum.from_samples(data.samples, basis="fourier"), ec.patch_spectrum(data.samples, size=4)
    probe = ec.Probe(spectrum, sampler=ec.Heun(steps=20), steps=[1], n_samples=400, sigma=(), also={"fourier": fourier, "patch": patch, "flow": ec.ProbabilityFlow()})  # fmt: skip
    probe(0, wrong_gain(spectrum, lambda sigma: spectrum.variance / (spectrum.variance + sigma**2)))
    flow = probe.curve("flow")
    np.testing.assert_allclose(flow.variance.values[0], spectrum.variance, rtol=5e-3)
    # the discrete sampler inflates small modes by about a quarter (T6), the flow does not
    assert np.median(probe.curve().variance.values[0] / spectrum.variance) > 1.1
    ratio = probe.curve("fourier").variance.values[0].sum() / fourier.variance.sum()
    assert 0.95 < ratio < 1.15
    first = probe.curve("patch").variance.values[0, 0] / patch.variance[0]
    assert 0.8 < first < 1.25  # mean of 1,600 patches of 400 images
    with pytest.raises(ec.InputError, match="name must be one of '', 'fourier', 'patch', 'flow', got 'x'"):
        probe.curve("x")


def test_fewer_samples_than_coordinates():
    x = np.random.default_rng(0).standard_normal((6, 12))
    spectrum = ec.Spectrum.from_samples(x)
    probe = ec.Probe(spectrum, sampler=ec.Heun(steps=6), steps=[1], n_samples=32)
    probe(0, lambda x, sigma: x / (1 + sigma**2))
    curve = probe.curve()
    perfect = ec.predict(ec.Spectrum([1.0]), sampler=ec.Heun(steps=6), time=[np.inf]).variance.item()
    np.testing.assert_allclose(curve.variance.values[0], perfect, rtol=1e-4)
    assert curve.null_dimension == 12 - spectrum.n_modes
    assert abs(curve.dataset["null_variance"].item() / perfect - 1) < 0.5  # 32 samples
    assert np.isfinite(curve.wasserstein().values).all()


def test_curve_is_saved_and_loaded(tmp_path):
    probe = ec.Probe(ec.Spectrum([1.0, 0.1]), sampler=ec.Euler(steps=3), steps=[1, 2], n_samples=8)
    for step in range(3):
        probe(step, lambda x, sigma: x / (1 + sigma))
    probe.curve().save(tmp_path / "m.nc")
    loaded = ec.LearningCurve.load(tmp_path / "m.nc")
    assert loaded.source == "measurement"
    assert loaded.dataset.identical(probe.curve().dataset)
    again = ec.Probe(ec.Spectrum([1.0, 0.1]), sampler=ec.Euler(steps=3), steps=[1, 2], n_samples=8)
    again.restore({"": loaded}, last_step=1)
    again(2, lambda x, sigma: x / (1 + sigma))
    assert again.curve().dataset.identical(loaded.dataset)


ERRORS = {
    "steps": (lambda: ec.Probe(ec.Spectrum([1.0]), steps=[1, 1]), "steps must be increasing whole numbers >= 0, got [1, 1]"),
    "broken steps": (lambda: ec.Probe(ec.Spectrum([1.0]), steps=[0.5]), "steps must be increasing whole numbers >= 0, got [0.5]"),
    "sampler": (lambda: ec.Probe(ec.Spectrum([1.0]), n_samples=1), "n_samples must be a whole number >= 2, got 1"),
    "data": (lambda: ec.Probe(ec.Spectrum([1.0]), data=np.zeros((5, 2))), "data must hold samples of shape (1,), got (2,)"),
    "budget": (lambda: ec.Probe(ec.Spectrum([1.0]), budget=0), "budget must be a finite number > 0, got 0"),
    "test alone": (lambda: ec.Probe(ec.Spectrum([1.0]), test=np.ones((5, 1))), "test needs data and the noise levels of the gain, got no data to compare them with"),
    "test without gain": (lambda: ec.Probe(ec.Spectrum([1.0]), data=np.ones((5, 1)), test=np.ones((5, 1)), sigma=()), "test needs data and the noise levels of the gain, got no noise levels: sigma = ()"),
    "abstract also": (lambda: ec.Probe(ec.Spectrum([1.0]), also={"x": ec.Spectrum([1.0])}), "also['x'] must have a basis of samples or patches like (1,)"),
    "empty": (lambda: ec.Probe(ec.Spectrum([1.0])).curve(), "nothing was recorded yet: call probe(step, denoiser) at its steps"),
    "shape": (lambda: ec.Probe(ec.Spectrum([1.0, 2.0]), n_samples=4)(0, lambda x, s: x[:, :1]), "denoiser must return a tensor shaped like its input (2, 2), got (2, 1)"),
    "kind": (lambda: ec.Probe(ec.Spectrum([1.0, 2.0]), n_samples=4)(0, lambda x, s: None), "denoiser must return a tensor shaped like its input (2, 2), got NoneType"),
    "log steps": (lambda: ec.log_steps(5, 2, 3), "last must be a whole number >= 5, got 2"),
    "patch size": (lambda: ec.patch_spectrum(np.zeros((4, 3, 3)), size=4), "size must be at most the images' edge, got patches of 4 of samples (3, 3)"),
    "even kernel": (lambda: ec.convolution_fit(lambda x, s: x, np.zeros((4, 3, 3)), sigma=1.0, size=2), "size must be odd, got 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    make, message = ERRORS[case]
    with pytest.raises(ec.InputError) as error:
        make()
    assert str(error.value) == message


def test_what_is_watched_is_recorded_and_resumed(patches, tmp_path):
    data, spectrum = patches

    def probe():
        return ec.Probe(
            spectrum, sampler=ec.Heun(steps=4), steps=[2, 4, 6], n_samples=16, sigma=(), data=data.samples,
            watch={"copies": lambda x: ec.memorization(x, data.samples[:200], data.test[:200]), "mean": lambda x: {"all": x.mean()}},
            inspect={"at": lambda denoiser: {"zero": denoiser(torch.zeros(1, 8, 8), torch.tensor(1.0)).abs().sum()}},
        )  # fmt: skip

    def train(steps, folder):
        return ec.train(
            ec.MLP(16, 2).build((8, 8), seed=0), data.samples, objective=ec.EDM(density=ec.LogNormal()), optimizer=ec.Adam(1e-3), steps=steps,
            options=ec.LoopOptions(batch_size=16, device="cpu", checkpoint_every=3), probe=folder[1], folder=folder[0], resume=True,
        )  # fmt: skip

    whole, first, second = ((tmp_path / name, probe()) for name in ("whole", "parts", "parts"))
    train(6, whole)
    train(3, first)
    train(6, second)
    for name in ("copies_copies", "copies_control", "copies_excess", "mean_all", "at_zero"):
        expected = whole[1].curve().dataset[name]
        assert expected.dims == ("time",)
        assert np.array_equal(second[1].curve().dataset[name], expected)
    saved = ec.LearningCurve.load(tmp_path / "whole" / "measured.nc")
    assert ec.Clock("copies_excess", 0.1).read(saved).status == ["right-censored"]


@pytest.mark.parametrize(
    ("watch", "message"),
    [
        ({"x": lambda samples: 3.0}, r"watch\['x'\] must give numbers by name, got float"),
        ({"x": lambda samples: {"y": "many"}}, r"watch\['x'\] must give numbers by name"),
        ({"gain": lambda samples: {"r2": 1.0}}, r"watch\['gain'\] must not record 'gain_r2'"),
    ],
)
def test_watchers_must_give_numbers(watch, message):
    probe = ec.Probe(ec.Spectrum([1.0]), sampler=ec.Euler(steps=2), steps=[1], n_samples=4, watch=watch)
    with pytest.raises(ec.InputError, match=message):
        probe(0, lambda x, sigma: x)


def test_a_diverged_model_ends_no_loop():
    train = np.random.default_rng(0).standard_normal((20, 2))
    watch = {"copies": lambda x: ec.memorization(x, train)}
    probe = ec.Probe(
        ec.Spectrum([1.0, 1.0]), sampler=ec.Euler(steps=2), steps=[1, 2], n_samples=8, sigma=(), watch=watch
    )
    for step in range(3):
        probe(step, lambda x, sigma, step=step: x * (1.0 if step < 2 else float("nan")))
    assert np.isfinite(probe.curve().dataset["copies_copies"]).values.tolist() == [True, True, False]


def test_watchers_are_functions_and_say_where_they_fail():
    made = {"sampler": ec.Euler(steps=2), "steps": [1], "n_samples": 4}
    with pytest.raises(ec.InputError, match="watch must be functions by name, got list"):
        ec.Probe(ec.Spectrum([1.0]), watch=[1], **made)
    with pytest.raises(ec.InputError, match="watch and inspect must have different names, got 'a' in both"):
        ec.Probe(ec.Spectrum([1.0]), watch={"a": len}, inspect={"a": len}, **made)
    probe = ec.Probe(ec.Spectrum([1.0]), watch={"a": lambda x: ec.memorization(x, x[:0])}, **made)
    with pytest.raises(ec.InputError, match=r"watch\['a'\] at step 0: train must hold at least one sample"):
        probe(0, lambda x, sigma: x)


def calls_at(called, **options):
    probe = ec.Probe(ec.Spectrum([1.0, 0.1]), sampler=ec.Heun(steps=3), n_samples=16, sigma=(), **options)
    for step in called:
        probe(step, lambda x, sigma: x / (1 + sigma**2))
    return probe


def test_rare_calls_record_at_the_first_due_and_say_what_is_lost():
    """Called every 500 of 50,000 steps: one record for each call before which a step of the probe's came."""
    with pytest.warns(
        InputWarning, match=r"^\d+ of the probe's steps up to 500 came between two calls and share one record"
    ) as said:
        probe = calls_at(range(0, 50_001, 500))
    assert len(said) == 1
    due = np.unique(np.ceil(ec.log_steps(1, 100_000, 100) / 500).astype(int) * 500)
    assert probe.curve().time.values.tolist() == [0, *due[due <= 50_000].tolist()]
    assert calls_at(range(11), steps=[1, 3, 10]).curve().time.values.tolist() == [0, 1, 3, 10]


def test_a_late_first_call_loses_nothing_that_was_asked_for():
    assert calls_at([70, 71, 100], steps=[1, 50, 100]).curve().time.values.tolist() == [70, 100]


def test_the_first_call_says_what_a_probe_costs(caplog):
    """Heun of 3 steps calls 5 times: 5 × 16 passes are 80 / (3 × 4) training steps of batch 4."""
    probe = calls_at([0, 1], steps=[1, 2], batch_size=4)
    assert probe.evaluations == 80
    assert [record.message for record in caplog.records] == [
        "a probed step costs 80 passes of the denoiser, as much as 6.67 training steps of batch 4; 3 steps are probed, "
        "n_samples=16: 1,000 % of training up to step 2"
    ]


def test_the_number_of_samples_comes_from_the_budget(caplog):
    """And what a probed step costs is what it then asks of the denoiser, but for a look at two samples beforehand."""
    rng, asked = np.random.default_rng(0), []
    data, test = rng.standard_normal((100, 2)), rng.standard_normal((90, 2))
    made = {"sampler": ec.Heun(steps=5), "sigma": [0.1, 1.0], "also": {"euler": ec.Euler(steps=7)}, "data": data}
    probe = ec.Probe(ec.Spectrum([1.0, 1.0]), steps=[1, 20_000], batch_size=32, test=test, **made)

    def denoiser(x, sigma):
        asked.append(len(x))
        return x / (1 + sigma**2)

    probe(0, denoiser)
    assert sum(asked) == probe.evaluations + 2
    assert probe.evaluations == 9 * probe.n_samples + 7 * (probe.n_samples // 4) + 2 * (100 + 90)
    assert 0.0199 < 3 * probe.evaluations / (3 * 32 * 20_000) <= 0.02
    assert caplog.records[0].message.endswith("2 % of training up to step 20,000")
    half = ec.Probe(ec.Spectrum([1.0, 1.0]), steps=[1, 20_000], batch_size=32, budget=0.01, **made)
    assert half.n_samples == pytest.approx(probe.n_samples / 2, rel=0.05)
    short = ec.Probe(ec.Spectrum([1.0, 1.0]), steps=[1, 20])
    assert (short.n_samples, short.evaluations) == (64, 64 * (79 + 16))
    assert ec.Probe(ec.Spectrum([1.0]), steps=[1], n_samples=700).evaluations == 700 * 79 + 512 * 16


def test_data_of_another_scale_are_said():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 4))
    spectrum, made = ec.Spectrum.from_samples(x), {"sampler": ec.Heun(steps=3), "steps": [1], "n_samples": 8}
    ec.Probe(spectrum, data=x[:100], **made)
    with pytest.warns(InputWarning, match="data do not fit the spectrum: 0.25"):
        ec.Probe(spectrum, data=x / 2, **made)
    with pytest.warns(InputWarning, match="data do not fit the spectrum: their mean lies"):
        ec.Probe(spectrum, data=x + 3, **made)
