"""Flow-matching generators of latents: a residual MLP, blind to where tokens lie, or a transformer over tokens."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import one_hot, silu

from ..checks import (
    InputError,
    choice,
    finite_array,
    instance,
    integer,
    integer_option,
    number_option,
    random_seed,
    seed_option,
    shown,
)
from ..training.descent import descend
from ..training.model_files import load_state, read_model, write_model
from ..training.networks.dit import Block as TransformerBlock
from ..training.optimizers import AdamW
from ..training.streams import RandomPairs, Stream, stream_seed

Backbone: TypeAlias = Literal["mlp", "dit"]
FREQUENCIES = 32
WARM_UP = 50
BETAS = (0.9, 0.95)


@dataclass(frozen=True, kw_only=True)
class FlowConfig:
    """Options of `FlowGenerator`.

    **Parameters**

    - `backbone`: "mlp" or "dit". - `width`, `blocks`: of it. - `steps`, `batch`, `lr`, `ema`: of training.
    - `euler_steps`: of sampling. - `seed`.
    """

    backbone: Backbone = "mlp"
    width: int = 256
    blocks: int = 2
    steps: int = 4000
    batch: int = 128
    lr: float = 2e-3
    ema: float = 0.99
    euler_steps: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        choice("backbone", self.backbone, get_args(Backbone))
        for name in ("width", "blocks", "steps", "batch", "euler_steps"):
            integer_option(self, name, at_least=1)
        seed_option(self)
        number_option(self, "lr", above=0)
        number_option(self, "ema", at_least=0, below=1)


def skip(t: Tensor) -> Tensor:
    """(2t − 1)/(t² + (1 − t)²): the velocity's gain for data of unit variance, which an untrained network has."""
    return (2 * t - 1) / (t**2 + (1 - t) ** 2)


