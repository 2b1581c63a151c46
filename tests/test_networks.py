"""Networks: shapes, starts, seeds, errors; and linear ones against the theory they embody."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.recipe.objectives import Denoising
from eigenclock.training.losses import NetworkDenoiser
from eigenclock.training.options import LoopOptions

IMAGES = [
    (ec.MLP(16, 3), (5,)),
    (ec.MLP(16, 4), (8, 8, 3)),
    (ec.MLP(16, 1), (8, 8)),
    (ec.FeedForward(16, 3), (8, 8)),
    (ec.FeedForward(16, 1, 4, "silu"), (5,)),
    (ec.UNet(8, (1, 2), 1, (4,)), (8, 8)),
    (ec.UNet(8, (1, 2, 2), 2, (8,)), (8, 8, 3)),
    (ec.ConvNet(8, 2), (8, 8)),
    (ec.ConvNet(8, 1, 5), (8, 6, 3)),
    (ec.DiT(4, 16, 2, 2), (8, 8)),
    (ec.DiT(2, 16, 1, 2), (8, 4, 3)),
]


@pytest.mark.parametrize(("network", "shape"), IMAGES, ids=str)
def test_shape_seed_and_gradients(network, shape):
    module, again, other = (network.build(shape, seed=s) for s in (3, 3, 4))
    x, sigma = torch.randn(6, *shape), torch.linspace(0.1, 10, 6)
    out = module(x, sigma)
    assert out.shape == x.shape
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(module.parameters(), other.parameters(), strict=True))
    # a step of descent moves the zero-initialised layers, after which every parameter is reached
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (module(x, sigma) - x).square().mean().backward()
        optimizer.step()
    idle = [name for name, p in module.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []
    assert not torch.equal(module(x, sigma), module(x, 5 * sigma)), "the noise level matters"


@pytest.mark.parametrize(("network", "shape"), IMAGES, ids=str)
def test_samples_of_a_batch_do_not_see_each_other(network, shape):
    module = network.build(shape).eval()
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.2, generator=torch.Generator().manual_seed(1))
    x, sigma = torch.randn(4, *shape), torch.tensor([0.1, 1.0, 2.0, 5.0])
    whole = module(x, sigma)
    alone = torch.cat([module(x[i : i + 1], sigma[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(whole, alone, rtol=1e-4, atol=1e-4)  # 32 bits, other order of sums


def test_building_leaves_the_global_stream_alone():
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    ec.MLP(8, 2).build((4,), seed=5)
    assert torch.equal(torch.randn(3), expected)


def test_convolutions_see_only_as_far_as_their_kernels():
    """Two convolutions of 3 in the block and one on either side: a pixel reaches four pixels far, no further."""
    module = ec.ConvNet(4, 1, 3).build((1, 33)).eval()
    for norm in [m for m in module.modules() if isinstance(m, torch.nn.GroupNorm)]:
        norm.forward = lambda x: x  # normalisation looks at the whole image: taken away for this test
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.3)
    x = torch.zeros(1, 1, 33, requires_grad=True)
    module(x, torch.ones(1))[0, 0, 16].backward()
    reached = x.grad[0, 0].abs() > 0
    assert reached[12:21].all()
    assert reached.sum() == 9


ERRORS = {
    "vectors for a U-Net": (lambda: ec.UNet().build((16,)), "UNet needs images (h, w) or (h, w, channels), got samples of shape (16,): use MLP or Linear"),
    "channels first": (lambda: ec.UNet().build((3, 16, 16)), "images must have their channels last, (h, w, channels), got samples of shape (3, 16, 16)"),
    "size and factor": (lambda: ec.UNet(8, (1, 2, 2)).build((10, 10)), "image size must be divisible by 4 for 3 resolutions, got 10×10: use fewer multipliers or another image_size"),
    "patch": (lambda: ec.DiT(5).build((16, 16)), "image size must be divisible by patch = 5, got 16×16"),
    "heads": (lambda: ec.DiT(4, 100, 2, 3), "heads must divide width = 100, got 3"),
    "kernel": (lambda: ec.ConvNet(8, 1, 4), "kernel must be odd, got 4"),
    "no multipliers": (lambda: ec.UNet(8, ()), "multipliers must name at least one resolution, got none"),
    "no spectrum": (lambda: ec.Linear().build((4,)), "Linear needs the spectrum of the data: build(shape, spectrum=spectrum)"),
    "width": (lambda: ec.MLP(0), "width must be a whole number >= 1, got 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    make, message = ERRORS[case]
    with pytest.raises(ec.InputError) as error:
        make()
    assert str(error.value) == message


LEVELS = np.geomspace(0.2, 3.0, 3)


@dataclass(frozen=True)
class Design:
    """Every pair of 2d samples and 2d noises at every level: second moments exactly those of the theory, no sampling error.

    Samples mean ± √(dλ_k) u_k have mean and covariance exactly; noises ± √d e_j have covariance I.
    """

    spectrum: ec.Spectrum
    levels: np.ndarray

    def __call__(self, step):
        d = self.spectrum.n_modes
        scaled = np.diag(np.sqrt(d * self.spectrum.variance))
        clean = self.spectrum.from_modes(np.concatenate([scaled, -scaled]))
        noise = np.sqrt(d) * np.concatenate([np.eye(d), -np.eye(d)])
        n = 2 * d
        x = np.broadcast_to(clean[None, :, None], (len(self.levels), n, n, d)).reshape(-1, d)
        z = np.broadcast_to(noise[None, None], (len(self.levels), n, n, d)).reshape(-1, d)
        sigma = np.repeat(self.levels, n * n)
        return torch.tensor(x), torch.tensor(sigma), torch.tensor(z)


def gain_of(module, objective, spectrum, levels):
    """u_kᵀ D(mean + u_k) − u_kᵀ D(mean), per mode and level."""
    denoiser, d = NetworkDenoiser(module, objective), spectrum.n_modes
    origin = torch.tensor(spectrum.from_modes(np.zeros((d, d))))
    shifted = torch.tensor(spectrum.from_modes(np.eye(d)))
    with torch.no_grad():
        columns = [(denoiser(shifted, s) - denoiser(origin, s)).numpy() for s in levels]
    modes = spectrum.basis.from_modes(np.eye(d))
    return np.stack([(modes * column).sum(axis=1) for column in columns], axis=1)


LINEAR = {
    "one layer": (ec.OneLayer(0.1), "pca", 0.05),
    "tied": (ec.TiedTwoLayer(0.3), "pca", 0.02),
    "two layers": (ec.TwoLayer((0.5, 0.2)), "pca", 0.02),
    "deep": (ec.DeepLinear(3, 0.2), "pca", 0.02),
    "residual": (ec.Residual(2), "pca", 0.02),
    "circulant": (ec.Circulant(), "fourier", 0.01),
    "local": (ec.LocalConv(3), "fourier", 0.01),
    "affine": (ec.Affine(), "pca", 0.02),
    "unaligned": (ec.UnalignedOneLayer(ec.GaussianStart(0.1, seed=1)), "pca", 0.05),
    "unaligned tied": (ec.UnalignedTiedTwoLayer(ec.GaussianStart(0.3, seed=1)), "pca", 0.02),
}


@pytest.mark.parametrize("case", LINEAR)
@pytest.mark.parametrize("objective", [ec.Denoising(), ec.EDM(), ec.FlowMatching()], ids=lambda o: type(o).__name__)
def test_linear_modules_trained_by_the_loop_match_the_theory(case, objective):
    """Gradient descent of the real loop, gradients by PyTorch, against `predict`: all but rounding."""
    architecture, basis, lr = LINEAR[case]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 5)) @ rng.standard_normal((5, 5)) * 0.5 + (0.7 if case == "affine" else 0.0)
    spectrum = ec.Spectrum.from_samples(x, basis=basis)
    if case != "affine":  # the theory takes the mean as known, the loop's data then have none
        spectrum = ec.Spectrum(spectrum.variance, basis=spectrum.basis)
    steps = 60
    module = ec.Linear(architecture, len(LEVELS), LEVELS[0], LEVELS[-1]).build((5,), spectrum=spectrum)
    ec.train(
        module,
        x,
        objective=objective,
        optimizer=ec.SGD(lr * len(LEVELS)),  # the loss is a mean over levels
        steps=steps,
        options=LoopOptions(precision="float64", device="cpu"),
        pairs=Design(spectrum, LEVELS),
    )
    predicted = ec.predict(
        spectrum,
        objective=objective,
        architecture=architecture,
        optimizer=ec.GradientDescent(lr),
        sampler=ec.Heun(steps=2, sigma_min=0.2, sigma_max=3.0),
        time=[float(steps)],
        sigma=LEVELS,
        keep_gain=True,
    )
    seen = predicted.spectrum  # convolutions sort their modes anew
    measured = gain_of(module, objective, ec.Spectrum(seen.variance, mean=spectrum.mean, basis=seen.basis), LEVELS)
    # required 1e-4; the weights start in 32 bits, which leaves about 1e-7
    np.testing.assert_allclose(measured, predicted.gain.values[0], atol=2e-6)


def test_coupled_levels_match_the_theory():
    """All levels share weights through a kernel; each level counts with its share of the theory's quadrature."""
    architecture = ec.Coupled(ec.GaussianKernel(0.8), sigma_min=0.2, sigma_max=3.0, levels=6)
    levels, share = architecture.training_levels
    spectrum = ec.Spectrum.from_samples(np.random.default_rng(1).standard_normal((40, 3)))
    spectrum = ec.Spectrum(spectrum.variance, basis=spectrum.basis)

    @dataclass(frozen=True)
    class ByShare(Denoising):
        def loss_weight(self, sigma):
            return share[np.abs(levels[None, :] - sigma[:, None]).argmin(axis=1)] * len(levels)

    module = ec.Linear(architecture).build((3,), spectrum=spectrum)
    ec.train(module, np.zeros((4, 3)), objective=ByShare(), optimizer=ec.SGD(0.02), steps=50,
             options=LoopOptions(precision="float64", device="cpu"), pairs=Design(spectrum, levels))  # fmt: skip
    predicted = ec.predict(spectrum, architecture=architecture, optimizer=ec.GradientDescent(0.02), time=[50.0], sigma=levels, keep_gain=True,
                           sampler=ec.Heun(steps=2, sigma_min=0.2, sigma_max=3.0))  # fmt: skip
    np.testing.assert_allclose(gain_of(module, ec.Denoising(), spectrum, levels), predicted.gain.values[0], atol=2e-6)


