"""Names of the API page: `::: eigenclock.recipe.samplers.*` stands for every public name that comes from there.

MkDocs calls it when it builds the documentation, so that a new sampler is on the page without a line in docs/.
"""

import ast
import re
from pathlib import Path
from typing import Any

STUB = Path(__file__).parent.parent / "src" / "eigenclock" / "__init__.pyi"


def public_names(module: str) -> list[str]:
    """Public names that the package takes from a module, in the order of its stub."""
    imports = (node for node in ast.parse(STUB.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom))
    return [alias.name for node in imports if node.module == module for alias in node.names]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with every `::: eigenclock.module.*` replaced by a line for each name."""

    def lines(match: re.Match[str]) -> str:
        names = public_names(match[1])
        if not names:
            raise ValueError(f"no public name comes from eigenclock.{match[1]}")
        return "\n".join(f"::: eigenclock.{name}" for name in names)

    return re.sub(r"^::: eigenclock\.([\w.]+)\.\*$", lines, markdown, flags=re.MULTILINE)
