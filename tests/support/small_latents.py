"""The smallest latent model."""

import eigenclock as ec

SMALL = ec.ModelConfig(k=1, d=2, width=32, sigma1=0.1, stage1_steps=60, stage2_steps=40, batch=32, n_evals=6)
