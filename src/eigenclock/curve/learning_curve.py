"""LearningCurve: the one result of theory, brute force and measurement."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float

from ..checks import InputError, choice, instance, integer, number, random_seed
from ..clocks import emergence as clocks
from ..clocks.settling import WITHIN, Settling, settling
from ..clocks.words import as_html, by_step
from ..recipe.recipe import Recipe
from ..spectrum.spectrum import Spectrum
from . import divergences
from .closeness import CLOSE, best_time, closeness
from .curve_files import read_curve, write_curve
from .dataset import LABELS, check_dataset, one_time
from .other_modes import NOT_KEPT, along_other_modes, distances, square_root

if TYPE_CHECKING:
    from .displays import CurvePlots


class LearningCurve:
    """How the generated distribution of a model in training evolves, mode by mode.

    Made by `predict`, `simulate` or a probe, the same for all. `dataset` is an xarray Dataset of dims "time", "mode", "sigma".

    **Parameters**

    - `dataset`: variance (time, mode), initial and target (mode,); optionally gain and loss (time, mode, sigma), alignment
      (time,), particles (time, particle, mode), and a spectrum's mean and basis.
    - `recipe`: how the model was trained and sampled, or None if unknown.
    - `source`: "theory", "simulation", "measurement" or "forecast".

    ```python
    >>> import eigenclock as ec
    >>> curve = ec.predict(ec.Spectrum([1.0, 0.1]), time=[1.0, 10.0, 100.0])
    >>> curve.variance.dims, curve.kl().dims
    (('time', 'mode'), ('time',))

    ```
    """

    def __init__(self, dataset: xr.Dataset, *, recipe: Recipe | None, source: str) -> None:
        check_dataset(dataset)
        if recipe is not None:
            instance("recipe", recipe, Recipe, "a Recipe or None")
        self.dataset = dataset.assign_coords(mode=np.arange(dataset.sizes["mode"]))
        for name, variable in self.dataset.variables.items():
            variable.attrs.update(LABELS.get(name, {}))
        self.recipe = recipe
        self.source = source

    def _variable(self, name: str, remedy: str) -> xr.DataArray:
        if name not in self.dataset:
            raise InputError(f"{name} was not kept in this curve: {remedy}")
        return self.dataset[name]

    @property
    def time(self) -> xr.DataArray:
        """Training times, (time,), in optimizer steps."""
        return self.dataset["time"]

    @property
    def variance(self) -> xr.DataArray:
        """Generated variance, (time, mode)."""
        return self.dataset["variance"]

    @property
    def target(self) -> xr.DataArray:
        """Variance of the data, (mode,)."""
        return self.dataset["target"]

    @property
    def initial(self) -> xr.DataArray:
        """Generated variance before training, (mode,)."""
        return self.dataset["initial"]

    @property
    def gain(self) -> xr.DataArray:
        """Denoiser gain ψ, (time, mode, sigma); InputError unless it was kept."""
        return self._variable("gain", "pass keep_gain=True")

    @property
    def loss(self) -> xr.DataArray:
        """Training loss, (time, mode, sigma); InputError unless it was kept."""
        return self._variable("loss", "pass keep_loss=True")

    @property
    def alignment(self) -> xr.DataArray:
        """Alignment of the generated covariance with the data's modes, (time,)."""
        return self._variable("alignment", "it is 1 where modes are on their own, and kept where they are not")

    @property
    def covariance(self) -> xr.DataArray:
        """Generated covariance in mode coordinates, (time, mode, mode_); InputError unless it was kept."""
        return self._variable("covariance", "pass keep_covariance=True")

    @property
    def generated_mean(self) -> xr.DataArray:
        """Generated mean along each mode, (time, mode); InputError where the mean was taken as known."""
        return self._variable("generated_mean", "only Affine learns the mean")

    @property
    def correlated(self) -> bool:
        """Whether generated modes may be correlated, so that their variances are not the whole distribution."""
        return bool(self.dataset.attrs.get("correlated", 0))

    @property
    def spectrum(self) -> Spectrum:
        """The spectrum behind the curve."""
        return Spectrum.from_dataset(self.dataset)

    def emergence(self, threshold: clocks.Threshold = "geometric") -> clocks.Emergence:
        """When each mode first passes its threshold (T12).

        `threshold`: "geometric", "harmonic" or "arithmetic" mean of start and target, or a fraction in (0, 1) of the
        log-distance between them.
        """
        return clocks.emergence(
            self.variance.values, self.dataset["time"].values, self.initial.values, self.target.values, threshold
        )

    @property
    def reachable(self) -> xr.DataArray:
        """Variance that the run's own sampler makes of the optimal denoiser, (mode,): a perfect network's (T6).

        The target itself where the sampler is not known.
        """
        if "reachable" in self.dataset:
            return self.dataset["reachable"]
        return (
            self.target
            if self.recipe is None
            else self.target.copy(data=self.recipe.sampler.optimal(self.target.values))
        )

    def settling(self, within: float = WITHIN) -> Settling:
        """When each mode is within a factor of its `reachable` variance, to stay (T18): done, where emergence is begun.

        Measured variances may stray two of their standard errors beyond the band. InputError for `within` that is not above 1.

        ```python
        >>> import eigenclock as ec
        >>> curve = ec.predict(ec.Spectrum([1.0, 0.1]), time=[1.1**step for step in range(-40, 80)])
        >>> (curve.settling().time / curve.emergence().time).round(1)
        array([5.4, 4.9])

        ```
        """
        error = self.dataset["log_variance_error"].values if "log_variance_error" in self.dataset else None
        start, goal = self.initial.values, self.reachable.values
        return settling(self.variance.values, self.time.values, start, self.target.values, goal, error, within)

    def closeness(self, fractions: Any = CLOSE) -> xr.DataArray:
        """First time after which W₂ stays at or below each fraction of the data's norm √(Σ target); NaN if never (T18).

        (fraction,), in steps; `attrs["sampler_share"]` is the distance, in the same unit, that the sampler alone leaves.
        """
        target, reachable = self.target.values, self.reachable.values
        return closeness(self.wasserstein(), target, reachable, self.total_variance, fractions)

    def best(self, by: str = "wasserstein") -> float:
        """Time of the smallest distance from the data, "wasserstein" or "kl": where to stop if it grows again."""
        choice("by", by, ("wasserstein", "kl"))
        return best_time(self.kl() if by == "kl" else self.wasserstein())

    def kl(self) -> xr.DataArray:
        """KL(generated ‖ data) in nats over training (T17); modes of zero target variance are left out and counted in attrs."""
        positive = self.target.values > 0
        if "kl" in self.dataset or self.correlated:
            values = self._whole_distance("kl")
            return self._over_time(values, "KL(generated ‖ data)", "nats", modes_left_out=int((~positive).sum()))
        values = divergences.kl_of_modes(self.variance.values[:, positive], self.target.values[positive])
        left_out = int((~positive).sum()) + self.null_dimension
        return self._over_time(values, "KL(generated ‖ data)", "nats", modes_left_out=left_out)

    def wasserstein(self) -> xr.DataArray:
        """Wasserstein-2 distance from the data over training (T17), in data units, also along what the modes leave out."""
        if "wasserstein" in self.dataset or self.correlated:
            return self._over_time(self._whole_distance("wasserstein"), "Wasserstein-2 distance", "data units")
        values = divergences.wasserstein_of_modes(self.variance.values, self.target.values)
        if self.null_dimension:
            null, target = self.dataset["null_variance"].values, self.spectrum.variance_beyond
            values = divergences.with_directions_beyond(values, self.null_dimension, null, target)
        return self._over_time(values, "Wasserstein-2 distance", "data units")

    def _whole_distance(self, name: str) -> Any:
        """A distance of correlated modes: kept from the prediction, or from the covariance of every time."""
        if name in self.dataset:
            return self.dataset[name].values
        if "covariance" not in self.dataset:
            raise InputError(NOT_KEPT)
        return distances(self.dataset)[name]

    @property
    def stationary(self) -> bool:
        """Whether the target is not the data but stationary data of the same power spectrum, all that a convolution sees."""
        return bool(self.dataset.attrs.get("stationary", 0))

    def _over_time(self, values: Any, long_name: str, units: str, **attrs: int) -> xr.DataArray:
        if self.stationary:
            long_name += ", data taken as stationary"
        time = self.dataset["time"]
        return xr.DataArray(values, coords={"time": time}, attrs={"long_name": long_name, "units": units, **attrs})

    @property
    def kind(self) -> str:
        """What the curve is called beside others: predicted, simulated, measured or forecast."""
        return {"theory": "predicted", "simulation": "simulated", "forecast": "forecast"}.get(self.source, "measured")

    @property
    def null_dimension(self) -> int:
        """Number of directions that the spectrum leaves out: of no data variance, or little (the largest modes alone)."""
        return self.spectrum.dimension - self.target.size if "null_variance" in self.dataset else 0

    @property
    def total_variance(self) -> float:
        """Variance of the data in all directions: Σ target, and what lies beyond the largest modes where they alone are kept."""
        spectrum = self.spectrum
        return float(self.target.values.sum() + (spectrum.dimension - spectrum.n_modes) * spectrum.variance_beyond)

    def variance_at(self, time: float) -> Float[np.ndarray, " mode"]:
        """Generated variance at any time between the first and last record, log-linear in log time between records."""
        return self._between_records(time, self.variance.values, self.initial.values)

    def _between_records(self, time: float, values: Any, initial: Any, *, geometric: bool = True) -> Any:
        times, time = self.dataset["time"].values, one_time(time)
        if not (times[0] <= time <= times[-1] or time == 0):
            raise InputError(f"time must be 0 or in [{times[0]:g}, {times[-1]:g}], the recorded range, got {time:g}")
        if time == 0:
            return initial.copy()
        after = int(np.searchsorted(times, time))
        if times[after] == time:
            return values[after].copy()
        if np.isinf(times[after]) or times[after - 1] == 0:
            raise InputError(
                f"time must be recorded, or lie between two recorded times that are positive, got {time:g}"
            )
        fraction = np.log(time / times[after - 1]) / np.log(times[after] / times[after - 1])
        before, after_it = values[after - 1], values[after]
        return before ** (1 - fraction) * after_it**fraction if geometric else before + fraction * (after_it - before)

    def sample(self, n: int, *, time: float, seed: int) -> Float[np.ndarray, "n ..."]:
        """`n` samples, in data space, of the generated Gaussian at a training time.

        The same seed gives the same noise at every time, so that a sequence of times shows one sample form mode by mode.
        InputError if the spectrum has no basis or the time was not recorded.
        """
        integer("n", n, at_least=1)
        random_seed(seed)
        spectrum, variance, rng = self.spectrum, self.variance_at(time), np.random.default_rng(seed)
        if not np.isfinite(variance).all():
            raise InputError(f"generated variance at time {time:g} is not finite: there is nothing to sample")
        noise = rng.standard_normal((n, spectrum.n_modes))
        if self.correlated:
            coordinates = noise @ square_root(self._covariance_at(time))
            if "generated_mean" in self.dataset:  # mode coordinates are about the data's mean
                mean, start = (self.dataset[name].values for name in ("generated_mean", "initial_mean"))
                coordinates += (
                    self._between_records(time, mean, start, geometric=False) - self.dataset["target_mean"].values
                )
        else:
            coordinates = noise * np.sqrt(variance)
        samples = spectrum.from_modes(coordinates)
        if self.null_dimension and spectrum.basis is not None:
            dataset = self.dataset
            null = self._between_records(time, dataset["null_variance"].values, dataset["null_initial"].values)
            samples += np.sqrt(null) * spectrum.basis.complement(rng.standard_normal(samples.shape))
        return samples

    def _covariance_at(self, time: float) -> Float[np.ndarray, "mode mode"]:
        if "covariance" not in self.dataset:
            raise InputError(NOT_KEPT)
        covariance = self.dataset["covariance"].values
        return self._between_records(time, covariance, self.dataset["initial_covariance"].values, geometric=False)

    def along(self, spectrum: Spectrum, *, keep_covariance: bool = False) -> "LearningCurve":
        """The same generated distribution along other modes: those of `spectrum`, with its variances as targets.

        Generated variance along a mode u is uᵀΣ̃u: for a convolution on the data's own PCA modes, uᵀF·diag(v)·F*u (T11). What it
        converges to need not be the target. Both spectra need a basis of the same sample shape, this one all its modes. Along
        other modes the generated covariance is not diagonal: distances and samples need all of it, `keep_covariance`.

        ```python
        >>> import numpy as np
        >>> import eigenclock as ec
        >>> x = np.random.default_rng(0).standard_normal((200, 8)).cumsum(axis=1)
        >>> curve = ec.predict(ec.Spectrum.from_samples(x, basis="fourier"), architecture=ec.Circulant(), time=[np.inf])
        >>> pca = curve.along(ec.Spectrum.from_samples(x))
        >>> bool(np.isclose(pca.variance.sum(), curve.variance.sum()))
        True

        ```
        """
        dataset = along_other_modes(
            self.dataset, self.spectrum, spectrum, correlated=self.correlated, keep_covariance=keep_covariance
        )
        return LearningCurve(dataset, recipe=self.recipe, source=self.source)

    def rescaled(self, factor: float) -> "LearningCurve":
        """The same curve with every time multiplied by a factor: a prediction in the steps of a run (`Comparison.time_scale`)."""
        number("factor", factor, above=0)
        dataset = self.dataset.assign_coords(time=self.dataset["time"] * factor)
        return LearningCurve(dataset, recipe=self.recipe, source=self.source)

    @property
    def plot(self) -> "CurvePlots":
        """Matplotlib Display objects: `curve.plot.variance(ax=None)` and others."""
        from .displays import CurvePlots

        return CurvePlots(self)

    def save(self, path: str | Path) -> None:
        """Write to NetCDF, atomically. Numbers read back are identical to the bit."""
        write_curve(path, self.dataset, self.recipe, self.source)

    @classmethod
    def load(cls, path: str | Path) -> "LearningCurve":
        """Read what `save` wrote; InputError if the file is missing, truncated or something else."""
        return read_curve(path, cls)

    def _repr_html_(self) -> str:
        """For notebooks: what the curve is, and when modes with shares of the variance have begun and settled."""
        emergence, settling, shares = self.emergence(), self.settling(), (0.5, 0.75, 0.9, 0.95, 0.99)
        columns = {
            "of the variance": [f"{100 * share:g} %" for share in shares],
            "begun": [by_step(emergence.variance_begun(share)) for share in shares],
            "settled": [by_step(settling.variance_settled(share)) for share in shares],
        }
        return as_html(repr(self), pd.DataFrame(columns))

    def __repr__(self) -> str:
        sizes = self.dataset.sizes
        return f"LearningCurve({self.source}, {sizes['time']} times × {sizes['mode']} modes, {self.recipe})"
