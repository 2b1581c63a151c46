"""One arm with one seed: its autoencoder, the re-coding of its latents, its generator along training, and all scores."""

import hashlib
import time as clock
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from eigenclock.checks import InputWarning
from eigenclock.latents.diagnose import diagnose_latents, standardised
from eigenclock.latents.flow import FlowGenerator
from eigenclock.latents.learning_time import LearningTime
from eigenclock.latents.prior import OrientedGradients, Teacher, fit_prior, taught
from eigenclock.latents.prior_aligned import Perceptual, PriorAlignedAutoencoder
from eigenclock.theory.flow_clocks import predicted_mode_clocks
from eigenclock.training.model_files import ModelFileError
from eigenclock.training.probing.cadence import log_steps
from .config import ALIGNMENTS, PriorLatentsConfig
from .networks import judge, teacher
from .recoding import Recoding, recode
from .scores import Scorer, frechet
from .sprites import Sprites, make_sprites

HELD_OUT_SEED, EXTRA_SEED = 50_000, 60_000
FIRST, PER_DECADE = 5, 8
"""First step at which mode variances are recorded, and records per decade."""

MODE_SAMPLES, MODE_STEPS = 500, 25
"""Samples behind mode variances, and midpoint steps that draw them (Euler's 20 would shrink the largest mode by a quarter)."""
KEPT = 8
"""Images kept for figures."""

FEW_STEPS = (5, 10, 20, 50)
FEATURES = ("pix", "own")
"""Fréchet distance of pooled pixels to real held-out images, and to the arm's own reconstructions of these.

The second has no floor that an arm's decoder sets: what is left of it is the generator's.
"""
NOISE_SEED = 99


@dataclass(frozen=True)
class ArmSetting:
    """An arm under a configuration; `fingerprint`: of a teacher and distance of one's own. The folder is not part of it."""

    arm: str
    config: PriorLatentsConfig
    fingerprint: str = ""
    folder: str = field(default="", repr=False)
    teacher: Teacher | None = field(default=None, repr=False)
    perceptual: Perceptual | None = field(default=None, repr=False)


def fingerprint(teacher: Teacher | None, perceptual: Perceptual | None) -> str:
    """A hash of what a teacher and a distance give on four sprites, so that other ones do not find their results; "" for none."""
    x = torch.as_tensor(make_sprites(4, 0)[0].images.transpose(0, 3, 1, 2).copy(), dtype=torch.float32)
    with torch.no_grad():
        seen = [teacher(x)] if teacher is not None else []
        seen += [perceptual(2 * x - 1, 1 - 2 * x)] if perceptual is not None else []
    if not seen:
        return ""
    return (
        "_"
        + hashlib.sha256(b"".join(np.ascontiguousarray(one.double().numpy()).tobytes() for one in seen)).hexdigest()[
            :12
        ]
    )


def autoencoder_arm(arm: str) -> str:
    """The arm whose autoencoder an arm uses: re-codings are of the baseline's latents."""
    return arm if arm in ALIGNMENTS else "none"


def autoencoder(setting: ArmSetting, seed: int, data: Sprites) -> PriorAlignedAutoencoder:
    """The trained autoencoder of an arm, from its file where it has been trained before."""
    config, arm = setting.config, autoencoder_arm(setting.arm)
    folder = Path(setting.folder) / "models"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{config.variant}_{config.n_train}_{config.prior}{config.teacher_steps}{setting.fingerprint}"
    base = _kept(folder / f"{stem}_base_seed{seed}.safetensors", config.base(seed), setting.perceptual)
    if base is None:
        base = PriorAlignedAutoencoder(config.base(seed), perceptual=setting.perceptual).fit(data.images)
        base.save(folder / f"{stem}_base_seed{seed}.safetensors")
    file = folder / f"{stem}_{arm}_seed{seed}.safetensors"
    model = _kept(file, config.aligned(arm, seed), setting.perceptual)
    if model is None:
        model = PriorAlignedAutoencoder(config.aligned(arm, seed), perceptual=setting.perceptual)
        options: dict[str, Any] = {"teacher": _teacher(setting, arm)} if model.config.aligned else {}
        if arm == "shuffled":
            images = torch.as_tensor(data.images.transpose(0, 3, 1, 2).copy(), dtype=torch.float32)
            features = taught(options.pop("teacher"), images, config.shape[1:])
            order = np.random.default_rng([seed, 3]).permutation(len(features))
            options["targets"] = fit_prior(features, config.d)(features)[order]
        model.fit(data.images, start=base, **options)
        model.save(file)
    return model


