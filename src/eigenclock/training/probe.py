"""The probe: watches any denoiser in training and records a LearningCurve, without touching the training itself."""

import logging
import time as clock
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..checks import (
    InputError,
    finite_array,
    instance,
    integer,
    need_memory,
    noise_levels,
    numeric_array,
    random_seed,
    say,
    shown,
)
from ..curve.learning_curve import LearningCurve
from ..recipe.samplers import Heun, Sampler
from ..spectrum.patches import cut
from ..spectrum.spectrum import Spectrum, check_spectrum
from .answers import Diverged, check_output, finite, on_copies
from .cadence import cost_in_words, log_steps, whole_steps
from .devices import choice_of_dtype, find_device
from .gain import gain_record, sample_alignment, sample_record
from .guests import Guest, device_of, objective_of
from .options import Denoiser
from .records import as_curve, check_restored, numbers, records_of, said_of_fit, watchers
from .sampling import sample
from .streams import Stream, stream_seed

LOG = logging.getLogger("eigenclock")

GAIN_SAMPLES, GAIN_LEVELS = 512, 16
"""Clean samples and noise levels behind a measured gain."""

MAIN = ""
"""Name of the probe's own spectrum among those it follows."""

KEPT = 16
"""Generated samples kept at every probed step, for the report."""


