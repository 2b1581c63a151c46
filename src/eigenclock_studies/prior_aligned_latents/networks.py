"""The study's own trained networks: the judge behind class scores, and teachers; each with data and weights of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, relu, silu

from eigenclock.latents.convolutions import token_norm
from eigenclock.training.descent import descend, one_cycle
from eigenclock.training.model_files import load_state, read_model, write_model
from eigenclock.training.optimizers import Adam
from .sprites import SHAPES, Sprites, Variant, make_sprites

JUDGE_SEED, TEACHER_SEED, RANDOM_SEED = 70_001, 80_001, 90_001
IMAGES = 12_000
FEATURES, CHANNELS, TEMPERATURE = 64, 64, 0.2


def as_tensor(images: Any) -> Tensor:
    """(n, h, w, c) in [0, 1] → (n, c, h, w)."""
    return torch.as_tensor(np.ascontiguousarray(images.transpose(0, 3, 1, 2)), dtype=torch.float32)


class Judge(nn.Module):
    """Class and hue of sprites; `features` (n, 64) before the heads are what Fréchet distances are taken of."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in ((3, 32), (32, 64), (64, 96)))
        self.last = nn.Linear(96 * 4, FEATURES)
        self.heads = nn.Linear(FEATURES, len(SHAPES) + 2)

    def features(self, x: Tensor) -> Tensor:
        """Penultimate features of images in [0, 1]."""
        for layer in self.layers:
            x = nn.functional.max_pool2d(relu(layer(x)), 2)
        return relu(self.last(x.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.heads(self.features(x))
        return found


class TeacherNet(nn.Module):
    """4×4 tokens of 64 channels: the frozen model whose features are the prior."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=s, padding=1)
            for a, b, s in ((3, 32, 1), (32, 64, 2), (64, 64, 1), (64, CHANNELS, 2))
        )
        self.norms = nn.ModuleList(nn.GroupNorm(8, layer.out_channels) for layer in self.layers)  # type: ignore[arg-type]
        self.pooled = nn.Linear(CHANNELS, len(SHAPES) + 2)
        self.mask = nn.Conv2d(CHANNELS, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = 2 * images - 1
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = silu(norm(layer(x)))
        return x


def _hue(hue: Any) -> Tensor:
    turn = 2 * np.pi * np.asarray(hue)
    return torch.as_tensor(np.stack([np.cos(turn), np.sin(turn)], axis=1), dtype=torch.float32)


def _kept(file: Path, kind: str, key: dict[str, Any], network: nn.Module, train: Callable[[], None]) -> nn.Module:
    """The network of a file, or trained and written; weights do not need a gradient any more."""
    if file.exists():
        details, tensors = read_model(file, kind)
        if details["key"] == key:
            load_state(network, tensors, "network.", file)
            return network.eval().requires_grad_(False)
    train()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_model(file, kind, {"key": key}, {f"network.{name}": one for name, one in network.state_dict().items()})
    return network.eval().requires_grad_(False)


def _seeded(make: Callable[[], nn.Module], seed: int) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def _rows(step: int, n: int, batch: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, step]).integers(0, n, batch)


def judge(folder: Path, steps: int, variant: Variant) -> Judge:
    """The network behind class scores, trained once per folder."""
    network: Judge = _seeded(Judge, JUDGE_SEED)

    def train() -> None:
        data = make_sprites(min(IMAGES, 96 * steps), JUDGE_SEED, variant=variant)[0]
        x, y, hue = as_tensor(data.images), torch.as_tensor(data.labels), _hue(data.hue)

        def loss(step: int) -> Tensor:
            rows = torch.from_numpy(_rows(step, len(x), 96, JUDGE_SEED))
            shift = np.random.default_rng([JUDGE_SEED, step, 1]).integers(-1, 2, 2)
            seen = torch.roll(x[rows], (int(shift[0]), int(shift[1])), (2, 3))
            found = network(seen)
            return cross_entropy(found[:, :-2], y[rows]) + (found[:, -2:] - hue[rows]).square().mean()

        descend({"network": network}, loss, steps=steps, optimizer=Adam(2e-3), schedule=one_cycle)

    _kept(folder / "judge.safetensors", "Judge", {"steps": steps, "variant": variant}, network, train)
    return network


def accuracy(network: Judge, data: Sprites) -> float:
    """Share of images whose class the judge names."""
    return float((classify(network, as_tensor(data.images)) == data.labels).mean())


def classify(network: Judge, images: Tensor) -> np.ndarray:
    """Classes (n,) of images (n, c, h, w) in [0, 1]."""
    with torch.no_grad():
        return network(images)[:, :-2].argmax(dim=1).numpy()


def teacher(folder: Path, prior: str, steps: int, variant: Variant) -> TeacherNet:
    """A frozen model: "supervised" (class, hue, masks: labels leak, an upper bound), "contrastive", or "random" (untrained)."""
    if prior == "random":
        untrained: TeacherNet = _seeded(TeacherNet, RANDOM_SEED)
        return untrained.eval().requires_grad_(False)
    network: TeacherNet = _seeded(TeacherNet, TEACHER_SEED)

    def supervised() -> None:
        data = make_sprites(min(IMAGES, 64 * steps), TEACHER_SEED, variant=variant)[0]
        x, y, hue = as_tensor(data.images), torch.as_tensor(data.labels), _hue(data.hue)
        cover = (data.masks > 0).reshape(len(x), 4, 4, 4, 4).mean(axis=(2, 4)) > 0.5
        masks = torch.as_tensor(cover.astype(np.int64))

        def loss(step: int) -> Tensor:
            rows = torch.from_numpy(_rows(step, len(x), 64, TEACHER_SEED))
            tokens = network(x[rows])
            pooled = network.pooled(tokens.mean(dim=(2, 3)))
            whole = cross_entropy(pooled[:, :-2], y[rows]) + (pooled[:, -2:] - hue[rows]).square().mean()
            return whole + cross_entropy(network.mask(tokens), masks[rows])

        descend({"network": network}, loss, steps=steps, optimizer=Adam(2e-3), schedule=one_cycle)

    def contrastive() -> None:
        both = [
            as_tensor(one.images)
            for one in make_sprites(min(IMAGES, 64 * steps), TEACHER_SEED, variant=variant, appearances=2)
        ]

        def info_nce(a: Tensor, b: Tensor) -> Tensor:
            alike = normalize(a, dim=1) @ normalize(b, dim=1).T / TEMPERATURE
            return cross_entropy(alike, torch.arange(len(a)))

        def loss(step: int) -> Tensor:
            rows = torch.from_numpy(_rows(step, len(both[0]), 64, TEACHER_SEED))
            a, b = (token_norm(network(one[rows])) for one in both)
            tokens = [one[:16].permute(0, 2, 3, 1).reshape(-1, CHANNELS) for one in (a, b)]
            return info_nce(a.mean(dim=(2, 3)), b.mean(dim=(2, 3))) + info_nce(*tokens)

        descend({"network": network}, loss, steps=steps, optimizer=Adam(2e-3), schedule=one_cycle)

    key = {"steps": steps, "variant": variant, "prior": prior}
    train = {"supervised": supervised, "contrastive": contrastive}[prior]
    _kept(folder / f"teacher_{prior}.safetensors", "Teacher", key, network, train)
    return network
