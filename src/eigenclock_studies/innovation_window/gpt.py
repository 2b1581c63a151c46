"""A small causal transformer on bits: next-token training, ancestral sampling, likelihood by position."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention

from eigenclock.checks import InputError, integer_option
from eigenclock.training.streams import Stream, stream_seed

BOS, TOKENS = 2, 3
"""The token that starts a sequence, and the size of the vocabulary: 0, 1, BOS."""


@dataclass(frozen=True)
class GPT:
    """A decoder with learned positions, pre-norm blocks, GELU and a causal mask.

    **Parameters**

    - `width`: of a token. - `layers`: blocks. - `heads`: must divide `width`.
    """

    width: int = 32
    layers: int = 2
    heads: int = 4

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads"):
            integer_option(self, name, at_least=1)
        if self.width % self.heads:
            raise InputError(f"heads must divide width = {self.width}, got {self.heads}")

    def build(self, length: int, *, seed: int = 0) -> "CausalTransformer":
        """The module for sequences of `length` bits."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return CausalTransformer(self, length)


class Block(nn.Module):
    """Causal attention, then an MLP of ratio 4, each on normalised input and added to it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.inside, self.outside = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        parts = self.inside(self.norms[0](x)).reshape(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
        x = x + self.outside(mixed.transpose(1, 2).reshape(n, length, width))
        return x + self.mlp(self.norms[1](x))


class CausalTransformer(nn.Module):
    """Tokens (n, length) → logits (n, length, 2): position j, which sees BOS and bits < j, predicts bit j."""

    def __init__(self, options: GPT, length: int) -> None:
        super().__init__()
        self.length = length
        self.token = nn.Embedding(TOKENS, options.width)
        self.position = nn.Parameter(0.02 * torch.randn(length, options.width))
        self.blocks = nn.ModuleList(Block(options.width, options.heads) for _ in range(options.layers))
        self.norm = nn.LayerNorm(options.width)
        self.head = nn.Linear(options.width, 2)
        nn.init.normal_(self.token.weight, std=0.02)

    def forward(self, bits: Tensor) -> Tensor:
        """Logits of every bit given those before it; the last bit is not looked at."""
        start = torch.full((len(bits), 1), BOS, device=bits.device, dtype=bits.dtype)
        seen = torch.cat([start, bits[:, : self.length - 1]], dim=1)
        hidden = self.token(seen) + self.position[: seen.shape[1]]
        for block in self.blocks:
            hidden = block(hidden)
        return self.head(self.norm(hidden))


@torch.no_grad()
def generate(model: CausalTransformer, n: int, *, seed: int) -> Int[np.ndarray, "n length"]:
    """n sequences drawn bit by bit at temperature 1."""
    device = model.position.device
    generator = torch.Generator(device).manual_seed(seed)
    bits = torch.zeros((n, 0), dtype=torch.int64, device=device)
    for _ in range(model.length):
        logits = model(bits)[:, -1]
        share = torch.softmax(logits, dim=1)[:, 1]
        drawn = torch.rand(n, generator=generator, device=device) < share
        bits = torch.cat([bits, drawn.long()[:, None]], dim=1)
    return bits.cpu().numpy()


@torch.no_grad()
def likelihood(model: CausalTransformer, bits: Any) -> Float[np.ndarray, " length"]:
    """Mean negative log-likelihood of each position, in nats."""
    given = torch.as_tensor(bits, device=model.position.device)
    losses = cross_entropy(model(given).permute(0, 2, 1), given, reduction="none")
    return losses.double().mean(dim=0).cpu().numpy()


def train_tokens(
    model: CausalTransformer,
    batches: Callable[[int], Int[np.ndarray, "n length"]],
    *,
    steps: int,
    lr: float,
    decay: float = 0.0,
    watch: Any,
    look: Callable[[int, CausalTransformer], None],
) -> Iterator[tuple[int, float]]:
    """Train by AdamW on next-token cross-entropy; yields (step, loss). `look(step, model)` is called at the steps of `watch`.

    `decay`: of the weights; 0 is plain Adam.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=decay, fused=True)
    wanted = {int(step) for step in watch}
    if 0 in wanted:
        look(0, model)
    for step in range(1, steps + 1):
        bits = torch.as_tensor(batches(step - 1), device=model.position.device)
        loss = cross_entropy(model(bits).permute(0, 2, 1), bits)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        if step in wanted:
            look(step, model)
            yield step, loss.item()


def sampling_seed(seed: int, step: int) -> int:
    """Seed of the samples drawn at a step."""
    return stream_seed(seed, Stream.PROBE, step)
