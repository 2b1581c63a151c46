"""Measured curves that theory describes up to a time scale and noise."""

import numpy as np

import eigenclock as ec

RECIPE = {"objective": ec.EDM(density=ec.LogNormal()), "sampler": ec.Heun(steps=20)}
TIME = np.unique(np.round(np.geomspace(1, 100_000, 60)))


def run(factor=0.05, *, noise=0.0, seed=0, until=np.inf, drop=0):
    """A run that theory describes, in other units, with noise in ln time of every mode."""
    spectrum = ec.Spectrum.power_law(100, exponent=1.5)
    rng = np.random.default_rng(seed)
    fine = ec.predict(spectrum, architecture=ec.OneLayer(0.0), optimizer=ec.GradientFlow(factor), **RECIPE, time=np.geomspace(1e-2, 1e8, 500))  # fmt: skip
    shift = np.exp(noise * rng.standard_normal(100))
    variance = np.stack(
        [np.exp(np.interp(np.log(TIME / s), np.log(fine.time.values), np.log(fine.variance.values[:, k]))) for k, s in enumerate(shift)], axis=1
    )  # fmt: skip
    dataset = fine.dataset.drop_dims("time")
    keep = np.flatnonzero(until >= TIME)[drop:]
    dataset.coords["time"] = ("time", TIME[keep])
    dataset["variance"] = (("time", "mode"), variance[keep])
    if drop:
        dataset["initial"] = ("mode", variance[keep[0]])
        dataset.attrs["first_step"] = int(TIME[keep[0]])
    return ec.LearningCurve(dataset, recipe=None, source="measurement"), shift


def sampled(curve, error=0.02):
    """The same curve as one measured on samples, with their error."""
    dataset = curve.dataset.copy()
    dataset["log_variance_error"] = (("time", "mode"), np.full(dataset["variance"].shape, error))
    return ec.LearningCurve(dataset, recipe=None, source="measurement")
