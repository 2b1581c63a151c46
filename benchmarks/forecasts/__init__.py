"""Are forecasts right, and better than what one could have guessed? Sixteen runs: nine set constants, seven judge."""
