"""The probe: watches any denoiser in training, and says what has begun, what is in its band, and when the rest will come."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float

from ..checks import InputError, numeric_array
from ..curve.closeness import CLOSE, relative_distance
from ..curve.learning_curve import LearningCurve
from ..recipe.densities import LogNormal
from ..recipe.objectives import EDM, Objective
from ..recipe.recipe import concrete
from ..training.probing.inputs import from_modes
from ..training.probing.recorder import Recorder
from .forecast import forecast
from .forecast_result import Forecast
from .levels import predict_levels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARES = (0.5, 0.9)
"""Shares of the variance whose beginning is expected in `scalars`."""


class Probe(Recorder):
    """Samples a denoiser at chosen training steps, records what it has learned of each mode, and says what is still to come.

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
    - `labels`: (n, ...) of `data`, for conditional networks, then called as denoiser(x, sigma, labels): clean samples under
      their own, generated ones under labels drawn from them, the same at every step. Guidance is off: what is sampled is the
      network itself. `test_labels`: of `test`.
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
    - `objective`: what the network is trained on, for the steps that `scalars` expects; by default what the denoiser says that
      it predicts, `EDM()` where it says nothing. - `decode`: turns samples (n, *shape) into pictures (n, h, w) or (n, h, w, c)
      in 0…1, as a decoder of latents does. - `schedule`: of the learning rate, as `forecast` takes it. - `average`: time constant
      in steps, 1/(1 − decay), of averaged weights, where those are watched.
    - `device`, `dtype`: where and in what precision the denoiser is called; by default where its first weight lies, in float32;
      `train` sets its own. - `chunk`: samples pushed at a time. - `batch_size`: of training, for the budget.

    Where several processes train together (torch.distributed) the first one looks, the others return at once and wait for it at
    most at their next exchange of gradients; a network whose weights are sharded is looked at by all of them.

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

    _levels: dict[str, LearningCurve] | None = None
    _outlook: Forecast | None = None

    def levels(self) -> dict[str, LearningCurve]:
        """Theory's predictions of this run, by level, which `forecast` weighs: those of `predict_levels`, made once."""
        if self._levels is None:
            self._levels = predict_levels(self.spectrum, self.objective or self._said(), self.sampler)
        return self._levels

    def _said(self) -> Objective:
        """The objective that the denoiser says its network predicts; EDM's, with its noise density, where it says nothing."""
        kinds = {kind.__name__: kind for kind in concrete(Objective)}
        kind = kinds.get(self._objective or "", EDM)
        return EDM(density=LogNormal()) if kind is EDM else kind()

    def forecast(self) -> Forecast:
        """What is expected of the rest of the run, made after the last record: `eigenclock.forecast` of this probe's curve.

        Asked after every record, it notices when samples come close later each time than the interval before had it, and says so.

        InputError before anything was recorded.
        """
        measured, before = self.curve(), self._outlook
        if before is None or before.made_at != float(measured.time.values[-1]):
            found = forecast(self.levels(), measured, schedule=self.schedule)
            later = before is not None and found.close(CLOSE[1]).step > before.close(CLOSE[1]).high
            self._outlook = replace(found, put_off=before.put_off + 1 if before is not None and later else 0)
        assert self._outlook is not None
        return self._outlook

    def scalars(self, prefix: str = "") -> dict[str, float]:
        """The last record as a flat dictionary of finite floats, for any tracker; empty before the first, and off rank 0.

        - `step`: of the record. - `begun`, `in_band`: share of the data's variance in modes that have begun, and in modes within
          a factor of 1.25 of what the sampler can reach. - `w2`: Wasserstein-2 distance from the data over the data's norm.
        - `eta_begun_50`, `eta_begun_90`, `eta_begun_finest`, `eta_w2_0.5`, `eta_w2_0.25`, `eta_w2_0.1`: the step at which modes
          with half and nine tenths of the variance, and the finest quarter of them, have begun, and samples stay that close; the
          measured one where it is past, left out where none, or only an earliest one, can be expected yet.
        - `memorised`: excess of copies, where `watch` records it as what `memorization` or `innovation` return. Everything else
          that `watch` and `inspect` record, by its name.

        `prefix` goes before every name.

        ```python
        >>> import eigenclock as ec
        >>> probe = ec.Probe(ec.Spectrum([1.0]), sampler=ec.Heun(steps=20), steps=[1], n_samples=64)
        >>> for step in range(2):  # a model that is perfect from the start
        ...     probe(step, lambda x, sigma: x / (1 + sigma**2))
        >>> {name: round(value, 2) for name, value in list(probe.scalars("train/").items())[:5]}
        {'train/step': 1.0, 'train/begun': 1.0, 'train/in_band': 1.0, 'train/w2': 0.04, 'train/eta_begun_50': 0.0}

        ```
        """
        if not self.recorded:
            return {}
        measured, expected = self.curve(), self.forecast()
        last = measured.dataset.isel(time=-1)
        moments = {f"begun_{100 * share:g}": expected.variance_begun(share) for share in SHARES}
        moments |= {"begun_finest": expected.finest()} | {f"w2_{one:g}": expected.close(one) for one in CLOSE}
        known = {name: moment.step for name, moment in moments.items() if moment.known or not moment.one_sided}
        watched = {str(name): float(value) for name, value in last.data_vars.items() if self._watched(str(name))}
        excess = next((value for name, value in watched.items() if name.endswith("_excess")), np.nan)
        found = {
            "step": float(last["time"]),
            "begun": measured.emergence().share(),
            "in_band": expected.in_band,
            "w2": float(relative_distance(measured.wasserstein().values[-1], measured.total_variance)),
            **{f"eta_{name}": step for name, step in known.items()},
            "memorised": excess,
            **watched,
        }
        return {f"{prefix}{name}": value for name, value in found.items() if np.isfinite(value)}

    def _watched(self, name: str) -> bool:
        """Whether a recorded number is one of `watch` or `inspect`."""
        return any(name.startswith(f"{known}_") for known in (*self.watch, *self.inspect))

    def pictures(self) -> Float[np.ndarray, "n h w *c"]:
        """The kept samples of the last record as pictures, (n, h, w) or (n, h, w, c): what `decode` makes of them, else they are.

        InputError where samples are no images and nothing decodes them, or before anything was recorded.
        """
        curve = self.curve()
        if "particles" not in curve.dataset:
            raise InputError("keep_samples must be at least 1 to have pictures, got 0")
        kept = from_modes(self.spectrum, curve.dataset["particles"].values[-1])
        samples = kept if self.spectrum.mean is None else kept + self.spectrum.mean
        if self.decode is not None:
            with torch.no_grad():
                samples = numeric_array("decode", self.decode(samples), "a function that gives pictures (n, h, w, ...)")
        if samples.ndim not in (3, 4):
            raise InputError(f"pictures need samples (n, h, w) or (n, h, w, c), got {samples.shape}: Probe(decode=...)")
        return samples

    def figure(self, loss: Any = None) -> "Figure":
        """One matplotlib figure of the run so far and its expected rest: modes on their way into their band, and W₂ above them.

        `loss`: (steps, values) to draw above in place of W₂. Needs no pyplot, so that no loop collects open figures. The samples
        of the last record stand beside it where they are pictures. InputError before anything is recorded.
        """
        from .band_display import figure_of

        try:
            pictures = self.pictures()
        except InputError:
            pictures = None
        return figure_of(self.curve(), self.forecast(), loss=loss, pictures=pictures)
