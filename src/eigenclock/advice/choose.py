"""Ranking recipes by the training that they need, from the spectrum of the data alone (T24)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..checks import InputError, finite_array, instance, number, say, sequence, shown
from ..recipe.architectures import Architecture
from ..recipe.densities import LogNormal
from ..recipe.objectives import EDM
from ..recipe.samplers import Heun, Sampler
from ..spectrum.spectrum import Spectrum, check_spectrum
from ..theory.stable import stable_lr
from .candidates import DENSITIES, WEIGHTS, Candidate, as_candidates, listed, usual
from .closing import NETWORK, UNITS, distances, units_to, untrained
from .groups import MOST_PIXELS, STANDARDIZATIONS, Groups, Standardization, grouped
from .result import ALIKE, CHOICES, Advice
from .sampling import own_share, sampling_advice

CLOSE = (0.5, 0.25, 0.15)
"""Default distances from the data, as shares of their norm."""

FEW = 10
"""Samples for each dimension below which variances are taken from held-out folds (T22)."""

FOLDS, LARGE, LARGE_FOLDS = 10, 1024, 3
"""Folds, and of data of more dimensions than these how many."""

LEADERS = 12
"""Recipes that are tried on standardised data: the best so many on the data as they are."""

SAME = 0.02
"""Times whose logarithms differ by less are the same."""

FAR_MEAN = 0.1
"""Squared mean, as a share of the data's variance, from which it is told that theory takes it as known."""

DEFAULT = EDM(density=LogNormal())
"""What one trains by who asks nobody."""


