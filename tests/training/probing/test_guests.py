"""Tests of `eigenclock.training.probing.guests`: somebody's denoiser is called, and left as it was."""

import functools

import numpy as np
import pytest
import torch
from torch import nn

import eigenclock as ec
from eigenclock.training.probing.guests import modules_within


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.ReLU(inplace=True), nn.Linear(16, 6)
        ).train()


class Trainer:
    """An object that holds its network, as training frameworks' do."""

    def __init__(self, net):
        self.parts = {"networks": [net]}

    def denoise(self, x, sigma):
        return self.parts["networks"][0](x)

    def __call__(self, x, sigma):
        return self.denoise(x, sigma)


class Module(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, sigma):
        return self.net(x)


class Slots:
    """Hides its network where no attribute leads to it."""

    __slots__ = ("get",)

    def __init__(self, net):
        self.get = iter_of(net)

    def __call__(self, x, sigma):
        return self.get.send(x)


def iter_of(net):
    def generator():
        out = None
        while True:
            out = net((yield out))

    made = generator()
    next(made)
    return made


def nested(net):
    def outer():
        return lambda x, sigma: net(x)

    return outer()


GLOBAL = {}

WAYS = {
    "module": Module,
    "lambda": lambda net: lambda x, sigma: net(x),
    "nested": nested,
    "default": lambda net: lambda x, sigma, net=net: net(x),
    "partial": lambda net: functools.partial(lambda net, x, sigma: net(x), net),
    "bound forward": lambda net: Module(net).forward,
    "method": lambda net: Trainer(net).denoise,
    "object": Trainer,
    "adapter": lambda net: ec.as_denoiser(lambda x, sigma: net(x), objective=ec.Denoising()),
    "scheduler": lambda net: flat_adapter(net),
    "global": lambda net: GLOBAL.update(net=net) or (lambda x, sigma: GLOBAL["net"](x)),
    "out of sight": Slots,
}  # fmt: skip


def flat_adapter(net):
    config = type("Config", (), {"prediction_type": "sample"})()
    schedule = type("Schedule", (), {"config": config, "alphas_cumprod": torch.linspace(0.9999, 1e-5, 100)})()
    inner = ec.as_denoiser(lambda x, t: net(x.reshape(len(x), -1)).reshape(x.shape), scheduler=schedule)
    return lambda x, sigma: inner(x.reshape(-1, 2, 3), sigma).reshape(x.shape)


def probe(**more):
    return ec.Probe(
        ec.Spectrum(np.linspace(2, 0.5, 6)),
        sampler=ec.Heun(steps=4, sigma_max=50.0),
        steps=[1, 2, 4],
        n_samples=32,
        **more,
    )


def trained(way, watched):
    """Weights, buffers and modes after five steps, with or without a probe."""
    net = network()
    denoiser, watch = WAYS[way](net), probe()
    descent = torch.optim.SGD(net.parameters(), lr=0.05)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    for step in range(6):
        if watched:
            watch(step, denoiser)
        descent.zero_grad()
        net(torch.randn(16, 6)).square().mean().backward()
        descent.step()
    draws = float(np.random.random()), torch.rand(1).item()  # noqa: NPY002
    return net.state_dict(), [module.training for module in net.modules()], draws


@pytest.mark.parametrize("way", WAYS)
def test_training_is_the_same_to_the_bit(way):
    plain, modes, draws = trained(way, watched=False)
    seen, after, drawn = trained(way, watched=True)
    assert all(torch.equal(plain[name], seen[name]) for name in plain)
    assert modes == after == [True] * len(modes)
    assert draws == drawn


@pytest.mark.parametrize("way", WAYS)
def test_batch_statistics_and_dropout_are_off_while_it_is_probed(way):
    """The same curve as of the network in evaluation mode, to the bit."""
    watch, wanted, net = probe(), probe(), network()
    watch(0, WAYS[way](net))
    quiet = network().eval()
    wanted(0, WAYS[way](quiet))
    assert np.array_equal(watch.curve().variance.values, wanted.curve().variance.values)
    assert net[1].num_batches_tracked == 0


