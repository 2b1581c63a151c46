"""Are forecasts right, and are they better than what one could have guessed? Sixteen runs, nine to set constants, seven to judge."""