def choose(
    spectrum: Spectrum,
    *,
    recipes: Any = None,
    densities: Any = None,
    weights: Any = None,
    sampler: Sampler | None = None,
    close: Any = CLOSE,
    by: Any = None,
    standardizations: Any = None,
    network: Architecture = NETWORK,
    progress: Any = None,
) -> Advice:
    """Which recipe brings samples close to these data soonest, before anything is trained (T24, *ours*).

    Each recipe is predicted for two linear layers that share what they learn over an e-fold of σ, on a clock that Adam's division
    by the size of gradients sets; time is in units that all recipes share and no network has. `docs/choose.md` has held it
    against trained networks: the order is right for most pairs, ratios are too large.

    **Parameters**

    - `spectrum`: of the data. Variances of few samples, fewer than ten for each dimension, are cross-validated first (T22).
    - `recipes`: objectives with their densities and weights, in a row or by name (also whole `Recipe`s, of which the objective
      counts); by default some 330 usual ones: EDM at five σ_data, ε, v, flow matching and x₀, each under every density and
      weight, and SpectralEDM. EDM's own settings are always among them.
    - `densities`, `weights`: for those, in place of seven noise densities (three log-normal ones, logit-normal and uniform t,
      cosine, DDPM's β) and five loss weights (the objective's own, SNR, Min-SNR-5, P2, sigmoid): any `Density`; `MinSNR()` and
      its like, or functions of σ.
    - `sampler`: the user's; 20 steps of Heun by default.
    - `close`: shares of the data's norm. - `by`: the one of them that ranks, by default the middle one.
    - `standardizations`: of "none", "scale" (one factor, to deviation 0.5) and "pixel" (one for each coordinate, at most 1,024 of
      samples); the last two are tried with the best twelve recipes. By default all that apply.
    - `network`: the network of the theory. - `progress`: called with recipes done and their number.

    InputError for values of the wrong kinds, or data that do not vary; an `InputWarning`, kept in `doubts`, where samples are too
    few to know the spectrum. A recipe under which samples never come close has NaN, and the reason in `note`: a sampler that
    cannot reach the data, or a density without mass where they need it.

    ```python
    >>> import eigenclock as ec
    >>> mine = [ec.EDM(density=ec.LogNormal()), ec.Denoising()]
    >>> advice = ec.choose(ec.Spectrum.power_law(64, exponent=2.0), recipes=mine, standardizations="none")
    >>> advice.table[["recipe", "verdict"]].values.tolist()
    [["EDM, σ_data 0.5, EDM's log-normal", 'best'], ['x₀ (exploding), every level alone', 'slower']]

    ```
    """
    check_spectrum(spectrum)
    sampler = Heun(steps=20) if sampler is None else sampler
    instance("sampler", sampler, Sampler, "a sampler of the theory")
    instance("network", network, Architecture, "an architecture of the theory")
    if network.route != "modes":
        raise InputError(f"network must keep modes apart, as OneLayer and TwoLayer do, got {type(network).__name__}")
    fractions = np.atleast_1d(finite_array("close", close, "shares > 0 of the data's norm")).astype(np.float64)
    if fractions.ndim != 1 or fractions.size == 0 or (fractions <= 0).any():
        raise InputError(f"close must be shares > 0 of the data's norm, got {shown(close)}")
    rank_by = float(fractions[fractions.size // 2]) if by is None else number("by", by)
    if rank_by not in fractions:
        raise InputError(f"by must be one of close, {', '.join(f'{one:g}' for one in fractions)}, got {shown(by)}")
    if progress is not None and not callable(progress):
        raise InputError(f"progress must be a function of two numbers, got {shown(progress)}")
    if recipes is not None and not (densities is None and weights is None):
        raise InputError("densities and weights must be left out with recipes: they are of the usual objectives")
    known, doubts = well_known(spectrum)
    tried = _standardizations(known, standardizations)
    first = grouped(known, tried[0])
    if tried[0] == "none" and first.mean.sum() > FAR_MEAN * first.total:
        doubts.append(
            f"the mean of the data is {np.sqrt(first.mean.sum() / first.total):.2g} times their norm about it, and is taken as "
            "known: subtract it from every sample, as scaling every coordinate alone does"
        )
    rows = _Rows(known, sampler, fractions, rank_by, network, progress)
    if recipes is None:
        known_densities, known_weights = listed("densities", densities, DENSITIES), listed("weights", weights, WEIGHTS)
        rows.try_all(usual(first.scale, tried[0], known_densities, known_weights), first)
    else:
        rows.try_all([_standardized(one, tried[0]) for one in as_candidates(recipes)], first)
    rows.try_default(tried[0], first)
    leaders = rows.leaders(LEADERS)
    for standardization in tried[1:]:
        rows.try_all([_standardized(one, standardization) for one in leaders], grouped(known, standardization))
    return rows.advice(doubts, tried[0])


def _standardized(candidate: Candidate, standardization: Standardization) -> Candidate:
    return replace(candidate, standardization=standardization)


def well_known(spectrum: Spectrum) -> tuple[Spectrum, list[str]]:
    """The spectrum, cross-validated where samples are few, and what is doubtful about it (T22)."""
    n, d = spectrum.n_samples, spectrum.dimension
    if n is None or spectrum.null_variance is not None or n >= FEW * d:
        return spectrum, []
    try:
        return spectrum.cross_validated(folds=LARGE_FOLDS if d > LARGE else None), [
            f"{n:,} samples in {d:,} dimensions are few: cross-validated variances are taken"
        ]
    except InputError:  # its samples are not in memory any more, or fewer than four
        doubt = (
            f"{n:,} samples are few for {d:,} dimensions: small variances are the draw's more than the data's; "
            "spectrum.cross_validated(samples) knows them better"
        )
        say(doubt, level=4)
        return spectrum, [doubt]


def _standardizations(spectrum: Spectrum, given: Any) -> list[Standardization]:
    """Which are tried, the first with all recipes."""
    if given is None:
        scale = np.sqrt(spectrum.variance.sum() / spectrum.dimension)
        found: list[Standardization] = ["none"]
        if abs(np.log(scale / 0.5)) > 0.01:
            found.append("scale")
        if spectrum.basis is not None and spectrum.dimension <= MOST_PIXELS:
            found.append("pixel")
        return found
    chosen: list[Any] = [given] if isinstance(given, str) else list(sequence("standardizations", given))
    if not chosen or any(one not in STANDARDIZATIONS for one in chosen):
        raise InputError(f"standardizations must be some of {', '.join(STANDARDIZATIONS)}, got {shown(given)}")
    return list(dict.fromkeys(chosen))


class _Rows:
    """Recipes as they are tried."""

    def __init__(
        self,
        spectrum: Spectrum,
        sampler: Sampler,
        fractions: Any,
        by: float,
        network: Architecture,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.spectrum, self.sampler, self.fractions, self.by = spectrum, sampler, fractions, by
        self.network, self.progress = network, progress
        self.candidates: list[Candidate] = []
        self.distances: list[Any] = []
        self.times: list[Any] = []
        self.notes: list[tuple[str, str]] = []
        self.left_out: list[str] = []
        self.groups: dict[Standardization, Groups] = {}

    def try_all(self, candidates: list[Candidate], groups: Groups) -> None:
        """Predict each recipe on these modes."""
        if candidates:
            self.groups[candidates[0].standardization] = groups
        share = own_share(groups, self.sampler)
        for i, candidate in enumerate(candidates):
            objective = candidate.objective
            try:
                objective.bound(self.spectrum, self.sampler.sigma_min)
                path = distances(objective, groups, self.sampler, self.network)
            except (
                InputError
            ) as error:  # a spectrum that does not know all directions, a weight that is not for this density
                if len(candidates) == 1:
                    raise
                name = "SpectralEDM" if candidate.spectral else candidate.choices["weight"]
                self.left_out.append(f"{name} left out: {error}")
                continue
            times = units_to(path, self.fractions)
            self.candidates.append(candidate)
            self.distances.append(path)
            self.times.append(times)
            late = bool(np.isnan(times[self.column]))
            self.notes.append(self._note(candidate, groups, share, late=late))
            if self.progress is not None:
                self.progress(i + 1, len(candidates))

    def try_default(self, standardization: Standardization, groups: Groups) -> None:
        """EDM's own settings, where they are not among the recipes."""
        self.groups[standardization] = groups
        if not any(one.objective == DEFAULT for one in self.candidates):
            self.try_all([Candidate(DEFAULT, standardization)], groups)

    def _note(self, candidate: Candidate, groups: Groups, share: float, *, late: bool) -> tuple[str, str]:
        """What keeps samples away: the sampler, or noise levels that are hardly trained; and in words."""
        if share > self.by:
            return "unreachable", f"the sampler makes of a perfect denoiser samples {share:.0%} of the data's norm away"
        left, missed = untrained(candidate.objective, groups, self.sampler)
        if left > max(self.by, 1.1 * share):
            return "untrained", f"the density has next to no mass at {_span(missed, self.sampler)}, which samples pass"
        return ("slow", f"not within {UNITS[-1]:.0e} units of training") if late else ("", "")

    @property
    def column(self) -> int:
        """Place of the ranking distance among all."""
        return int(np.flatnonzero(self.fractions == self.by)[0])

    def _times_by(self) -> Any:
        return np.array([one[self.column] for one in self.times])

    def order(self) -> Any:
        """Best first: by the ranking fraction; of those that it does not tell apart the data as they are, then by the others."""
        with np.errstate(divide="ignore"):
            by = np.nan_to_num(np.round(np.log(self._times_by()) / SAME), nan=np.inf, neginf=-1e9, posinf=np.inf)
        plainer = [STANDARDIZATIONS.index(one.standardization) for one in self.candidates]
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.nan_to_num(np.log(np.array(self.times)), nan=np.inf, neginf=-700.0, posinf=1e9).sum(axis=1)
        return np.lexsort((rest, plainer, by))

    def leaders(self, n: int) -> list[Candidate]:
        """The best recipes so far, those of SpectralEDM left out, and EDM's own settings."""
        ranked = [self.candidates[i] for i in self.order()]
        found = [one for one in ranked if not one.spectral][:n]
        return found if any(one.objective == DEFAULT for one in found) else [*found, Candidate(DEFAULT)]

    def advice(self, doubts: list[str], given: Standardization) -> Advice:
        """Everything that was tried, best first; `given`: how the data are that all recipes were tried on."""
        order, by = self.order(), self._times_by()
        first = next((i for i in order if by[i] > 0 and not self.candidates[i].spectral), None)
        best = float("nan") if first is None else float(by[first])
        rows = []
        for i in order:
            why, note = self.notes[i]
            ratio = by[i] / best if by[i] > 0 else by[i]
            rows.append(
                {"recipe": self.candidates[i].name}
                | {name: self.candidates[i].choices[name] for name in CHOICES}
                | {f"close_{f:g}": time for f, time in zip(self.fractions, self.times[i], strict=True)}
                | {
                    "times_best": ratio,
                    "verdict": "best" if i == first and not why else _verdict(ratio, why),
                    "note": note,
                }
            )
        chosen = tuple(self.candidates[i] for i in order)
        path = xr.DataArray(
            np.array([self.distances[i] for i in order]),
            dims=("recipe", "unit"),
            coords={"recipe": [one.name for one in chosen], "unit": UNITS},
            attrs={"long_name": "distance from the data as a share of their norm, by theory"},
        )
        default = next(i for i, one in enumerate(chosen) if one.objective == DEFAULT and one.standardization == given)
        plain = next((one for one in chosen if not one.spectral), chosen[0])
        return Advice(
            table=pd.DataFrame(rows),
            candidates=chosen,
            distance=path,
            sampler=self.sampler,
            spectrum=self.spectrum,
            sampling=sampling_advice(self.groups[plain.standardization], self.sampler),
            by=self.by,
            default=default,
            doubts=tuple(dict.fromkeys([*doubts, *self.left_out])),
            stable_lr=stable_lr(self.spectrum, objective=chosen[0].objective, sigma=self.sampler.levels),
        )


def _verdict(ratio: float, why: str) -> str:
    """A recipe's place in a word or two."""
    if why == "unreachable":
        return why
    if np.isnan(ratio):
        return "never"
    if ratio == 0:
        return "from the start"
    if ratio < 1 / ALIKE:
        return "sooner"
    return "as good" if ratio <= ALIKE else "slower"


def _span(missed: list[float], sampler: Sampler) -> str:
    """Noise levels that are not trained, as they lie at either end of the sampler's."""
    trained = [one for one in sampler.levels if one not in missed]
    if not trained:
        return "any noise level of the sampler"
    low = [one for one in missed if one < min(trained)]
    high = [one for one in missed if one > max(trained)]
    parts = ([f"σ ≤ {max(low):.2g}"] if low else []) + ([f"σ ≥ {min(high):.2g}"] if high else [])
    return " and ".join(parts) or f"{len(missed)} noise levels between"
