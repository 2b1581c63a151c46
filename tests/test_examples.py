"""Every example and every code block runs, and prints what it says it prints."""

import doctest
import functools
import importlib
import pkgutil
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import eigenclock
import eigenclock_studies
from eigenclock.jobs.studies import find_study, study_names
from eigenclock.recipe.objectives import Objective

ROOT = Path(__file__).parent.parent
MODULES = [
    name
    for package in (eigenclock, eigenclock_studies)
    for _, name, _ in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if "__main__" not in name
]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_public_names_are_documented():
    for name in eigenclock.__all__:
        assert (getattr(eigenclock, name).__doc__ or "").strip(), name


def test_some_docstrings_have_examples():
    examples = sum(
        len(test.examples) for name in MODULES for test in doctest.DocTestFinder().find(importlib.import_module(name))
    )
    assert examples >= 8


def test_quickstart_prints_what_its_docstring_says(capsys):
    from examples import quickstart

    quickstart.main()
    printed = capsys.readouterr().out.splitlines()
    promised = [line.strip() for line in quickstart.__doc__.splitlines() if line.startswith("    ")]
    for got, expected in zip(printed, promised, strict=True):
        assert got.startswith(expected.removesuffix("...)"))


def numbers(table):
    return np.array([float(value.replace(",", "")) for value in re.findall(r"-?[\d][\d,]*\.?\d*(?:e[+-]?\d+)?", table)])


def test_choose_objective_makes_the_table_of_the_docs(tmp_path):
    """Prose built on a stale table would be wrong. 2 %: JPEG decoders differ in the last bit, and so do patches."""
    from examples import choose_objective, pages

    table = choose_objective.main(tmp_path)
    assert len(table.splitlines()) == 2 + len(choose_objective.OBJECTIVES)
    assert all(isinstance(objective, Objective) for objective in choose_objective.OBJECTIVES.values())
    assert {path.name for path in tmp_path.iterdir()} == {"objectives.csv", "objectives.png"}
    committed = numbers(pages.extract(ROOT / "docs" / "choose.md", "objectives"))
    assert numbers(table).shape == committed.shape
    assert np.allclose(numbers(table), committed, rtol=0.02)


@pytest.mark.parametrize(
    ("page", "name", "make"),
    [
        ("formulas.md", "variance", lambda out: import_example("which_formula").variance_table()),
        ("formulas.md", "gain", lambda out: import_example("which_formula").gain_table()),
        ("training.md", "samplers", lambda out: import_example("sampler_bias").main(out)),
        ("architectures.md", "depth", lambda out: import_example("depth").main(out)),
        ("gallery.md", "laws", lambda out: import_example("paper_figures.emergence_laws").main(out)),
    ],
)
def test_tables_of_pure_theory_are_what_the_code_says(page, name, make, tmp_path):
    """No data and no chance in them: equal to the character."""
    assert make(tmp_path).strip() == pages_of_docs(page, name).strip()


def test_kernel_sizes_make_the_table_of_the_docs(tmp_path):
    """Prose built on a stale table would be wrong; JPEG decoders differ in the last bit, and so do patches."""
    exponents, sharing = import_example("kernel_size").main(tmp_path)
    for table, name in ((exponents, "kernels"), (sharing, "sharing")):
        committed = pages_of_docs("architectures.md", name)
        assert numbers(table).shape == numbers(committed).shape
        assert np.allclose(numbers(table), numbers(committed), rtol=0.02, atol=0.02)


def test_own_loop():
    levels = import_example("own_loop").main(steps=60)
    assert list(levels) == ["a", "b", "c", "d", "e", "e_balanced"]


