"""How easily a diffusion model will learn a latent space, told from the latents, before any generator is trained."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy
import xarray as xr
from jaxtyping import Float, Int

from ..checks import InputError, channels_first, finite_array, integer, number, numeric_array, random_seed, say, shown
from ..theory.flow_clocks import predicted_mode_clocks
from .learning_time import LearningTime, too_few
from .local_continuity import local_continuity, rho_weights

Latents = Float[np.ndarray, "n d h w"]

RESTARTS = 6
METRICS = ("ssc", "lpc", "gsq", "erank")


def diagnose_latents(
    latents: Any,
    decoder: Callable[[Any], Any] | None = None,
    labels: Any = None,
    masks: Any = None,
    *,
    distance: Callable[[Any, Any], Any] | None = None,
    rho: tuple[float, ...] = (0.1, 0.5, 1.0, 2.0),
    sigma: float = 0.2,
    max_ssc: int = 300,
    max_lpc: int = 256,
    max_gsq: int = 2000,
    n_boot: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    """Spatial structure, local continuity, global semantics, rank, and predicted mode clocks of anyone's latents.

    **Parameters**

    - `latents`: (n, d, h, w), or (n, D), read as h = w = 1.
    - `decoder`: latents, as they were given, → images (m, c, H, W) in [−1, 1], of tensors or of NumPy arrays; called in batches
      without gradients. A `PriorAlignedAutoencoder`'s `decode` or `decoder`; of diffusers `lambda z: vae.decode(z).sample`.
    - `labels`: (n,) classes. - `masks`: (n, H, W) whole numbers, a segment each; H and W divisible by h and w.
    - `distance`: of two image batches → (m,); by default half absolute difference, half features of a fixed random network.
    - `rho`: sizes of perturbations for local continuity, in units of each latent's norm about the mean of its channels, as a
      generator sees it: a shift of all latents changes nothing. - `sigma`: temperature of affinities.
    - `max_ssc`, `max_lpc`, `max_gsq`: most samples behind each. - `n_boot`: bootstrap resamples over samples. - `seed`: of all.

    The result has `value`, `low`, `high` (95 % bootstrap), `chance` by metric:

    - ssc: normalised mutual information of spectral clusters of tokens and segments; higher is better.
    - lpc: change of the image under perturbation; LOWER is better; `lpc_rho` by size.
    - gsq: share of samples whose nearest other by cosine is of their class; higher is better.
    - erank: effective rank of mean tokens over d.

    And `spectrum` (mode,) of the covariance of latents standardised per channel, cross-validated (T22), `participation_ratio`,
    `tau_lin` (mode,) predicted clocks, `t_lin` the time to learn the whole covariance, in a unit that all latent spaces with one
    generator share, with a 95 % interval `t_lin_low` to `t_lin_high`; `t_lin_raw` is what the samples' own variances,
    `raw_spectrum`, would say, too much where they are few.

    What was not given makes its metric NaN, with the reason in `attrs["skipped"]`. An `InputWarning`, kept in `attrs["doubts"]`,
    says where samples are too few for `t_lin`, fewer than ten for each of the D dimensions: the time lies between `t_lin_low`
    and `t_lin_raw` there.
    `t_lin` is 0 for one token whose channels are uncorrelated (PCA): standardised they are white, the covariance says nothing.

    Definitions after notes on arXiv:2605.07915, its sizes and temperatures unknown: a reconstruction.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 2, 200)
    >>> latents = rng.standard_normal((200, 8)) + 6 * labels[:, None]
    >>> found = ec.diagnose_latents(latents, labels=labels)
    >>> float(found["value"].sel(metric="gsq")), found.attrs["skipped"]
    (1.0, 'ssc: no masks were given; lpc: no decoder was given')

    ```
    """
    z = _latents(latents)
    n, d, h, w = z.shape
    flat = np.ndim(latents) == 2
    if decoder is not None and not callable(decoder):
        raise InputError(f"decoder must be a function of latents, got {type(decoder).__name__}")
    if distance is not None and not callable(distance):
        raise InputError(f"distance must be a function of two image batches, got {type(distance).__name__}")
    number("sigma", sigma, above=0)
    for name, most in (("max_ssc", max_ssc), ("max_lpc", max_lpc), ("max_gsq", max_gsq)):
        integer(name, most, at_least=2)
    integer("n_boot", n_boot, at_least=1)
    random_seed(seed)
    sizes = np.atleast_1d(finite_array("rho", rho, "sizes > 0"))
    if sizes.ndim != 1 or sizes.size == 0:
        raise InputError(f"rho must be sizes > 0, got {shown(rho)}")
    number("rho", float(sizes.min()), above=0)
    shuffled = np.random.default_rng([seed, 1]).permutation(n)  # latents may come sorted by class
    skipped: dict[str, str] = {}
    per_sample: dict[str, np.ndarray] = {}
    chance = dict.fromkeys(METRICS, float("nan"))
    lpc_rho = np.full(sizes.size, np.nan)

    if masks is None:
        skipped["ssc"] = "no masks were given"
    elif h * w < 2:
        skipped["ssc"] = "latents have one token"
    else:
        y, some = token_labels(masks, n, h, w), shuffled[:max_ssc]
        per_sample["ssc"], by_chance, few = spatial_structure(z[some], y[some], sigma=sigma, seed=seed)
        chance["ssc"] = float(np.mean(by_chance)) if by_chance.size else float("nan")
        if few:
            skipped["ssc of some"] = f"{few} of {min(n, max_ssc)} samples have one segment"
        if per_sample["ssc"].size == 0:
            warnings.warn("masks are constant: spatial structure is not defined", stacklevel=2)
    if decoder is None:
        skipped["lpc"] = "no decoder was given"
    else:
        some = shuffled[:max_lpc]
        lpc_each = local_continuity(z[some], decoder, sizes, distance, seed, flat=flat, mean=z.mean(axis=(0, 2, 3)))
        lpc_rho = lpc_each.mean(axis=0)
        per_sample["lpc"] = lpc_each @ rho_weights(sizes)
    if labels is None:
        skipped["gsq"] = "no labels were given"
    else:
        classes = _classes(labels)
        if classes.shape != (n,):
            raise InputError(f"labels must have shape ({n},), got {classes.shape}")
        if classes.dtype.kind == "f" and not np.isfinite(classes).all():
            raise InputError("labels must name a class for every latent, got NaN or inf")
        some = shuffled[:max_gsq]
        share = np.unique(classes[some], return_counts=True)[1] / some.size
        if share.size == 1:
            warnings.warn("labels name one class: global semantics is 1 by definition", stacklevel=2)
        per_sample["gsq"] = global_semantics(z[some], classes[some])
        chance["gsq"] = float((share**2).sum())
    pooled = z.mean(axis=(2, 3))
    rng = np.random.default_rng(seed)
    value, low, high = (dict.fromkeys(METRICS, float("nan")) for _ in range(3))
    for name, each in per_sample.items():
        if each.size:
            value[name] = float(each.mean())
            means = each[rng.integers(0, each.size, (n_boot, each.size))].mean(axis=1)
            low[name], high[name] = (float(q) for q in np.quantile(means, (0.025, 0.975)))
    value["erank"] = effective_rank(pooled)  # no bootstrap: drawing with replacement lowers a rank
    learned = LearningTime.of(standardised(z).reshape(n, -1), seed=seed)
    spectrum, doubts = learned.spectrum, too_few(n, z[0].size)
    if doubts:
        say(doubts)
    return xr.Dataset(
        {
            "value": ("metric", [value[name] for name in METRICS]),
            "low": ("metric", [low[name] for name in METRICS]),
            "high": ("metric", [high[name] for name in METRICS]),
            "chance": ("metric", [chance[name] for name in METRICS]),
            "lpc_rho": ("rho", lpc_rho),
            "ssc_each": ("sample", per_sample.get("ssc", np.empty(0))),
            "spectrum": ("mode", spectrum, {"long_name": "variance of the standardised latents, cross-validated"}),
            "raw_spectrum": ("raw_mode", learned.raw_spectrum, {"long_name": "variance of the samples themselves"}),
            "tau_lin": ("mode", predicted_mode_clocks(spectrum), {"units": "steps × rate"}),
            **{
                name: ((), value, {"units": "steps × rate"})
                for name, value in {
                    "t_lin": learned.value,
                    "t_lin_low": learned.low,
                    "t_lin_high": learned.high,
                    "t_lin_raw": learned.raw,
                }.items()
            },
            "participation_ratio": ((), float(spectrum.sum() ** 2 / (spectrum**2).sum())),
        },
        coords={"metric": list(METRICS), "rho": sizes},
        attrs={
            "skipped": "; ".join(f"{name}: {why}" for name, why in skipped.items()),
            "doubts": doubts,
            "n": n,
            "shape": f"{d}×{h}×{w}",
        },
    )


def _classes(labels: Any) -> Any:
    """Labels as an array: whole numbers, or names."""
    named = isinstance(labels, list | tuple) and all(isinstance(one, str) for one in labels)
    if named or (isinstance(labels, np.ndarray) and labels.dtype.kind == "U"):
        return np.asarray(labels)
    return numeric_array("labels", labels, "a label for every latent")


def _latents(latents: Any) -> Latents:
    z = finite_array("latents", latents, "latents (n, d, h, w) or (n, D)")
    if z.ndim == 2:
        z = z[:, :, None, None]
    if z.ndim != 4:
        raise InputError(f"latents must have shape (n, d, h, w) or (n, D), got {z.shape}")
    if channels_first((len(z), z.shape[3], *z.shape[1:3])):
        say(
            f"latents of shape {z.shape} look like (n, h, w, d), and are read as (n, d, h, w): np.moveaxis(x, -1, 1)",
            level=3,
        )
    if 0 in z.shape[1:]:
        raise InputError(f"latents must not be empty, got shape {z.shape}")
    if len(z) < 2:
        raise InputError(f"latents must hold at least 2 samples, got {len(z)}")
    if (np.linalg.norm(z, axis=1) == 0).any():
        warnings.warn("latents have tokens of norm zero", stacklevel=3)
    return z


def standardised(z: Latents) -> Latents:
    """Latents with mean 0 and variance 1 per channel, as a generator sees them; a constant channel stays 0."""
    std = z.std(axis=(0, 2, 3), keepdims=True)
    return (z - z.mean(axis=(0, 2, 3), keepdims=True)) / np.where(std > 0, std, 1)


def token_labels(masks: Any, n: int, h: int, w: int) -> Int[np.ndarray, "n token"]:
    """The most frequent segment under every token; InputError for masks that do not fit."""
    given = numeric_array("masks", masks, "masks (n, H, W)")
    given = given.astype(int) if given.dtype == bool else given
    if not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"masks must be whole numbers, got {given.dtype}")
    if given.ndim != 3 or len(given) != n:
        raise InputError(f"masks must have shape ({n}, H, W), got {given.shape}")
    height, width = given.shape[1:]
    if height % h or width % w:
        raise InputError(f"masks must have sides divisible by the grid {h}×{w}, got {height}×{width}")
    cells = given.reshape(n, h, height // h, w, width // w).transpose(0, 1, 3, 2, 4).reshape(n, h * w, -1)
    names = np.unique(cells)
    counts = np.stack([(cells == name).sum(axis=2) for name in names], axis=2)
    return np.asarray(names[counts.argmax(axis=2)]).astype(int)


def spatial_structure(
    z: Latents, y: Int[np.ndarray, "n token"], *, sigma: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, int]:
    """Normalised mutual information of segments and spectral clusters of tokens, per sample; by chance; samples of one segment.

    Affinity exp((⟨ẑ_i, ẑ_j⟩ − 1)/σ), as many clusters as segments, k-means with restarts on normalised eigenvectors.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score

    rng, found, by_chance, few = np.random.default_rng(seed), [], [], 0
    for one, segments in zip(z.reshape(*z.shape[:2], -1), y, strict=True):
        k = np.unique(segments).size
        if k < 2:
            few += 1
            continue
        norm = np.linalg.norm(one, axis=0)
        unit = one / np.where(norm > 0, norm, 1)
        affinity = np.exp((unit.T @ unit - 1) / sigma)
        np.fill_diagonal(affinity, 0)
        root = 1 / np.sqrt(np.maximum(affinity.sum(axis=1), 1e-300))
        tokens = len(root)
        _, vectors = scipy.linalg.eigh(root[:, None] * affinity * root, subset_by_index=(tokens - k, tokens - 1))
        rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # fewer distinct tokens than clusters
            clusters = KMeans(k, n_init=RESTARTS, random_state=seed).fit_predict(rows)
        found.append(normalized_mutual_info_score(segments, clusters, average_method="geometric"))
        by_chance.append(normalized_mutual_info_score(rng.permutation(segments), clusters, average_method="geometric"))
    return np.array(found), np.array(by_chance), few


def global_semantics(z: Latents, labels: np.ndarray) -> Float[np.ndarray, " n"]:
    """1 where the nearest other sample, by cosine of centred mean tokens, has the same class."""
    mean = z.mean(axis=(2, 3))
    mean = mean - mean.mean(axis=0)
    unit = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-300)
    nearest = np.empty(len(unit), dtype=int)
    for rows in np.array_split(np.arange(len(unit)), max(1, len(unit) // 1000)):
        alike = unit[rows] @ unit.T
        alike[np.arange(rows.size), rows] = -np.inf
        nearest[rows] = alike.argmax(axis=1)
    return (labels[nearest] == labels).astype(float)


def effective_rank(features: Float[np.ndarray, "n d"]) -> float:
    """exp(entropy of the singular values of centred features)/d: 1 where isotropic, 1/d at rank one."""
    values = np.linalg.svd(features - features.mean(axis=0), compute_uv=False)
    total = values.sum()
    if total == 0:
        return 0.0
    p = values[values > 0] / total
    return float(np.exp(-(p * np.log(p)).sum()) / features.shape[1])
