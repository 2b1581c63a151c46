"""An autoencoder of images whose latents are aligned with a prior, so that a diffusion model learns them fast."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor, nn

from ..checks import InputError, finite_array
from ..training.descent import descend, digest, one_cycle
from ..training.devices import find_device
from ..training.model_files import load_state, read_model, write_model
from ..training.optimizers import AdamW
from ..training.streams import RandomPairs, Stream, stream_seed
from .aligned_config import AlignedConfig as AlignedConfig
from .alignment import equal_information_angle, mcr, scr, ssr, turned
from .convolutions import STRIDE, ConvolutionalDecoder, ConvolutionalEncoder, check_stride, token_norm
from .diagnose import diagnose_latents
from .local_continuity import ImageModel
from .perceptual import RandomPerceptual
from .prior import OrientedGradients, Prior, Teacher, fit_prior, taught
from .trained_maps import NotFittedError

Perceptual = Callable[[Tensor, Tensor], Tensor]
CHUNK = 512

FEW_LEVELS = 16
"""Integer images that go no higher are not of 0–255."""


class PriorAlignedAutoencoder(ImageModel):
    """Images (n, h, w, channels) to latents (n, d, h/4, w/4) and back, aligned with the features of a frozen model.

    Reconstruction of the idea of arXiv:2605.07915 from its abstract, figures and notes on it; its training code is not public.
    Losses, weights and networks at this size are ours.

    Trained on absolute and perceptual error, then fine-tuned with three more losses: spatial structure (`ssr`) and global
    semantics (`scr`) against the prior, local continuity (`mcr`) under the decoder.

    **Parameters**

    - `config`: an `AlignedConfig`. - `perceptual`: distance (n,) of two image batches in [−1, 1], such as LPIPS; the default is a
      fixed random network.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> images = np.random.default_rng(0).uniform(size=(64, 8, 8, 3))
    >>> config = ec.AlignedConfig(d=4, width=16, ae_steps=4, finetune_steps=2)
    >>> model = ec.PriorAlignedAutoencoder(config).fit(images)
    >>> model.encode(images).shape, model.decode(model.encode(images)).shape
    ((64, 4, 2, 2), (64, 8, 8, 3))

    ```
    """

    image_: tuple[int, int, int]
    explained_: float
    history_: list[dict[str, float]]

    def __init__(self, config: AlignedConfig | None = None, *, perceptual: Perceptual | None = None) -> None:
        self.config = AlignedConfig() if config is None else config
        self._perceptual = perceptual
        self._encoder: nn.Module | None = None
        self._decoder: nn.Module | None = None

    def __repr__(self) -> str:
        if self._decoder is None:
            return "PriorAlignedAutoencoder(not fitted)"
        (h, w, c), last = self.image_, self.history_[-1] if self.history_ else {}
        errors = ", ".join(f"{name} {last[name]:.3g}" for name in last if name not in ("aligned", "step"))
        prior = "" if np.isnan(self.explained_) else f"; {self.explained_:.0%} of the prior kept"
        return f"PriorAlignedAutoencoder({h}×{w}×{c} to {self.config.d}×{h // STRIDE}×{w // STRIDE}; {errors}{prior})"

    def fit(
        self,
        images: Any,
        *,
        teacher: Teacher | None = None,
        prior: Prior | None = None,
        targets: Any = None,
        start: "PriorAlignedAutoencoder | None" = None,
        folder: str | Path | None = None,
        resume: bool = False,
    ) -> "PriorAlignedAutoencoder":
        """Train on images (n, h, w, channels), integers 0–255 or numbers in [0, 1].

        **Parameters**

        - `teacher`: any callable, images (n, channels, h, w) in [0, 1] → features (n, C, h/4, w/4); by default oriented
          gradients, which need no training. - `prior`: its refinement, if fitted elsewhere.
        - `targets`: (n, d, h/4, w/4) instead of a teacher, one per image.
        - `start`: a model to go on from, in place of the warm start. - `folder`, `resume`: checkpoints every 500 steps.

        Raises InputError for images whose sides the stride does not divide, or a teacher with another number of tokens.
        """
        config = self.config
        x, device = self._images(images, new=True), find_device(self.config.device)
        place = None if folder is None else Path(folder)
        if resume and place is None:
            raise InputError("resume needs the folder of the run that is to go on, got none")
        h, w, c = self.image_
        grid = (h // STRIDE, w // STRIDE)
        wanted, self.explained_ = None, float("nan")
        if config.aligned and config.finetune_steps:
            if targets is None:
                features = taught(OrientedGradients(STRIDE) if teacher is None else teacher, (x + 1) / 2, grid)
                fitted = fit_prior(features, config.d, config.blur) if prior is None else prior
                targets, self.explained_ = fitted(features), fitted.explained
            goal = finite_array("targets", targets, "latents (n, d, h, w)")
            if goal.shape != (len(x), config.d, *grid):
                raise InputError(f"targets must have shape {(len(x), config.d, *grid)}, got {goal.shape}")
            wanted = torch.as_tensor(goal, dtype=torch.float32, device=device)
        with torch.random.fork_rng():
            torch.manual_seed(stream_seed(config.seed, Stream.INIT))
            self._encoder = ConvolutionalEncoder(c, config.d, config.width).to(device)
            self._decoder = ConvolutionalDecoder(config.d, c, config.width).to(device)
        perceptual = RandomPerceptual(c, seed=1).to(device) if self._perceptual is None else self._perceptual
        x = x.to(device)
        self.history_ = []
        begun = None if start is None else digest(*(one for part in start._modules() for one in part.parameters()))
        own = None if self._perceptual is None else type(self._perceptual).__name__
        settings = {
            "config": repr(config),
            "images": digest(x),
            "targets": digest(wanted),
            "start": begun,
            "perceptual": own,
        }
        if start is None:
            self._descend(x, None, perceptual, config.ae_steps, config.lr, place, "warm", resume, settings)
        else:
            start._modules()
            if start.image_ != self.image_ or start.config.d != config.d or start.config.width != config.width:
                raise InputError("start must be a model of the same images, d and width")
            self._encoder.load_state_dict(start._modules()[0].state_dict())
            self._decoder.load_state_dict(start._modules()[1].state_dict())
        if config.finetune_steps:
            self._descend(
                x, wanted, perceptual, config.finetune_steps, config.finetune_lr, place, "aligned", resume, settings
            )
        self._encoder.eval()
        self._decoder.eval()
        return self

    def _descend(
        self,
        x: Tensor,
        wanted: Tensor | None,
        perceptual: Perceptual,
        steps: int,
        lr: float,
        place: Path | None,
        stage: str,
        resume: bool,
        settings: dict[str, Any],
    ) -> None:
        config, (encoder, decoder) = self.config, self._modules()
        pairs = RandomPairs(x, config.batch, None, (1.0, 1.0), config.seed + (1 if stage == "aligned" else 0))
        large = (
            equal_information_angle(config.d * x.shape[2] * x.shape[3] // STRIDE**2)
            if config.theta_l is None
            else config.theta_l
        )

        def loss(step: int) -> Tensor:
            rows = torch.from_numpy(pairs.rows(step)).to(x.device)
            clean = x[rows]
            fresh = torch.Generator(x.device).manual_seed(stream_seed(pairs.seed, Stream.PROBE, step))
            z = token_norm(encoder(clean))
            seen = z
            if config.noise > 0 and stage == "aligned":
                drawn = torch.randn(z.shape, generator=fresh, device=z.device, dtype=z.dtype)
                seen = turned(z, drawn, config.noise)
            restored = decoder(seen)
            parts = {"l1": (restored - clean).abs().mean(), "perceptual": perceptual(restored, clean).mean()}
            if wanted is not None:
                if config.w_ssr > 0:
                    parts["ssr"] = config.w_ssr * ssr(z, wanted[rows])
                if config.w_scr > 0:
                    parts["scr"] = config.w_scr * scr(z, wanted[rows])
            if stage == "aligned" and config.w_mcr > 0:
                half = z[: max(1, len(z) // 2)]
                parts["mcr"] = config.w_mcr * mcr(half, decoder, (large / 2, large), perceptual, generator=fresh)
            if step % 50 == 0 or step == steps - 1:
                values = {name: float(value.detach()) for name, value in parts.items()}
                self.history_.append({"aligned": float(stage == "aligned"), "step": float(step), **values})
            return torch.stack(list(parts.values())).sum()

        descend(
            {"encoder": encoder, "decoder": decoder},
            loss,
            steps=steps,
            optimizer=AdamW(lr, weight_decay=0.0),
            schedule=one_cycle,
            file=None if place is None else place / f"{stage}.safetensors",
            resume=resume,
            settings=settings,
            kept=lambda: self.history_,
            restore=lambda found: self.history_.__setitem__(slice(None), found),
        )

    def _images(self, images: Any, *, new: bool = False) -> Tensor:
        """(n, channels, h, w) in [−1, 1]; `new`: of another size than before, if they like."""
        given = finite_array("images", images, "images (n, h, w, channels)")
        if given.ndim == 3:
            given = given[..., None]
        if given.ndim != 4 or len(given) == 0:
            raise InputError(f"images must have shape (n, h, w, channels), got {given.shape}")
        if np.issubdtype(np.asarray(images).dtype, np.integer):
            if given.max() <= FEW_LEVELS:
                raise InputError(
                    f"images of integers must be 0–255, got a maximum of {given.max():g}: divide them by it"
                )
            given = given / 255
        if given.min() < 0 or given.max() > 1:
            raise InputError(f"images must be in [0, 1], or integers 0–255, got {given.min():g} to {given.max():g}")
        shape = given.shape[1:]
        check_stride(shape[0], shape[1])
        if not new and self._encoder is not None and shape != self.image_:
            raise InputError(f"images must have shape (n, {', '.join(map(str, self.image_))}), got {given.shape}")
        self.image_ = (shape[0], shape[1], shape[2])
        if self.config.d * shape[0] * shape[1] // STRIDE**2 > given[0].size:
            raise InputError(
                f"d must be <= {STRIDE**2 * shape[2]}, else the latent is wider than the data, got {self.config.d}"
            )
        return torch.as_tensor(given.transpose(0, 3, 1, 2).copy(), dtype=torch.float32) * 2 - 1

    def _modules(self) -> tuple[nn.Module, nn.Module]:
        if self._encoder is None or self._decoder is None:
            raise NotFittedError("PriorAlignedAutoencoder must be fitted first: call fit(images) or load(path)")
        return self._encoder, self._decoder

    def encode(self, images: Any) -> Float[np.ndarray, "n d h w"]:
        """Latents of images, every token of root mean square 1."""
        encoder, _ = self._modules()
        x = self._images(images)
        device = next(encoder.parameters()).device
        with torch.no_grad():
            return torch.cat([token_norm(encoder(some.to(device))).cpu() for some in torch.split(x, CHUNK)]).numpy()

    def decode(self, latents: Any) -> Float[np.ndarray, "n h w c"]:
        """Images (n, h, w, channels) of latents (n, d, h/4, w/4), about [0, 1], not clipped."""
        z = torch.as_tensor(finite_array("latents", latents, "latents (n, d, h, w)"), dtype=torch.float32)
        with torch.no_grad():
            found = [self.decoder(some).cpu() for some in torch.split(z, CHUNK)]
        return ((torch.cat(found).permute(0, 2, 3, 1) + 1) / 2).numpy()

    def decoder(self, latents: Tensor) -> Tensor:
        """The decoder on tensors: (n, d, h, w) → (n, channels, h, w) in about [−1, 1]."""
        _, decoder = self._modules()
        h, w, _ = self.image_
        if latents.shape[1:] != (self.config.d, h // STRIDE, w // STRIDE):
            raise InputError(
                f"latents must have shape (n, {self.config.d}, {h // STRIDE}, {w // STRIDE}), got {tuple(latents.shape)}"
            )
        found: Tensor = decoder(latents.to(next(decoder.parameters()).device))
        return found

    def diagnose(self, images: Any, labels: Any = None, masks: Any = None, **options: Any) -> xr.Dataset:
        """`diagnose_latents` of these images in this latent space."""
        return diagnose_latents(self.encode(images), self.decoder, labels, masks, **options)

    def save(self, path: str | Path) -> None:
        """Write the model as one safetensors file, atomically."""
        encoder, decoder = self._modules()
        tensors = {f"encoder.{key}": value for key, value in encoder.state_dict().items()}
        tensors |= {f"decoder.{key}": value for key, value in decoder.state_dict().items()}
        details = {
            "config": asdict(self.config),
            "image": list(self.image_),
            "explained": self.explained_,
            "history": self.history_,
        }
        write_model(path, type(self).__name__, details, tensors)

    @classmethod
    def load(cls, path: str | Path, *, perceptual: Perceptual | None = None) -> "PriorAlignedAutoencoder":
        """A model from its file; latents and images are the same to the bit. ModelFileError for anything else.

        `perceptual`: its distance of images, a function that no file holds, should the model be trained on.
        """
        details, tensors = read_model(path, cls.__name__)
        model = cls(AlignedConfig(**details["config"]), perceptual=perceptual)
        h, w, c = details["image"]
        model.image_, model.explained_, model.history_ = (h, w, c), details["explained"], details["history"]
        encoder = ConvolutionalEncoder(c, model.config.d, model.config.width)
        decoder = ConvolutionalDecoder(model.config.d, c, model.config.width)
        load_state(encoder, tensors, "encoder.", path)
        load_state(decoder, tensors, "decoder.", path)
        device = find_device(model.config.device)
        model._encoder, model._decoder = encoder.eval().to(device), decoder.eval().to(device)
        return model
