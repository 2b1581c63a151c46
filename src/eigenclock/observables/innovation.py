"""Valid and new, or copied: what samples of a rule say, with the traps of copies and chance closed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from ..checks import InputError, number, numeric_array
from ..clocks.replicates import Estimate, difference, proportion
from .copies import RATIO, Criterion, answered, matches, nearest, some

FEWEST = 32
"""Fewest novel samples from which their validity is read."""

NEAR = 0.1
"""A sample nearer to the training set than this quantile of held-out samples is a near copy, not an innovation."""


@dataclass(frozen=True, eq=False)
class Innovation:
    """What n generated samples show of rule and copies.

    - `valid`: share that obeys the rule. A pure copier has 1: never read it alone.
    - `copies`: share that is in the training set. - `control_copies`: share in the control set, None without one.
    - `innovations`: share that is valid and not copied.
    - `novel_valid`: share valid among the novel samples; NaN if fewer than `FEWEST` are novel.
    - `rule`: the same beyond chance, (novel_valid − chance)/(1 − chance): 0 for no rule, 1 for a learned one. The rule clock.
    - `excess`: (copies − expected)/(1 − expected), copies beyond those that rule-valid samples make by chance; its
      interval has the noise of the control where that says what is expected. The memory clock.
    - `far_rule`: as `rule`, over samples farther from the training set than a tenth of held-out ones are, so that noisy
      copies do not count; None without a control set.
    - `novel`: number of novel samples. - `is_valid`, `is_copy` (n,).
    """

    valid: Estimate
    copies: Estimate
    control_copies: Estimate | None
    innovations: Estimate
    novel_valid: Estimate
    rule: Estimate
    excess: Estimate
    far_rule: Estimate | None
    novel: int
    is_valid: Bool[np.ndarray, " n"]
    is_copy: Bool[np.ndarray, " n"]

    def record(self) -> dict[str, float]:
        """Numbers for a probe."""
        names = ("valid", "copies", "control_copies", "innovations", "novel_valid", "rule", "excess", "far_rule")
        found = {name: getattr(self, name) for name in names}
        return {name: one.value for name, one in found.items() if one is not None} | {"novel": float(self.novel)}

    def __str__(self) -> str:
        return (
            f"rule {self.rule}, excess copies {self.excess} "
            f"(valid {self.valid}, copies {self.copies}, {self.novel} of {self.valid.n} novel)"
        )


def innovation(
    samples: Any,
    train: Any,
    is_valid: Any,
    *,
    chance: float = 0.0,
    control: Any = None,
    support: float | None = None,
    criterion: Criterion = "exact",
    ratio: float = RATIO,
    confidence: float = 0.95,
) -> Innovation:
    """Whether generated samples follow a rule without being copies, and whether they are copies beyond chance.

    **Parameters**

    - `samples`: (n, ...) generated; made discrete first where the data are bits or tokens. - `train`: (m, ...).
    - `is_valid`: (n, ...) samples → (n,) booleans, the rule.
    - `chance`: share of valid ones among random novel samples, what a model without the rule would have. 0 if negligible.
    - `control`: (k, ...) held-out valid samples, for copies by chance and for near copies.
    - `support`: number of valid samples in all, if it is known: a perfect rule sampler then hits the training set at rate
      m/support. Without it that rate is taken from `control`; with neither it is 0.
    - `criterion`, `ratio`: what a copy is, as in `memorization`.

    Raises InputError for an empty training set, a rule that does not answer for every sample, a chance outside [0, 1),
    a training set larger than the support.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> rng = np.random.default_rng(0)
    >>> rule = ec.GroupParity(24, 4)
    >>> train, fresh = rule.sample(256, rng), rule.sample(512, rng)
    >>> copier = ec.innovation(train[rng.integers(0, 256, 512)], train, rule.valid, support=rule.size)
    >>> print(copier.valid.value, copier.excess.value.__round__(3), copier.rule.value)
    1.0 1.0 nan
    >>> learner = ec.innovation(fresh, train, rule.valid, chance=rule.chance_sample, support=rule.size)
    >>> print(learner.rule.value, abs(learner.excess.value) < 0.01)
    1.0 True

    ```
    """
    number("chance", chance, at_least=0, below=1)
    number("confidence", confidence, above=0, below=1)
    samples, train = some("samples", samples), some("train", train)
    control = None if control is None else some("control", control)
    if not callable(is_valid):
        raise InputError(
            f"is_valid must be a function of samples, got {type(is_valid).__name__}: a rule's is rule.valid"
        )
    if support is not None and criterion == "ratio":
        raise InputError("support counts exact matches: give a control instead, or criterion='exact'")
    obeys = _answers(is_valid, samples)
    copied = matches(samples, train, criterion=criterion, ratio=ratio)
    m = len(train)
    valid, copies = _share(obeys, confidence), _share(copied, confidence)
    held, far = None, None
    if control is not None:
        control_hits = matches(samples, control, criterion=criterion, ratio=ratio, name="control")
        held = _share(control_hits, confidence)
        reach = np.quantile(nearest(control, train, k=1)[0][:, 0], NEAR)
        apart = nearest(samples, train, k=1)[0][:, 0] >= reach
        far = _beyond(_novel_share(obeys, ~copied & apart, confidence), chance)
    if support is not None:
        number("support", support, above=0)
        if m > support:
            raise InputError(f"train must not be larger than the support, got {m} samples and support = {support:g}")
        excess = _beyond(copies, valid.value * m / support)
    elif held is not None:
        scale = m / len(control) if criterion == "exact" else 1.0
        by_chance = held.mapped(lambda share: min(1.0, scale * share))
        left = max(1 - by_chance.value, np.finfo(float).eps)
        excess = difference(copies, by_chance).mapped(lambda more: more / left)
    else:
        excess = copies
    novel_valid = _novel_share(obeys, ~copied, confidence)
    return Innovation(
        valid=valid,
        copies=copies,
        control_copies=held,
        innovations=_share(obeys & ~copied, confidence),
        novel_valid=novel_valid,
        rule=_beyond(novel_valid, chance),
        excess=excess,
        far_rule=far,
        novel=int((~copied).sum()),
        is_valid=obeys,
        is_copy=copied,
    )


def _answers(is_valid: Callable[[Any], Any], samples: Any) -> Bool[np.ndarray, " n"]:
    obeys = numeric_array("is_valid", answered("is_valid", is_valid, samples), "a function that answers with booleans")
    if obeys.shape != (len(samples),) or obeys.dtype != bool:
        raise InputError(
            f"is_valid must answer with {len(samples)} booleans, one per sample, got {obeys.dtype} of shape {obeys.shape}"
        )
    return obeys


def _share(where: Bool[np.ndarray, " n"], confidence: float) -> Estimate:
    return proportion(int(where.sum()), where.size, confidence=confidence)


def _novel_share(obeys: Any, among: Any, confidence: float) -> Estimate:
    """Share of valid ones among some samples; NaN of too few."""
    n = int(among.sum())
    if n < FEWEST:
        return Estimate(float("nan"), float("nan"), float("nan"), n)
    return proportion(int((obeys & among).sum()), n, confidence=confidence)


def _beyond(share: Estimate, chance: float) -> Estimate:
    """A share as the way from chance to 1."""
    if chance >= 1:
        return Estimate(float("nan"), float("nan"), float("nan"), share.n)
    return share.mapped(lambda x: (x - chance) / (1 - chance))
