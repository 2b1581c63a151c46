"""Closed forms and quadrature: from spectrum and recipe to a learning curve."""

from . import collapse as collapse
