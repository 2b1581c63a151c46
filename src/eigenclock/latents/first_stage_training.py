"""Training of the first stage: the autoencoder under its loss, then the refit of its decoder, both resumable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..training.descent import descend
from ..training.optimizers import Adam
from ..training.probing.cadence import log_steps
from ..training.streams import RandomPairs, Stream, stream_seed
from .bottleneck import Autoencoder, Conservative
from .density import BETAS
from .first_stage import FirstStage, Reconstruction
from .model_config import ModelConfig

WIDEST_MULTI = 3.0
"""Largest noise of "multi", in units of sigma1."""


def train_first_stage(
    network: Autoencoder,
    stage: FirstStage,
    x: Tensor,
    sigma: float,
    config: ModelConfig,
    *,
    risk: Callable[[], float],
    told: Callable[[int], None],
    folder: Path | None,
    resume: bool,
    samples: str,
) -> dict[int, float]:
    """Train a network on scaled samples (n, D) at a noise in the same units; what `risk` says at log-spaced steps, by step.

    `told` hears of those steps; `samples`: hash of the data, kept with the checkpoints in `folder`.
    """
    steps = config.stage1_steps - config.decoder_refit_steps
    high = WIDEST_MULTI * sigma if config.noise == "multi" else sigma
    pairs = RandomPairs(x, config.batch, None, (sigma, high), config.seed)
    stops, risks = {0, *log_steps(1, steps, config.n_evals).tolist()}, dict[str, float]()

    def fresh(step: int) -> torch.Generator:
        return torch.Generator(x.device).manual_seed(stream_seed(config.seed, Stream.PROBE, step))

    def loss(step: int) -> Tensor:
        clean, level, noise = pairs(step)
        return stage.loss(network, clean, level.to(clean)[:, None], noise, fresh(step))

    def after(step: int) -> None:
        if step in stops:
            risks[str(step)] = risk()
            told(step)

    options: dict[str, Any] = {
        "resume": resume,
        "settings": {"config": repr(config), "first_stage": repr(stage), "samples": samples},
        "optimizer": Adam(config.lr, *BETAS),
    }
    descend(
        {"network": network},
        loss,
        steps=steps,
        after=after,
        file=None if folder is None else folder / "stage1.safetensors",
        kept=lambda: risks,
        restore=risks.update,
        **options,
    )
    if isinstance(network, Conservative):
        network.reduce(x)
    if config.decoder_refit_steps:
        plain = Reconstruction()
        network.encoder.requires_grad_(False)
        descend(
            {"network": network},
            lambda step: plain.loss(network, (clean := pairs.clean(steps + step)), clean, clean, fresh(step)),
            steps=config.decoder_refit_steps,
            file=None if folder is None else folder / "refit.safetensors",
            **options,
        )
        network.encoder.requires_grad_(True)
    network.eval()
    return {int(step): value for step, value in risks.items()}
