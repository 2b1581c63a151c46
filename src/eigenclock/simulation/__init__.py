"""Brute force: networks as full matrices, trained by explicit steps and sampled particle by particle.

Nothing here imports a formula of the theory. It shares only the theory's types (which objective, which optimizer), so
that agreement between the two means something.
"""
