"""`predict` against brute force, against per-point quadrature, and against its own special functions."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
from scipy.integrate import quad
from scipy.special import exp1

import eigenclock as ec
from .measure import Row, _once, seconds

ETA, INIT = 1.0, 0.1


def against_brute_force() -> Iterator[Row]:
    """Full-batch descent of d×d matrices at 20 noise levels for 100 steps; the same recipe predicted at the same 10 times."""
    recipe = {
        "objective": ec.EDM(),
        "architecture": ec.OneLayer(0.0),
        "optimizer": ec.GradientDescent(lr=0.01),
        "sampler": ec.Heun(steps=20),
        "time": np.linspace(10, 100, 10),
    }
    for d in (32, 64, 128, 256):
        spectrum = ec.Spectrum.power_law(d, exponent=1.0)
        ours = seconds(lambda s=spectrum: ec.predict(s, **recipe))
        peer = _once(lambda s=spectrum: ec.simulate(s, n_particles=None, **recipe))
        promise = "≤ 1/100" if d == 256 else ""
        yield Row(
            f"predict / full-matrix descent, d = {d}, 100 steps", ours, peer, promise, d != 256 or ours <= peer / 100
        )


def against_quad() -> Iterator[Row]:
    """Closed form and Gauss–Legendre against scipy.integrate.quad in a loop over modes and times."""
    variance, time = np.logspace(-3, 2, 16), np.geomspace(1e-2, 1e2, 16)
    low, high = np.log(0.002), np.log(80.0)

    def loop() -> np.ndarray:
        out = np.empty((time.size, variance.size))
        for i, tau in enumerate(time):
            for k, lam in enumerate(variance):

                def slope(u: float, lam: float = lam, tau: float = tau) -> float:
                    total = lam + np.exp(2 * u)
                    best = lam / total
                    return 1 - best - (INIT - best) * np.exp(-2 * ETA * tau * total)

                out[i, k] = 80.0**2 * np.exp(-2 * quad(slope, low, high, epsrel=1e-10, limit=200)[0])
        return out

    peer = _once(loop)
    reference = loop()
    for method in ("closed_form", "quadrature"):
        sampler = ec.ProbabilityFlow(method=method)  # type: ignore[arg-type]
        options = {"architecture": ec.OneLayer(INIT), "sampler": sampler, "time": time}
        error = np.abs(ec.predict(ec.Spectrum(variance), **options).variance.values / reference - 1).max()
        assert error < 1e-8, f"{method} disagrees with quad by {error}"
        ours = seconds(lambda o=options: ec.predict(ec.Spectrum(variance), **o))
        yield Row(f"predict ({method}) / loop of scipy quad, 16 × 16 points", ours, peer, "", True)


def against_special_functions() -> Iterator[Row]:
    """The closed form of one layer against evaluating its two exponential integrals and its exponential alone."""
    variance, time = np.logspace(-4, 2, 1024), np.geomspace(1e-3, 1e5, 200)
    spectrum, rate = ec.Spectrum(variance), 2 * ETA * time[:, None]

    def floor() -> None:
        exp1(rate * (variance + 80.0**2))
        exp1(rate * (variance + 0.002**2))
        np.exp(-rate * variance)

    ours = seconds(lambda: ec.predict(spectrum, architecture=ec.OneLayer(INIT), time=time), 9)
    peer = seconds(floor, 9)
    yield Row("predict (closed form) / its special functions alone, 1,024 × 200", ours, peer, "≤ 3", ours <= 3 * peer)


def large() -> Iterator[Row]:
    """3,072 modes × 200 times × 100 noise levels by quadrature: seconds, and extra memory against 1 GiB."""
    spectrum, time = ec.Spectrum.power_law(3072, exponent=1.5), np.geomspace(1e-3, 1e5, 200)

    def work() -> None:
        ec.predict(spectrum, objective=ec.EDM(), time=time)

    ours = seconds(work, 3)
    yield Row("predict 3,072 modes × 200 times × 100 levels / 10 s", ours, 10.0, "≤ 1", ours <= 10)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / 2**30
    tracemalloc.stop()
    yield Row("its extra memory in GiB / 1 GiB", peak, 1.0, "≤ 1", peak <= 1)
