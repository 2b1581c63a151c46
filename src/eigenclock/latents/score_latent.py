"""Score-induced latent diffusion, its rivals on the same networks, and diffusion in ambient space."""

from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from ..checks import InputError, finite_array, integer, shown
from ..training.model_files import ModelFileError
from .density import LatentDensity
from .first_stage import FirstStage, Reconstruction, ScoreMatching, Variational
from .model_config import ModelConfig
from .refine import held_out
from .trained_maps import NotFittedError
from .two_stage import Callback, TwoStage

FIRST_STAGES = {one.__name__: one for one in (Reconstruction, Variational)}


class ScoreLatentDiffusion(TwoStage):
    """Latent diffusion whose first stage is denoising score matching at small noise: the manifold first, then the density.

    Reconstruction of SiLD from the abstract-level claims of arXiv:2605.20235. Architectures, losses and thresholds are ours; no
    number of the paper is reproduced.

    Stage 1 (collapse) trains D = G∘E with s = (D − x)/σ² by score matching, which is pointwise a denoising autoencoder: no KL, no
    sampled latent, no adversary. Stage 2 (refine) learns the density of the latents. `collapse_clock()` and `refine_clock()` say
    when each was done.

    **Parameters**

    - `config`: a `ModelConfig`.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 400)
    >>> circle = np.stack([np.cos(angle), np.sin(angle)], 1) @ np.eye(2, 16)  # a curve in 16 dimensions
    >>> config = ec.ModelConfig(k=1, d=2, width=64, stage1_steps=300, stage2_steps=100, n_evals=8)
    >>> model = ec.ScoreLatentDiffusion(config).fit(circle)
    >>> model.sample(5, seed=1).shape, model.encode(circle).shape
    ((5, 16), (400, 2))
    >>> bool(model.denoising_risk(circle) < 16)  # of 16 directions of noise few are left
    True

    ```
    """

    @property
    def first_stage(self) -> FirstStage:
        return ScoreMatching(self.config.weighting)


class LatentBaseline(TwoStage):
    """The same with another first stage: a plain or a variational autoencoder."""

    def __init__(self, config: ModelConfig | None = None, first_stage: FirstStage | None = None) -> None:
        super().__init__(config)
        chosen = Reconstruction() if first_stage is None else first_stage
        if type(chosen).__name__ not in FIRST_STAGES:
            raise InputError(f"first_stage must be one of {', '.join(FIRST_STAGES)}, got {type(chosen).__name__}")
        self._first_stage = chosen

    @property
    def first_stage(self) -> FirstStage:
        return self._first_stage

    def _first_stage_options(self) -> dict[str, Any]:
        return {"name": type(self._first_stage).__name__, **asdict(self._first_stage)}  # type: ignore[call-overload]

    @classmethod
    def _made(cls, config: ModelConfig, options: dict[str, Any]) -> "LatentBaseline":
        rest = {key: value for key, value in options.items() if key != "name"}
        if options["name"] not in FIRST_STAGES:
            raise ModelFileError(
                f"model file must hold a first stage of {', '.join(FIRST_STAGES)}, got {shown(options['name'])}"
            )
        return cls(config, FIRST_STAGES[options["name"]](**rest))


class AmbientDiffusion:
    """Diffusion in the data's own space with the same denoiser: what a latent space has to beat.

    `config.stage2_steps` is its whole budget. Data are shifted and scaled by one number.
    """

    def __init__(self, config: ModelConfig | None = None) -> None:
        self.config = ModelConfig() if config is None else config
        self._density: LatentDensity | None = None

    def fit(self, X: Any, X_val: Any = None, callback: Callback | None = None) -> "AmbientDiffusion":
        """Train on samples (n, ...), with callback(step, 2, model) along the way; InputError for NaN or too few."""
        given = finite_array("X", X, "an array of finite numbers (n, ...)")
        if given.ndim < 2 or len(given) < 2:
            raise InputError(f"X must have shape (n, ...) with n >= 2, got {given.shape}")
        self.shape_, x = given.shape[1:], given.reshape(len(given), -1)
        if X_val is None:
            x, val = held_out(x, self.config.seed)
        else:
            val = finite_array("X_val", X_val, "samples like X").reshape(-1, x.shape[1])
        self.shift_, self.scale_ = x.mean(axis=0), float(np.sqrt(x.var(axis=0).mean()))
        density = LatentDensity(self.config, x.shape[1])
        self._density = density
        density.fit(
            (x - self.shift_) / self.scale_,
            (val - self.shift_) / self.scale_,
            told=(lambda step: callback(step, 2, self)) if callback is not None else lambda step: None,
        )
        self.curve_ = density.curve
        return self

    def sample(self, n: int, seed: int = 0) -> Float[np.ndarray, "n ..."]:
        """n generated samples (n, ...)."""
        integer("n", n, at_least=1)
        return self._data(self._fitted().sample(n, seed).double().numpy())

    def denoise(self, X: Any, sigma: float) -> Float[np.ndarray, "n ..."]:
        """E[x₀ | x] as learned, at a noise level in data units."""
        x = (np.asarray(X, dtype=np.float64).reshape(len(X), -1) - self.shift_) / self.scale_
        with torch.no_grad():
            found = self._fitted().denoiser(torch.as_tensor(x, dtype=torch.float32), sigma / self.scale_)
        return self._data(found.double().numpy())

    def denoising_risk(self, X: Any, sigma: float, *, draws: int = 4, seed: int = 0) -> float:
        """ρ at this noise, as `ScoreLatentDiffusion.denoising_risk`."""
        x, rng = np.asarray(X, dtype=np.float64), np.random.default_rng(seed)
        errors = [
            ((self.denoise(x + sigma * rng.standard_normal(x.shape), sigma) - x) ** 2).sum() for _ in range(draws)
        ]
        return float(np.sum(errors) / (draws * len(x) * sigma**2))

    def _data(self, x: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n ..."]:
        return (x * self.scale_ + self.shift_).reshape(-1, *self.shape_)

    def _fitted(self) -> LatentDensity:
        if self._density is None:
            raise NotFittedError("AmbientDiffusion must be fitted first: call fit(X)")
        return self._density
