"""eigenclock: when a diffusion model will have learned each feature of your data.

`predict` and `simulate` turn a `Spectrum` and a recipe (objective, architecture, optimizer, sampler) into a
`LearningCurve`. Public names are listed in `__init__.pyi` and loaded when first used.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

import lazy_loader

__version__ = version("eigenclock")

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name in __all__:
        try:
            return _load(name)
        except ImportError:
            import_module(".training.network_options", __name__).need_torch()
            raise
    try:  # a folder that nothing has imported yet
        return import_module(f".{name}", __name__)
    except ModuleNotFoundError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
