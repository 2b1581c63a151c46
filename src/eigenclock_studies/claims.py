"""Verdicts of a study, and rows of its claims."""

import numpy as np

from eigenclock.clocks.replicates import Estimate, LogRatio

PAPER = "stated in the abstract, without figures known here"
OURS = "ours"

Answer = bool | None


def verdict(*answers: Answer, control: Answer = True, enough: bool = True) -> str:
    """supported, not supported or inconclusive; a control that fails, or too few replicates, leaves it inconclusive."""
    if control is not None and not control:
        return "inconclusive (the control failed)"
    if not enough:
        return "inconclusive (too few replicates)"
    if any(answer is not None and not answer for answer in answers):
        return "not supported"
    return "inconclusive" if any(answer is None for answer in (*answers, control)) else "supported"


def row(claim: str, here: str, interval: str, control: str, found: str, *, paper: str = PAPER) -> dict[str, str]:
    """A row of the table of claims."""
    return {"claim": claim, "paper": paper, "here": here, "interval": interval, "control": control, "verdict": found}


def within(ratio: LogRatio, low: float, high: float) -> Answer:
    """Whether the geometric mean of a ratio lies in a range; None where censored and the bound does not decide."""
    least, most = np.exp(ratio.low.mean()), np.exp(ratio.high.mean())
    if not np.isnan(ratio.mean.value):
        return bool(low <= np.exp(ratio.mean.value) <= high)
    if most < low or least > high:
        return False
    return True if least >= low and most <= high else None


def above(mean: Estimate, bound: float) -> Answer:
    """Whether a mean with its interval lies above a bound: True, False, or None if the interval straddles it."""
    return True if mean.low > bound else False if mean.high < bound else None


def below(mean: Estimate, bound: float) -> Answer:
    """The same below."""
    return above(Estimate(-mean.value, -mean.high, -mean.low, mean.n), -bound)


def contains_zero(ratio: LogRatio) -> Answer:
    """Whether a control's interval contains 0; None where censoring leaves it open on both sides."""
    mean = ratio.mean
    if np.isinf(mean.low) and np.isinf(mean.high):
        return None
    return not mean.excludes(0)


def factor(ratio: LogRatio) -> str:
    """A ratio in words: "1.97 [1.8, 2.1]", or a bound."""
    mean = ratio.mean
    if not np.isnan(mean.value):
        return f"{np.exp(mean.value):.2f} [{np.exp(mean.low):.2f}, {np.exp(mean.high):.2f}]"
    if np.isfinite(ratio.low).all():
        return f"≥ {np.exp(ratio.low.mean()):.2f}"
    if np.isfinite(ratio.high).all():
        return f"≤ {np.exp(ratio.high.mean()):.2f}"
    return "undetermined (censored)"


def signs(ratio: LogRatio) -> str:
    """How many replicates have which sign, with the exact interval."""
    share = ratio.positive
    if share.n == 0:
        return "no sign known"
    ties = f", {ratio.ties} tied" if ratio.ties else ""
    return f"{round(share.value * share.n)} of {share.n} positive [{share.low:.2f}, {share.high:.2f}]{ties}"
