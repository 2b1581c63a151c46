"""The house: rooms of a size to read, tests that mirror them, one home for what an architecture is. Floors: `make lint`."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import eigenclock as ec
import eigenclock_studies
from eigenclock.cli.parsing import COMMANDS, command_file, config_of
from eigenclock.recipe.recipe import concrete

ROOT = Path(__file__).parent.parent
LIBRARY, STUDIES, TESTS = ROOT / "src" / "eigenclock", ROOT / "src" / "eigenclock_studies", ROOT / "tests"
OF_THE_WHOLE = {"test_house.py", "test_exports.py", "test_examples.py", "test_additions.py", "test_partners.py"}
OF_A_STUDY = "test_study.py"
"""Tests of a package as a whole: the only ones that no module has the name of."""


def modules():
    return [*LIBRARY.rglob("*.py"), *STUDIES.rglob("*.py")]


def test_rooms_can_be_read_in_one_sitting():
    """Limits that the house sets itself: five modules in the root, 24 files in a folder, 340 lines in a file."""
    assert len(list(LIBRARY.glob("*.py"))) <= 5
    for folder in {file.parent for file in [*modules(), *TESTS.rglob("*.py")]}:
        assert len(list(folder.glob("*.py"))) <= 24, folder
    for file in [*modules(), *TESTS.rglob("*.py")]:
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 340, file


def test_every_room_says_what_it_is():
    for file in modules():
        first = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        assert first, file


def test_tests_mirror_the_tree():
    for file in TESTS.rglob("test_*.py"):
        if file.name in OF_THE_WHOLE or file.name == OF_A_STUDY or file.parent.name == "robustness":
            continue
        below = file.relative_to(TESTS)
        home = STUDIES / below.relative_to("studies") if below.parts[0] == "studies" else LIBRARY / below
        assert home.with_name(home.name.removeprefix("test_")).exists(), f"{below} tests no module of its name"


def test_nobody_asks_which_architecture_it_is():
    """Outside their folder architectures are asked for what they can do, never for what they are."""
    known = {kind.__name__ for kind in concrete(ec.Architecture)} | {"Linear"}
    for file in modules():
        if LIBRARY / "recipe" / "architectures" in file.parents:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            asked: list[ast.AST] = []
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
                asked = node.args[1:]
            if isinstance(node, ast.MatchClass):
                asked = [node.cls]
            parts = [part for one in asked for part in ast.walk(one)]
            names = {part.id for part in parts if isinstance(part, ast.Name)}
            names |= {part.attr for part in parts if isinstance(part, ast.Attribute)}
            assert not names & known, f"{file.name}:{node.lineno} asks for {names & known}"


def test_no_function_hides_a_module():
    """What a package has under a submodule's name is that submodule."""
    for package in (ec, eigenclock_studies):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            parent, _, name = found.name.rpartition(".")
            if name != "__main__":
                module = importlib.import_module(found.name)
                assert getattr(importlib.import_module(parent), name) is module, found.name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_file_with_its_options(name):
    file = command_file(name)
    assert Path(file.__file__).name == f"{name.replace('-', '_')}.py"
    assert config_of(file).__doc__


def test_every_file_of_a_command_is_one():
    have = {file.stem for file in (LIBRARY / "cli").glob("*.py") if "def command(" in file.read_text(encoding="utf-8")}
    assert have == {name.replace("-", "_") for name in COMMANDS}
