"""Tables that code writes into the pages of docs/, between two marks, so that a page is whole however it is read."""

import re
from pathlib import Path


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- table: {re.escape(name)} -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def insert(page: Path, name: str, table: str) -> None:
    """Put `table` in place of the one called `name` in `page`, if the page has one."""
    text = page.read_text(encoding="utf-8")
    page.write_text(
        _block(name).sub(lambda match: f"{match[1]}\n{table.rstrip()}\n\n{match[3]}", text), encoding="utf-8"
    )


def extract(page: Path, name: str) -> str:
    """The table called `name` in `page`."""
    found = _block(name).search(page.read_text(encoding="utf-8"))
    if found is None:
        raise KeyError(f"no table {name} in {page}")
    return found[2].strip("\n") + "\n"


def names(page: Path) -> list[str]:
    """Names of all tables of `page`."""
    return re.findall(r"<!-- table: (.*?) -->", page.read_text(encoding="utf-8"))
