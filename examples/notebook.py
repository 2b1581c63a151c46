"""Runs `examples/quickstart.ipynb` from its first cell to its last and keeps what it shows: `python -m examples.notebook`."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("quickstart.ipynb")


def executed(path: Path = NOTEBOOK) -> nbformat.NotebookNode:
    """The notebook with fresh outputs; an error in a cell is raised."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    return notebook


if __name__ == "__main__":
    made = executed()
    for cell in made.cells:  # the same notebook on every machine: no times of day, no counts
        cell.metadata.pop("execution", None)
    nbformat.write(made, NOTEBOOK)
