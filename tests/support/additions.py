"""A sampler, an architecture and a network that the library does not know, and what must hold of them.

To be imported in a process of its own: every list of samplers, architectures and networks knows these from then on.
"""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock import cli
from eigenclock.recipe.architectures.trainable import Single
from eigenclock.recipe.samplers.stepping import Stepping, slope_at
from eigenclock.training.network_options import Network

SPECTRUM = ec.Spectrum([2.0, 0.5, 0.1])
RANGE = {"sigma_min": 0.3, "sigma_max": 3.0}


@dataclass(frozen=True)
class Midpoint(Stepping):
    """The explicit midpoint rule on EDM's grid; Euler for the step to zero noise."""

    @property
    def middles(self):
        return (self.grid[:-1] + self.grid[1:]) / 2

    @property
    def levels(self):
        return np.concatenate([self.grid, self.middles])

    def steps_of(self, slope, product, identity):
        for i, (here, there, middle) in enumerate(zip(self.grid[:-1], self.grid[1:], self.middles, strict=True)):
            half = identity + (middle - here) / here * slope[i]
            yield identity + (there - here) / middle * product(slope[self.steps + i], half), 0.0
        yield identity - slope[self.steps - 1], 0.0

    def walk(self, x, clean, add_noise):
        for here, there, middle in zip(self.grid[:-1], self.grid[1:], self.middles, strict=True):
            half = x + float(middle - here) * slope_at(x, clean, here)
            x = x + float(there - here) * slope_at(half, clean, middle)
        return clean(x, self.grid[-1])

    @property
    def evaluations(self):
        return 2 * self.steps - 1


@dataclass(frozen=True)
class Careless(Midpoint):
    """Asks for a noise level that it has not named."""

    def walk(self, x, clean, add_noise):
        return clean(x, 1.3 * self.grid[-1])


@dataclass(frozen=True)
class Backwards(ec.Euler):
    """Derived from a sampler that brute force knows, and another all the same: every step is half of Euler's."""

    def steps_of(self, slope, product, identity):
        for here, step in zip(slope, self.relative_steps(), strict=True):
            yield identity + step / 2 * here, 0.0

    def walk(self, x, clean, add_noise):
        for here, there in zip(self.grid, self.ends, strict=True):
            x = x + float(there - here) / 2 * slope_at(x, clean, here)
        return x


class Halved(Single):
    """W = V/2, V is trained: a kind of network that neither brute force nor PyTorch has seen."""

    def weights(self, parameters):
        return parameters / 2

    def pull_back(self, parameters, gradient):
        return gradient / 2


@dataclass(frozen=True)
class HalfLayer(ec.OneLayer):
    """F(x) = V x/2: one layer that learns at a quarter of its rate."""

    init: float = 0.2

    def stiffness(self, regression):
        return super().stiffness(regression) / 4

    def follows(self):
        return None

    def trainable(self, spectrum, modes, levels):
        return Halved(2 * self.init * np.eye(modes.shape[1]))


@dataclass(frozen=True)
class Scaling(Network):
    """F(x) = a·x with one trainable number."""

    start: float = 0.5

    def _build(self, shape, spectrum):
        class Module(torch.nn.Module):
            def __init__(self, start):
                super().__init__()
                self.scale = torch.nn.Parameter(torch.tensor(start))

            def forward(self, x, sigma):
                return self.scale * x

        return Module(self.start)


def printed(*arguments):
    """What a command prints."""
    with redirect_stdout(io.StringIO()) as out:
        cli.main(list(arguments))
    return out.getvalue()


def refused(*arguments):
    """The line with which a command refuses."""
    with redirect_stderr(io.StringIO()) as err, pytest.raises(SystemExit, match="2"):
        cli.main(list(arguments))
    return err.getvalue().splitlines()[-1]


def check_a_sampler_is_predicted_simulated_and_run(folder):
    """The same recursion three ways, in 64 bits: no tolerance but rounding and the descent's own 1e-8."""
    recipe = {"sampler": Midpoint(steps=6, **RANGE), "optimizer": ec.GradientDescent(0.01), "time": [0.0, 10.0, 200.0]}
    predicted = ec.predict(SPECTRUM, **recipe)
    simulated = ec.simulate(SPECTRUM, n_particles=None, **recipe)
    np.testing.assert_allclose(simulated.variance, predicted.variance, rtol=1e-8)
    variance = torch.tensor(SPECTRUM.variance)
    sampler, noise = Midpoint(steps=6, **RANGE), torch.ones(2, 3, dtype=torch.float64)
    out = ec.sample(lambda x, sigma: x * variance / (variance + sigma**2), sampler, noise)
    best = ec.predict(SPECTRUM, sampler=sampler, time=[np.inf]).variance.values[0]
    np.testing.assert_allclose(out[0].numpy() ** 2, best, rtol=1e-11)