def _kept(file: Path, config: Any, perceptual: Perceptual | None) -> PriorAlignedAutoencoder | None:
    """A model of this configuration from its file; None if there is none."""
    if not file.exists():
        return None
    try:
        model = PriorAlignedAutoencoder.load(file, perceptual=perceptual)
    except ModelFileError:  # not a whole file: trained again
        return None
    return model if model.config == config else None


def _teacher(setting: ArmSetting, arm: str) -> Teacher:
    config = setting.config
    if arm == "random":
        return teacher(Path(setting.folder), "random", 0, config.variant)
    if setting.teacher is not None:
        return setting.teacher
    if config.prior == "hog":
        return OrientedGradients()
    return teacher(Path(setting.folder), config.prior, config.teacher_steps, config.variant)


def recoding(arm: str, config: PriorLatentsConfig, seed: int) -> Recoding:
    """What an arm does to standardised latents."""
    if arm.startswith("omega="):
        return recode("coupling", config.shape, seed=seed, omega=float(arm.removeprefix("omega=")))
    if arm in ("rotation", "permutation"):
        return recode(arm, config.shape, seed=seed)
    return recode("identity", config.shape, seed=seed)


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """What a generator of an arm sees: `train` standardised (and re-coded) latents, and `images` of such latents."""

    model: PriorAlignedAutoencoder
    code: Recoding
    mean: Any
    std: Any
    again_mean: Any
    again_std: Any

    @classmethod
    def of(cls, setting: ArmSetting, seed: int, data: Sprites) -> "LatentSpace":
        """The space of an arm. After a coupling the latents are standardised once more, after a rotation they are not."""
        model = autoencoder(setting, seed, data)
        z = model.encode(data.images).astype(np.float64)
        mean, std = z.mean(axis=(0, 2, 3), keepdims=True), z.std(axis=(0, 2, 3), keepdims=True)
        std = np.where(std > 0, std, 1)
        code = recoding(setting.arm, setting.config, seed)
        again_mean, again_std = np.zeros_like(mean), np.ones_like(std)
        if code.kind == "coupling":
            coded = code.forward((z - mean) / std)
            again_mean, again_std = coded.mean(axis=(0, 2, 3), keepdims=True), coded.std(axis=(0, 2, 3), keepdims=True)
        return cls(model, code, mean, std, again_mean, again_std)

    def encode(self, images: Any) -> Any:
        """Latents as the generator sees them."""
        z = (self.model.encode(images).astype(np.float64) - self.mean) / self.std
        return (self.code.forward(z) - self.again_mean) / self.again_std

    def plain(self, z: Any) -> Any:
        """The autoencoder's own latents."""
        back = self.code.inverse(np.asarray(z, dtype=np.float64) * self.again_std + self.again_mean)
        return back * self.std + self.mean

    def decode(self, z: Any) -> Any:
        """Images (n, h, w, c) in about [0, 1]."""
        return self.model.decode(self.plain(z))

    def decoder(self, z: torch.Tensor) -> torch.Tensor:
        """The same on tensors, to images (n, c, h, w) in about [−1, 1]."""
        return self.model.decoder(torch.as_tensor(self.plain(z.numpy()), dtype=torch.float32))