class Counting(nn.Module):
    """Keeps count of its calls in a buffer, evaluation mode or not."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return x


def test_a_network_that_changes_its_buffers_is_refused_and_put_back():
    net = Counting()
    with pytest.raises(
        ec.InputError,
        match=r"^denoiser must leave its network as it is, but Counting\.calls changed .*module=network\)$",
    ):
        probe()(0, lambda x, sigma: net(x))
    assert net.calls == 0


class Hidden:
    """A class that has its network as an attribute."""

    net = None


def hidden_beside_compiled(net):
    other = torch.compile(nn.Linear(6, 6), backend="eager")
    Hidden.net = net
    return lambda x, sigma: Hidden.net(x) + 0 * other(x)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("way", ["class", "many", "beside a compiled one"])
def test_networks_out_of_the_way_are_found_too(way):
    net = network()
    if way == "beside a compiled one":
        denoiser = hidden_beside_compiled(net)
    elif way == "class":
        Hidden.net = net
        denoiser = lambda x, sigma: Hidden.net.forward(x)  # noqa: E731
    else:
        many = [nn.Identity() for _ in range(300)] + [net]
        denoiser = lambda x, sigma: many[-1](x)  # noqa: E731
    before = {name: value.clone() for name, value in net.state_dict().items()}
    probe()(0, denoiser)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(module.training for module in net.modules())


class Shrinking(nn.Linear):
    def forward(self, x):
        with torch.no_grad():
            self.weight.mul_(0.99)
        return super().forward(x)


def test_weights_and_gradients_that_change_are_told():
    shrinking = Shrinking(6, 6)
    with pytest.raises(ec.InputError, match=r"Shrinking\.weight changed when it was called"):
        probe()(0, lambda x, sigma: shrinking(x))
    net = nn.Linear(6, 6)

    def of_energy(x, sigma):
        with torch.enable_grad():
            net(x).sum().backward()
        return x * 0.5

    with pytest.raises(ec.InputError, match=r"Linear\.weight\.grad changed when it was called"):
        probe()(0, of_energy)
    lazy = nn.LazyLinear(6)
    with pytest.raises(ec.InputError, match=r"denoiser has a LazyLinear without weights yet"):
        probe()(0, lambda x, sigma: lazy(x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_scripted_networks():
    script = torch.jit.script(network())
    probe()(0, lambda x, sigma: script(x))
    assert script.training


def test_restored_curves_are_the_probes_own():
    watch = probe()
    watch(0, lambda x, sigma: x * 0.5)
    kept = watch.curve()
    other = ec.Probe(ec.Spectrum(np.linspace(3, 1, 6)), sampler=ec.Heun(steps=4), steps=[1], n_samples=8)
    other(0, lambda x, sigma: x * 0.5)
    for curves, message in (
        ({"zzz": kept}, "curves must be named '', got 'zzz'"),
        ({"": other.curve()}, r"curves\[''\] must be of the probe's spectrum"),
        (
            {"": ec.predict(watch.spectrum, time=[1.0])},
            r"curves\[''\] must have the gain at the probe's 16 noise levels, got 0",
        ),
    ):
        with pytest.raises(ec.InputError, match=message):
            probe().restore(curves, last_step=0)
    fresh = probe()
    fresh.restore({"": kept}, last_step=0)
    assert fresh.recorded == 1


def test_denoisers_that_work_in_place_get_copies():
    first, second = probe(), probe()
    first(0, lambda x, sigma: x * 0.5)
    second(0, lambda x, sigma: x.mul_(0.5))
    for name in ("variance", "gain", "gain_r2"):
        assert np.array_equal(first.curve().dataset[name], second.curve().dataset[name])
    noise = torch.randn(5, 6)
    kept = noise.clone()
    samples = [
        ec.sample(denoiser, ec.Heun(steps=4), noise) for denoiser in (lambda x, s: x * 0.5, lambda x, s: x.mul_(0.5))
    ]
    assert torch.equal(*samples)
    assert torch.equal(noise, kept)


def test_modules_are_found_through_containers_and_not_forever():
    net = nn.Linear(2, 2)
    loop: list = [net]
    loop.append(loop)
    assert modules_within({"a": (loop,)}) == [net]
    assert modules_within(lambda x, s: x) == []


@pytest.mark.parametrize(
    ("denoiser", "message"),
    [
        (
            lambda x: x,
            r"denoiser must take x .*TypeError: .*a network of one argument is denoiser = lambda x, sigma: network\(x\)",
        ),
        (lambda x, s: x * float("nan"), r"denoiser gave numbers that are not finite at step 0, σ = 50"),
        (lambda x, s: x + 0j, r"denoiser must return real floating-point numbers, got torch\.complex64"),
        (lambda x, s: x.long(), r"denoiser must return real floating-point numbers, got torch\.int64"),
        (lambda x, s: x[:, :3], r"denoiser must return a tensor shaped like its input \(2, 6\), got \(2, 3\)"),
        (lambda x, s: None, r"denoiser must return a tensor shaped like its input \(2, 6\), got NoneType"),
        (
            lambda x, s: nn.Linear(3, 3)(x),
            r"denoiser must take x of shape \(2, 6\) and one noise level, got RuntimeError",
        ),
        (
            lambda x, s: nn.Linear(6, 6, dtype=torch.float64)(x),
            r"the probe calls it in torch\.float32: Probe\(dtype=…\)",
        ),
    ],
)
def test_denoisers_that_cannot_be_used(denoiser, message):
    with pytest.raises(ec.InputError, match=message):
        probe()(0, denoiser)


def test_global_random_streams_come_out_as_they_went_in():
    """NumPy's and PyTorch's; of Python's the tests' own type checker draws."""

    def draws(x, sigma):
        return x * (0.5 + 1e-9 * (np.random.random() + torch.rand(1).item()))  # noqa: NPY002

    before = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    probe()(0, draws)
    assert before == (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())  # noqa: NPY002


def test_images_with_channels_first_are_hinted_at():
    spectrum = ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((20, 8, 8, 3)))
    net = nn.Conv2d(3, 3, 3, padding=1)
    with pytest.raises(ec.InputError, match=r"is as_denoiser\(network, channels_first=True\)$"):
        ec.Probe(spectrum, sampler=ec.Heun(steps=3), steps=[1], n_samples=4)(0, lambda x, sigma: net(x))


def test_a_model_that_diverges_later_is_recorded(caplog):
    watch = probe()
    for step in range(3):
        watch(step, lambda x, sigma, step=step: x * (0.5 if step < 2 else float("nan")))
    assert np.isfinite(watch.curve().variance.values).all(axis=1).tolist() == [True, True, False]
    assert "denoiser gave numbers that are not finite at step 2, σ = 50: recorded as NaN" in caplog.text
