"""Spectral bias in real networks: do modes emerge in the order, and at the times, that theory says?"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..study import Part, Preset, Say, Study
from . import convolution, cure, gaussian, images, width


@dataclass(frozen=True)
class SpectralBias(Study):
    """Wang & Pehlevan's experiments (arXiv:2503.03206) with their network and settings, with seeds, intervals and controls."""

    gaussian: gaussian.Options
    images: images.Options
    convolution: convolution.Options
    width: width.Options
    cure: cure.Options
    name = "spectral_bias"
    title = "Spectral bias: the paper and here"

    @classmethod
    def preset(cls, name: Preset) -> "SpectralBias":
        return cls(
            gaussian.PRESETS[name],
            images.PRESETS[name],
            convolution.PRESETS[name],
            width.PRESETS[name],
            cure.PRESETS[name],
        )

    def with_data(self, data: tuple[str, ...]) -> "SpectralBias":
        """The parts on images, and the cure, with other data sets: bundled names or paths. The cure's first has all methods."""
        cured = replace(self.cure, data=data[0], others=data[1:])
        return replace(self, images=replace(self.images, data=data), cure=cured)

    def parts(self) -> dict[str, Callable[[Path, Say], Part]]:
        return {
            "gaussian": lambda folder, say: gaussian.run(self.gaussian, folder, say),
            "images": lambda folder, say: images.run(self.images, folder, say),
            "convolution": lambda folder, say: convolution.run(self.convolution, folder, say),
            "width": lambda folder, say: width.run(self.width, folder, say),
            "cure": lambda folder, say: cure.run(self.cure, folder, say),
        }


STUDY = SpectralBias
