"""The spectrum of data: modes, bases, estimation."""
