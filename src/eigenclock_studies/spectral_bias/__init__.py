"""Spectral bias in real networks: do modes emerge in the order, and at the times, that theory says?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from ..study import Plan, Study
from . import convolution, cure, gaussian, images


class SpectralBias(Study):
    """Wang & Pehlevan's experiments (arXiv:2503.03206) with their network and settings, with seeds, intervals and controls."""

    name = "spectral_bias"
    title = "Spectral bias: the paper and here"
    plans: ClassVar[Mapping[str, Plan]] = {
        "gaussian": Plan(gaussian.PRESETS, gaussian.run, "Gaussian data, the authors' settings"),
        "images": Plan(images.PRESETS, images.run, "Images"),
        "convolution": Plan(convolution.PRESETS, convolution.run, "Convolutional networks"),
        "cure": Plan(cure.PRESETS, cure.run, "Training against the bias: SpectralEDM"),
    }

    def take_data(self, data: tuple[str, ...]) -> None:
        """The parts on images, and the cure, with other data sets: bundled names or paths. The cure's first has all methods."""
        self.options["images"] = replace(self.options["images"], data=data)
        self.options["cure"] = replace(self.options["cure"], data=data[0], others=data[1:])


STUDY = SpectralBias
