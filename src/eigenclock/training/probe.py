"""The probe: watches any denoiser in training and records a LearningCurve, without touching the training itself."""

import logging
import time as clock
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..checks import InputError, instance, integer, need_memory, noise_levels, number, random_seed, say, shown
from ..curve.learning_curve import LearningCurve
from ..recipe.samplers import Heun, Sampler
from ..spectrum.patches import cut
from ..spectrum.spectrum import Spectrum, check_spectrum
from .answers import Diverged, check_output, finite, on_copies
from .cadence import Passes, cost_in_words, log_steps, whole_steps
from .devices import choice_of_dtype, find_device
from .gain import gain_record, sample_alignment, sample_record
from .guests import Guest, device_of, objective_of
from .inputs import (
    balanced_noise,
    checked_data,
    facts_of,
    gaussian_data,
    marginals_of,
    mean_in_modes,
    others,
    to_modes,
)
from .options import Denoiser
from .records import as_curve, check_restored, numbers, records_of, watchers
from .sampling import sample
from .streams import Stream, stream_seed

LOG = logging.getLogger("eigenclock")

GAIN_LEVELS = 16
"""Noise levels of a measured gain."""

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
    first call logs (logger "eigenclock") what a probed step costs in training steps, and all of them as a share of training.

    Recorded are variance, with its error, and mean of generated samples along the modes, alignment (T17), and the measured gain
    ψ̂ with its R² (T15): Cov(u·D(y), u·y)/Var(u·y) over clean samples plus noise. The initial noise has mean 0 and variance 1
    along every mode exactly, and so has what a linear denoiser generates from it, however few the samples. Of what comes after
    the variance (T21): excess `kurtosis` along every mode and, of images, after local filters (`filter_kurtosis`); and
    `marginal_distance`, Wasserstein-1 of every mode's marginal from the data's in standard deviations of the data. Beside them
    stand the data's own, and `marginal_floor`, what sampling alone leaves.

    **Parameters**

    - `spectrum`: modes to watch, with the basis of the samples; of abstract modes the samples are the mode coordinates.
    - `sampler`: any sampler of the theory.
    - `steps`: (step,) training steps at which to act; default 100 log-spaced up to 100,000.
    - `n_samples`: samples drawn each time; by default as many, from 64 to 2,048, as `budget` allows: the share of training, up
      to the last of `steps`, that all probed steps may cost, a training step of `batch_size` samples (64 where it is not given)
      being worth three passes of them. - `seed`: of the probe's stream.
    - `data`: (n, ...) clean samples behind gain and marginals; by default Gaussian ones of the same spectrum, which for the gain
      of a linear denoiser is the same.
    - `sigma`: noise levels of the gain; default 16 over the sampler's range. `()` leaves the gain out.
    - `gain_samples`: clean samples behind the gain; default `n_samples`, at most 512. Of `data` no more than 4,096 are looked at.
    - `test`: (n, ...) held-out samples. With them the denoising error E(u·(D(y) − x))² of every mode is recorded at `sigma`, on
      as many held-out as training samples and under the same noise: `test_loss`, `train_loss`, which `stopping` reads (T16).
    - `also`: more to follow, by name; `curve(name)` gives their curves. A spectrum of the same samples in another basis
      (Fourier) or of patches of them (`patch_spectrum`); or another sampler, with a quarter of the samples.
    - `watch`: more to record of the generated samples, by name: functions of NumPy samples (n, *shape) that give numbers by
      name, or what `memorization` and `innovation` return. "copies" that gives `excess` is recorded as `copies_excess`, to be
      read by `Clock("copies_excess", target=0.1)`. - `inspect`: the same of the denoiser itself.
    - `keep_samples`: generated samples kept at every step, for the report and for `class_clocks`.
    - `device`, `dtype`: where and in what precision the denoiser is called; by default where its first weight lies, in float32;
      `train` sets its own. - `chunk`: samples pushed at a time. - `batch_size`: of training, for the budget.

    Raises InputError for steps that are not whole and increasing, held-out samples without data or noise levels, or a denoiser
    that raises, changes its network, or gives anything but finite real numbers shaped like its input. Warns of data of another
    spectrum, and where rare calls lose records.

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
        n_samples: int | None = None,
        budget: float = 0.02,
        seed: int = 0,
        data: Any = None,
        test: Any = None,
        sigma: Any = None,
        gain_samples: int | None = None,
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
        for name, count in (("n_samples", n_samples), ("gain_samples", gain_samples)):
            if count is not None:
                integer(name, count, at_least=2)
        number("budget", budget, above=0)
        integer("keep_samples", keep_samples, at_least=0)
        random_seed(seed)
        integer("chunk", chunk, at_least=1)
        if batch_size is not None:
            integer("batch_size", batch_size, at_least=1)
        sampler = sampler.bound(spectrum)
        self.spectrum, self.sampler, self.seed, self.keep_samples = spectrum, sampler, seed, keep_samples
        self.steps = np.union1d([0], whole_steps(log_steps(1, 100_000, 100) if steps is None else steps))
        self.shape = (spectrum.n_modes,) if spectrum.basis is None else spectrum.basis.shape
        self.also = others(also, self.shape, spectrum)
        self.watch, self.inspect = watchers(watch, inspect)
        none = isinstance(sigma, list | tuple) and not sigma
        whole = np.geomspace(sampler.sigma_min, sampler.sigma_max, GAIN_LEVELS) if sigma is None else sigma
        self.sigma = np.empty(0) if none else noise_levels(whole)
        if test is not None and (data is None or none):
            lacking = "no data to compare them with" if data is None else "no noise levels: sigma = ()"
            raise InputError(f"test needs data and the noise levels of the gain, got {lacking}")
        self._placed = device is not None
        self.device, self.dtype, self.chunk = find_device("cpu" if device is None else device), dtype, chunk
        choice_of_dtype(dtype)
        clean = None if data is None else checked_data("data", spectrum, self.shape, data, seed)
        held_out = None if test is None else checked_data("test", spectrum, self.shape, test, seed)
        more = sum(other.evaluations for other in self.also.values() if isinstance(other, Sampler))
        counts = None if clean is None else len(clean), 0 if held_out is None else len(held_out)
        passes = Passes(sampler.evaluations, more, self.sigma.size, gain_samples, *counts)
        self.budget = budget if n_samples is None else None
        self.n_samples = passes.within(budget, self.steps, batch_size) if n_samples is None else n_samples
        need_memory(f"n_samples = {self.n_samples:,}", 24.0 * self.n_samples * spectrum.dimension)
        self.evaluations = int(passes(self.n_samples))
        """Samples that go through the denoiser at each probed step."""
        self.seconds, self.batch_size, self.said, self._losing = 0.0, batch_size, False, False
        self._objective: str | None = None
        self._records: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in (MAIN, *self.also)}
        self._marginals = marginals_of(spectrum, clean)
        self._noise = self._balanced_noise(self.n_samples, 0)
        self._fewer = self._balanced_noise(int(passes.fewer(self.n_samples)), 2)
        drawn = {
            name: self._noise_of(name) for name in self.names if name == MAIN or isinstance(self.also[name], Sampler)
        }
        self._facts = {name: facts_of(self._marginals, self.shape, clean, len(z), seed) for name, z in drawn.items()}
        for name in drawn:
            by = sampler if name == MAIN else self.also[name]
            assert isinstance(by, Sampler)
            self._facts[name]["reachable"] = by.optimal(spectrum.variance)
        self.average = 0.0  # time constant in steps of averaged weights, where those are watched: `train` says it
        self._pairs: tuple[Tensor, ...] = ()  # clean samples, their noise and, where there are any, held-out samples
        if self.sigma.size:
            n, m = int(passes.clean(self.n_samples)), int(passes.held_out(self.n_samples))
            need_memory(f"gain_samples = {n:,}", 24.0 * n * spectrum.dimension)
            known = gaussian_data(spectrum, n, seed) if clean is None else clean[:n]
            self._pairs = self._tensor(known), self._balanced_noise(n, 1)
            self._pairs += () if held_out is None else (self._tensor(held_out[:m]),)

    def _tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(values, dtype=self.dtype, device=self.device)

    def _balanced_noise(self, n: int, index: int) -> Tensor:
        return self._tensor(balanced_noise(self.spectrum, self.shape, n, self.seed, index))

    def _noise_of(self, name: str) -> Tensor:
        """What the samples behind the curve of that name start from."""
        return self._fewer if isinstance(self.also.get(name), Sampler) else self._noise

    def to(self, device: Any, dtype: torch.dtype) -> "Probe":
        """Call denoisers on this device and in this precision from now on; returns itself, as modules do."""
        self.device, self.dtype, self._placed = torch.device(device), dtype, True
        self._noise, self._fewer = (tensor.to(device, dtype) for tensor in (self._noise, self._fewer))
        self._pairs = tuple(tensor.to(device, dtype) for tensor in self._pairs)
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
            LOG.warning(cost_in_words(self.evaluations, self.steps, self.n_samples, self.batch_size, self.budget))
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
        found = {MAIN: self._of_samples(samples, self._noise)} | self._of_others(denoiser, samples)
        if self._pairs:
            along = partial(to_modes, self.spectrum)
            found[MAIN] |= gain_record(on_copies(denoiser), self._pairs, self.sigma, along, self.chunk)
        for name, look in self.watch.items():  # of samples that are not finite nothing is recorded: NaN
            found[MAIN] |= numbers(f"watch[{name!r}]", name, step, look, samples) if whole else {}
        for name, look in self.inspect.items():
            found[MAIN] |= numbers(f"inspect[{name!r}]", name, step, look, denoiser)
        return found

    def _draw(self, denoiser: Denoiser, sampler: Sampler, noise: Tensor) -> Any:
        generator = torch.Generator(self.device).manual_seed(stream_seed(self.seed, Stream.PROBE))
        return sample(denoiser, sampler, noise, generator=generator, chunk=self.chunk).double().cpu().numpy()

    def _of_samples(self, samples: Any, noise: Tensor) -> dict[str, Any]:
        """What samples (n, *shape) generated from this noise say about the modes."""
        along, start = to_modes(self.spectrum, samples), to_modes(self.spectrum, noise.double().cpu().numpy())
        mean = mean_in_modes(self.spectrum)
        return sample_record(samples, along, start, self.spectrum, mean, self._marginals, self.keep_samples)

    def _of_others(self, denoiser: Denoiser, samples: Any) -> dict[str, dict[str, Any]]:
        """The same of other spectra, and of other samplers."""
        found = {}
        for name, other in self.also.items():
            if isinstance(other, Sampler):
                found[name] = self._of_samples(self._draw(denoiser, other, self._fewer), self._fewer)
                continue
            assert other.basis is not None
            pieces = samples if other.basis.shape == self.shape else cut(samples, other.basis.shape)
            seen = other.basis.to_modes(pieces)  # of a model that diverged they may be NaN
            found[name] = {"variance": seen.var(axis=0), "alignment": sample_alignment(seen)}
        return found

    def curve(self, name: str = "") -> LearningCurve:
        """What was recorded so far, of the probe's spectrum or of one of `also` by name.

        Its `initial` is the first record: the untrained model, unless the probe started late (`attrs["first_step"]`). Besides
        variance it has `log_variance_error`, `generated_mean`, `kurtosis` and `marginal_distance` (time, mode),
        `filter_kurtosis` (time, filter), `alignment` (time,), `gain`, `gain_r2`, `train_loss` and `test_loss` (time, mode,
        sigma), `particles`, a few samples in mode coordinates about the data's mean, and what `watch` and `inspect` record; of
        the data `data_kurtosis`, `marginal_floor` (mode,), `data_filter_kurtosis` (filter,). InputError if nothing was recorded.
        """
        if name not in self._records:
            raise InputError(f"name must be one of {', '.join(map(repr, self._records))}, got {shown(name)}")
        if not self._records[name]:
            raise InputError("nothing was recorded yet: call probe(step, denoiser) at its steps")
        other = self.also.get(name, self.spectrum)
        spectrum = other if isinstance(other, Spectrum) else self.spectrum
        noise = to_modes(self.spectrum, self._noise_of(name)[: self.keep_samples].double().cpu().numpy())
        mean, facts = mean_in_modes(self.spectrum), self._facts.get(name, {})
        curve = as_curve(self._records[name], spectrum, self.sigma, noise, mean, self._objective, facts)
        curve.dataset.attrs |= {"average": self.average} if self.average else {}
        return curve

    def restore(self, curves: Mapping[str, LearningCurve], *, last_step: int) -> None:
        """Take over what an interrupted run had recorded up to `last_step`; `curves` by name, as `curve` gave them."""
        instance("curves", curves, Mapping, "curves by name")
        integer("last_step", last_step, at_least=0)
        for name, curve in curves.items():
            other = self.also.get(name, self.spectrum)
            check_restored(name, curve, self.names, other if isinstance(other, Spectrum) else self.spectrum, self.sigma)
            self._objective = curve.dataset.attrs.get("objective", self._objective)
            self._records[name] |= records_of(curve, last_step)
