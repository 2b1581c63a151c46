"""How the loop runs and what the probe looks at, as values that a config file can hold. Nothing here needs PyTorch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from ..checks import InputError, choice, flag, integer, integer_option, number_option

CHECKPOINT, MEASURED, STREAM = "checkpoints/last.safetensors", "measured.nc", "metrics.jsonl"
"""What the loop writes into its folder: weights and optimizer, the probe's main curve, a record every few steps."""

Precision: TypeAlias = Literal["float32", "bfloat16", "float64"]


@dataclass(frozen=True)
class LoopOptions:
    """How the loop runs.

    Attributes:
        batch_size: samples per step
        ema: decay per step of the averaged weights that are sampled from; 0 samples from the weights themselves
        clip: largest norm of the gradient; null for none
        decay: last share of the steps over which the learning rate falls linearly to 0; 0 keeps it constant
        device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1"
        precision: float32, bfloat16 (mixed) or float64
        compile: torch.compile; can pay for convolutions in long runs, see the benchmarks
        threads: CPU threads; null for PyTorch's own choice
        checkpoint_every: steps between checkpoints, written atomically
        checkpoint_minutes: and minutes between them, at most; Ctrl-C and SIGTERM write one too
        tensorboard: also write TensorBoard event files
    """

    batch_size: int = 256
    ema: float = 0.0
    clip: float | None = None
    decay: float = 0.0
    device: str = "auto"
    precision: Precision = "float32"
    compile: bool = False
    threads: int | None = None
    checkpoint_every: int = 1000
    checkpoint_minutes: float = 2.0
    tensorboard: bool = False

    def __post_init__(self) -> None:
        integer_option(self, "batch_size", at_least=1)
        number_option(self, "ema", at_least=0, below=1)
        if self.clip is not None:
            number_option(self, "clip", above=0)
        number_option(self, "decay", at_least=0)
        if self.decay > 1:
            raise InputError(f"decay must be a share of the steps <= 1, got {self.decay}")
        choice("precision", self.precision, get_args(Precision))
        if self.threads is not None:
            integer_option(self, "threads", at_least=1)
        integer_option(self, "checkpoint_every", at_least=1)
        number_option(self, "checkpoint_minutes", above=0)
        for name in ("compile", "tensorboard"):
            flag(name, getattr(self, name))

    def schedule(self, steps: int) -> Callable[[float], float] | None:
        """Learning rate after a step, of `steps`, relative to its first value, as a forecast wants it; None if it is constant."""
        if self.decay == 0:
            return None
        return lambda step: min(1.0, max(0.0, 1 - step / steps) / self.decay)


@dataclass(frozen=True)
class ProbeOptions:
    """What is measured along the run.

    Attributes:
        count: number of log-spaced steps at which the model is sampled, besides step 0
        samples: samples drawn each time; null for as many, from 64 to 2048, as its budget allows
        gain: measure the denoiser's gain too
        fourier: also record the power along Fourier modes
        patches: also record the variance along the modes of patches of these sizes
        budget: share of the work of training that the probe may take; more only where 64 samples need it
        test: also record the losses of training and held-out samples, per mode and noise level, to see when to stop
    """

    count: int = 32
    samples: int | None = None
    gain: bool = True
    fourier: bool = False
    patches: tuple[int, ...] = ()
    budget: float = 0.02
    test: bool = False

    def __post_init__(self) -> None:
        integer_option(self, "count", at_least=2, at_most=10**6)
        if self.samples is not None:
            integer_option(self, "samples", at_least=8)
        number_option(self, "budget", above=0)
        for name in ("gain", "test", "fourier"):
            flag(name, getattr(self, name))
        if self.test and not self.gain:
            raise InputError("test needs the noise levels at which the gain is measured, got gain = False")
        for size in self.patches:
            integer("patches", size, at_least=2)


Denoiser: TypeAlias = Callable[..., Any]
"""denoiser(x, sigma) → estimate of the clean x, on torch tensors; sigma is one noise level (a 0-dim tensor)."""
