"""Rules on bits, under the name of earlier versions: see `eigenclock.exact.rules`."""

from .exact.rules import *  # noqa: F403
