"""Local convolutions by Fourier transforms against the same network as dense matrices; large grids against a limit; matrices."""

import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np

import eigenclock as ec
from eigenclock.recipe.architectures.matrices import Denoiser
from eigenclock.theory.matrices import carried
from .measure import Row, _once, seconds

RECIPE = {"objective": ec.EDM(), "optimizer": ec.GradientFlow(1e-6)}


def _photograph(size: int, channels: int) -> ec.Spectrum:
    """The 1/f² spectrum of natural images, channels correlated."""
    x, y = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
    mixed = 0.9 * np.ones((channels, channels)) + 0.1 * np.eye(channels)
    return ec.Spectrum.from_power((1 / (1e-3 + x**2 + y**2))[..., None, None] * mixed, channels=True)


def against_dense() -> Iterator[Row]:
    """A ring of 256, kernel 5, 20 Heun steps, 5 times: transfer functions against 256×256 matrices, same result."""
    spectrum = ec.Spectrum.from_power(1 / (1e-4 + np.fft.fftfreq(256) ** 2))
    network, sampler, time = ec.LocalConv(5), ec.Heun(20), np.geomspace(1, 1e5, 5)
    basis = spectrum.basis
    assert basis is not None
    waves = basis.from_modes(np.eye(256))
    gather = network.trainable(spectrum, waves, sampler.levels)

    def dense() -> np.ndarray:
        covariance = spectrum.covariance()
        patches, out = _patch_weights(covariance, sampler.levels, time), np.empty((time.size, 256))
        row = ec.EDM().row(sampler.levels)
        for i in range(time.size):
            linear = row.slope[:, None, None] * gather.weights(patches[i]) + row.offset[:, None, None] * np.eye(256)
            _, generated = carried(sampler, Denoiser(linear))
            out[i] = np.einsum("kd,de,ke->k", waves, generated, waves, optimize=True)
        return out

    def ours() -> np.ndarray:
        return ec.predict(spectrum, architecture=network, sampler=sampler, time=time, **RECIPE).variance.values

    error = np.abs(ours() / dense() - 1).max()
    assert error < 1e-8, f"the two routes disagree by {error}"
    yield Row("LocalConv, ring of 256 / dense 256×256 matrices", seconds(ours), _once(dense), "", True)


def _patch_weights(covariance: np.ndarray, sigma: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Weights (time, sigma, displacement) of a kernel of 5 on a ring, by the matrix exponential of their normal equations."""
    offsets = np.array([0, 1, 2, -2, -1])  # the network's order
    row, lr = ec.EDM().row(sigma), RECIPE["optimizer"].lr  # type: ignore[attr-defined]
    patch = covariance[np.ix_(offsets % 256, offsets % 256)]
    out = np.empty((time.size, sigma.size, 5))
    start = np.array([0.1, 0, 0, 0, 0])
    for s in range(sigma.size):
        moment = row.a[s] ** 2 * patch + row.s[s] ** 2 * np.eye(5)
        target = row.a[s] * row.c[s] * patch[0] + row.s[s] * row.e[s] * np.eye(5)[0]
        size, vectors = np.linalg.eigh(moment)
        best = np.linalg.solve(moment, target)
        decay = np.exp(-2 * 256 * lr * size * time[:, None])
        out[:, s] = best + (decay * ((start - best) @ vectors)) @ vectors.T
    return out


def large_grids() -> Iterator[Row]:
    """N = 256 in 1-D and 32×32×3 in 2-D, 200 times, exact flow: at most 10 s and 1 GiB."""
    ring, image = ec.Spectrum.from_power(1 / (1e-4 + np.fft.fftfreq(256) ** 2)), _photograph(32, 3)
    for name, spectrum, network in (
        ("Circulant, ring of 256", ring, ec.Circulant()),
        ("LocalConv(5), ring of 256", ring, ec.LocalConv(5)),
        ("Circulant, 32×32×3", image, ec.Circulant()),
        ("LocalConv(5), 32×32×3", image, ec.LocalConv(5)),
    ):
        call = _call(spectrum, network)
        yield from _within(f"{name}, 200 times", call, 10.0)


def wide_kernels() -> Iterator[Row]:
    """A kernel of 15 pixels on 32×32×3, default times: at most five seconds."""
    image = _photograph(32, 3)
    recipe = {"architecture": ec.LocalConv(15), "optimizer": ec.GradientFlow(1e-4)}
    yield from _within("LocalConv(15), 32×32×3", lambda: ec.predict(image, **recipe), 5.0)


def layers() -> Iterator[Row]:
    """Three layers under flow matching by the exact flow, where gains have kinks: at most one second."""
    spectrum, time = ec.Spectrum.power_law(32, exponent=1.5), np.geomspace(0.01, 1e4, 50)
    recipe = {"objective": ec.FlowMatching(), "architecture": ec.DeepLinear(3), "time": time}
    yield from _within("DeepLinear(3), flow matching, 32 modes × 50 times", lambda: ec.predict(spectrum, **recipe), 1.0)


def matrices() -> Iterator[Row]:
    """The non-commuting matrix route at d = 256, 60 noise levels, 50 times: at most ten seconds."""
    mean = np.random.default_rng(0).standard_normal(256)
    spectrum = ec.Spectrum(np.geomspace(10, 1e-3, 256), mean=mean)
    time, flow = np.geomspace(0.01, 1e3, 50), ec.ProbabilityFlow(nodes=60)
    yield from _within(
        "Affine, 256 modes × 60 levels × 50 times",
        lambda: ec.predict(spectrum, architecture=ec.Affine(), sampler=flow, time=time),
        10.0,
    )


def _call(spectrum: ec.Spectrum, network: ec.Architecture) -> Callable[[], object]:
    return lambda: ec.predict(spectrum, architecture=network, **RECIPE)


def _within(name: str, call: Callable[[], object], limit: float) -> Iterator[Row]:
    """Seconds and extra memory of a call against their limits."""
    ours = _once(call)
    yield Row(f"{name} / {limit:g} s", ours, limit, "≤ 1", ours <= limit)
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1] / 2**30
    tracemalloc.stop()
    yield Row(f"{name}: extra memory in GiB / 1 GiB", peak, 1.0, "≤ 1", peak <= 1)
