"""Local convolutions, frequency by frequency: one transfer function, or a small matrix where there are channels (T11)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import numpy as np
from jaxtyping import Complex, Float

from ..recipe.architectures import LocalConv
from ..recipe.architectures.local_conv import Patches
from ..recipe.objectives import Regression
from ..recipe.recipe import Recipe
from ..recipe.samplers import Sampler
from ..recipe.samplers.transport import along_first, carried_along_first
from ..spectrum.bases import Fourier
from ..spectrum.spectrum import Spectrum
from .solution import Solution, Wanted

THREADS = 2
"""Blocks that are carried side by side."""

BLOCK = 2**21
"""Transfer-matrix entries held at a time."""

Times = Float[np.ndarray, " time"]
Blocks = Complex[np.ndarray, "time frequency c c"]


def along_frequencies(recipe: Recipe, spectrum: Spectrum, wanted: Wanted) -> Solution:
    """Generated cross-spectrum of a local convolution, read along the data's modes."""
    architecture, basis = cast(LocalConv, recipe.architecture), spectrum.basis
    assert isinstance(basis, Fourier)
    patches = architecture.patches(spectrum)
    route = _Waves(recipe, architecture, spectrum, basis, patches)
    time = np.concatenate([[0.0], wanted.time])
    blocks = route.generated(time)
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding start has no finite variance
        variance = np.nan_to_num(route.along_modes(blocks), nan=np.inf, posinf=np.inf)
    extra: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    if basis.channels > 1 and np.isfinite(np.abs(blocks) ** 2).all():
        for name, values in route.distances(blocks[1:]).items():
            extra[name] = ("time",), values
    if wanted.gain or wanted.loss:
        transfer = np.stack(list(route.transfer(wanted.time, wanted.sigma)), axis=-1)
        regression = recipe.objective.regression(spectrum.variance, wanted.sigma)
        dims = ("time", "mode", "sigma")
        if wanted.gain:
            extra["gain"] = (
                dims,
                np.stack([route.along_modes(transfer[..., i]) for i in range(wanted.sigma.size)], axis=-1),
            )
        if wanted.loss:
            extra["loss"] = dims, route.loss(regression, transfer)
    if wanted.covariance:
        covariance = route.covariance(blocks)
        extra["covariance"] = ("time", "mode", "mode_"), covariance[1:]
        extra["initial_covariance"] = ("mode", "mode_"), covariance[0]
    return Solution(variance[1:], variance[0], extra)


