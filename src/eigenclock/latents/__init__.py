"""Latent spaces: learned first (score latent diffusion), aligned with a prior, or the user's own, and their clocks."""
