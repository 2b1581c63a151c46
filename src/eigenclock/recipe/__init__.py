"""What a prediction is made of: objective, architecture, optimizer, sampler."""