class _Waves:
    """One local convolution on one spectrum."""

    def __init__(
        self, recipe: Recipe, architecture: LocalConv, spectrum: Spectrum, basis: Fourier, patches: Patches
    ) -> None:
        self.recipe, self.architecture, self.spectrum, self.basis, self.patches = (
            recipe,
            architecture,
            spectrum,
            basis,
            patches,
        )
        self.identity = np.eye(basis.channels)
        # (patch mode, real or imaginary, c, c, frequency): one real product gives both parts, long rows last
        split = np.stack([patches.transfer.real, patches.transfer.imag])
        self.parts = np.ascontiguousarray(split.transpose(4, 0, 2, 3, 1)).reshape(patches.variance.size, -1)

    def patch_gain(self, time: Times, sigma: Float[np.ndarray, " sigma"]) -> tuple[Regression, np.ndarray]:
        """Gains (time, patch mode, sigma) of the patch modes, and what they solve."""
        own = replace(
            self.recipe.objective.regression(self.patches.variance, sigma),
            sharing=self.architecture.sharing(self.spectrum),
        )
        return own, self.architecture.network_gain(own, self.recipe.optimizer, time)

    def transfer(self, time: Times, sigma: Float[np.ndarray, " sigma"]) -> Any:
        """ψ as a matrix over channels, (time, frequency, c, c), at one noise level after the other."""
        for psi in self.channels_first(time, sigma):
            yield psi.transpose(2, 3, 0, 1)

    def channels_first(
        self, time: Times, sigma: Float[np.ndarray, " sigma"]
    ) -> Complex[np.ndarray, "sigma c c time _"]:
        """ψ as a matrix over channels at every noise level, (sigma, c, c, time, frequency)."""
        own, gain = self.patch_gain(time, sigma)
        c, n = self.basis.channels, self.patches.frequency.size
        rows = np.ascontiguousarray(gain.transpose(2, 0, 1)).reshape(sigma.size * len(time), -1)
        mixed = (rows @ self.parts).reshape(sigma.size, len(time), 2, c, c, n)
        out = np.empty((sigma.size, c, c, len(time), n), dtype=np.complex128)
        out.real, out.imag = mixed[:, :, 0].transpose(0, 2, 3, 1, 4), mixed[:, :, 1].transpose(0, 2, 3, 1, 4)
        out *= own.gain_slope[:, None, None, None, None]
        out[:, range(c), range(c)] += own.gain_offset[:, None, None, None]
        return out

    def generated(self, time: Times) -> Blocks:
        """Generated cross-spectral matrices, over blocks of times."""
        sampler, n = self.recipe.sampler, self.patches.frequency.size
        if self.basis.channels == 1:
            frequencies = np.arange(n)
            return self._scalar(sampler, time, frequencies)[..., None, None].astype(np.complex128)
        levels = sampler.matrix_levels
        rows = max(1, BLOCK // (n * levels.size * self.identity.size))
        out = np.empty((time.size, n, *self.identity.shape), dtype=np.complex128)
        identity = self.identity[:, :, None]

        def carry(start: int) -> None:
            some = time[start : start + rows]
            with np.errstate(over="ignore", invalid="ignore"):
                slope = identity - self.channels_first(some, levels).reshape(levels.size, *self.identity.shape, -1)
                carried = carried_along_first(
                    sampler.steps_of(list(slope), along_first, identity), sampler.sigma_max**2
                )
            out[start : start + rows] = carried.reshape(*self.identity.shape, len(some), n).transpose(2, 3, 0, 1)

        with ThreadPoolExecutor(THREADS) as pool:  # arrays this small keep one core busy each
            list(pool.map(carry, range(0, time.size, rows)))
        return out

    def _scalar(self, sampler: Sampler, time: Times, chosen: np.ndarray) -> Float[np.ndarray, "time frequency"]:
        """One channel: the transfer function is real, and modes are on their own."""
        levels = sampler.levels
        transfer = self.patches.transfer[chosen, 0, 0].real
        out = np.empty((time.size, chosen.size))
        rows = max(1, BLOCK // (levels.size * max(chosen.size, self.patches.variance.size)))
        for start in range(0, time.size, rows):
            times = slice(start, start + rows)
            own, gain = self.patch_gain(time[times], levels)
            psi = own.denoiser_gain(np.matmul(transfer, gain))
            with np.errstate(over="ignore"):
                out[times] = sampler.variance(psi)
            finer = sampler.refined(psi)
            if finer is not None:
                out[times, finer[0]] = self._scalar(finer[1], time[times], chosen[finer[0]])
        return out

    def _whole(self, half: np.ndarray) -> np.ndarray:
        """Values on one of each pair ±k, real along modes, on all frequencies."""
        out = np.empty((half.shape[0], self.basis.opposite.size, *half.shape[2:]))
        out[:, self.basis.opposite[self.patches.frequency]] = half
        out[:, self.patches.frequency] = half
        return out

    def along_modes(self, blocks: Blocks) -> Float[np.ndarray, "time mode"]:
        """u*Bu for the data's channel modes u at every frequency."""
        u = self.basis.rotation[self.patches.frequency]
        return self.basis.of_modes(self._whole(np.einsum("fck,tfcd,fdk->tfk", u.conj(), blocks, u, optimize=True).real))

    def loss(self, regression: Regression, psi: np.ndarray) -> Float[np.ndarray, "time mode sigma"]:
        """Loss of each mode's output, E|u*(F − Y)|², from ψ of every level: around the optimum nothing cancels."""
        power = self.spectrum.cross_spectrum[self.patches.frequency]
        u = self.basis.rotation[self.patches.frequency]
        out = np.empty((psi.shape[0], *regression.curvature.shape))
        for i, sigma in enumerate(regression.sigma):
            noisy = power + sigma**2 * self.identity
            error = psi[..., i] - power @ np.linalg.inv(noisy)
            excess = np.einsum(
                "fck,tfca,fab,tfdb,fdk->tfk", u.conj(), error, noisy, error.conj(), u, optimize=True
            ).real
            # ψ's error in units of the network's output, per unit of its input
            scale = (self.recipe.objective.row(regression.sigma[i : i + 1]).a / regression.gain_slope[i]) ** 2
            out[..., i] = regression.weight[i] * (
                self.basis.of_modes(self._whole(excess)) * scale + regression.floor[:, i]
            )
        return out

    def distances(self, blocks: Blocks) -> dict[str, np.ndarray]:
        """KL, Wasserstein distance and alignment of all channels together (T17): waves of different frequency are independent."""
        chosen, basis = self.patches.frequency, self.basis
        u, power = basis.rotation[chosen], basis.by_frequency(self.spectrum.variance)[chosen]
        mixed = u.conj().swapaxes(1, 2) @ blocks @ u
        count = np.where(basis.opposite[chosen] == chosen, 1, 2)  # both of a pair ±k
        diagonal, root = np.einsum("tfkk->tfk", mixed).real, np.sqrt(power)
        cross = np.linalg.eigvalsh(root[:, :, None] * mixed * root[:, None, :])
        squared = diagonal.sum(axis=2) + power.sum(axis=1) - 2 * np.sqrt(np.maximum(cross, 0)).sum(axis=2)
        positive = (power > 0).all(axis=1)
        white = mixed[:, positive] / (root[positive, :, None] * root[positive, None, :])
        sizes = np.maximum(np.linalg.eigvalsh(white), np.finfo(float).tiny)
        kl = (sizes - 1 - np.log(sizes)).sum(axis=2) / 2
        on, whole = (diagonal**2).sum(axis=2), (np.abs(mixed) ** 2).sum(axis=(2, 3))
        return {
            "kl": kl @ count[positive],
            "wasserstein": np.sqrt(np.maximum(squared @ count, 0)),
            "alignment": (on @ count) / (whole @ count),
        }

    def covariance(self, blocks: Blocks) -> Float[np.ndarray, "time mode mode"]:
        """Covariance of the Hartley coordinates of all modes: Re within a frequency, −Im between k and −k."""
        basis, chosen = self.basis, self.patches.frequency
        u = basis.rotation[chosen]
        mixed = u.conj().swapaxes(1, 2) @ blocks @ u
        n, c = basis.opposite.size, basis.channels
        out = np.zeros((len(blocks), n, c, n, c))
        partner = basis.opposite[chosen]
        out[:, chosen, :, partner, :] = -mixed.imag.swapaxes(0, 1)
        out[:, partner, :, chosen, :] = -mixed.imag.swapaxes(0, 1).swapaxes(2, 3)
        for here in (partner, chosen):
            out[:, here, :, here, :] = mixed.real.swapaxes(0, 1)
        flat = out.reshape(len(blocks), n * c, n * c)
        return flat[:, basis.order[:, None], basis.order]
