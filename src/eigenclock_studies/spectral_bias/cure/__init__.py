"""The cure: does a preconditioning of the data's spectrum make networks learn sooner, judged by what is not built into it?"""

from .part import PRESETS as PRESETS, Options as Options, run as run
