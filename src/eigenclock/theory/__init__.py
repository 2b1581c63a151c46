"""Closed forms and quadrature: from spectrum and recipe to a learning curve."""