class Probe:
    """Samples a denoiser at chosen training steps and records what it has learned of each mode.

    `probe(step, denoiser)` acts at the first call at or after each of its steps, and at step 0, the untrained model; at others it
    returns at once. It draws from a random stream of its own, the same noise at every step, puts every module behind the
    denoiser in evaluation mode and back, however it is hidden (in a closure, a method, an adapter), hands out copies of its
    inputs, and leaves the global random streams as they were: training with and without a probe are the same to the bit. Its
    first call logs (logger "eigenclock") what a probed step costs in training steps.

    Recorded are variance and mean of generated samples along the modes, alignment (T17), and the measured gain ψ̂ with its R²
    (T15): Cov(u·D(y), u·y)/Var(u·y) over clean samples plus noise. The initial noise has mean 0 and variance 1 along every mode
    exactly, and so has what a linear denoiser generates from it, however few the samples.

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
    - `device`, `dtype`: where and in what precision the denoiser is called; by default where its first weight lies, in float32;
      `train` sets its own. - `chunk`: samples pushed at a time. - `batch_size`: of training, to say what a probed step costs.

    Raises InputError for steps that are not whole and increasing, or a denoiser that raises, changes its network, or gives
    anything but finite real numbers shaped like its input. Warns of data of another spectrum, and where rare calls lose records.

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
        device: Any = None,
        dtype: torch.dtype = torch.float32,
        chunk: int = 1024,
        batch_size: int | None = None,
    ) -> None:
        check_spectrum(spectrum)
        instance("sampler", sampler, Sampler, "a sampler of the theory")
        sampler.check_walk()
        integer("n_samples", n_samples, at_least=2)
        integer("keep_samples", keep_samples, at_least=0)
        integer("gain_samples", gain_samples, at_least=2)
        random_seed(seed)
        integer("chunk", chunk, at_least=1)
        if batch_size is not None:
            integer("batch_size", batch_size, at_least=1)
        whole = whole_steps(log_steps(1, 100_000, 100) if steps is None else steps)
        self.spectrum, self.sampler, self.seed, self.n_samples = spectrum, sampler, seed, n_samples
        self.steps = np.union1d([0], whole)
        if also is not None and not isinstance(also, Mapping):
            raise InputError(f"also must be spectra and samplers by name, got {shown(also)}")
        self.also, self.keep_samples = dict(also or {}), keep_samples
        self.watch, self.inspect = watchers(watch, inspect)
        self.shape = (spectrum.n_modes,) if spectrum.basis is None else spectrum.basis.shape
        for name, other in self.also.items():
            if isinstance(other, Sampler):
                other.check_walk()
                continue
            check_spectrum(other)
            if other.basis is None or len(other.basis.shape) != len(self.shape):
                raise InputError(f"also[{name!r}] must have a basis of samples or patches like {self.shape}")
        low, high = sampler.sigma_min, sampler.sigma_max
        none = isinstance(sigma, list | tuple) and not sigma
        self.sigma = (
            np.empty(0) if none else noise_levels(np.geomspace(low, high, GAIN_LEVELS) if sigma is None else sigma)
        )
        need_memory(f"n_samples = {n_samples:,}", 24.0 * n_samples * spectrum.dimension)
        self._placed = device is not None
        self.device, self.dtype, self.chunk = find_device("cpu" if device is None else device), dtype, chunk
        choice_of_dtype(dtype)
        self.seconds, self.batch_size, self.said, self._losing = 0.0, batch_size, False, False
        self._objective: str | None = None
        self._records: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in (MAIN, *self.also)}
        self._noise = self._balanced_noise(n_samples, 0)
        self._fewer = self._balanced_noise(max(2, n_samples // 4), 2)
        self._pairs = self._gain_pairs(data, gain_samples) if self.sigma.size else None

    def _balanced_noise(self, n: int, index: int) -> Tensor:
        """Standard noise (n, *shape) of mean 0 and variance 1 along every mode, exactly."""
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
            samples = numeric_array("data", data, "an array of samples (n, ...)")
            if samples.shape[1:] != self.shape:
                raise InputError(f"data must hold samples of shape {self.shape}, got {samples.shape[1:]}")
            if len(samples) < 2:
                raise InputError(f"data must hold at least 2 samples, got {len(samples)}")
            clean = finite_array("data", samples[np.sort(rng.permutation(len(samples))[:n])], "finite")
            said_of_fit(self._to_modes(clean), self._mean_in_modes(), self.spectrum.variance)
        tensor = torch.as_tensor(clean, dtype=self.dtype, device=self.device)
        return tensor, self._balanced_noise(len(clean), 1)

    def to(self, device: Any, dtype: torch.dtype) -> "Probe":
        """Call denoisers on this device and in this precision from now on; returns itself, as modules do."""
        self.device, self.dtype, self._placed = torch.device(device), dtype, True
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
        """Whether the probe acts at this step: one of its own lies between the last record and here."""
        return self._passed(step) > 0

    def _passed(self, step: int) -> int:
        """How many of the probe's steps lie after the last record before `step`, up to it."""
        since = max((recorded for recorded in self._records[MAIN] if recorded <= step), default=-1)
        return int(np.diff(np.searchsorted(self.steps, [since, step], side="right"))[0])

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

    def __call__(self, step: int, denoiser: Denoiser, *, module: Any = None) -> None:
        """Record what `denoiser` has learned after `step` training steps, if a step of the probe's came since the last record.

        `denoiser(x, sigma)`: estimate of the clean x, (n, *shape), at one noise level (a 0-dim tensor). `module`: the network
        that it calls, where it is hidden so well that it is not found.
        """
        integer("step", step, at_least=0)
        if not (passed := self._passed(step)):
            return
        begun, first = clock.perf_counter(), not self.said
        guest = Guest(denoiser, module, [self.device] if self.device.type == "cuda" else [], first=first)
        if not self._placed:
            self.to(device_of(guest.modules) or self.device, self.dtype)
            guest.devices = [self.device] if self.device.type == "cuda" else []
        if first:
            LOG.warning(cost_in_words(self.evaluations, self.steps.size, self.n_samples, self.batch_size))
        if passed > 1 and self.recorded and not self._losing:
            self._losing = True
            say(
                f"{passed} of the probe's steps up to {step:,} came between two calls and share one record: call it every step"
            )
        self._objective = objective_of(guest.modules) or self._objective
        with guest.looked_at():
            guest.discover(lambda: denoiser(self._noise[:2].clone(), self._level(self.sampler.sigma_max)))
            found = self._look(step, denoiser)
        self.said = True
        for name, record in found.items():
            self._records[name][step] = record
        self.seconds += clock.perf_counter() - begun

    def _level(self, sigma: float) -> Tensor:
        return torch.tensor(float(sigma), dtype=self.dtype, device=self.device)

    @np.errstate(invalid="ignore", over="ignore")  # infinities of a network that diverges become NaN, silently
    def _look(self, step: int, denoiser: Denoiser) -> dict[str, dict[str, Any]]:
        """What is recorded, by spectrum. A denoiser that never gave numbers is refused, one that diverges is recorded as NaN."""
        try:
            check_output(denoiser, self._noise[:2], float(self.sampler.sigma_max), step)
            samples = self._draw(denoiser, self.sampler, self._noise)
            if not np.isfinite(
                samples
            ).all():  # once more, to say where; what overflows on the way is recorded as it is
                self._draw(finite(denoiser, step), self.sampler, self._noise)
        except Diverged as error:
            if not self.recorded:
                raise
            LOG.warning("%s: recorded as NaN", error)
            samples = np.full((self.n_samples, *self.shape), np.nan)
        whole = bool(np.isfinite(samples).all())
        found = {MAIN: self._of_samples(samples)} | self._of_others(denoiser, samples)
        if self._pairs is not None:
            found[MAIN] |= gain_record(on_copies(denoiser), *self._pairs, self.sigma, self._to_modes, self.chunk)
        for name, look in self.watch.items():  # of samples that are not finite nothing is recorded: NaN
            found[MAIN] |= numbers(f"watch[{name!r}]", name, step, look, samples) if whole else {}
        for name, look in self.inspect.items():
            found[MAIN] |= numbers(f"inspect[{name!r}]", name, step, look, denoiser)
        return found

    def _draw(self, denoiser: Denoiser, sampler: Sampler, noise: Tensor) -> Any:
        generator = torch.Generator(self.device).manual_seed(stream_seed(self.seed, Stream.PROBE))
        return sample(denoiser, sampler, noise, generator=generator, chunk=self.chunk).double().cpu().numpy()

    def _of_samples(self, samples: Any) -> dict[str, Any]:
        """What generated samples (n, *shape) say about the modes."""
        return sample_record(samples, self._to_modes(samples), self.spectrum, self._mean_in_modes(), self.keep_samples)

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

    def curve(self, name: str = "") -> LearningCurve:
        """What was recorded so far, of the probe's spectrum or of one of `also` by name.

        Its `initial` is the first record: the untrained model, unless the probe started late (`attrs["first_step"]`). Besides
        variance it has `generated_mean`, `alignment`, `gain` and `gain_r2` (time, mode, sigma), `particles`, a few samples in
        mode coordinates about the data's mean, and what `watch` and `inspect` record. InputError if nothing was recorded yet.
        """
        if name not in self._records:
            raise InputError(f"name must be one of {', '.join(map(repr, self._records))}, got {shown(name)}")
        if not self._records[name]:
            raise InputError("nothing was recorded yet: call probe(step, denoiser) at its steps")
        other = self.also.get(name, self.spectrum)
        spectrum = other if isinstance(other, Spectrum) else self.spectrum
        start = self._noise if not isinstance(other, Sampler) else self._fewer
        noise = self._to_modes(start[: self.keep_samples].double().cpu().numpy())
        return as_curve(self._records[name], spectrum, self.sigma, noise, self._mean_in_modes(), self._objective)

    def restore(self, curves: Mapping[str, LearningCurve], *, last_step: int) -> None:
        """Take over what an interrupted run had recorded up to `last_step`; `curves` by name, as `curve` gave them."""
        instance("curves", curves, Mapping, "curves by name")
        integer("last_step", last_step, at_least=0)
        for name, curve in curves.items():
            other = self.also.get(name, self.spectrum)
            check_restored(name, curve, self.names, other if isinstance(other, Spectrum) else self.spectrum, self.sigma)
            self._objective = curve.dataset.attrs.get("objective", self._objective)
            self._records[name] |= records_of(curve, last_step)