def case(setting: ArmSetting, seed: int) -> xr.Dataset:
    """Train an arm and score it along the way."""
    config, begun = setting.config, clock.perf_counter()
    data = make_sprites(config.n_train, seed, variant=config.variant)[0]
    held_out = make_sprites(config.n_heldout, HELD_OUT_SEED + seed, variant=config.variant)[0]
    scorer = Scorer.of(judge(Path(setting.folder), config.fd_steps, config.variant), held_out.images)
    space = LatentSpace.of(setting, seed, data)
    train, test = space.encode(data.images), space.encode(held_out.images)
    restored = space.decode(test)
    l1 = float(2 * np.abs(restored - held_out.images).mean())  # on the scale of [−1, 1]
    with warnings.catch_warnings():  # all arms have as many latents: their times are compared
        warnings.simplefilter("ignore", InputWarning)
        found = diagnose_latents(
            test, space.decoder, held_out.labels, held_out.masks, seed=seed, n_boot=50, max_ssc=config.ssc_images
        )
    flat = train.reshape(len(train), -1)
    centred = flat - flat.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    values, vectors = np.maximum(values[::-1], 1e-12), vectors[:, ::-1]
    generator = FlowGenerator(config.shape, 8, config.flow(seed))
    fine = np.unique(
        log_steps(FIRST, config.gen_steps, max(3, int(PER_DECADE * np.log10(config.gen_steps / FIRST)) + 1))
    )
    stops = np.unique(np.concatenate([[0], log_steps(max(1, config.gen_steps // 40), config.gen_steps, config.scores)]))
    fresh = torch.Generator().manual_seed(NOISE_SEED)
    noise, labels = torch.randn(config.n_samples, *config.shape, generator=fresh), torch.arange(config.n_samples) % 8
    few = min(MODE_SAMPLES, config.n_samples)
    variances, distances, named, seen = [], [], [], []

    own = scorer.pixels(restored)

    def both(images: Any) -> list[float]:
        """Fréchet distances to real held-out images, and to the arm's own reconstructions of them."""
        seen = scorer.pixels(images)
        return [frechet(seen, scorer.real["pix"]), frechet(seen, own)]

    def told(step: int) -> None:
        if step in fine:
            z = (
                generator.push_by_midpoints(noise[:few], labels[:few], steps=MODE_STEPS)
                .double()
                .numpy()
                .reshape(few, -1)
            )
            variances.append(((z - z.mean(axis=0)) @ vectors).var(axis=0))
        if step in stops:
            images = space.decode(generator.push(noise, labels).numpy())
            distances.append(both(images))
            named.append(scorer.consistency(images, labels.numpy()))
            seen.append(_bytes(images[:KEPT]))

    generator.fit(train, data.labels, standardise=False, told=told)
    few_steps = [both(space.decode(generator.push(noise, labels, steps=count).numpy())) for count in FEW_STEPS]
    more = make_sprites(config.n_samples, EXTRA_SEED + seed, variant=config.variant)[0]
    scaled = standardised(train).reshape(flat.shape) if space.code.kind == "identity" else flat
    return xr.Dataset(
        {
            "fd": (("step", "feature"), np.array(distances)),
            "consistency": ("step", np.array(named)),
            "latent_var": (("fine_step", "mode"), np.array(variances)),
            "spectrum": ("mode", values),
            "tau_lin": ("mode", predicted_mode_clocks(values)),
            "t_lin": LearningTime.of(scaled, draws=0, seed=seed).value,
            "fd_floor": ("feature", [both(restored)[0], both(space.decode(space.encode(more.images)))[1]]),
            "fd_real": both(more.images)[0],
            "consistency_real": scorer.consistency(held_out.images, held_out.labels),
            "few_steps": (("euler_steps", "feature"), np.array(few_steps)),
            "flow_loss": float(np.mean(generator.losses[-5:])),
            "l1": l1,
            "explained": float(space.model.explained_),
            **{name: float(found["value"].sel(metric=name)) for name in ("ssc", "lpc", "gsq", "erank")},
            "ssc_chance": float(found["chance"].sel(metric="ssc")),
            "lpc_rho": ("rho", found["lpc_rho"].values),
            "participation_ratio": float(found["participation_ratio"]),
            "samples": (("step", "image", "row", "column", "channel"), np.array(seen)),
            "real": (("image", "row", "column", "channel"), _bytes(held_out.images[:KEPT])),
            "restored": (("image", "row", "column", "channel"), _bytes(restored[:KEPT])),
            "seconds_used": clock.perf_counter() - begun,
        },
        coords={
            "step": stops.astype(float),
            "fine_step": fine.astype(float),
            "feature": list(FEATURES),
            "rho": found["rho"].values,
            "euler_steps": list(FEW_STEPS),
        },
    )


def _bytes(images: Any) -> Any:
    return np.round(np.clip(images, 0, 1) * 255).astype(np.uint8)
