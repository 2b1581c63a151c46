"""The recorder behind a probe: watches any denoiser in training, without touching it, and records a LearningCurve."""

import time as clock
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...checks import (
    InputError,
    instance,
    integer,
    need_memory,
    noise_levels,
    number,
    random_seed,
    shown,
)
from ...curve.learning_curve import LearningCurve
from ...recipe.samplers import Heun, Sampler
from ...spectrum.patches import cut
from ...spectrum.spectrum import Spectrum, check_spectrum
from ..answers import Diverged, check_output, finite, on_copies
from ..devices import choice_of_dtype, find_device
from ..options import Denoiser
from ..sampling import sample
from ..streams import Stream, stream_seed
from .cadence import Passes, cost_in_words, log_steps, whole_steps
from .conditions import Conditions, in_chunks
from .doubts import LOG, Doubts
from .gain import gain_record, sample_alignment, sample_record
from .guests import Guest, device_of, objective_of
from .inputs import (
    balanced_noise,
    checked_data,
    checked_told,
    facts_of,
    gaussian_data,
    marginals_of,
    mean_in_modes,
    others,
    to_modes,
)
from .ranks import rank, sharded
from .records import as_curve, check_restored, numbers, records_of, watchers
from .state import MAIN, records_of_state, state_of

GAIN_LEVELS = 16
"""Noise levels of a measured gain."""

KEPT = 16
"""Generated samples kept at every probed step, for the report."""