class Conditioning(nn.Module):
    """(n,) times and (n,) classes → (n, width)."""

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("frequency", torch.exp(torch.linspace(0, 5, FREQUENCIES)))
        self.time = nn.Sequential(nn.Linear(2 * FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))
        self.label = nn.Linear(classes, width, bias=False)
        self.classes = classes

    frequency: Tensor

    def forward(self, t: Tensor, label: Tensor) -> Tensor:
        phase = t[:, None] * self.frequency
        found: Tensor = self.time(torch.cat([phase.cos(), phase.sin()], dim=1))
        return found + self.label(one_hot(label, self.classes).to(t.dtype))


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class ResidualMLP(nn.Module):
    """Flat latents; every block: LayerNorm, Linear, + conditioning, SiLU, Linear from zero. The head starts at zero."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int, blocks: int) -> None:
        super().__init__()
        size = int(np.prod(shape))
        self.conditioning = Conditioning(classes, width)
        self.inside = nn.Linear(size, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(blocks))
        self.first = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.second = nn.ModuleList(_zero(nn.Linear(width, width)) for _ in range(blocks))
        self.head = _zero(nn.Linear(width, size))

    def forward(self, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        condition = self.conditioning(t, label)
        hidden = self.inside(x.flatten(1)) + condition
        for norm, first, second in zip(self.norms, self.first, self.second, strict=True):
            hidden = hidden + second(silu(first(norm(hidden)) + condition))
        found: Tensor = self.head(silu(hidden))
        return found.reshape(x.shape)


class TokenTransformer(nn.Module):
    """Latents (n, d, h, w) as h·w tokens with learned positions; adaLN-zero blocks."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int, blocks: int) -> None:
        super().__init__()
        d, h, w = shape
        self.conditioning = Conditioning(classes, width)
        self.inside, self.position = nn.Linear(d, width), nn.Parameter(0.02 * torch.randn(1, h * w, width))
        self.blocks = nn.ModuleList(TransformerBlock(width, max(1, width // 32)) for _ in range(blocks))
        self.norm, self.head = nn.LayerNorm(width), _zero(nn.Linear(width, d))

    def forward(self, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        condition = silu(self.conditioning(t, label))
        hidden = self.inside(x.flatten(2).transpose(1, 2)) + self.position
        for block in self.blocks:
            hidden = block(hidden, condition)
        found: Tensor = self.head(self.norm(hidden))
        return found.transpose(1, 2).reshape(x.shape)


class FlowGenerator:
    """Flow matching, t = 1 is data: x_t = t·x₁ + (1 − t)·x₀, target x₁ − x₀, logit-normal t, mean squared error.

    Latents are standardised per channel; sampling (Euler) undoes it. An untrained generator gives unit variance.

    **Parameters**

    - `shape`: (d, h, w) of a latent. - `classes`: number of labels. - `config`: a `FlowConfig`.
    """

    def __init__(self, shape: Any, classes: int, config: FlowConfig | None = None) -> None:
        self.config = FlowConfig() if config is None else config
        instance("config", self.config, FlowConfig, "a FlowConfig")
        if not isinstance(shape, tuple | list) or len(shape) != 3:
            raise InputError(f"shape must be (d, h, w), got {shown(shape)}")
        for size in shape:
            integer("shape", size, at_least=1)
        integer("classes", classes, at_least=1, at_most=10**6)
        shape = (int(shape[0]), int(shape[1]), int(shape[2]))
        self.shape, self.classes = shape, classes
        backbones = {"mlp": ResidualMLP, "dit": TokenTransformer}
        with torch.random.fork_rng():
            torch.manual_seed(stream_seed(self.config.seed, Stream.INIT, 3))
            self.network = backbones[self.config.backbone](shape, classes, self.config.width, self.config.blocks)
        average = torch.optim.swa_utils.get_ema_multi_avg_fn(self.config.ema)  # type: ignore[no-untyped-call]
        self.averaged = torch.optim.swa_utils.AveragedModel(self.network, multi_avg_fn=average)
        self.averaged.requires_grad_(False)
        self.mean, self.std = torch.zeros(1, shape[0], 1, 1), torch.ones(1, shape[0], 1, 1)
        self.losses: list[float] = []

    def fit(
        self, latents: Any, labels: Any, *, standardise: bool = True, told: Callable[[int], None] = lambda step: None
    ) -> "FlowGenerator":
        """Train on latents (n, d, h, w) with labels (n,); `told` hears of every step done, from 0.

        `standardise`: per channel; False where the latents have been already (and turned since).
        """
        z = torch.as_tensor(finite_array("latents", latents, "latents (n, d, h, w)"), dtype=torch.float32)
        if tuple(z.shape[1:]) != self.shape or len(z) == 0:
            raise InputError(f"latents must have shape (n, {', '.join(map(str, self.shape))}), got {tuple(z.shape)}")
        y = self._labels(labels, len(z))
        if standardise:
            self.mean = z.mean(dim=(0, 2, 3), keepdim=True)
            std = z.std(dim=(0, 2, 3), keepdim=True, unbiased=False)
            self.std = torch.where(std > 0, std, torch.ones_like(std))
        z = (z - self.mean) / self.std
        config = self.config
        pairs = RandomPairs(z, config.batch, None, (1.0, 1.0), config.seed)

        def loss(step: int) -> Tensor:
            rows = torch.from_numpy(pairs.rows(step))
            data, fresh = z[rows], pairs.noise_generator(step)
            t = torch.sigmoid(torch.randn(len(data), generator=fresh))
            start = torch.randn(data.shape, generator=fresh)
            wide = t[:, None, None, None]
            x = wide * data + (1 - wide) * start
            return (self._velocity(self.network, x, t, y[rows]) - (data - start)).square().mean()

        def counted(step: int) -> Tensor:
            value = loss(step)
            if step % 50 == 0:
                self.losses.append(float(value.detach()))
            return value

        def after(step: int) -> None:
            if step > 0:
                self.averaged.update_parameters(self.network)
            told(step)

        descend(
            {"network": self.network},
            counted,
            steps=config.steps,
            optimizer=AdamW(config.lr, *BETAS, weight_decay=0.0),
            schedule=lambda progress: min(1.0, (progress * config.steps + 1) / WARM_UP),
            after=after,
        )
        return self

    def _labels(self, labels: Any, n: int) -> Tensor:
        """Labels as a tensor; InputError unless there are n whole numbers that name classes."""
        given = np.asarray(labels)
        if given.shape != (n,) or not np.issubdtype(given.dtype, np.integer):
            raise InputError(f"labels must be {n} whole numbers, got {given.dtype} {given.shape}")
        if given.min() < 0 or given.max() >= self.classes:
            raise InputError(f"labels must be 0 to {self.classes - 1}, got {given.min()} to {given.max()}")
        return torch.as_tensor(given, dtype=torch.int64)

    def save(self, path: str | Path) -> None:
        """Write the generator as one safetensors file, atomically."""
        tensors = {f"network.{key}": one for key, one in self.network.state_dict().items()}
        tensors |= {f"averaged.{key}": one for key, one in self.averaged.module.state_dict().items()}
        details = {
            "config": asdict(self.config),
            "shape": list(self.shape),
            "classes": self.classes,
            "losses": self.losses,
        }
        write_model(path, type(self).__name__, details, tensors | {"mean": self.mean, "std": self.std})

    @classmethod
    def load(cls, path: str | Path) -> "FlowGenerator":
        """A generator from its file; samples are the same to the bit. ModelFileError for anything else."""
        details, tensors = read_model(path, cls.__name__)
        model = cls(details["shape"], details["classes"], FlowConfig(**details["config"]))
        load_state(model.network, tensors, "network.", path)
        load_state(model.averaged.module, tensors, "averaged.", path)
        model.mean, model.std, model.losses = tensors["mean"], tensors["std"], details["losses"]
        return model

    def _velocity(self, network: nn.Module, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        found: Tensor = network(x, t, label) + skip(t)[:, None, None, None] * x
        return found

    @torch.no_grad()
    def push(self, noise: Tensor, labels: Tensor, *, steps: int | None = None) -> Tensor:
        """Standardised latents of standard noise (n, d, h, w), by Euler steps from t = 0 to 1, with the averaged weights."""
        count = self.config.euler_steps if steps is None else steps
        x = noise
        for i in range(count):
            t = torch.full((len(x),), i / count)
            x = x + self._velocity(self.averaged.module, x, t, labels) / count
        return x

    @torch.no_grad()
    def push_by_midpoints(self, noise: Tensor, labels: Tensor, *, steps: int) -> Tensor:
        """The same by the midpoint rule, second order in the step: for variances, which Euler's steps bias."""
        x = noise
        for i in range(steps):
            start, middle = (torch.full((len(x),), (i + shift) / steps) for shift in (0.0, 0.5))
            half = x + self._velocity(self.averaged.module, x, start, labels) / (2 * steps)
            x = x + self._velocity(self.averaged.module, half, middle, labels) / steps
        return x

    def sample(self, n: int, labels: Any = None, *, seed: int = 0) -> Float[np.ndarray, "n d h w"]:
        """n latents as they were given to `fit`; of classes 0, 1, … in turn unless labels (n,) are given."""
        integer("n", n, at_least=1)
        random_seed(seed)
        fresh = torch.Generator().manual_seed(int(seed) % 2**63)
        chosen = self._labels(np.arange(n) % self.classes if labels is None else labels, n)
        z = self.push(torch.randn(n, *self.shape, generator=fresh), chosen)
        found: Float[np.ndarray, "n d h w"] = (z * self.std + self.mean).numpy()
        return found
