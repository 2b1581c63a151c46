"""(a) Odd values for every argument of every public callable: each call is right but for one argument."""

import decimal
import fractions
import random
from functools import lru_cache
from types import ModuleType

import numpy as np
import torch
import xarray as xr

import eigenclock as ec
from eigenclock import exact
from eigenclock.data import DataSet, load, load_labelled, natural_patches
from eigenclock.observables.class_gate import ClassGate

RESULTS = {
    "Advice", "ClassClocks", "ClassLosses", "Comparison", "LatentComparison", "Emergence", "Estimate", "Forecast", "Innovation", "Levels", "LogRatio", "Memorization",
    "Passages", "PowerLaw", "ReturnProbability", "Stopping", "Trained", "Generalization", "InputError", "InputWarning",
}  # fmt: skip
"""What functions return: made by the library, not by users."""

ABSTRACT = {
    "Architecture", "Basis", "Density", "Network", "NoiseKernel", "Objective", "Optimizer", "Rule", "Sampler", "Start",
}  # fmt: skip

WITHOUT_ARGUMENTS = {"CosineTime", "UniformTime"}


class Nasty:
    """An object whose every conversion fails."""

    def __array__(self, *_, **__):
        raise RuntimeError("no array")

    def __len__(self):
        raise RuntimeError("no length")

    def __float__(self):
        raise RuntimeError("no number")

    def __repr__(self):
        raise RuntimeError("no words")


def odd_values():
    """Values that somebody, or some script, hands over; made anew each time, since a call may change them."""
    masked = np.ma.masked_greater(np.array([[1.0, 2.0], [3.0, 1e6]]), 100)
    grid = np.arange(36.0).reshape(9, 4)
    return {
        "None": None, "true": True, "0": 0, "-1": -1, "1": 1, "2": 2, "half": 0.5, "nan": float("nan"), "inf": float("inf"),
        "-inf": -float("inf"), "1e300": 1e300, "1e-300": 1e-300, "1e308": 1e308, "10**30": 10**30, "10**400": 10**400,
        "-10**400": -(10**400), "2**64": 2**64, "10**9": 10**9, "float16": np.float16(3.0), "int8": np.int8(3), "bool_": np.bool_(True),
        "complex": 1 + 2j, "text": "abc", "empty text": "", "number text": "1", "bytes": b"1", "newline": "a\nb" * 50,
        "decimal": decimal.Decimal("1.5"), "fraction": fractions.Fraction(1, 3), "list": [1.0, 2.0], "ragged": [[1.0], [1.0, 2.0]],
        "empty list": [], "nested": [[[[1.0]]]], "[10**400]": [10**400], "dict": {"a": 1}, "set": {1, 2}, "object": object(),
        "function": lambda *a, **k: None, "class": int, "nasty": Nasty(), "generator": (i for i in range(3)),
        "array": np.array([1.0, 2.0]), "2-D": grid, "zero array": np.zeros(4), "negative": -np.ones(4), "nan array": np.array([1.0, np.nan]),
        "huge array": np.full(4, 1e300), "empty array": np.empty(0), "no columns": np.empty((3, 0)), "0-d": np.array(3.0),
        "object array": np.array([object(), 1], dtype=object), "text array": np.array(["1", "2"]),
        "dates": np.array(["2020-01-01", "2021-01-01"], "datetime64[D]"), "complex array": np.array([1j, 2.0]), "masked": masked,
        "float16 array": np.ones((4, 4), np.float16), "uint8 array": np.full((4, 4), 200, np.uint8), "strided": grid[::-1, ::-2],
        "images": np.random.default_rng(0).standard_normal((12, 4, 4)), "channels first": np.random.default_rng(1).standard_normal((9, 3, 8, 8)),
        "tensor": torch.ones(4), "gradient": torch.ones(9, 3, requires_grad=True), "bfloat16": torch.ones(4, 4, dtype=torch.bfloat16),
        "meta": torch.empty(3, device="meta"), "module": torch.nn.Linear(2, 2), "dataset": xr.Dataset(), "spectrum": ec.Spectrum([1.0, 0.1]),
        "objective": ec.EDM(), "sampler": ec.Heun(steps=3), "path": "/nonexistent/x.npy", "null": "null", "NUL": "a\0b", "long": "x" * 300,
    }  # fmt: skip


