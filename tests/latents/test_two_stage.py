"""Score latent diffusion as a tool: noise rule, networks, heads, both stages, files, errors."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from support.small_latents import SMALL

import eigenclock as ec
from eigenclock.latents.first_stage import ScoreMatching
from eigenclock.latents.trained_maps import NotFittedError
from eigenclock.training.model_files import ModelFileError, read_model, write_model


@pytest.fixture(scope="module")
def fitted(circle):
    return ec.ScoreLatentDiffusion(SMALL).fit(*circle)


def test_fit_is_a_function_of_the_seed_and_resumes(circle, fitted, tmp_path):
    again = ec.ScoreLatentDiffusion(SMALL).fit(*circle, folder=tmp_path / "run")
    assert np.array_equal(fitted.sample(7, seed=3), again.sample(7, seed=3))
    assert not np.array_equal(fitted.sample(7, seed=3), again.sample(7, seed=4))
    resumed = ec.ScoreLatentDiffusion(SMALL).fit(*circle, folder=tmp_path / "run", resume=True)
    assert np.array_equal(fitted.sample(7, seed=3), resumed.sample(7, seed=3))
    assert np.array_equal(fitted.history_["risk"], resumed.history_["risk"])
    with pytest.raises(ec.InputError, match="settings differ"):
        ec.ScoreLatentDiffusion(replace(SMALL, width=16)).fit(*circle, folder=tmp_path / "run", resume=True)
    other = ec.ScoreLatentDiffusion(replace(SMALL, seed=1)).fit(*circle)
    assert not np.array_equal(fitted.sample(7, seed=3), other.sample(7, seed=3))


def test_collapse_and_clocks(circle):
    """A curve is found: noise of 16 directions falls to a few; clocks read what was recorded; the callback hears both stages."""
    heard = []
    config = replace(SMALL, stage1_steps=400, stage2_steps=60, width=64, n_evals=10)
    model = ec.ScoreLatentDiffusion(config).fit(
        *circle, callback=lambda step, stage, model: heard.append((stage, step))
    )
    risk = model.history_["risk"].values
    assert risk[0] > 20
    assert risk[-1] < 3
    assert model.collapse_clock(delta=2.0).hit.all()
    assert model.collapse_clock(delta=-0.9).status == ["right-censored"]
    assert len(model.refine_clock()) == 1
    assert heard[0] == (1, 0)
    assert heard[-1] == (2, 60)
    assert model.score(circle[1], 0.1).shape == circle[1].shape


def test_a_line_says_what_was_fitted(fitted, circle):
    assert repr(ec.ScoreLatentDiffusion(SMALL)) == "ScoreLatentDiffusion(not fitted)"
    found, risk = repr(fitted), float(fitted.history_["risk"][-1])
    assert found.startswith(
        f"ScoreLatentDiffusion(k 1, d 2, sigma1 0.1, ρ {risk:.3g}; collapse {fitted.collapse_clock()}; refine "
    )
    assert f"{float(fitted.history_['density_real'].mean()):.3g} of real draws" in found
    assert "\n" not in found
    blurred = ec.ScoreLatentDiffusion(replace(SMALL, sigma1=30.0, stage1_steps=200)).fit(*circle)
    assert "smooths the density away)" in repr(blurred)


def test_refine_clock_needs_samples_near_the_data(circle, fitted):
    """What real latents score is in the history; 40 steps of a small network do not come near it, whatever is flat."""
    real = fitted.history_["density_real"].values
    x, val = (fitted.latents(one) for one in circle)
    again = [
        ec.divergences.sliced_wasserstein(x[np.random.default_rng(k).permutation(len(x))[: len(val)]], val)
        for k in range(40)
    ]
    assert real.mean() == pytest.approx(np.mean(again), abs=4 * np.std(again) * np.sqrt(1 / 40 + 1 / real.size))
    flat = fitted.history_.copy()
    error = np.linspace(1.02, 1.0, flat.sizes["refine_step"]) * 4 * real.mean()
    flat["density_error"] = ("refine_step", error)
    kept, fitted.history_ = fitted.history_, flat
    try:
        assert "times the distance" in fitted.refine_clock().reason
        fitted.history_ = flat.drop_vars("density_real")
        assert fitted.refine_clock().reason == "the distance of two real draws is not known"
    finally:
        fitted.history_ = kept


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"architecture": "conservative", "polish": True},
        {"decoder_refit_steps": 20, "noise": "multi"},
        {"sampler": "sde"},
    ],
)
def test_files_give_the_same_samples(options, circle, tmp_path):
    """To the bit: latents, images, samples."""
    model = ec.ScoreLatentDiffusion(replace(SMALL, **options)).fit(*circle)
    model.save(tmp_path / "m.safetensors")
    again = ec.ScoreLatentDiffusion.load(tmp_path / "m.safetensors")
    for name in ("encode", "denoise"):
        assert np.array_equal(getattr(model, name)(circle[1]), getattr(again, name)(circle[1]))
    assert np.array_equal(model.sample(9, seed=2), again.sample(9, seed=2))
    assert np.isfinite(again.sample(9, seed=2)).all()
    assert again.history_.equals(model.history_)
    assert (again.k_, again.d_, again.sigma1_) == (model.k_, model.d_, model.sigma1_)


def _older(path, **changes):
    """The file as an earlier version wrote it: other details, the same tensors."""
    details, tensors = read_model(path, json.loads(_metadata(path))["class"])
    kind = details.pop("class")
    for key in ("version",):
        details.pop(key)
    for name, change in changes.items():
        details[name] = details[name] | change
    write_model(path, kind, details, tensors)


def _metadata(path):
    with safe_open(path, framework="pt") as opened:
        return opened.metadata()["eigenclock model"]


def test_files_of_earlier_versions(circle, tmp_path):
    """A second stage by diffusion loads as it did; a ridge head, or a Wasserstein autoencoder, is refused in one line."""
    path = tmp_path / "m.safetensors"
    model = ec.ScoreLatentDiffusion(replace(SMALL, stage1_steps=2, stage2_steps=2)).fit(*circle)
    model.save(path)
    _older(path, config={"stage2": "A"})
    assert np.array_equal(ec.ScoreLatentDiffusion.load(path).sample(3, seed=1), model.sample(3, seed=1))
    _older(path, config={"stage2": "B"})
    with pytest.raises(
        ec.InputError, match=r"must hold a second stage by diffusion, got a ridge head \(stage2='B'\) in .*m.safe"
    ):
        ec.ScoreLatentDiffusion.load(path)
    ec.LatentBaseline(replace(SMALL, stage1_steps=2, stage2_steps=2)).fit(*circle).save(path)
    _older(path, first_stage={"name": "Wasserstein", "weight": 1.0})
    with pytest.raises(
        ec.InputError, match="must hold a first stage of Reconstruction, Variational, got 'Wasserstein'"
    ):
        ec.LatentBaseline.load(path)


def test_images_keep_their_shape(rng, tmp_path):
    images = rng.integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)
    config = replace(
        SMALL, architecture="convolutional", k=3, d=4, width=16, sigma1=20.0, stage1_steps=10, stage2_steps=10
    )
    model = ec.ScoreLatentDiffusion(config).fit(images)
    assert model.sample(3).shape == (3, 8, 8, 3)
    assert model.encode(images).shape == (60, 4)
    assert model.decode(model.encode(images)).shape == images.shape


def test_other_dtypes_and_layouts(circle):
    x = circle[0][:60]
    for given in (
        x.astype(np.float32),
        np.asfortranarray(x),
        np.round(10 * x).astype(np.int64),
        np.c_[x, np.ones(60)][:, ::-1],
    ):
        config = replace(SMALL, stage1_steps=5, stage2_steps=5)
        assert np.isfinite(ec.ScoreLatentDiffusion(config).fit(given).sample(2)).all()


ERRORS = [
    (lambda x: ec.ScoreLatentDiffusion(replace(SMALL, d=17)).fit(x), r"d must be <= D = 16, got 17"),
    (
        lambda x: ec.ScoreLatentDiffusion(replace(SMALL, k=16)).fit(x),
        r"k must be < D = 16, got 16: there is no manifold to find",
    ),
    (lambda x: ec.ScoreLatentDiffusion(SMALL).fit(x[:5]), r"X must hold at least 2\(d \+ 1\) = 6 samples, got 4"),
    (lambda x: ec.ScoreLatentDiffusion(SMALL).fit(x[0]), r"X must have shape \(n, ...\) with n >= 1, got \(16,\)"),
    (lambda x: ec.ScoreLatentDiffusion(SMALL).fit(x[:0]), r"X must have shape"),
    (
        lambda x: ec.ScoreLatentDiffusion(SMALL).fit(np.where(np.arange(16) == 3, np.nan, x)),
        r"X must be an array of finite numbers",
    ),
    (
        lambda x: ec.ScoreLatentDiffusion(SMALL).fit(np.ones((50, 16))),
        r"X must hold different samples, got 50 copies of one",
    ),
    (
        lambda x: ec.ScoreLatentDiffusion(SMALL).fit(x, x[:, :3]),
        r"X_val must hold samples of shape \(16,\), got \(300, 3\)",
    ),
    (lambda x: ec.ScoreLatentDiffusion(SMALL).encode(x), r"ScoreLatentDiffusion must be fitted first"),
    (lambda x: ec.ScoreLatentDiffusion(SMALL).sample(3), r"ScoreLatentDiffusion must be fitted first"),
    (lambda x: ec.ScoreLatentDiffusion(SMALL).save("x"), r"must be fitted first"),
    (lambda x: ec.ModelConfig(sigma1=-1.0), r"sigma1 must be a finite number > 0, got -1.0"),
    (lambda x: ec.ModelConfig(k="many"), r"k must be a whole number >= 1 or 'auto', got 'many'"),
    (lambda x: ec.ModelConfig(noise_range=(1.0, 0.5)), r"noise_range\[1\] must be a finite number > 1, got 0.5"),
    (
        lambda x: ec.ModelConfig(decoder_refit_steps=2000),
        r"decoder_refit_steps must be < stage1_steps = 2000, got 2000",
    ),
    (
        lambda x: ec.LatentBaseline(SMALL, ScoreMatching()),
        r"first_stage must be one of Reconstruction, Variational",
    ),
    (
        lambda x: ec.ScoreLatentDiffusion(replace(SMALL, architecture="convolutional")).fit(x.reshape(-1, 2, 8)),
        r"images must have sides divisible by the stride 4, got 2×8",
    ),
    (
        lambda x: ec.ScoreLatentDiffusion(replace(SMALL, architecture="convolutional")).fit(x),
        r"X must be images \(n, h, w, channels\) for convolutions",
    ),
    (
        lambda x: ec.ScoreLatentDiffusion(replace(SMALL, lr=1e6, stage1_steps=200)).fit(1e18 * x),
        r"training stopped at step .* lr must be smaller",
    ),
]


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors_are_one_line(call, message, circle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # should a call succeed after all, nothing lands in the checkout
    with pytest.raises(ec.InputError, match=message) as caught:
        call(circle[0])
    assert "\n" not in str(caught.value)


def test_errors_of_a_fitted_model(fitted, circle):
    for call, message in (
        (lambda: fitted.encode(circle[0][:, :5]), r"X must hold samples of shape \(16,\), got \(300, 5\)"),
        (lambda: fitted.decode(np.zeros((2, 5))), r"Z must have shape \(n, 2\), got \(2, 5\)"),
        (lambda: fitted.sample(0), "n must be a whole number >= 1, got 0"),
    ):
        with pytest.raises(ec.InputError, match=message):
            call()
    with pytest.warns(UserWarning, match="below the intrinsic dimension"):
        ec.ScoreLatentDiffusion(replace(SMALL, k=3, d=2, stage1_steps=2, stage2_steps=2)).fit(circle[0])
    assert issubclass(NotFittedError, ec.InputError)


def test_files_that_are_not_models(fitted, circle, tmp_path):
    """Another class, a cut file, a newer format, something else, nothing: one line each."""
    path = tmp_path / "m.safetensors"
    fitted.save(path)
    content = path.read_bytes()
    cut, text, newer = (tmp_path / name for name in ("cut.safetensors", "text.safetensors", "newer.safetensors"))
    cut.write_bytes(content[: len(content) // 2])
    text.write_text("hello")
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    details = json.loads(header["__metadata__"]["eigenclock model"])
    header["__metadata__"]["eigenclock model"] = json.dumps(details | {"version": 99})
    fresh = json.dumps(header).encode()
    fresh += b" " * (-len(fresh) % 8)
    newer.write_bytes(len(fresh).to_bytes(8, "little") + fresh + content[8 + size :])
    for file, message in (
        (cut, "must be a whole safetensors file"),
        (text, "must be a whole safetensors file"),
        (newer, "must be of format 1 or older, got 99"),
        (tmp_path / "none", "model file not found"),
    ):
        with pytest.raises(ModelFileError, match=message) as caught:
            ec.ScoreLatentDiffusion.load(file)
        assert "\n" not in str(caught.value)
    with pytest.raises(ModelFileError, match="must hold a LatentBaseline, got a ScoreLatentDiffusion"):
        ec.LatentBaseline.load(path)
    with pytest.raises(ModelFileError, match="must hold a PriorAlignedAutoencoder, got a ScoreLatentDiffusion"):
        ec.PriorAlignedAutoencoder.load(path)
    with pytest.raises(ec.InputError, match="path must lie in a folder that exists"):
        fitted.save(tmp_path / "missing" / "m.safetensors")


def test_resume_notices_other_data(circle, tmp_path):
    """Mirrored, shifted or transposed samples have the same moments: only their content tells."""
    x, val = circle
    ec.ScoreLatentDiffusion(SMALL).fit(x, val, folder=tmp_path)
    for other in (-x, x + 0.1, x[:, ::-1]):
        with pytest.raises(ec.InputError, match=r"settings differ from the checkpoint .*samples"):
            ec.ScoreLatentDiffusion(SMALL).fit(other, val, folder=tmp_path, resume=True)
    with pytest.raises(ec.InputError, match="resume needs the folder of the run that is to go on, got none"):
        ec.ScoreLatentDiffusion(SMALL).fit(x, val, resume=True)


def test_interrupted_fit_leaves_no_old_state(circle, tmp_path):
    model = ec.ScoreLatentDiffusion(replace(SMALL, stage1_steps=5, stage2_steps=5)).fit(*circle)

    def stop(step, stage, model):
        assert np.isfinite(model.denoise(circle[1])).all()
        if stage == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(*circle, callback=stop)
    with pytest.raises(NotFittedError, match="must be fitted first"):
        model.save(tmp_path / "x")


def test_noise_that_blurs_is_warned_about(circle):
    """A risk far below k is no collapse; the rule's own choice of a large level is doubtful."""
    model = ec.ScoreLatentDiffusion(replace(SMALL, sigma1=30.0, stage1_steps=200)).fit(*circle)
    with pytest.warns(UserWarning, match="smooths the density away"):
        model.collapse_clock()


def test_networks_see_chunks(circle, monkeypatch):
    """Memory is that of a chunk, however many samples are encoded."""
    from eigenclock.latents import trained_maps

    monkeypatch.setattr(trained_maps, "CHUNK", 64)
    model = ec.ScoreLatentDiffusion(replace(SMALL, stage1_steps=2, stage2_steps=2)).fit(*circle)
    seen, inner = [], model.map.encoder.forward
    monkeypatch.setattr(model.map.encoder, "forward", lambda x: seen.append(len(x)) or inner(x))
    whole = model.encode(np.tile(circle[0], (5, 1)))
    assert max(seen) == 64
    assert np.allclose(whole[:300], whole[300:600], atol=1e-6)
