"""Are forecasts right, and better than what one could have guessed? Seventeen runs: nine set constants, eight judge."""