@lru_cache
def small():
    """Small right values."""
    rng = np.random.default_rng(0)
    scale = [3.0, 2.0, 1.0, 0.5]
    spectrum = ec.Spectrum.from_samples(rng.standard_normal((20, 4)) * scale)
    curve = ec.predict(ec.Spectrum([1.0, 0.1, 0.01]), time=[1.0, 10.0, 100.0, 1000.0])
    return {
        "rng": rng,
        "spectrum": spectrum,
        "scale": scale,
        "curve": curve,
        "advice": ec.choose(
            ec.Spectrum([9.0, 4.0, 1.0, 0.25]), recipes=[ec.EDM(density=ec.LogNormal())], standardizations="none"
        ),
        "x": rng.standard_normal((20, 4)),
        "images": rng.standard_normal((12, 4, 4)),
        "bits": np.where(rng.random((8, 4)) < 0.5, -1.0, 1.0),
        "denoiser": lambda x, sigma: x / (1 + sigma**2),
    }


@lru_cache
def tested():
    """A curve with held-out losses."""
    s = small()
    x = s["x"] * s["scale"]
    probe = ec.Probe(s["spectrum"], sampler=ec.Heun(steps=3), steps=[1], n_samples=8, data=x, test=x, sigma=[1.0])
    for step in range(2):
        probe(step, s["denoiser"])
    return probe.curve()