def test_linear_interpolates_between_levels():
    spectrum = ec.Spectrum.from_samples(np.random.default_rng(1).standard_normal((40, 3)))
    module = ec.Linear(ec.OneLayer(0.0), 3, 0.1, 10.0).build((3,), spectrum=spectrum)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([1.0, 2.0, 4.0])[:, None, None] * torch.eye(3))
    x = torch.ones(5, 3)
    out = module(x, torch.tensor([0.01, 0.1, 0.1 * 10**0.5, 1.0, 50.0]))
    torch.testing.assert_close(out[:, 0], torch.tensor([1.0, 1.0, 1.5, 2.0, 4.0]))


def test_options_are_values():
    assert replace(ec.MLP(), width=32) == ec.MLP(32)
    assert str(ec.UNet()) == "UNet(channels=32, multipliers=(1, 2), blocks=1, attention=(), embedding=64)"


def test_feed_forward_starts_at_zero_and_is_affine_without_layers():
    x, sigma = torch.randn(6, 5), torch.full((6,), 0.7)
    assert (ec.FeedForward(16, 2).build((5,))(x, sigma) == 0).all()
    affine = ec.FeedForward(16, 0).build((5,), seed=1)
    torch.nn.init.normal_(affine.last.weight)
    f = affine(x, sigma)
    assert torch.allclose(affine((x[:3] + x[3:]) / 2, sigma[:3]), (f[:3] + f[3:]) / 2, atol=1e-5)
