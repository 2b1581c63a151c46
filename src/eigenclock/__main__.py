"""`python -m eigenclock`."""

from .cli import main

main()
