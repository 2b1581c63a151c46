"""The learning curve: the one result of theory, simulation and measurement; its distances and displays."""

from . import divergences as divergences
