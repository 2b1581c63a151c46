"""Closed-form denoisers of data with a rule: what a model of the rule, of no rule, and of the training set alone would do."""

from typing import Any

import numpy as np
import scipy
from jaxtyping import Float

from ..checks import LARGEST, InputError, finite_array, instance, noise_level, numeric_array, shown
from .rules import GroupParity, NoRule, Rule

Bits = Float[np.ndarray, "n D"]
BLOCK = 2**24
"""Products y·x held at a time."""


def factorised(y: Any, sigma: Any) -> Bits:
    """E[s|y] of independent uniform bits s = ±1, y = s + sigma·noise: tanh(y/sigma²), bit by bit. No rule.

    **Parameters**

    - `y`: (n, D). - `sigma`: noise level > 0.
    """
    return np.tanh(_fields(y, sigma))


def boxplus(a: Any, b: Any) -> Any:
    """2 artanh(tanh(a/2) tanh(b/2)), the log-odds of a product of signs, without overflow and without its 0/0."""
    a, b = (finite_array(name, one, "log-odds") for name, one in (("a", a), ("b", b)))
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise InputError(f"a and b must have shapes that fit, got {a.shape} and {b.shape}") from None
    smaller = np.sign(a) * np.sign(b) * np.minimum(np.abs(a), np.abs(b))
    return smaller + np.log1p(np.exp(-np.abs(a + b))) - np.log1p(np.exp(-np.abs(a - b)))


def parity_denoiser(y: Any, sigma: Any, rule: GroupParity) -> Bits:
    """E[s|y] of bits s = ±1 uniform on the valid ones of a group parity, y = s + sigma·noise; exact at any sigma.

    With h = y/sigma²: E[s_i|y] = tanh(h_i + chi·A_i/2), A_i the `boxplus` of 2h_j over the other bits of the group. The textbook
    ratio (t_i + chi Π_{j≠i} t_j)/(1 + chi Π t_j) is 0/0 near invalid corners from sigma 0.3 down; this form has no such point.

    **Parameters**

    - `y`: (n, D). - `sigma`: noise level > 0. - `rule`: the parity.

    ```python
    >>> import eigenclock as ec
    >>> from eigenclock.exact import parity_denoiser
    >>> parity_denoiser([[-0.98, 1.02, -1.0, -1.01]], 0.05, ec.GroupParity(4, 4)).round(3)  # the least sure bit flips
    array([[ 1.,  1., -1., -1.]])

    ```
    """
    instance("rule", rule, GroupParity, "a GroupParity")
    h = rule.grouped(_fields(y, sigma, rule))
    return rule.ungrouped(np.tanh(h + rule.sign * _others(2 * h) / 2))


def parity_logpdf(y: Any, sigma: Any, rule: GroupParity) -> Float[np.ndarray, " n"]:
    """ln p(y) of noisy valid bits, (n,), in nats; its gradient is (parity_denoiser − y)/sigma²."""
    instance("rule", rule, GroupParity, "a GroupParity")
    sigma = _level(sigma)
    h = rule.grouped(_fields(y, sigma, rule))
    values = rule.grouped(finite_array("y", y, "finite numbers (n, D)"))
    group = rule.G
    forward = _scan(2 * h)
    size = np.abs(h)
    log_z = (size + np.log1p(np.exp(-2 * size))).sum(axis=-1) - np.logaddexp(0, -rule.sign * forward[..., -1])
    quadratic = ((values**2 + 1) / (2 * sigma**2)).sum(axis=-1)
    constant = group / 2 * np.log(2 * np.pi * sigma**2) + (group - 1) * np.log(2)
    return (log_z - quadratic - constant).sum(axis=-1)


def empirical_denoiser(y: Any, sigma: Any, train: Any) -> Bits:
    """E[x|y] when x is uniform on the training set: the softmax average of `train`. What a pure memoriser does.

    **Parameters**

    - `y`: (n, D). - `sigma`: noise level > 0. - `train`: (m, D), not empty.
    """
    sigma = _level(sigma)
    seen, points = (finite_array(name, v, "finite numbers (n, D)") for name, v in (("y", y), ("train", train)))
    if points.ndim != 2 or len(points) == 0 or seen.ndim != 2 or seen.shape[1] != points.shape[1]:
        raise InputError(
            f"train must have shape (m, D) with m >= 1 and the D of y, got {points.shape} and {seen.shape}"
        )
    half = (points**2).sum(axis=1) / 2
    pieces = np.array_split(seen, max(1, -(-len(seen) * len(points) // BLOCK)))
    return np.concatenate([scipy.special.softmax((p @ points.T - half) / sigma**2, axis=1) @ points for p in pieces])


def rule_denoiser(y: Any, sigma: Any, rule: Rule) -> Bits:
    """The exact denoiser of a parity, or of bits without a rule; InputError for rules without a closed form here."""
    match rule:
        case GroupParity():
            return parity_denoiser(y, sigma, rule)
        case NoRule():
            return factorised(y, sigma)
        case _:
            raise InputError(f"no closed-form denoiser for {shown(rule)}")


def _level(sigma: Any) -> float:
    """One noise level > 0, also as an array or tensor without dimensions."""
    value = numeric_array("sigma", sigma, "one noise level > 0").item() if getattr(sigma, "ndim", None) == 0 else sigma
    return noise_level("sigma", value)


def _fields(y: Any, sigma: Any, rule: Rule | None = None) -> Bits:
    """y/sigma², checked."""
    sigma = _level(sigma)
    array = finite_array("y", y, "finite numbers (n, D)")
    if array.size and np.abs(array).max() > LARGEST:
        raise InputError(f"y must be of magnitude <= {LARGEST:g}, got {np.abs(array).max():g}")
    if array.ndim != 2 or (rule is not None and array.shape[1] != rule.D):
        raise InputError(f"y must have shape (n, {'D' if rule is None else rule.D}), got {array.shape}")
    return array / sigma**2


def _scan(a: Float[np.ndarray, "n groups G"]) -> Float[np.ndarray, "n groups G"]:
    """Running `boxplus` along the last axis."""
    out = a.copy()
    for i in range(1, a.shape[-1]):
        out[..., i] = boxplus(out[..., i - 1], a[..., i])
    return out


def _others(a: Float[np.ndarray, "n groups G"]) -> Float[np.ndarray, "n groups G"]:
    """`boxplus` of all others, for each: from running ones of both sides; there is no neutral element to start from."""
    left, right = _scan(a), _scan(a[..., ::-1])[..., ::-1]
    out = np.empty_like(a)
    out[..., 0], out[..., -1] = right[..., 1], left[..., -2]
    out[..., 1:-1] = boxplus(left[..., :-2], right[..., 2:])
    return out