def check_a_sampler_approaches_the_flow(folder):
    """Halving the steps at least quarters the error: what a second-order rule is known for."""
    exact = ec.predict(SPECTRUM, sampler=ec.ProbabilityFlow(**RANGE), time=[np.inf]).variance.values
    # the last step, to zero noise, is left out of the order: it multiplies by the denoiser's gain at sigma_min
    gain = (SPECTRUM.variance / (SPECTRUM.variance + RANGE["sigma_min"] ** 2)) ** 2
    errors = [
        np.abs(ec.predict(SPECTRUM, sampler=Midpoint(steps=n, **RANGE), time=[np.inf]).variance.values / gain - exact)
        for n in (40, 80)
    ]
    assert (errors[0] >= 3.8 * errors[1]).all()  # the next order adds a few per cent at 40 steps
    assert errors[1].max() < 1e-4


def check_an_architecture_is_predicted_simulated_and_trained(folder):
    """Brute force trains it by its own chain rule, PyTorch through it; both learn at a quarter of one layer's rate."""
    sampler = ec.Euler(steps=5, **RANGE)
    slow = {"architecture": HalfLayer(), "optimizer": ec.GradientDescent(0.04), "time": [0.0, 20.0]}
    fast = {"architecture": ec.OneLayer(0.2), "optimizer": ec.GradientDescent(0.01), "time": [0.0, 20.0]}
    predicted = ec.predict(SPECTRUM, sampler=sampler, **slow)
    np.testing.assert_allclose(predicted.variance, ec.predict(SPECTRUM, sampler=sampler, **fast).variance, rtol=1e-12)
    simulated = ec.simulate(SPECTRUM, sampler=sampler, n_particles=None, **slow)
    np.testing.assert_allclose(simulated.variance, predicted.variance, rtol=1e-8)

    network = ec.Linear(HalfLayer(), levels=1, sigma_min=0.5, sigma_max=1.0).build((3,), spectrum=SPECTRUM).double()
    x = torch.tensor([[1.0, -2.0, 0.5]], dtype=torch.float64)
    value = network(x, torch.tensor([0.5], dtype=torch.float64))
    np.testing.assert_allclose(value.detach(), 0.2 * x, rtol=1e-7)  # the start is stored in 32 bits
    value.square().sum().backward()
    # d|Vx/2|²/dV = (Vx/2)xᵀ = 0.2·x xᵀ
    np.testing.assert_allclose(network.weight.grad[0], 0.2 * x.T @ x, rtol=1e-7)


def check_an_architecture_and_a_sampler_survive_a_file_and_the_command_line(folder):
    curve = ec.predict(SPECTRUM, architecture=HalfLayer(0.3), sampler=Midpoint(steps=6, **RANGE), time=[1.0, 2.0])
    curve.save(folder / "curve.nc")
    assert ec.LearningCurve.load(folder / "curve.nc").recipe == curve.recipe
    assert "karras2022elucidating" in printed("cite", "--sampler", "Midpoint", "--sampler.steps", "9")
    assert "HalfLayer" in refused("cite", "--architecture", "HalfLeyer")


def check_a_network_is_trained_by_the_main_job(folder):
    out = str(folder / "run")
    small = ["--data", "digits", "--n", "60", "--steps", "20", "--probe.count", "4", "--probe.samples", "16"]
    said = printed("run", *small, "--out", out, "--network", "Scaling", "--network.start", "0.25")
    assert "now: after 20 steps" in said
    assert "Scaling(start=0.25)" in (folder / "run" / "metrics.json").read_text()


def check_a_sampler_derived_from_a_known_one_is_itself(folder):
    recipe = {"sampler": Backwards(steps=6, **RANGE), "optimizer": ec.GradientDescent(0.01), "time": [0.0, 50.0]}
    simulated = ec.simulate(SPECTRUM, n_particles=None, **recipe)
    np.testing.assert_allclose(simulated.variance, ec.predict(SPECTRUM, **recipe).variance, rtol=1e-8)


def check_a_level_that_a_sampler_has_not_named_is_refused(folder):
    message = "walk must ask for noise levels that are among the sampler's levels, got 0.39"
    with pytest.raises(ec.InputError, match=message):
        ec.simulate(SPECTRUM, sampler=Careless(steps=4, **RANGE), n_particles=None, time=[1.0])
