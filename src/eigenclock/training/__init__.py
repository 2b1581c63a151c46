"""Real networks under the clock: networks, losses, samplers, the training loop and the probe (PyTorch; extra `train`)."""
