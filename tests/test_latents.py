"""Score latent diffusion as a tool: noise rule, networks, heads, both stages, files, errors."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.latents.bottleneck import Conservative, mlp_autoencoder
from eigenclock.latents.density import LatentDensity, sampler_of
from eigenclock.latents.first_stage import Reconstruction, ScoreMatching, Variational, Wasserstein
from eigenclock.latents.heads import RIDGE, GaussianHead, RidgeHead, WithGaussian
from eigenclock.latents.noise_rule import NoiseRangeError, intrinsic_dimension, memorising_risk, noise_range
from eigenclock.latents.refine import refine_passage
from eigenclock.latents.two_stage import NotFittedError
from eigenclock.training.descent import descend, half_then_linear, one_cycle
from eigenclock.training.losses import NetworkDenoiser, loss
from eigenclock.training.model_files import ModelFileError
from eigenclock.training.options import Adam
from eigenclock_studies.score_latent_diffusion import make_data

SMALL = ec.ModelConfig(k=1, d=2, width=32, sigma1=0.1, stage1_steps=60, stage2_steps=40, batch=32, n_evals=6)


@pytest.fixture(scope="module")
def circle():
    """A curve in 16 dimensions, and what to hold out."""
    x = make_data("circle", 380, 0, D=16).x
    return x[:300], x[300:]


@pytest.fixture(scope="module")
def fitted(circle):
    return ec.ScoreLatentDiffusion(SMALL).fit(*circle)


@pytest.mark.parametrize("alpha", [1.0, 0.7])
def test_score_matching_is_a_denoising_autoencoder(alpha, rng):
    """Pointwise in float64, 1e-10: |s + z/σ|² = (α/σ²)²|G(E(x_t)) − x₀|², and the mean weighted as the loss says."""
    network = mlp_autoencoder(9, 16, 2, variational=False).double()
    sigma = torch.as_tensor(rng.uniform(0.1, 1.0, (50, 1)))
    x0, z = (torch.as_tensor(rng.standard_normal((50, 9))) for _ in range(2))
    noisy = alpha * x0 + sigma * z
    with torch.no_grad():
        restored = network.denoise(noisy)
        score = (alpha * restored - noisy) / sigma**2
        assert torch.allclose(score + z / sigma, alpha / sigma**2 * (restored - x0), atol=1e-10)
        if alpha == 1:
            for weighting, power in (("dae", 4), ("eps", 2), ("score", 0)):
                wanted = (sigma**power * (score + z / sigma) ** 2).sum() / 50
                found = ScoreMatching(weighting).loss(network, x0, sigma, z, torch.Generator())
                assert float(found) == pytest.approx(float(wanted), rel=1e-10)


def test_rivals_of_score_matching(rng):
    """Each against its definition, written out for samples one by one."""
    network = mlp_autoencoder(6, 8, 2, variational=True).double()
    x = torch.as_tensor(rng.standard_normal((5, 6)))
    with torch.no_grad():
        mean, log_variance = network.encoder(x).chunk(2, dim=1)
        found = Variational(0.3).loss(network, x, x, x, torch.Generator().manual_seed(0))
        z = mean + (log_variance / 2).exp() * torch.randn(
            mean.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype
        )
        gaussian = torch.distributions.Normal(mean, (log_variance / 2).exp())
        kl = torch.distributions.kl_divergence(gaussian, torch.distributions.Normal(0.0, 1.0)).sum()
        assert float(found) == pytest.approx(float(((network.decoder(z) - x) ** 2).sum() + 0.3 * kl) / 5, rel=1e-12)
        plain = mlp_autoencoder(6, 8, 2, variational=False).double()
        error = float(((plain.denoise(x) - x) ** 2).sum() / 5)
        assert float(Reconstruction().loss(plain, x, x, x, torch.Generator())) == pytest.approx(error)
        found = Wasserstein(2.0).loss(plain, x, x, x, torch.Generator().manual_seed(1))
        a, b = plain.encode(x), torch.randn(5, 2, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
        kernel = lambda p, q: 4 / (4 + float(((p - q) ** 2).sum()))  # noqa: E731
        same = sum(kernel(s[i], s[j]) for s in (a, b) for i in range(5) for j in range(5) if i != j) / 20
        cross = sum(kernel(p, q) for p in a for q in b) / 25
        assert float(found) == pytest.approx(error + 2 * (same - 2 * cross), rel=1e-10)


def test_noise_rule_of_the_specification():
    """The table of the wave surface, and the rule at both sizes; unchanged by an isometric embedding."""
    data = make_data("wave2", 3000, 0, D=8)
    train, test = data.x[:2000], data.x[2000:]
    risks = [memorising_risk(train, test, sigma) for sigma in (0.05, 0.08, 0.1, 0.2)]
    assert np.allclose(
        risks, (2.56, 2.08, 1.86, 1.52), atol=0.35
    )  # draws of the data differ: the specification's spread
    assert 0.05 <= noise_range(train, 2, held_out=test).low <= 0.11
    few = make_data("wave2", 700, 3, D=8)
    assert 0.12 <= noise_range(few.x[:200], 2, held_out=few.x[200:]).low <= 0.2
    assert abs(intrinsic_dimension(train) - 2) < 0.15
    wide = np.linalg.qr(np.random.default_rng(0).standard_normal((40, 8)))[0]
    assert intrinsic_dimension(train @ wide.T) == pytest.approx(intrinsic_dimension(train), rel=1e-6)

    def weights(x, y):
        log = -((y[:, None] - x) ** 2).sum(2) / 0.02
        return np.exp(log - log.max(1, keepdims=True))

    noise = np.random.default_rng(1).standard_normal((20, 40))
    inside = weights(train[:200], test[:20] + 0.1 * noise @ wide)
    embedded = weights(train[:200] @ wide.T, test[:20] @ wide.T + 0.1 * noise)
    assert np.allclose(inside, embedded, atol=1e-8)


def test_noise_rule_says_when_there_is_no_range(rng):
    with pytest.raises(NoiseRangeError, match=r"sigma range is empty: .* got|sigma range is empty") as caught:
        noise_range(rng.standard_normal((40, 30)), 1)
    assert list(caught.value.table.columns) == ["sigma", "risk"]
    assert len(caught.value.table) == 16
    assert "\n" not in str(caught.value)


def test_conservative_network_is_a_gradient(rng):
    """Symmetric Jacobian, equal to the gradient of its potential; reduced to all its directions it is the same map."""
    network = Conservative(7, 12, 12).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.as_tensor(0.5 * rng.standard_normal(parameter.shape)))
    x = torch.as_tensor(rng.standard_normal((3, 7)))
    jacobian = torch.func.vmap(torch.func.jacrev(lambda one: network.whole(one[None])[0]))(x)
    assert torch.allclose(jacobian, jacobian.transpose(1, 2), atol=1e-12)
    gradient = torch.func.vmap(torch.func.grad(lambda one: network.potential(one[None])[0]))(x)
    assert torch.allclose(gradient, network.whole(x), atol=1e-6)  # the trapezoidal rule of 2,001 nodes
    whole = network.denoise(x)
    network.reduce(torch.as_tensor(rng.standard_normal((200, 7))))
    assert torch.allclose(network.denoise(x), whole, atol=1e-10)


def test_gaussian_head_is_the_exact_score(rng):
    a = rng.standard_normal((3, 3))
    covariance, mean, tau = a @ a.T, rng.standard_normal(3), 0.7
    head = GaussianHead(torch.as_tensor(mean), torch.as_tensor(covariance))
    x = rng.standard_normal((5, 3))
    found = (head(torch.as_tensor(x), tau).numpy() - x) / tau**2
    assert np.allclose(found, -np.linalg.solve(covariance + tau**2 * np.eye(3), (x - mean).T).T, atol=1e-12)
    split = WithGaussian(lambda x, tau: x, head, 3.0)
    mixed = split(torch.as_tensor(x), torch.as_tensor([1.0, 4, 1, 4, 1]))
    assert torch.equal(mixed[0], torch.as_tensor(x[0]))
    assert torch.allclose(mixed[1], head(torch.as_tensor(x[1:2]), 4.0)[0])


def test_gaussian_latents_are_sampled_exactly():
    """Mean and covariance within four standard errors, of both samplers."""
    for sampler in ("heun", "sde"):
        config = replace(SMALL, sampler=sampler, gaussian_head_above=1e-3)
        density = LatentDensity(config, 2)
        covariance = np.array([[1.0, 0.6], [0.6, 1.0]])
        density.gaussian = GaussianHead(torch.zeros(2), torch.as_tensor(covariance, dtype=torch.float32))
        z = density.sample(20_000, 0).double().numpy()
        assert np.abs(z.mean(0)).max() < 4 / np.sqrt(20_000)
        bias = 0.07 if sampler == "heun" else 0.05  # of 30 Heun steps (tests/test_samplers.py), of 200 Euler steps
        assert np.abs(np.cov(z.T) - covariance).max() < 4 * np.sqrt(2 / 20_000) + bias


def test_second_stage_is_edm_and_starts_as_a_gaussian(rng):
    """The loss of F is (1 + τ²)/τ² of the denoising loss, 1e-6; step 0 is the Gaussian of unit variance."""
    density = LatentDensity(SMALL, 3)
    x, tau, z = (
        torch.as_tensor(rng.standard_normal((8, 3))),
        torch.full((8,), 0.6, dtype=torch.float64),
        torch.zeros(8, 3).double(),
    )
    z = torch.as_tensor(rng.standard_normal((8, 3)))
    network, objective = density.network.double(), ec.EDM(sigma_data=1.0)
    torch.nn.init.normal_(network.last.weight)
    denoiser = NetworkDenoiser(network, objective)
    with torch.no_grad():
        found = float(loss(network, objective, x, tau, z))
        wanted = (1 + 0.36) / 0.36 * float((denoiser(x + 0.6 * z, 0.6) - x).square().sum()) / 8
        assert found == pytest.approx(wanted, rel=1e-6)
        torch.nn.init.zeros_(network.last.weight)
        assert torch.allclose(denoiser(x, 0.6), x / 1.36, atol=1e-12)


def test_ridge_flow_against_explicit_descent(rng):
    """A(t) against small steps, first order in them; A of descent against descent, to rounding; A(∞) is the ridge solution."""
    z = rng.standard_normal((200, 2))
    head = RidgeHead.fit(z, np.array([0.5]), seed=0, p=24)
    level = head.nearest(0.5)
    flow = level.flow
    moment = flow.vectors @ np.diag(flow.values) @ flow.vectors.T + RIDGE * np.eye(24)
    assert np.allclose(moment @ level.solution, flow.target, atol=1e-10)
    errors = []
    for steps in (1000, 2000):
        weights = np.zeros_like(flow.target)
        for _ in range(steps):
            weights = weights - 50 / steps * (moment @ weights - flow.target)
        assert np.allclose(weights, flow.descended(steps, 50 / steps), atol=1e-10)
        errors.append(np.abs(weights - flow.weights(50.0)).max())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] < 1e-2 * np.abs(flow.target).max() * 50
    x = torch.as_tensor(rng.standard_normal((4, 2)))
    assert torch.allclose(head(x, torch.tensor(0.5)), x + 0.25 * torch.as_tensor(level.score(x.numpy())))
    late = head.at(1e12)(x, torch.tensor(0.5))
    assert torch.allclose(late, head(x, torch.tensor(0.5)), atol=1e-6)


def test_descend_resumes_to_the_bit(tmp_path):
    """Killed after 600 of 1,000 steps and resumed, the weights are those of a run that never stopped."""

    def make():
        torch.manual_seed(0)
        return torch.nn.Linear(3, 1)

    def run(file, network, dies=None):
        def loss_of(step):
            if step == dies:
                raise KeyboardInterrupt
            x = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
            return (network(x) - x.sum(1, keepdim=True)).square().mean()

        return descend({"network": network}, loss_of, steps=1000, optimizer=Adam(1e-2), file=file, resume=True)

    whole, killed = make(), make()
    run(None, whole)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a.safetensors", killed, dies=600)
    resumed = make()
    assert run(tmp_path / "a.safetensors", resumed) == 500
    assert torch.equal(whole.weight, resumed.weight)
    with pytest.raises(ec.InputError, match=r"settings differ from the checkpoint .*: optimizer"):
        descend(
            {"network": make()},
            lambda step: None,
            steps=1000,
            optimizer=Adam(2e-2),
            file=tmp_path / "a.safetensors",
            resume=True,
        )


def test_descend_keeps_the_last_finite_state():
    network = torch.nn.Linear(2, 1)

    def loss_of(step):
        return network.weight.sum() * (float("nan") if step >= 60 else 1.0)

    with pytest.raises(
        ec.InputError, match=r"training stopped at step 99: the loss is nan, lr must be smaller than 0.01; .* step 50"
    ):
        descend({"network": network}, loss_of, steps=100, optimizer=Adam(1e-2))
    assert torch.isfinite(network.weight).all()


def test_schedules():
    assert [half_then_linear(p) for p in (0, 0.5, 0.75, 1)] == [1, 1, 0.5, 0]
    assert one_cycle(0.3) == pytest.approx(1)
    assert one_cycle(1.0) == pytest.approx(0, abs=1e-12)
    assert one_cycle(0.0) == pytest.approx(0.04)


def test_train_can_let_the_learning_rate_fall():
    """Plain gradient descent on one weight: the sum of its rates, by a gradient that does not change."""
    seen = []

    class Constant(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x, sigma):
            seen.append(float(self.w.detach()))
            return x * 0 + self.w

    x = np.full((4, 1), 100.0)
    network = Constant()
    options = ec.LoopOptions(batch_size=4, decay=0.5, device="cpu")
    ec.train(network, x, objective=ec.Denoising(), optimizer=ec.SGD(lr=1e-9), steps=10, options=options)
    moved = np.diff(seen[1:])  # the first call only asks for the shape
    assert np.allclose(moved / moved[0], [1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4], rtol=0.05)
    with pytest.raises(ec.InputError, match="decay must be a share of the steps <= 1, got 2"):
        ec.LoopOptions(decay=2.0)


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


@pytest.mark.parametrize("stage", [Reconstruction(), Variational(0.01), Wasserstein(1.0)])
def test_baselines_keep_their_loss_in_the_file(stage, circle, tmp_path):
    model = ec.LatentBaseline(SMALL, stage).fit(*circle)
    model.save(tmp_path / "m.safetensors")
    again = ec.LatentBaseline.load(tmp_path / "m.safetensors")
    assert again.first_stage == stage
    assert np.array_equal(model.sample(5, seed=1), again.sample(5, seed=1))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stage2": "B"},
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
        r"first_stage must be one of Reconstruction, Variational, Wasserstein",
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
def test_errors_are_one_line(call, message, circle):
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


def test_refine_passage_is_censored_while_it_falls():
    step = np.array([0.0, 1, 2, 4, 8, 16, 32, 64, 128, 256])
    done = np.array([1.0, 0.9, 0.6, 0.3, 0.05, 0.04, 0.05, 0.045, 0.05, 0.05])
    assert 4 < refine_passage(step, done, 0.1).time[0] < 8
    assert refine_passage(step, np.linspace(1, 0.1, 10), 0.1).status == ["right-censored"]
    assert refine_passage(step, np.full(10, 0.3), 0.1).status == ["right-censored"]


def test_sampler_of_a_config():
    assert sampler_of(SMALL).sigma_min == 0.02
    assert sampler_of(replace(SMALL, stage2="B")).sigma_min == 0.05
    assert isinstance(sampler_of(replace(SMALL, sampler="sde")), ec.EulerMaruyama)


def test_ambient_diffusion(circle):
    model = ec.AmbientDiffusion(replace(SMALL, stage2_steps=20)).fit(*circle)
    assert model.sample(4, seed=1).shape == (4, 16)
    assert model.denoising_risk(circle[1], 0.1) > 1
    with pytest.raises(ec.InputError, match="AmbientDiffusion must be fitted first"):
        ec.AmbientDiffusion().sample(3)


def test_resume_notices_other_data(circle, tmp_path):
    """Mirrored, shifted or transposed samples have the same moments: only their content tells."""
    x, val = circle
    ec.ScoreLatentDiffusion(SMALL).fit(x, val, folder=tmp_path)
    for other in (-x, x + 0.1, x[:, ::-1]):
        with pytest.raises(ec.InputError, match=r"settings differ from the checkpoint .*samples"):
            ec.ScoreLatentDiffusion(SMALL).fit(other, val, folder=tmp_path, resume=True)
    with pytest.raises(ec.InputError, match="resume needs the folder of the run that is to go on, got none"):
        ec.ScoreLatentDiffusion(SMALL).fit(x, val, resume=True)


def test_interrupted_fit_leaves_no_old_state(circle):
    model = ec.ScoreLatentDiffusion(replace(SMALL, stage1_steps=5, stage2_steps=5)).fit(*circle)

    def stop(step, stage, model):
        assert np.isfinite(model.denoise(circle[1])).all()
        if stage == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(*circle, callback=stop)
    with pytest.raises(NotFittedError, match="must be fitted first"):
        model.save("x")


def test_noise_that_blurs_is_warned_about(circle):
    """A risk far below k is no collapse; the rule's own choice of a large level is doubtful."""
    model = ec.ScoreLatentDiffusion(replace(SMALL, sigma1=30.0, stage1_steps=200)).fit(*circle)
    with pytest.warns(UserWarning, match="smooths the density away"):
        model.collapse_clock()