def right_calls():
    """A right call of every public callable: (function, its arguments by name), by its name."""
    s = small()
    rule, bits = ec.GroupParity(4, 2), s["bits"]
    heun = ec.Heun(steps=3)
    made = {
        "Adam": {"lr": 1e-3, "beta1": 0.9, "beta2": 0.9, "eps": 1e-8},
        "AdamW": {"lr": 1e-3, "weight_decay": 0.1},
        "SGD": {"lr": 0.1, "momentum": 0.5},
        "Affine": {"init": 0.1, "bias": 0.0},
        "AlignedConfig": {"d": 4, "width": 8, "w_ssr": 0.1, "theta_l": None, "blur": 0.0, "ae_steps": 2, "batch": 4, "lr": 1e-3, "device": "cpu", "seed": 0},
        "ModelConfig": {"k": 1, "d": 2, "architecture": "mlp", "width": 8, "weighting": "dae", "sigma1": 0.1, "noise": "single", "stage1_steps": 2, "decoder_refit_steps": 0, "stage2_steps": 2, "sampler": "heun", "noise_range": (0.02, 5.0), "polish": False, "batch": 4, "lr": 1e-3, "n_evals": 2, "device": "cpu", "seed": 0},
        "FlowConfig": {"backbone": "mlp", "width": 8, "blocks": 1, "steps": 2, "batch": 4, "lr": 1e-3, "ema": 0.9, "euler_steps": 2, "seed": 0},
        "FlowGenerator": {"shape": (2, 2, 2), "classes": 2, "config": ec.FlowConfig(width=8, blocks=1, steps=2)},
        "AmbientDiffusion": {"config": None},
        "LatentBaseline": {"config": None, "first_stage": None},
        "ScoreLatentDiffusion": {"config": None},
        "PriorAlignedAutoencoder": {"config": None, "perceptual": None},
        "Circulant": {"init": 0.1},
        "LocalConv": {"kernel": 3, "init": 0.1},
        "Coupled": {"kernel": ec.GaussianKernel(1.0), "init": 0.0, "sigma_min": 0.01, "sigma_max": 10.0, "levels": 16},
        "DeepLinear": {"depth": 2, "init": 0.1},
        "Residual": {"depth": 1, "init": 0.0},
        "OneLayer": {"init": 0.1},
        "TiedTwoLayer": {"init": 0.1},
        "TwoLayer": {"init": (0.3, 0.3)},
        "UnalignedOneLayer": {"init": ec.GaussianStart()},
        "UnalignedTiedTwoLayer": {"init": ec.GaussianStart()},
        "FeatureMap": {"features": lambda sigma: np.log(sigma)[:, None]},
        "GaussianKernel": {"length": 1.0},
        "KernelMatrix": {"sigma": [0.1, 1.0], "values": np.eye(2)},
        "GaussianStart": {"scale": 0.1, "seed": 0},
        "MatrixStart": {"weights": np.eye(2)},
        "Denoising": {"weight": "uniform", "path": "ve", "density": None},
        "EDM": {"sigma_data": 0.5, "density": None, "weight": "uniform"},
        "SpectralEDM": {"spectrum": s["spectrum"], "power": 1.0, "floor": 0.1, "input": "mode", "loss": "sample", "density": None, "sigma_data": 0.5},
        "MinSNR": {"gamma": 5.0},
        "NoisePower": {"beta": 1.0},
        "P2": {"gamma": 1.0, "k": 1.0},
        "Sigmoid": {"bias": 2.0},
        "BetaSchedule": {"start": 1e-4, "end": 0.02, "steps": 10, "scaled": False},
        "DensityTable": {"sigma": [0.1, 1.0], "density": [1.0, 2.0]},
        "choose": {"spectrum": s["spectrum"], "recipes": [ec.EDM()], "densities": None, "weights": None, "sampler": heun, "close": (0.5, 0.25), "by": 0.25, "standardizations": "none", "network": ec.OneLayer(0.0), "progress": None},
        "calibrate": {"advice": s["advice"], "samples": s["x"] * s["scale"], "steps": 10, "network": ec.MLP(8, 1), "optimizer": ec.Adam(), "options": None, "seed": 0, "progress": None},
        "stable_lr": {"spectrum": s["spectrum"], "objective": ec.EDM(), "architecture": ec.OneLayer(0.0), "optimizer": ec.GradientDescent, "sigma": [0.1, 1.0]},
        "compare_latents": {"latents": {"a": s["rng"].standard_normal((12, 2, 3, 3)), "b": s["rng"].standard_normal((12, 2, 3, 3))}, "decoders": None, "labels": None, "masks": None, "channels_last": False},
        "Angular": {"steps": 3, "rho": 7.0, "sigma_min": 0.01, "sigma_max": 10.0, "spectrum": s["spectrum"]},
        "Epsilon": {"weight": "uniform", "path": "vp", "density": None},
        "FlowMatching": {"weight": "uniform", "density": None},
        "Score": {"weight": "snr", "density": None},
        "Velocity": {"weight": "uniform", "density": None},
        "LogNormal": {"mean": -1.2, "std": 1.2},
        "GradientDescent": {"lr": 0.1},
        "GradientFlow": {"lr": 0.1},
        "HeavyBall": {"lr": 0.1, "momentum": 0.5},
        "Euler": {"steps": 3, "rho": 7.0, "sigma_min": 0.01, "sigma_max": 10.0},
        "Heun": {"steps": 3, "rho": 7.0, "sigma_min": 0.01, "sigma_max": 10.0},
        "EulerMaruyama": {"steps": 3, "sigma_max": 10.0},
        "Stochastic": {"steps": 3, "churn": 1.0, "churn_min": 0.05, "churn_max": 50.0, "noise": 1.0},
        "ProbabilityFlow": {"sigma_min": 0.01, "sigma_max": 10.0, "method": "auto", "nodes": 20},
        "ConvNet": {"channels": 4, "blocks": 1, "kernel": 3, "embedding": 4},
        "DiT": {"patch": 2, "width": 8, "blocks": 1, "heads": 2, "embedding": 4},
        "FeedForward": {"width": 8, "layers": 1, "frequencies": 4, "activation": "relu"},
        "Linear": {"architecture": ec.OneLayer(), "levels": 4, "sigma_min": 0.01, "sigma_max": 10.0},
        "MLP": {"width": 8, "layers": 2, "frequencies": 4, "zero_output": True},
        "NormedMLP": {"width": 8, "blocks": 1, "embedding": 4},
        "UNet": {"channels": 4, "multipliers": (1, 2), "blocks": 1, "attention": (), "embedding": 4},
        "LoopOptions": {"batch_size": 8, "ema": 0.0, "clip": None, "decay": 0.0, "device": "cpu", "precision": "float32", "compile": False, "threads": None, "checkpoint_every": 10, "checkpoint_minutes": 2.0, "tensorboard": False},
        "Clock": {"observable": "x", "target": 0.5, "direction": "rising", "smooth": "none"},
        "GroupParity": {"D": 4, "G": 2, "layout": "contiguous"},
        "GroupWeight": {"D": 4, "G": 2, "layout": "contiguous", "k": 1},
        "NoRule": {"D": 4},
        "Permutation": {"n": 3},
        "PCA": {"components": np.eye(4), "shape": (4,)},
        "Cosines": {"shape": (4,), "rotation": np.ones((4, 1, 1)), "order": np.arange(4)},
        "Fourier": {"shape": (4,), "rotation": np.ones((4, 1, 1)), "order": np.arange(4)},
        "Recipe": {"objective": ec.EDM(), "architecture": ec.OneLayer(), "optimizer": ec.GradientFlow(), "sampler": heun},
        "LearningCurve": {"dataset": s["curve"].dataset, "recipe": None, "source": "theory"},
        "Spectrum": {"variance": [2.0, 1.0], "mean": None, "basis": None, "test_variance": None, "n_samples": 5},
        "Probe": {"spectrum": s["spectrum"], "sampler": heun, "steps": [1, 2], "n_samples": 8, "budget": 0.02, "seed": 0, "data": s["x"] * s["scale"], "test": s["x"] * s["scale"], "sigma": [1.0], "gain_samples": 8, "also": None, "keep_samples": 2, "watch": None, "inspect": None, "device": "cpu", "dtype": torch.float32, "chunk": 16, "batch_size": 8},
        "as_denoiser": {"network": s["denoiser"], "objective": None, "scheduler": None, "condition": None, "channels_first": False},
        "compare": {"curve": s["curve"], "measured": s["curve"], "threshold": "geometric"},
        "forecast": {"curves": s["curve"], "measured": s["curve"], "at": None, "schedule": None, "average": None, "coverage": 0.8},
        "check_forecasts": {"curve": s["curve"], "measured": s["curve"], "loss": None, "fractions": (0.1, 0.2), "coverage": 0.8, "schedule": None},
        "compare_levels": {"measured": s["curve"], "objective": ec.EDM(), "sampler": heun, "architecture": ec.OneLayer(0.0), "threshold": "geometric"},
        "predict_levels": {"spectrum": s["spectrum"], "objective": ec.EDM(), "sampler": heun, "architecture": ec.OneLayer(0.0)},
        "predict_level": {"level": "c", "spectrum": s["spectrum"], "objective": ec.EDM(), "sampler": heun, "architecture": ec.OneLayer(0.0), "measured": None},
        "class_clocks": {"runs": ([1.0, 2.0], np.zeros((2, 4, 2))), "classify": lambda x: np.zeros(len(x), int), "real": None, "proportions": [1.0], "pass_rate": [1.0], "labels": None, "train": None, "share": 0.5, "copies": 0.1, "ratio": 0.3, "names": None},
        "convolution_fit": {"denoiser": s["denoiser"], "images": s["images"], "sigma": [0.5], "size": 3, "seed": 0},
        "diagnose_latents": {"latents": s["rng"].standard_normal((12, 2, 3, 3)), "decoder": None, "labels": None, "masks": None, "seed": 0},
        "generalization": {"spectrum": s["spectrum"], "test": s["x"], "objective": ec.Denoising(), "time": [1.0, 10.0], "sigma": [1.0]},
        "innovation": {"samples": bits, "train": bits, "is_valid": lambda x: np.ones(len(x), bool), "chance": 0.1, "control": None, "criterion": "exact", "ratio": 0.3, "confidence": 0.9},
        "memorization": {"samples": s["x"], "train": s["x"], "control": None, "criterion": "ratio", "ratio": 0.3, "confidence": 0.9, "features": None, "device": "cpu"},
        "log_steps": {"first": 1, "last": 100, "count": 5},
        "noise_floor": {"spectrum": s["spectrum"], "objective": ec.Denoising(), "optimizer": ec.GradientDescent(0.01), "batch_size": 8, "sigma": [1.0]},
        "patch_spectrum": {"x": s["images"], "size": 2, "stride": 1},
        "predict": {"spectrum": s["spectrum"], "objective": ec.EDM(), "architecture": ec.OneLayer(), "optimizer": ec.GradientFlow(), "sampler": heun, "time": [1.0, 10.0], "sigma": [1.0], "keep_gain": True, "keep_loss": False, "keep_covariance": False},
        "class_losses": {"denoiser": s["denoiser"], "samples": s["x"], "labels": np.arange(20) % 2, "sigma": [0.5, 2.0], "draws": 1, "device": "cpu", "seed": 0},
        "linear_losses": {"samples": s["x"], "labels": np.arange(20) % 2, "sigma": [0.5, 2.0], "seed": 0},
        "return_probability": {"denoiser": s["denoiser"], "samples": s["x"], "labels": np.arange(20) % 2, "classify": lambda x: (x[:, 0] > 0).astype(int), "sigma": [0.5, 2.0], "proportions": [0.5, 0.5], "steps": 3, "sigma_min": 0.1, "repeats": 1, "confidence": 0.9, "device": "cpu", "seed": 0},
        "sample": {"denoiser": s["denoiser"], "sampler": heun, "noise": torch.ones(3, 4), "generator": None, "chunk": 16},
        "simulate": {"spectrum": ec.Spectrum([1.0, 0.1]), "objective": ec.EDM(), "architecture": ec.OneLayer(), "optimizer": ec.GradientDescent(0.01), "sampler": heun, "time": [0.0, 2.0]},
        "stopping": {"curve": tested()},
        "train": {"network": ec.MLP(8, 1, 4).build((4,)), "samples": s["x"], "objective": ec.EDM(), "optimizer": ec.Adam(), "steps": 1, "options": ec.LoopOptions(batch_size=4), "probe": None, "seed": 0, "sigma_range": (0.01, 10.0), "folder": None, "resume": False},
        "variance_by": {"recipe": ec.Recipe(), "channels": 1},
    }  # fmt: skip
    calls = {name: (getattr(ec, name), arguments) for name, arguments in made.items()}
    curve, spectrum = s["curve"], s["spectrum"]
    watched = xr.Dataset({"watched": ("time", [0.1, 0.9])}, coords={"time": [1.0, 2.0]})
    calls |= {
        "Spectrum.from_samples": (ec.Spectrum.from_samples, {"x": s["x"], "basis": "pca", "test": None}),
        "Spectrum.from_batches": (ec.Spectrum.from_batches, {"batches": [s["x"]], "basis": "pca"}),
        "Spectrum.cross_validated": (s["spectrum"].cross_validated, {"samples": s["x"], "groups": None, "folds": 3, "seed": 0}),
        "Spectrum.from_covariance": (ec.Spectrum.from_covariance, {"c": np.eye(3), "mean": None}),
        "Spectrum.from_power": (ec.Spectrum.from_power, {"power": [4.0, 1.0, 0.5, 1.0], "channels": False}),
        "Spectrum.power_law": (ec.Spectrum.power_law, {"n": 4, "exponent": 1.0, "scale": 1.0}),
        "Spectrum.log_normal": (ec.Spectrum.log_normal, {"n": 4, "seed": 0, "mean": 0.0, "std": 1.0}),
        "Spectrum.to_modes": (spectrum.to_modes, {"samples": s["x"]}),
        "Spectrum.from_modes": (spectrum.from_modes, {"coordinates": s["x"]}),
        "Spectrum.with_test": (spectrum.with_test, {"test": s["x"]}),
        "Spectrum.save": (spectrum.save, {"path": "/nonexistent/folder/x.nc"}),
        "Spectrum.load": (ec.Spectrum.load, {"path": "/nonexistent/x.nc"}),
        "Spectrum.from_dataset": (ec.Spectrum.from_dataset, {"dataset": spectrum.to_dataset()}),
        "LearningCurve.load": (ec.LearningCurve.load, {"path": "/nonexistent/x.nc"}),
        "LearningCurve.emergence": (curve.emergence, {"threshold": "geometric"}),
        "LearningCurve.settling": (curve.settling, {"within": 1.25}),
        "LearningCurve.closeness": (curve.closeness, {"fractions": (0.5, 0.1)}),
        "LearningCurve.best": (curve.best, {"by": "wasserstein"}),
        "LearningCurve.variance_at": (curve.variance_at, {"time": 5.0}),
        "LearningCurve.rescaled": (curve.rescaled, {"factor": 2.0}),
        "LearningCurve.save": (curve.save, {"path": "/nonexistent/folder/x.nc"}),
        "Emergence.power_law": (curve.emergence().power_law, {"direction": "rising", "gray_zone": False, "resamples": 10, "seed": 0}),
        "Emergence.variance_begun": (curve.emergence().variance_begun, {"fraction": 0.5}),
        "Emergence.variance_learned": (curve.emergence().variance_learned, {"fraction": 0.5}),
        "Clock.of": (ec.Clock("x", 0.5).of, {"time": [1.0, 2.0], "value": [0.1, 0.9]}),
        "Clock.read": (ec.Clock("watched", 0.5).read, {"curves": watched}),
        "ClassGate.of": (ClassGate.of, {"X": np.arange(60.0).reshape(30, 2) + 90 * (np.arange(30) % 2)[:, None], "y": np.arange(30) % 2, "confident": 0.9, "quantile": 0.99, "seed": 0}),
        "divergences.kl": (ec.divergences.kl, {"variance": np.ones(3), "target": np.ones(3), "mean_shift": 0.0}),
        "divergences.wasserstein": (ec.divergences.wasserstein, {"variance": np.ones(3), "target": np.ones(3), "mean_shift": 0.0}),
        "divergences.kl_full": (ec.divergences.kl_full, {"mean": np.zeros(2), "covariance": np.eye(2), "target_mean": np.zeros(2), "target_covariance": np.eye(2)}),
        "divergences.wasserstein_full": (ec.divergences.wasserstein_full, {"mean": np.zeros(2), "covariance": np.eye(2), "target_mean": np.zeros(2), "target_covariance": np.eye(2)}),
        "divergences.sliced_wasserstein": (ec.divergences.sliced_wasserstein, {"a": s["x"], "b": s["x"], "directions": 5, "seed": 0}),
        "divergences.alignment": (ec.divergences.alignment, {"covariance_in_modes": np.eye(3)}),
        "data.load": (load, {"data": "digits", "image_size": None, "color": None, "n": 10, "seed": 0, "max_pixels": 10**6}),
        "data.load_labelled": (load_labelled, {"data": "/nonexistent", "image_size": None, "color": None}),
        "data.natural_patches": (natural_patches, {"size": 4, "colour": False, "n": 10, "n_test": 5, "seed": 0}),
        "data.DataSet": (DataSet, {"samples": s["x"], "test": None, "name": "x", "source": "y"}),
        "DataSet.limited": (DataSet(s["x"], None, "x", "y").limited, {"n": 5, "seed": 0}),
        "DataSet.standardized": (DataSet(s["x"], None, "x", "y").standardized, {"sigma_data": 0.5}),
        "collapse.denoising_risk": (ec.collapse.denoising_risk, {"variance": np.ones(3), "gain": np.ones(3), "sigma": 0.1}),
        "collapse.collapse_curve": (ec.collapse.collapse_curve, {"variance": [1.0, 0.5], "dimension": 4, "sigma": 0.1, "time": [1.0, 10.0]}),
        "collapse.collapse_time": (ec.collapse.collapse_time, {"variance": [1.0, 0.5], "dimension": 4, "sigma": 0.1, "delta": 0.5}),
        "collapse.density_error": (ec.collapse.density_error, {"k": 2, "n": 9}),
        "collapse.one_layer_risk": (ec.collapse.one_layer_risk, {"time": [1.0], "start": np.zeros((3, 3)), "basis": np.eye(3)[:, :2], "variance": [1.0, 0.5], "sigma": 0.1}),
        "collapse.optimal_map": (ec.collapse.optimal_map, {"covariance": np.eye(3), "sigma": 0.1, "width": 2}),
        "collapse.optimal_risk": (ec.collapse.optimal_risk, {"variance": [1.0, 0.5], "sigma": 0.1, "width": 1}),
        "collapse.reconstruction_error": (ec.collapse.reconstruction_error, {"variance": [1.0, 0.5], "sigma": 0.1, "width": 1}),
        "collapse.refine_excess": (ec.collapse.refine_excess, {"time": [1.0], "variance": [1.0], "tau": 0.1, "null": 0}),
        "collapse.refine_time": (ec.collapse.refine_time, {"variance": [1.0], "tau": 0.1, "delta": 0.1, "null": 0}),
        "collapse.rotation_cost": (ec.collapse.rotation_cost, {"theta": 0.1, "ratio": 0.1}),
        "collapse.subspace": (ec.collapse.subspace, {"variance": [1.0], "dimension": 3}),
        "collapse.variance_cost": (ec.collapse.variance_cost, {"error": 0.1, "ratio": 0.1}),
        "exact.Circle.denoise": (exact.Circle().denoise, {"x": np.ones((2, 2)), "sigma": 0.1}),
        "exact.Sphere.denoise": (exact.Sphere().denoise, {"x": np.ones((2, 3)), "sigma": 0.1}),
        "exact.Ellipse.denoise": (exact.Ellipse().denoise, {"x": np.ones((2, 2)), "sigma": 0.1}),
        "exact.Circle.risk": (exact.Circle().risk, {"sigma": 0.3}),
        "exact.Circle": (exact.Circle, {"radius": 1.0, "concentration": 0.0}),
        "exact.Sphere": (exact.Sphere, {"k": 2, "radius": 1.0}),
        "exact.Ellipse": (exact.Ellipse, {"a": 1.5, "b": 1.0}),
        "exact.boxplus": (exact.boxplus, {"a": 1.0, "b": 2.0}),
        "exact.factorised": (exact.factorised, {"y": bits, "sigma": 0.3}),
        "exact.parity_denoiser": (exact.parity_denoiser, {"y": bits, "sigma": 0.3, "rule": rule}),
        "exact.parity_logpdf": (exact.parity_logpdf, {"y": bits, "sigma": 0.3, "rule": rule}),
        "exact.rule_denoiser": (exact.rule_denoiser, {"y": bits, "sigma": 0.3, "rule": rule}),
        "exact.empirical_denoiser": (exact.empirical_denoiser, {"y": bits, "sigma": 0.3, "train": bits}),
        "exact.loss_ledger": (exact.loss_ledger, {"rule": rule, "N": 4, "edm": exact.LEDGER_EDM, "n_draws": 400, "n_memorising": 400, "seed": 0}),
        "Network.build": (ec.MLP(8, 1, 4).build, {"shape": (4,), "seed": 0}),
        "Probe call": (ec.Probe(spectrum, sampler=heun, steps=[1], n_samples=8, sigma=()), {"step": 1, "denoiser": s["denoiser"], "module": None}),
        "Rule.valid": (rule.valid, {"bits": (bits > 0).astype(float)}),
        "Rule.sample": (rule.sample, {"n": 4, "rng": np.random.default_rng(0)}),
    }  # fmt: skip
    return {name: call for name, call in calls.items() if call[1]}


def public():
    """Names of the public callables that users make or call."""
    return {
        name
        for name in ec.__all__
        if name not in RESULTS | ABSTRACT | WITHOUT_ARGUMENTS
        and not isinstance(getattr(ec, name), ModuleType)
        and callable(getattr(ec, name))
    }


LONG = {("train", "steps", "10**9"), ("train", "steps", "2**64")}
"""Calls that are right, and would take days."""


def generated(share, seed):
    """(what, call) of a share of all: every callable, every argument, every odd value."""
    chosen = random.Random(seed)
    for name, (_, arguments) in right_calls().items():
        for argument in arguments:
            for label in odd_values():
                if (share == 1 or chosen.random() < share) and (name, argument, label) not in LONG:
                    yield f"{name}({argument}={label})", name, argument, label


def call_of(name, argument, label):
    """The call, with everything made anew."""
    function, arguments = right_calls()[name]
    value = odd_values()[label]
    return lambda: function(**{**arguments, argument: value})
