"""Make every figure of the gallery."""

import sys
from pathlib import Path

from . import divergence, emergence_laws, learning_curves, mean_and_covariance

SCRIPTS = (learning_curves, emergence_laws, divergence, mean_and_covariance)


def main(out: Path) -> None:
    """Write all plates to `out`."""
    for script in SCRIPTS:
        script.main(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/paper_figures"))
