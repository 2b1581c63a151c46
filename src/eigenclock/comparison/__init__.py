"""Prediction against measurement: comparison, levels of theory, forecasts and their check."""
