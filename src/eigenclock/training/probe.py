"""The probe: watches any denoiser in training and records a LearningCurve, without touching the training itself."""

import time as clock
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..checks import InputError, finite_array, integer, noise_levels
from ..curve.learning_curve import LearningCurve
from ..recipe.samplers import Heun, Sampler
from ..spectrum.patches import cut
from ..spectrum.spectrum import Spectrum, check_spectrum
from .gain import gain_and_r2, sample_alignment
from .options import Denoiser
from .records import as_curve, numbers, records_of
from .sampling import sample
from .streams import Stream, stream_seed

GAIN_SAMPLES, GAIN_LEVELS = 512, 16
"""Clean samples and noise levels behind a measured gain."""

MAIN = ""
"""Name of the probe's own spectrum among those it follows."""

KEPT = 16
"""Generated samples kept at every probed step, for the report."""


def log_steps(first: int, last: int, count: int) -> Int[np.ndarray, " step"]:
    """At most `count` different whole steps from `first` to `last`, evenly spread in the logarithm.

    ```python
    >>> import eigenclock as ec
    >>> ec.log_steps(1, 1000, 7)
    array([   1,    3,   10,   32,  100,  316, 1000])

    ```
    """
    integer("first", first, at_least=1)
    integer("last", last, at_least=first)
    integer("count", count, at_least=1)
    return np.unique(np.round(np.geomspace(first, last, count)).astype(int))