def test_networks_see_chunks(circle, monkeypatch):
    """Memory is that of a chunk, however many samples are encoded."""
    from eigenclock.latents import two_stage

    monkeypatch.setattr(two_stage, "CHUNK", 64)
    model = ec.ScoreLatentDiffusion(replace(SMALL, stage1_steps=2, stage2_steps=2)).fit(*circle)
    seen, inner = [], model._module().encoder.forward
    monkeypatch.setattr(model._module().encoder, "forward", lambda x: seen.append(len(x)) or inner(x))
    whole = model.encode(np.tile(circle[0], (5, 1)))
    assert max(seen) == 64
    assert np.allclose(whole[:300], whole[300:600], atol=1e-6)


def test_a_gaussian_stands_in_outside_the_trained_band():
    """Both below and above it, so that bands of training can be compared by one sampler."""
    head = GaussianHead(torch.zeros(1), torch.ones(1, 1))
    band = WithGaussian(lambda x, tau: 0 * x, head, 0.2, 0.02)
    x = torch.ones(4, 1)
    found = band(x, torch.tensor([0.01, 0.05, 0.1, 0.5]))
    assert found[1:3].abs().max() == 0
    assert float(found[0]) == pytest.approx(1 / 1.0001)
    assert float(found[3]) == pytest.approx(0.8)
