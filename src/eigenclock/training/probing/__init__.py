"""Looking at any denoiser in training: when, on what, under which labels, in which process, and what is recorded."""
