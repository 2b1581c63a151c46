"""The probe where people already train: Lightning, accelerate, diffusers. Each partner is imported by its own file alone."""

from ..training.network_options import need_torch

need_torch()