class Recorder:
    """Samples a denoiser at chosen training steps and records what it has learned of each mode: `Probe` without its outlook.

    Parameters and errors are those of `eigenclock.Probe`, which adds what is expected of the rest of the run.
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
        labels: Any = None,
        test_labels: Any = None,
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
        objective: Any = None,
        schedule: Any = None,
        decode: Any = None,
        average: float = 0.0,
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
        self.objective, self.schedule, self.decode = checked_told(objective, schedule, decode)
        whole = np.geomspace(sampler.sigma_min, sampler.sigma_max, GAIN_LEVELS) if sigma is None else sigma
        none = isinstance(sigma, list | tuple) and not sigma
        self.sigma = np.empty(0) if none else noise_levels(whole)
        if test is not None and (data is None or none):
            lacking = "no data to compare them with" if data is None else "no noise levels: sigma = ()"
            raise InputError(f"test needs data and the noise levels of the gain, got {lacking}")
        self._placed = device is not None
        self.device, self.dtype, self.chunk = find_device("cpu" if device is None else device), dtype, chunk
        choice_of_dtype(dtype)
        clean = None if data is None else checked_data("data", spectrum, self.shape, data, seed)
        held_out = None if test is None else checked_data("test", spectrum, self.shape, test, seed)
        self._conditions = Conditions.of(labels, test_labels, data, test, seed)
        more = sum(other.evaluations for other in self.also.values() if isinstance(other, Sampler))
        known, held = None if clean is None else len(clean), 0 if held_out is None else len(held_out)
        passes = Passes(sampler.evaluations, more, self.sigma.size, gain_samples, known, held)
        self.budget = budget if n_samples is None else None
        self.n_samples = passes.within(budget, self.steps, batch_size) if n_samples is None else n_samples
        need_memory(f"n_samples = {self.n_samples:,}", 24.0 * self.n_samples * spectrum.dimension)
        self.evaluations = int(passes(self.n_samples))
        """Samples that go through the denoiser at each probed step."""
        self.seconds, self.batch_size, self.said, self._doubts = 0.0, batch_size, False, Doubts()
        self._objective = None if objective is None else type(objective).__name__
        self._records: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in (MAIN, *self.also)}
        self._marginals = marginals_of(spectrum, clean)
        self._noise = self._balanced_noise(self.n_samples, 0)
        self._fewer = self._balanced_noise(int(passes.fewer(self.n_samples)), 2)
        own = [name for name in self.names if isinstance(self.also.get(name, sampler), Sampler)]
        drawn = {name: self._noise_of(name) for name in own}
        self._facts = {name: facts_of(self._marginals, self.shape, clean, len(z), seed) for name, z in drawn.items()}
        for name in drawn:
            by = self.also.get(name, sampler)
            assert isinstance(by, Sampler)
            self._facts[name]["reachable"] = by.optimal(spectrum.variance)
        self.average = number("average", average, at_least=0)  # `train` says it itself
        self._pairs: tuple[Tensor, ...] = ()  # clean samples, their noise and, where there are any, held-out samples
        if self.sigma.size:
            n, m = int(passes.clean(self.n_samples)), int(passes.held_out(self.n_samples))
            need_memory(f"gain_samples = {n:,}", 24.0 * n * spectrum.dimension)
            some = gaussian_data(spectrum, n, seed) if clean is None else clean[:n]
            self._pairs = self._tensor(some), self._balanced_noise(n, 1)
            self._pairs += () if held_out is None else (self._tensor(held_out[:m]),)
        self._elsewhere = -1  # the last step at which another process of the training looked

    def _tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(values, dtype=self.dtype, device=self.device)

    def _balanced_noise(self, n: int, index: int) -> Tensor:
        return self._tensor(balanced_noise(self.spectrum, self.shape, n, self.seed, index))

    def _noise_of(self, name: str) -> Tensor:
        """What the samples behind the curve of that name start from."""
        return self._fewer if isinstance(self.also.get(name), Sampler) else self._noise

    def to(self, device: Any, dtype: torch.dtype) -> "Recorder":
        """Call denoisers on this device and in this precision from now on; returns itself, as modules do."""
        self.device, self.dtype, self._placed = torch.device(device), dtype, True
        self._noise, self._fewer = (tensor.to(device, dtype) for tensor in (self._noise, self._fewer))
        self._pairs = tuple(tensor.to(device, dtype) for tensor in self._pairs)
        self._conditions = self._conditions.to(device)
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
        since = max((at for at in (*self._records[MAIN], self._elsewhere) if at <= step), default=-1)
        return int(np.diff(np.searchsorted(self.steps, [since, step], side="right"))[0])

    def next_after(self, step: int) -> int:
        """The first of the probe's steps after this one; the last of them if there is none."""
        place = int(np.searchsorted(self.steps, step, side="right"))
        return int(self.steps[min(place, self.steps.size - 1)])

    def __call__(self, step: int, denoiser: Denoiser, *, module: Any = None) -> None:
        """Record what `denoiser` has learned after `step` training steps, if a step of the probe's came since the last record.

        `denoiser(x, sigma)`: estimate of the clean x, (n, *shape), at one noise level (a 0-dim tensor); `denoiser(x, sigma,
        labels)` of a probe with labels. `module`: the network that it calls, where it is hidden so well that it is not found.
        """
        integer("step", step, at_least=0)
        if not (passed := self._passed(step)):
            self._doubts.again(step, self.recorded)
            return
        begun, first = clock.perf_counter(), not self.said
        guest = Guest(denoiser, module, [self.device] if self.device.type == "cuda" else [], first=first)
        if rank() > 0 and not sharded(guest.modules):  # the first process looks, the others go on until they need it
            self._elsewhere = step
            return
        if not self._placed:
            self.to(device_of(guest.modules) or self.device, self.dtype)
            guest.devices = [self.device] if self.device.type == "cuda" else []
        if first:
            cost = cost_in_words(self.evaluations, self.steps, self.n_samples, self.batch_size, self.budget)
            LOG.warning(cost + self._conditions.in_words)
        self._doubts.rare(passed, step, self.recorded)
        self._objective = objective_of(guest.modules) or self._objective
        with guest.looked_at():
            some = self._conditions.bound(denoiser, self._conditions.drawn(2))
            guest.discover(lambda: some(self._noise[:2].clone(), self._level(self.sampler.sigma_max)))
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
            some = self._conditions.bound(denoiser, self._conditions.drawn(2))
            check_output(some, self._noise[:2], float(self.sampler.sigma_max), step)
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
            given = self._conditions.of_pairs(*map(len, self._pairs[::2]))
            found[MAIN] |= gain_record(on_copies(denoiser), self._pairs, self.sigma, along, self.chunk, given)
            self._doubts.wrong(step, found[MAIN]["denoising_error"], self.sigma, self._pairs[0])
        for name, look in self.watch.items():  # of samples that are not finite nothing is recorded: NaN
            found[MAIN] |= numbers(f"watch[{name!r}]", name, step, look, samples) if whole else {}
        for name, look in self.inspect.items():
            found[MAIN] |= numbers(f"inspect[{name!r}]", name, step, look, denoiser)
        return found

    def _draw(self, denoiser: Denoiser, sampler: Sampler, noise: Tensor) -> Any:
        generator = torch.Generator(self.device).manual_seed(stream_seed(self.seed, Stream.PROBE))
        given = self._conditions.drawn(len(noise))
        parts = [
            sample(self._conditions.bound(denoiser, some), sampler, part, generator=generator, chunk=self.chunk)
            for part, some in zip(torch.split(noise, self.chunk), in_chunks(given, len(noise), self.chunk), strict=True)
        ]
        return torch.cat(parts).double().cpu().numpy()

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
            if self._elsewhere >= 0:
                raise InputError(f"nothing is recorded in process {rank()}: that of rank 0 has the records")
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

    def state_dict(self) -> dict[str, Any]:
        """Everything recorded so far, as tensors, numbers and words: what a checkpoint keeps, and loads without a pickle."""
        curves = {name: self.curve(name) for name, records in self._records.items() if records}
        return state_of(curves, self.spectrum, self.sigma, self.sampler, self._objective, self.seconds)

    def load_state_dict(self, state: Any) -> None:
        """Take over what `state_dict` gave: a resumed training records on where it stopped.

        InputError for the state of a probe of another spectrum, of other noise levels, or of something else.
        """
        self._objective, self.seconds, found = records_of_state(
            state, self.names, self.spectrum, self.sigma, self.sampler
        )
        self._records |= found
        self.said = self.said or bool(self.recorded)