def test_study_pages(tmp_path):
    """The committed page is whole: every table is there, and its figures."""
    from eigenclock_studies import run_study

    for page in (ROOT / "docs").glob("*.md"):
        shutil.copy(page, tmp_path)
    for part in ("gaussian", "images"):
        run_study("spectral_bias", preset="tiny", out=tmp_path / "tiny", part=part, command="eigenclock study ...")
    import_example("study_pages").main(tmp_path, tmp_path / "tiny", tmp_path / "none")
    made = import_example("pages").extract(tmp_path / "spectral_bias.md", "gaussian cpu")
    assert "Gaussian d = 24" in made
    for table in (
        "gaussian cpu",
        "gaussian paper",
        "images cpu",
        "convolution cpu",
        "width cpu",
        "theirs and here",
        "patches",
        "levels",
        "forecasts",
        "coverage",
        "durations",
    ):
        assert len(pages_of_docs("spectral_bias.md", table)) > 50, f"{table} was never filled in"


def test_pages_of_the_other_studies(tmp_path):
    """Made by the command, whole, with numbers behind every figure; and they say what they are."""
    from eigenclock_studies import run_study

    make = import_example("study_pages")
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("figures", "*.png"))
    run_study("innovation_window", preset="tiny", out=tmp_path / "tiny", part="exact", options={"ledger": (3,)})
    make.study_page(tmp_path / "docs", "innovation_window", tmp_path / "tiny")
    assert "(D = 12)" in import_example("pages").extract(tmp_path / "docs" / "innovation_window.md", "exact")
    for study in set(study_names()) - {make.OWN_PAGE}:
        text = (ROOT / "docs" / f"{study}.md").read_text()
        assert "not made yet" not in text
        assert ("reconstruction" in text.lower()) == ("reconstruction" in find_study(study).status.lower())
        for picture in re.findall(r"\((studies/[^)]*\.png)\)", text):
            assert (ROOT / "docs" / picture).exists(), picture


def import_example(name):
    return importlib.import_module(f"examples.{name}")


def pages_of_docs(page, name):
    return import_example("pages").extract(ROOT / "docs" / page, name)


def test_docs_figures(tmp_path, capsys, monkeypatch):
    from examples import docs_figures, pages

    options = [
        "--steps",
        "60",
        "--n",
        "500",
        "--simulation.records",
        "8",
        "--simulation.particles",
        "128",
        "--simulation.batch_size",
        "8",
    ]
    (tmp_path / "docs").mkdir()
    for page in (ROOT / "docs").glob("*.md"):
        shutil.copy(page, tmp_path / "docs")
    monkeypatch.setattr(docs_figures, "examples", functools.partial(docs_figures.examples, quick=True))
    trained = [
        "--steps",
        "40",
        "--network.width",
        "16",
        "--n",
        "500",
        "--probe.count",
        "6",
        "--probe.samples",
        "16",
        "--training.device",
        "cpu",
    ]
    docs_figures.main(tmp_path / "docs", tmp_path / "run", options, trained)
    figures = {path.name for path in (tmp_path / "docs" / "figures").iterdir()}
    committed = {path.name for path in (ROOT / "docs" / "figures").iterdir()}
    assert figures == committed
    made = pages.extract(tmp_path / "docs" / "index.md", "demo")
    assert "step by which modes with 50% of the variance have emerged" in made
    assert made != pages.extract(ROOT / "docs" / "index.md", "demo")
    assert made == pages.extract(tmp_path / "docs" / "expect.md", "demo")


@pytest.mark.parametrize("page", ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))])
def test_python_blocks_of_pages_run(page, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
        exec(compile(block, page, "exec"), scope)


@pytest.mark.parametrize("page", ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))])
def test_links_and_pictures_of_pages_exist(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http", "mailto")):
            assert ((ROOT / page).parent / target).exists(), f"{page} points at {target}, which is not there"


@pytest.mark.parametrize(
    "page", [p.name for p in ROOT.glob("*.md")] + [f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")]
)
def test_tests_that_pages_name_exist(page):
    for named in re.findall(r"`(tests/[\w/]+(?:\.py)?)`", (ROOT / page).read_text()):
        assert (ROOT / named).exists(), f"{page} names {named}, which is not there"


def test_makefile_and_readme_agree():
    commands = re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands[:2] == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text()
    for command in commands:
        assert re.search(rf"^{command}:", makefile, re.MULTILINE)
