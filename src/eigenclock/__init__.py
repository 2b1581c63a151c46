"""eigenclock: when a diffusion model will have learned each feature of your data.

`predict` and `simulate` turn a `Spectrum` and a recipe (objective, architecture, optimizer, sampler) into a
`LearningCurve`. Public names are listed in `__init__.pyi` and loaded when first used.
"""

from importlib.metadata import version
from typing import Any

import lazy_loader

__version__ = version("eigenclock")

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    try:
        return _load(name)
    except ImportError:
        from .training.network_options import need_torch

        need_torch()
        raise
