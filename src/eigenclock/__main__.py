"""`python -m eigenclock`."""

from .cli.main import main

main()
