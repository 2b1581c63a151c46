"""The probe where people already train: Lightning, accelerate, diffusers. Each partner is imported by its own file alone."""
