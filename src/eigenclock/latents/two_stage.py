"""Latent diffusion in two stages on any arrays: an autoencoder that finds the manifold, a diffusion that finds the density."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from ..checks import InputError, finite_array, number
from ..clocks.passage import Clock, Passages
from ..theory.collapse import SMOOTHED
from ..training.descent import digest
from ..training.devices import find_device
from ..training.model_files import ModelFileError, load_state, read_model, write_model
from .bottleneck import Autoencoder, build_autoencoder
from .convolutions import check_stride
from .density import LatentDensity
from .first_stage import FirstStage
from .first_stage_training import train_first_stage
from .model_config import ModelConfig
from .noise_rule import intrinsic_dimension, noise_range
from .refine import WITHIN, held_out, refine_passage
from .trained_maps import TrainedMaps

Model = TypeVar("Model", bound="TwoStage")

Callback = Callable[[int, int, Any], None]
"""callback(step, stage, model), at the steps at which the clocks are read; stage 1 or 2."""

LARGE = 0.3
"""Noise, in units of √(tr Cov/k), above which the rule's choice is doubtful."""

CONSTANT = 1e-3
"""Latent coordinates whose spread is below this share of the largest are dropped."""


class TwoStage(TrainedMaps, ABC):
    """A latent diffusion model. Subclasses say what the first stage minimises."""

    history_: xr.Dataset

    def __repr__(self) -> str:
        """One line: dimension, noise, the last risk, both clocks, the floor against real draws, what is doubtful."""
        name = type(self).__name__
        if not self._finished:
            return f"{name}(not fitted)"
        history, noise = self.history_, f"sigma1 {self.sigma1_:.3g}, " if self.sigma1_ > 0 else ""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            parts = [f"k {self.k_}, d {self.d_}, {noise}ρ {float(history['risk'].values[-1]):.3g}"]
            parts.append(f"collapse {self.collapse_clock()}")
            refine = self.refine_clock()
            parts.append(f"refine {refine}{f', {refine.reason}' if refine.reason else ''}")
            parts.append(f"density error {float(history['density_error'].values[-1]):.3g}")
        if "density_real" in history:
            parts[-1] += f", {float(history['density_real'].mean()):.3g} of real draws"
        return f"{name}({'; '.join([*parts, *(str(one.message) for one in said)])})"

    @property
    @abstractmethod
    def first_stage(self) -> FirstStage:
        """The loss of the first stage."""

    def fit(
        self: Model,
        X: Any,
        X_val: Any = None,
        callback: Callback | None = None,
        *,
        folder: str | Path | None = None,
        resume: bool = False,
    ) -> Model:
        """Train both stages.

        **Parameters**

        - `X`: (n, ...) numbers of any shape. - `X_val`: more of them, which the clocks are read on; default a tenth of X.
        - `callback`: callback(step, stage, model) at the steps at which the clocks are read; in it the model can encode, decode,
          denoise and, in stage 2, sample; it is fitted when fit returns.
        - `folder`: for checkpoints every 500 steps; `resume` goes on from them, to the same bits.

        Raises InputError for NaN, fewer than 2(d + 1) samples, k >= D, d > D, identical samples, images that do not fit the
        stride; NoiseRangeError where no noise shows the manifold; and for a loss that is not finite, with the last finite
        state kept.
        """
        config, place = self.config, None if folder is None else Path(folder)
        if resume and place is None:
            raise InputError("resume needs the folder of the run that is to go on, got none")
        self._network, self._density, self._finished = None, None, False
        x, val = self._read(X, X_val)
        self._samples_hash = digest(x, val)
        self._choose(x, val)
        self._network, self._density = self._build(), None
        device = find_device(config.device)
        self._network.to(device)
        train = torch.as_tensor(self._scaled(x), dtype=torch.float32, device=device)
        shaped = val.reshape(-1, *self.shape_)
        risks = train_first_stage(
            self._network,
            self.first_stage,
            train,
            max(self.sigma1_, 1e-12) / self.scale_,
            config,
            risk=lambda: self.denoising_risk(shaped) if self.sigma1_ > 0 else float("nan"),
            told=(lambda step: callback(step, 1, self)) if callback is not None else lambda step: None,
            folder=place,
            resume=resume,
            samples=self._samples_hash,
        )
        latent = self.encode(x.reshape(-1, *self.shape_))
        self.latent_mean_, spread = latent.mean(axis=0), latent.std(axis=0)
        self.kept_dims_ = np.flatnonzero(spread >= CONSTANT * spread.max())
        self.latent_std_ = np.where(spread > 0, spread, 1.0)
        self._density = LatentDensity(config, self.kept_dims_.size)
        self._density.network.to(device)
        self._density.fit(
            self._standardised(latent),
            self._standardised(self.encode(shaped)),
            told=(lambda step: callback(step, 2, self)) if callback is not None else lambda step: None,
            folder=None if place is None else place / "stage2",
            resume=resume,
        )
        self.history_ = self._history(risks)
        self._finished = True
        return self

    def _read(self, X: Any, X_val: Any) -> tuple[Float[np.ndarray, "n D"], Float[np.ndarray, "m D"]]:
        given = finite_array("X", X, "an array of finite numbers (n, ...)")
        if given.ndim < 2 or given.size == 0:
            raise InputError(f"X must have shape (n, ...) with n >= 1, got {given.shape}")
        self.shape_, x = given.shape[1:], given.reshape(len(given), -1)
        if not (x != x[0]).any():
            raise InputError(f"X must hold different samples, got {len(x)} copies of one")
        if X_val is None:
            return held_out(x, self.config.seed)
        val = finite_array("X_val", X_val, "an array of finite numbers like X")
        if val.shape[1:] != self.shape_ or len(val) == 0:
            raise InputError(f"X_val must hold samples of shape {self.shape_}, got {val.shape}")
        return x, val.reshape(len(val), -1)

    def _choose(self, x: Float[np.ndarray, "n D"], val: Float[np.ndarray, "m D"]) -> None:
        """Intrinsic dimension, width, scale and noise."""
        config, (n, dimension) = self.config, x.shape
        if config.architecture == "convolutional":
            if len(self.shape_) not in (2, 3):
                raise InputError(
                    f"X must be images (n, h, w, channels) for convolutions, got samples of shape {self.shape_}"
                )
            check_stride(*self.shape_[:2])
        self.k_estimate_ = intrinsic_dimension(x) if config.k == "auto" else float(config.k)
        self.k_ = max(1, round(self.k_estimate_))
        if self.k_ >= dimension:
            raise InputError(f"k must be < D = {dimension}, got {self.k_}: there is no manifold to find")
        self.d_ = self.k_ + 1 if config.d is None else config.d
        if self.d_ > dimension:
            raise InputError(f"d must be <= D = {dimension}, got {self.d_}")
        if self.d_ < self.k_:
            warnings.warn(f"d = {self.d_} is below the intrinsic dimension k = {self.k_}", stacklevel=3)
        if n < 2 * (self.d_ + 1):
            raise InputError(f"X must hold at least 2(d + 1) = {2 * (self.d_ + 1)} samples, got {n}")
        self.shift_ = x.mean(axis=0)
        self.scale_ = float(np.sqrt(x.var(axis=0).sum() / self.k_))
        self.sigma1_ = config.sigma1 or 0.0
        if self._needs_noise():
            self.sigma1_ = noise_range(x, self.k_, seed=config.seed).low
            if self.sigma1_ > LARGE * self.scale_:
                warnings.warn(
                    f"sigma1 = {self.sigma1_:.3g} is {self.sigma1_ / self.scale_:.2f} of the data's scale: no "
                    "smaller level hides single samples, and this one blurs; give more samples or sigma1",
                    stacklevel=3,
                )

    def _needs_noise(self) -> bool:
        return self.config.sigma1 is None and self.first_stage.noisy

    def _build(self) -> Autoencoder:
        return build_autoencoder(self.config, self.shape_, self.d_, variational=self.first_stage.variational)

    def _history(self, risks: dict[int, float]) -> xr.Dataset:
        steps = sorted(risks)
        found = xr.Dataset(
            {"risk": ("collapse_step", np.array([risks[s] for s in steps]), {"long_name": "denoising risk over σ²"})},
            coords={"collapse_step": np.array(steps, dtype=float)},
            attrs={"k": self.k_, "sigma1": self.sigma1_},
        )
        curve = None if self._density is None else self._density.curve
        if curve is not None:
            found["density_error"] = "refine_step", curve.dataset["density_error"].values
            if self._density is not None and self._density.real is not None:
                found["density_real"] = (
                    "real_draw",
                    self._density.real,
                    {"long_name": "density error of real latents"},
                )
            found["latent_variance"] = ("refine_step", "latent_mode"), curve.variance.values
            found["latent_target"] = "latent_mode", curve.target.values
            found.coords["refine_step"] = "refine_step", curve.time.values
        return found

    def collapse_clock(self, *, delta: float = 0.5) -> Passages:
        """First of two successive steps with held-out ρ <= (1 + delta)·k, at noise sigma1_."""
        number("delta", delta, above=-1)
        history = self._fitted().history_
        last = float(history["risk"].values[-1])
        if last < SMOOTHED * self.k_:
            warnings.warn(
                f"ρ is {last:.2g}, below {SMOOTHED:g}·k: sigma1 = {self.sigma1_:.3g} smooths the density away",
                stacklevel=2,
            )
        clock = Clock("risk", (1 + delta) * self.k_, "falling", smooth="twice")
        return clock.of(history["collapse_step"].values, history["risk"].values)

    def refine_clock(self, *, delta: float = 0.1, within: float = WITHIN) -> Passages:
        """First of two successive steps of stage 2 whose density error is within `delta` of its floor, relative to the start.

        Error: sliced Wasserstein distance of generated to held-out latents; start: the Gaussian head; floor: median of the last
        fifth of the records. Censored, and the `reason` said, where that is no floor of a learned density: it still falls, is
        above `within` times what as many real latents score, or is below the start by no more than the noise of the metric
        (`refine_passage` has the rule). Of a model from a file that does not hold what real latents score nothing is known.
        """
        number("delta", delta, above=0, below=1)
        history = self._fitted().history_
        real = history["density_real"].values if "density_real" in history else None
        return refine_passage(
            history["refine_step"].values, history["density_error"].values, delta, real=real, within=within
        )

    def save(self, path: str | Path) -> None:
        """Write the model as one safetensors file, atomically."""
        density = self._fitted().density
        tensors = {f"autoencoder.{key}": value for key, value in self.map.state_dict().items()}
        tensors |= {f"density.{key}": value for key, value in density.tensors().items()}
        for name in ("shift_", "latent_mean_", "latent_std_", "kept_dims_"):
            tensors[f"fact.{name}"] = torch.from_numpy(np.ascontiguousarray(getattr(self, name)))
        facts = {name: getattr(self, name) for name in ("k_", "k_estimate_", "d_", "sigma1_", "scale_")}
        write_model(
            path,
            type(self).__name__,
            {
                "config": asdict(self.config),
                "first_stage": self._first_stage_options(),
                "facts": facts,
                "shape": list(self.shape_),
                "history": self.history_.to_dict(),
            },
            tensors,
        )

    def _first_stage_options(self) -> dict[str, Any]:
        return {}

    @classmethod
    def _made(cls: type[Model], config: ModelConfig, options: dict[str, Any]) -> Model:
        return cls(config)

    @classmethod
    def load(cls: type[Model], path: str | Path) -> Model:
        """A model from its file; samples are the same to the bit. ModelFileError for files that hold anything else."""
        details, tensors = read_model(path, cls.__name__)
        kept: dict[str, Any] = {
            key: tuple(one) if isinstance(one, list) else one for key, one in details["config"].items()
        }
        if kept.pop("stage2", "A") != "A":  # earlier files may hold a ridge head
            raise ModelFileError(
                f"model file must hold a second stage by diffusion, got a ridge head (stage2='B') in {path}"
            )
        model = cls._made(ModelConfig(**kept), details["first_stage"])
        model.shape_ = tuple(details["shape"])
        for name, value in details["facts"].items():
            setattr(model, name, value)
        for name in ("shift_", "latent_mean_", "latent_std_", "kept_dims_"):
            setattr(model, name, tensors[f"fact.{name}"].numpy())
        model.history_ = xr.Dataset.from_dict(details["history"])
        network, density = model._build(), LatentDensity(model.config, model.kept_dims_.size)
        load_state(network, tensors, "autoencoder.", path)
        load_state(density.network, tensors, "density.network.", path)
        load_state(density.gaussian, tensors, "density.gaussian.", path)
        device = find_device(model.config.device)
        network.eval().to(device)
        density.network.eval().to(device)
        density.gaussian.to(device)
        model._network, model._density, model._finished = network, density, True
        return model
