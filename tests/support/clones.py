"""Brute force of return probabilities: backward paths with the exact score, copied on the way and finished independently."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from eigenclock.clocks.replicates import Estimate, proportion
from eigenclock_studies.class_imbalance.mixtures import signal
from eigenclock_studies.class_imbalance.speciation import checked, exact_score, log_joint, return_probability

T_END = 0.01
"""Time at which a backward path is read."""


@dataclass(frozen=True)
class Clones:
    """Pairs that shared their path down to t_b: observed agreement of each class with its exact value.

    `same`: P(both end in one class), against `same_exact`. `again`: (class) P(second = k | first = k), against `again_exact`.
    """

    t_b: float
    same: Estimate
    same_exact: float
    again: tuple[Estimate, ...]
    again_exact: tuple[float, ...]
    from_data: tuple[bool, ...]


def clone_agreement(
    pi: Any, mu: Any, var: Any, t_b: float, *, pairs: int = 2000, steps: int = 200, start: float = 6.0, seed: int = 0
) -> Clones:
    """Backward paths with the exact score from `start` to t_b, copied there, finished with independent noise.

    Exact: P(both equal) = Σ pi_k R_k(t_b) and P(second = k | first = k) = R_k(t_b). A class with fewer than 50 expected pairs
    starts from its own data noised to t_b instead.

    **Parameters**

    - `pi`, `mu`, `var`: as in `return_probability`. - `t_b`: time of the copy. - `steps`: uniform in ln t from `start` to 0.01.
    """
    shares, centroids, variances = checked(pi, mu, var)
    rng = np.random.default_rng(seed)
    grid = np.geomspace(start, T_END, steps + 1)
    cut = int(np.argmin(np.abs(np.log(grid / t_b))))
    grid[cut] = t_b
    mixture = (shares, centroids, variances)
    shared = _backward(rng.standard_normal((pairs, centroids.shape[1])), grid[: cut + 1], mixture, rng)
    ends = [_ended(_backward(shared, grid[cut:], mixture, rng), mixture) for _ in range(2)]
    exact = np.diagonal(return_probability(pi, mu, var, [t_b], pairs=20_000, seed=seed)[0])
    again, from_data = [], []
    for k, share in enumerate(shares):
        rare = bool(share * pairs < 50)
        if rare:
            data = centroids[k] + np.sqrt(variances[k]) * rng.standard_normal((pairs, centroids.shape[1]))
            noisy = signal(t_b) * data + np.sqrt(1 - signal(t_b) ** 2) * rng.standard_normal(data.shape)
            kept = _ended(_backward(noisy, grid[cut:], mixture, rng), mixture) == k
        else:
            kept = ends[1][ends[0] == k] == k
        again.append(proportion(int(kept.sum()), int(kept.size)))
        from_data.append(rare)
    same = proportion(int((ends[0] == ends[1]).sum()), pairs)
    return Clones(t_b, same, float(shares @ exact), tuple(again), tuple(map(float, exact)), tuple(from_data))


def _backward(x: Any, times: Any, mixture: tuple[Any, Any, Any], rng: np.random.Generator) -> Any:
    """Euler–Maruyama of the backward diffusion along falling times."""
    for here, there in pairwise(times):
        step = here - there
        x = (
            x
            + step * (x + 2 * exact_score(x, float(here), *mixture))
            + np.sqrt(2 * step) * rng.standard_normal(x.shape)
        )
    return x


def _ended(x: Any, mixture: tuple[Any, Any, Any]) -> Any:
    return log_joint(x, T_END, *mixture).argmax(axis=1)
