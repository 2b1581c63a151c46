"""A prior for latents: features of any frozen model of images, refined in closed form to the latents' width."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import scipy
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from ..checks import InputError, finite_array, integer, number

Teacher: TypeAlias = Callable[[Tensor], Tensor]
"""teacher(images (n, c, h, w) in [0, 1]) → features (n, C, h', w'), one token per cell of the latents' grid."""

ORIENTATIONS = 8
BATCH = 256

Features = Float[np.ndarray, "n c h w"]


@dataclass(frozen=True, eq=False)
class Prior:
    """Leading principal directions of a teacher's tokens. `explained`: share of their variance."""

    mean: Float[np.ndarray, " c"]
    directions: Float[np.ndarray, "c d"]
    explained: float
    blur: float = 0.0

    def __call__(self, features: Any) -> Float[np.ndarray, "n d h w"]:
        """Targets Z_T of features (n, C, h, w), every token of root mean square 1."""
        smooth = _blurred(_features(features), self.blur)
        if smooth.shape[1] != self.mean.size:
            raise InputError(f"features must have {self.mean.size} channels, got {smooth.shape[1]}")
        found = np.einsum("nchw,cd->ndhw", smooth - self.mean[:, None, None], self.directions)
        return found / np.sqrt((found**2).mean(axis=1, keepdims=True) + 1e-6)


def fit_prior(tokens: Any, d: int, blur: float = 0.0) -> Prior:
    """The refinement of a prior to width d that reconstructs best, if it is linear: principal components (Eckart & Young 1936).

    **Parameters**

    - `tokens`: (n, C, h, w) features of a teacher. - `d`: width of the latents, at most C.
    - `blur`: standard deviation of a Gaussian over the token grid, in tokens, applied first.

    The paper trains this map, and one back, on a reconstruction and a Gram loss; the linear case of the first alone is ours.
    """
    number("blur", blur, at_least=0)
    integer("d", d, at_least=1)
    smooth = _blurred(_features(tokens), blur)
    flat = smooth.transpose(0, 2, 3, 1).reshape(-1, smooth.shape[1])
    if d > flat.shape[1]:
        raise InputError(f"d must be <= {flat.shape[1]}, the teacher's channels, got {d}: latents wider than the prior")
    mean = flat.mean(axis=0)
    values, vectors = np.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
    total = values.sum()
    return Prior(mean, vectors[:, ::-1][:, :d], float(values[::-1][:d].sum() / total) if total > 0 else 1.0, blur)


def _features(tokens: Any) -> Features:
    found = finite_array("tokens", tokens, "features (n, C, h, w)")
    if found.ndim != 4 or len(found) == 0:
        raise InputError(f"tokens must have shape (n, C, h, w), got {found.shape}")
    return found


def _blurred(features: Features, blur: float) -> Features:
    if blur == 0:
        return features
    found: Features = scipy.ndimage.gaussian_filter(features, sigma=blur, axes=(2, 3), mode="nearest")
    return found


def taught(teacher: Teacher, images: Tensor, grid: tuple[int, int]) -> Features:
    """A teacher's features of images (n, c, h, w) in [0, 1], in batches; InputError unless there is a token per cell."""
    parts = []
    with torch.no_grad():
        for some in torch.split(images, BATCH):
            found = teacher(some)
            if not isinstance(found, Tensor) or found.ndim != 4 or len(found) != len(some):
                shape = tuple(found.shape) if hasattr(found, "shape") else type(found).__name__
                raise InputError(f"teacher must return features ({len(some)}, C, h, w), got {shape}")
            if tuple(found.shape[2:]) != grid:
                raise InputError(
                    f"teacher must return {grid[0]}×{grid[1]} tokens, got {found.shape[2]}×{found.shape[3]}"
                )
            if not bool(torch.isfinite(found).all()):
                raise InputError("teacher must return finite features, got NaN or inf")
            parts.append(found.cpu().double().numpy())
    return np.concatenate(parts)


@dataclass(frozen=True)
class OrientedGradients:
    """A teacher without training: blurred histograms of oriented gradients at two scales, and mean colours, per cell of the grid.

    `stride`: pixels per token.
    """

    stride: int = 4

    def __call__(self, images: Tensor) -> Tensor:
        grey = images.mean(dim=1, keepdim=True)
        sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=images.dtype, device=images.device) / 8
        dx = conv2d(grey, sobel[None, None], padding=1)
        dy = conv2d(grey, sobel.T[None, None], padding=1)
        size, angle = (dx**2 + dy**2 + 1e-12).sqrt(), torch.atan2(dy, dx)
        centres = torch.arange(ORIENTATIONS, dtype=images.dtype, device=images.device) * torch.pi / ORIENTATIONS
        weight = torch.cos(angle - centres[:, None, None]) ** 8 * size
        fine = avg_pool2d(weight, self.stride)
        wide = avg_pool2d(weight, 2 * self.stride + 1, stride=1, padding=self.stride)
        return torch.cat([fine, avg_pool2d(wide, self.stride), avg_pool2d(images, self.stride)], dim=1)