class Probe:
    """Samples a denoiser at chosen training steps and records what it has learned of each mode.

    `probe(step, denoiser)` acts at its own steps and at step 0, the untrained model; at others it returns at once. It draws from
    a random stream of its own, the same noise at every step, and leaves PyTorch's global streams as they were: training with and
    without a probe are the same to the bit.

    Recorded are variance and mean of generated samples along the modes (no d×d matrix), alignment (T17), and the measured
    gain ψ̂ with its R² (T15): Cov(u·D(y), u·y)/Var(u·y) over clean samples plus noise. The initial noise has exactly mean 0 and
    variance 1 along every mode, so that the variance a linear denoiser generates is exact, however few the samples.

    **Parameters**

    - `spectrum`: modes to watch, with the basis of the samples; of abstract modes the samples are the mode coordinates.
    - `sampler`: any sampler of the theory.
    - `steps`: (step,) training steps at which to act; default 100 log-spaced up to 100,000.
    - `n_samples`: samples drawn each time. - `seed`: of the probe's stream.
    - `data`: (n, ...) clean samples behind the gain; by default Gaussian ones of the same spectrum, which for the gain of a
      linear denoiser is the same.
    - `sigma`: noise levels of the gain; default 16 over the sampler's range. `()` leaves the gain out.
    - `gain_samples`: number of clean samples behind the gain.
    - `also`: more to follow, by name; `curve(name)` gives their curves. A spectrum of the same samples in another basis
      (Fourier) or of patches of them (`patch_spectrum`); or another sampler, with a quarter of the samples.
    - `watch`: more to record of the generated samples, by name: functions of NumPy samples (n, *shape) that give numbers by
      name, or what `memorization` and `innovation` return. "copies" that gives `excess` is recorded as `copies_excess`, to be
      read by `Clock("copies_excess", target=0.1)`. - `inspect`: the same of the denoiser itself.
    - `keep_samples`: generated samples kept at every step, for the report and for `class_clocks`.
    - `device`, `dtype`: where and in what precision the denoiser is called; `train` sets its own.
    - `chunk`: samples pushed at a time.

    Raises InputError for steps that are not whole and increasing, or a denoiser whose output is not shaped like its input.

    ```python
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum([1.0, 0.01])
    >>> probe = ec.Probe(spectrum, sampler=ec.Heun(steps=20), steps=[1, 10], n_samples=64)
    >>> for step in range(11):  # a model that is perfect from the start
    ...     probe(step, lambda x, sigma: x / (1 + sigma**2))
    >>> probe.curve().variance.values[:, 0].round(3)  # the sampler's own bias, as theory has it
    array([1.072, 1.072, 1.072])

    ```
    """

    def __init__(
        self,
        spectrum: Spectrum,
        *,
        sampler: Sampler = Heun(steps=40),  # noqa: B008 (a frozen dataclass)
        steps: Any = None,
        n_samples: int = 2048,
        seed: int = 0,
        data: Any = None,
        sigma: Any = None,
        gain_samples: int = GAIN_SAMPLES,
        also: Mapping[str, Spectrum | Sampler] | None = None,
        keep_samples: int = KEPT,
        watch: Any = None,
        inspect: Any = None,
        device: Any = "cpu",
        dtype: torch.dtype = torch.float32,
        chunk: int = 1024,
    ) -> None:
        check_spectrum(spectrum)
        if not isinstance(sampler, Sampler):
            raise InputError(f"sampler must be a sampler of the theory, got {sampler!r}")
        sampler.check_walk()
        integer("n_samples", n_samples, at_least=2)
        integer("keep_samples", keep_samples, at_least=0)
        integer("gain_samples", gain_samples, at_least=2)
        integer("seed", seed, at_least=0)
        given = finite_array("steps", log_steps(1, 100_000, 100) if steps is None else steps, "whole steps >= 0")
        whole = given.astype(int)
        if (
            given.ndim != 1
            or given.size == 0
            or (whole != given).any()
            or whole.min() < 0
            or (np.diff(whole) <= 0).any()
        ):
            raise InputError(f"steps must be increasing whole numbers >= 0, got {steps!r}")
        self.spectrum, self.sampler, self.seed, self.n_samples = spectrum, sampler, seed, n_samples
        self.steps = np.union1d([0], whole)
        self.also = dict(also or {})
        self.keep_samples = keep_samples
        for name, watchers in (("watch", watch), ("inspect", inspect)):
            if watchers is not None and not (isinstance(watchers, Mapping) and all(map(callable, watchers.values()))):
                raise InputError(f"{name} must be functions by name, got {type(watchers).__name__}")
        both = set(watch or {}) & set(inspect or {})
        if both:
            raise InputError(f"watch and inspect must have different names, got {min(both)!r} in both")
        self.watch, self.inspect = dict(watch or {}), dict(inspect or {})
        self.shape = (spectrum.n_modes,) if spectrum.basis is None else spectrum.basis.shape
        for name, other in self.also.items():
            if isinstance(other, Sampler):
                other.check_walk()
                continue
            check_spectrum(other)
            if other.basis is None or len(other.basis.shape) != len(self.shape):
                raise InputError(f"also[{name!r}] must have a basis of samples or patches like {self.shape}")
        low, high = sampler.sigma_min, sampler.sigma_max
        none = sigma is not None and np.size(sigma) == 0
        self.sigma = (
            np.empty(0) if none else noise_levels(np.geomspace(low, high, GAIN_LEVELS) if sigma is None else sigma)
        )
        self.device, self.dtype, self.chunk = torch.device(device), dtype, chunk
        self.seconds = 0.0
        self._records: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in (MAIN, *self.also)}
        self._noise = self._balanced_noise(n_samples, 0)
        self._fewer = self._balanced_noise(max(2, n_samples // 4), 2)
        self._pairs = self._gain_pairs(data, gain_samples) if self.sigma.size else None

    def _balanced_noise(self, n: int, index: int) -> Tensor:
        """Standard noise (n, *shape) whose mean is 0 and variance 1 along every mode, exactly."""
        rng = np.random.default_rng([self.seed, int(Stream.PROBE), index])
        plain = rng.standard_normal((n, *self.shape))
        along = self._to_modes(plain)
        balanced = (along - along.mean(axis=0)) / along.std(axis=0)
        return torch.as_tensor(plain + self._from_modes(balanced - along), dtype=self.dtype, device=self.device)

    def _to_modes(self, samples: Any) -> Float[np.ndarray, "n mode"]:
        """Mode coordinates about zero."""
        return samples if self.spectrum.basis is None else self.spectrum.basis.to_modes(samples)

    def _from_modes(self, coordinates: Float[np.ndarray, "n mode"]) -> Any:
        return coordinates if self.spectrum.basis is None else self.spectrum.basis.from_modes(coordinates)

    def _gain_pairs(self, data: Any, n: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, int(Stream.DATA)])
        if data is None:
            scale = np.sqrt(self.spectrum.variance)
            clean = self._from_modes(rng.standard_normal((n, scale.size)) * scale)
            if self.spectrum.mean is not None:
                clean = clean + self.spectrum.mean
        else:
            samples = np.asarray(data)
            if samples.shape[1:] != self.shape:
                raise InputError(f"data must hold samples of shape {self.shape}, got {samples.shape[1:]}")
            clean = samples[np.sort(rng.permutation(len(samples))[:n])]
        tensor = torch.as_tensor(np.asarray(clean, dtype=np.float64), dtype=self.dtype, device=self.device)
        return tensor, self._balanced_noise(len(clean), 1)

    def to(self, device: Any, dtype: torch.dtype) -> "Probe":
        """Call denoisers on this device and in this precision from now on; returns itself, as modules do."""
        self.device, self.dtype = torch.device(device), dtype
        self._noise, self._fewer = (tensor.to(device, dtype) for tensor in (self._noise, self._fewer))
        if self._pairs is not None:
            clean, noise = self._pairs
            self._pairs = clean.to(device, dtype), noise.to(device, dtype)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the curves: "" for the probe's own spectrum, then those of `also`."""
        return tuple(self._records)

    @property
    def recorded(self) -> int:
        """Number of steps recorded so far."""
        return len(self._records[MAIN])

    def due(self, step: int) -> bool:
        """Whether the probe acts at this step."""
        return bool(step in self.steps)

    def next_after(self, step: int) -> int:
        """The first of the probe's steps after this one; the last of them if there is none."""
        place = int(np.searchsorted(self.steps, step, side="right"))
        return int(self.steps[min(place, self.steps.size - 1)])

    @property
    def evaluations(self) -> int:
        """Samples that go through the denoiser at each probed step."""
        gain = 0 if self._pairs is None else self.sigma.size * len(self._pairs[0])
        more = sum(other.evaluations * len(self._fewer) for other in self.also.values() if isinstance(other, Sampler))
        return self.sampler.evaluations * self.n_samples + gain + more

    def __call__(self, step: int, denoiser: Denoiser) -> None:
        """Record what `denoiser` has learned after `step` training steps, if this is one of the probe's steps.

        `denoiser(x, sigma)`: estimate of the clean x, (n, *shape), at one noise level (a 0-dim tensor).
        """
        integer("step", step, at_least=0)
        if not self.due(step) or step in self._records[MAIN]:
            return
        begun = clock.perf_counter()
        modules = list(denoiser.modules()) if isinstance(denoiser, torch.nn.Module) else []
        training = [module.training for module in modules]
        for module in modules:
            module.training = False
        cuda = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda), torch.no_grad():
            try:
                self._check(denoiser)
                samples = self._draw(denoiser, self.sampler, self._noise)
                found = {MAIN: self._of_samples(samples)} | self._of_others(denoiser, samples)
                if self._pairs is not None:
                    found[MAIN] |= self._of_gain(denoiser, *self._pairs)
                whole = bool(np.isfinite(samples).all())
                for name, look in self.watch.items():  # of a model that has diverged nothing is recorded: NaN
                    found[MAIN] |= numbers(f"watch[{name!r}]", name, step, look, samples) if whole else {}
                for name, look in self.inspect.items():
                    found[MAIN] |= numbers(f"inspect[{name!r}]", name, step, look, denoiser)
            finally:
                for module, was in zip(modules, training, strict=True):
                    module.training = was
        for name, record in found.items():
            self._records[name][step] = record
        self.seconds += clock.perf_counter() - begun

    def _check(self, denoiser: Denoiser) -> None:
        few = self._noise[:2]
        out = denoiser(few, torch.tensor(self.sampler.sigma_max, dtype=self.dtype, device=self.device))
        if not isinstance(out, Tensor) or out.shape != few.shape:
            got = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
            raise InputError(f"denoiser must return a tensor shaped like its input {tuple(few.shape)}, got {got}")

    def _draw(self, denoiser: Denoiser, sampler: Sampler, noise: Tensor) -> Any:
        generator = torch.Generator(self.device).manual_seed(stream_seed(self.seed, Stream.PROBE))
        return sample(denoiser, sampler, noise, generator=generator, chunk=self.chunk).double().cpu().numpy()

    def _of_samples(self, samples: Any) -> dict[str, Any]:
        """What generated samples (n, *shape) say about the modes."""
        along, spectrum = self._to_modes(samples), self.spectrum
        variance = along.var(axis=0)
        record = {
            "variance": variance,
            "generated_mean": along.mean(axis=0),
            "alignment": sample_alignment(along),
            "particles": (along - self._mean_in_modes())[: self.keep_samples],
        }
        null = spectrum.dimension - spectrum.n_modes
        if null:
            total = samples.reshape(len(samples), -1).var(axis=0).sum()
            record["null_variance"] = max(float(total - variance.sum()), 0.0) / null
        return record

    def _of_others(self, denoiser: Denoiser, samples: Any) -> dict[str, dict[str, Any]]:
        """The same of other spectra, and of other samplers."""
        found = {}
        for name, other in self.also.items():
            if isinstance(other, Sampler):
                found[name] = self._of_samples(self._draw(denoiser, other, self._fewer))
                continue
            assert other.basis is not None
            pieces = samples if other.basis.shape == self.shape else cut(samples, other.basis.shape)
            seen = other.to_modes(pieces)
            found[name] = {"variance": seen.var(axis=0), "alignment": sample_alignment(seen)}
        return found

    def _mean_in_modes(self) -> Float[np.ndarray, " mode"]:
        mean = self.spectrum.mean
        return np.zeros(self.spectrum.n_modes) if mean is None else self._to_modes(mean[None])[0]

    def _of_gain(self, denoiser: Denoiser, clean: Tensor, noise: Tensor) -> dict[str, Any]:
        gains, fits = [], []
        for sigma in self.sigma:
            noisy = clean + float(sigma) * noise
            level = torch.tensor(float(sigma), dtype=self.dtype, device=self.device)
            out = torch.cat([denoiser(part, level) for part in torch.split(noisy, self.chunk)])
            gain, r2 = gain_and_r2(
                self._to_modes(out.double().cpu().numpy()), self._to_modes(noisy.double().cpu().numpy())
            )
            gains.append(gain)
            fits.append(r2)
        return {"gain": np.stack(gains, axis=1), "gain_r2": np.stack(fits, axis=1)}

    def curve(self, name: str = "") -> LearningCurve:
        """What was recorded so far, of the probe's spectrum or of one of `also` by name.

        Its `initial` is the first record: the untrained model, unless the probe started late (`attrs["first_step"]`). Besides
        variance it has `generated_mean`, `alignment`, `gain` and `gain_r2` (time, mode, sigma), `particles`, a few samples in
        mode coordinates about the data's mean, and what `watch` and `inspect` record. InputError if nothing was recorded yet.
        """
        if name not in self._records:
            raise InputError(f"name must be one of {', '.join(map(repr, self._records))}, got {name!r}")
        if not self._records[name]:
            raise InputError("nothing was recorded yet: call probe(step, denoiser) at its steps")
        other = self.also.get(name, self.spectrum)
        spectrum = other if isinstance(other, Spectrum) else self.spectrum
        start = self._noise if not isinstance(other, Sampler) else self._fewer
        noise = self._to_modes(start[: self.keep_samples].double().cpu().numpy())
        return as_curve(self._records[name], spectrum, self.sigma, noise, self._mean_in_modes())

    def restore(self, curves: Mapping[str, LearningCurve], *, last_step: int) -> None:
        """Take over what an interrupted run had recorded up to `last_step`; `curves` by name, as `curve` gave them."""
        for name, curve in curves.items():
            self._records[name] |= records_of(curve, last_step)
