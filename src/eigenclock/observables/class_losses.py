"""How much of each class's noise a denoiser still leaves: excess losses of classes along training, for any model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..checks import (
    InputError,
    finite_array,
    instance,
    integer,
    need_memory,
    noise_levels,
    number,
    numeric_array,
    random_seed,
    shown,
)
from ..clocks.passage import Clock, Passages
from ..spectrum.spectrum import Spectrum

CHUNK = 4096
"""Samples that the denoiser is given at a time."""

FEWEST = 4
"""Samples of a class from which its best linear loss is estimated."""


@dataclass(frozen=True, eq=False, repr=False)
class ClassLosses:
    """Denoising loss of every class at every noise level, E|D(x + σz) − x|²/(d·σ²), dimensionless.

    1 is a denoiser that returns its input: the loss of a network that predicts noise, before it has learned.

    - `sigma` (level,): in data units. - `loss`, `error` (level, class): mean over samples, and its standard error, 0 where exact.
    - `n` (class,): samples behind each.
    """

    sigma: Float[np.ndarray, " level"]
    loss: Float[np.ndarray, "level class"]
    error: Float[np.ndarray, "level class"]
    n: Int[np.ndarray, " class"]

    def excess(self, best: "ClassLosses") -> Float[np.ndarray, "level class"]:
        """e_k = (loss − best)/(1 − best): 1 where nothing was learned, 0 at the best denoiser, negative below it."""
        instance("best", best, ClassLosses, "losses of a denoiser")
        if best.loss.shape != self.loss.shape or (best.sigma != self.sigma).any():
            raise InputError(f"best must have the same levels and classes, {self.loss.shape}, got {best.loss.shape}")
        return (self.loss - best.loss) / (1 - best.loss)

    def clock(self, steps: Any, records: Sequence["ClassLosses"], *, target: float = 0.5) -> list[Passages]:
        """When the excess of each class over these losses, averaged over levels, fell to a target: a `Passages` per class.

        **Parameters**

        - `steps`: (record,) optimizer steps of `records`, losses along training. - `target`: of e_k.
        """
        number("target", target)
        for one in records:
            instance("records", one, ClassLosses, "results of class_losses")
        time = numeric_array("steps", steps, "increasing steps >= 0").astype(np.float64)
        if time.shape != (len(records),) or not len(records):
            raise InputError(f"steps must be as many as records, got shape {time.shape} for {len(records)}")
        excess = np.stack([one.excess(self).mean(axis=0) for one in records])
        return [
            Clock(f"excess loss of class {k}", target, "falling", smooth="twice").of(time, excess[:, k])
            for k in range(excess.shape[1])
        ]

    def record(self) -> dict[str, float]:
        """Numbers for a probe: `loss_k` of each class, averaged over levels."""
        return {f"loss_{k}": float(one) for k, one in enumerate(self.loss.mean(axis=0))}

    def __repr__(self) -> str:
        means = ", ".join(f"{k}: {one:.3g}" for k, one in enumerate(self.loss.mean(axis=0)))
        return f"ClassLosses({len(self.sigma)} levels; mean loss of class {means})"


def class_losses(
    denoiser: Any, samples: Any, labels: Any, *, sigma: Any, draws: int = 1, device: Any = "cpu", seed: int = 0
) -> ClassLosses:
    """Denoising loss of each class of held-out samples, for any denoiser; the noise is the same at every call with one seed.

    Noise comes in pairs ±z, and z² enters by its mean: a denoiser that returns its input has loss 1 exactly, and at small σ,
    where any loss is near 1, the error is one of what is below 1.

    **Parameters**

    - `denoiser`: (x, sigma) → estimate of the clean x, on tensors, as for `sample`; also inside a probe:
      `Probe(inspect={"class": lambda d: ec.class_losses(d, ...).record()})` records `class_loss_k`.
    - `samples`: (n, ...) that the model was not trained on. - `labels`: (n,) their classes, whole numbers from 0.
    - `sigma`: (level,) noise levels, in data units. - `draws`: pairs of noise, for each sample. - `device`: where it is called.

    `linear_losses` says what the best linear denoiser of each class leaves, `ClassLosses.clock` when a class came near that.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> y = np.repeat([0, 1], 2000)
    >>> x = np.random.default_rng(0).standard_normal((4000, 3)) * np.where(y, 2.0, 0.5)[:, None]
    >>> found = ec.class_losses(lambda x, s: x / (1 + s**2), x, y, sigma=[1.0])  # (λ(1 − ψ)² + σ²ψ²)/σ² at ψ = 1/2
    >>> found.loss.round(1)  # 0.31 and 1.25
    array([[0.3, 1.3]])

    ```
    """
    import torch

    from ..training.answers import answer
    from ..training.devices import find_device

    if not callable(denoiser):
        raise InputError(f"denoiser must be a function (x, sigma), got {shown(denoiser)}")
    x, known, levels = _checked(samples, labels, sigma)
    need_memory(f"draws = {integer('draws', draws, at_least=1):,}", 8.0 * draws * len(x))
    random_seed(seed)
    place, classes = find_device(device), int(known.max()) + 1
    counts = np.bincount(known)
    loss, error = np.empty((2, levels.size, classes))
    for a, level in enumerate(levels):  # a handful of levels
        fresh, each = torch.Generator().manual_seed(int(seed) % 2**63), np.zeros(len(x))
        at = torch.tensor(float(level), device=place)
        with torch.no_grad():
            for start in [start for _ in range(draws) for start in range(0, len(x), CHUNK)]:
                clean = torch.as_tensor(x[start : start + CHUNK], dtype=torch.float32)
                noise = float(level) * torch.randn(clean.shape, generator=fresh)
                for noisy in (clean + noise, clean - noise):  # what is odd in z, as x·z, cancels
                    seen = noisy.double() - answer(denoiser, noisy.to(place), at).cpu().double()
                    left = seen.square() - 2 * seen * (noisy.double() - clean.double())  # |σz|² less: its mean is known
                    each[start : start + CHUNK] += left.flatten(1).mean(dim=1).numpy()
        each = 1 + each / (2 * draws * level**2)
        mean = np.bincount(known, each) / counts
        loss[a] = mean
        error[a] = np.sqrt(np.bincount(known, (each - mean[known]) ** 2) / np.maximum(counts - 1, 1) / counts)
    return ClassLosses(levels, loss, error, counts)


def linear_losses(samples: Any, labels: Any, *, sigma: Any, seed: int = 0) -> ClassLosses:
    """Loss of the best linear denoiser of each class by itself, mean of λ/(λ + σ²) over its modes, from cross-validated λ (T22).

    A network can be better, for a class that is not Gaussian: then its excess is negative. `samples`, `labels`, `sigma` as in
    `class_losses`; the more samples the better, training samples too. Raises InputError for classes of fewer than four.
    """
    x, known, levels = _checked(samples, labels, sigma)
    counts = np.bincount(known)
    if counts.min() < FEWEST:
        raise InputError(
            f"labels must have at least {FEWEST} samples of every class, got {counts.min()} of {counts.argmin()}"
        )
    flat, loss = x.reshape(len(x), -1), np.empty((levels.size, counts.size))
    for k in range(counts.size):
        spectrum = Spectrum.from_samples(flat[known == k]).cross_validated(seed=random_seed(seed))
        gain = spectrum.variance[:, None] / (spectrum.variance[:, None] + levels**2)
        null = spectrum.null_variance or 0.0
        left = (flat.shape[1] - spectrum.n_modes) * null / (null + levels**2)
        loss[:, k] = (gain.sum(axis=0) + left) / flat.shape[1]
    return ClassLosses(levels, loss, np.zeros_like(loss), counts)


def _checked(samples: Any, labels: Any, sigma: Any) -> tuple[Any, Int[np.ndarray, " n"], Float[np.ndarray, " level"]]:
    x = finite_array("samples", samples, "finite numbers of shape (n, ...)")
    if x.ndim < 2 or x.size == 0:
        raise InputError(f"samples must have shape (n, ...), got {x.shape}")
    known = numeric_array("labels", labels, f"{len(x)} whole numbers >= 0")
    if known.shape != (len(x),) or known.dtype.kind not in "iu" or known.min() < 0 or known.max() >= len(x):
        raise InputError(
            f"labels must be {len(x)} whole numbers from 0, a class per sample, got {known.dtype} {known.shape}"
        )
    counts = np.bincount(known.astype(np.int64))
    if counts.min() == 0:
        raise InputError(f"labels must have samples of every class, got none of class {int(counts.argmin())}")
    return x, known.astype(np.int64), noise_levels(sigma)
