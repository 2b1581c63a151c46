"""Which recipe for the data: advice before training, from the spectrum alone (T24)."""
