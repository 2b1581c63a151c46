"""Networks whose σ_data is a matrix: modes as torch modules, and the denoiser that acts along them (T19)."""
