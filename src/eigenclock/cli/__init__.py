"""The command line: parses, calls, prints."""

from .main import main, parser

__all__ = ["main", "parser"]
