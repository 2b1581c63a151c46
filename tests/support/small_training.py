"""A training run of seconds."""

import numpy as np

import eigenclock as ec

OBJECTIVE = ec.EDM(density=ec.LogNormal())


def small(
    folder=None,
    *,
    steps=40,
    seed=0,
    options=None,
    optimizer=None,
    resume=False,
    network=None,
    samples=None,
    objective=OBJECTIVE,
    **more,
):
    """A small run: network, samples, probe and all."""
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((60, 6)) * np.linspace(1, 0.2, 6)
    spectrum = ec.Spectrum.from_samples(drawn)
    probe = ec.Probe(spectrum, sampler=ec.Heun(steps=4), steps=ec.log_steps(1, 40, 6), n_samples=16, gain_samples=16)
    given = ec.LoopOptions(batch_size=16, device="cpu", checkpoint_every=10) if options is None else options
    module = (network or ec.MLP(16, 2)).build((6,), spectrum=spectrum, seed=seed)
    trained = ec.train(module, drawn if samples is None else samples, objective=objective, optimizer=optimizer or ec.Adam(3e-3), steps=steps, options=given, probe=probe, seed=seed,
                       folder=folder, resume=resume, **more)  # fmt: skip
    return trained, probe.curve()
