"""Every example and every code block runs, and prints what it says it prints."""

import doctest
import functools
import importlib
import pkgutil
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import eigenclock
import eigenclock as ec
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


def test_choose_page_draws_the_figure_of_the_docs(tmp_path):
    from examples import choose_page

    advice = choose_page.main(tmp_path)
    assert (tmp_path / "choose.png").stat().st_size > 10_000
    assert advice.table["verdict"].iloc[advice.first_plain] == "best"


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


def test_own_loop_never_says_done_while_samples_are_noise():
    """An ε-network starts at 6,400 times the variance of a pixel: modes begin while samples are further off than the data are large."""
    example, said = import_example("own_loop"), []
    measured = example.watch(120, said.append)
    distance = measured.wasserstein().values / np.sqrt(measured.target.values.sum())
    assert distance[0] > 10
    begun = measured.emergence()
    assert len(said) == 3
    noise = 0
    for line in said:
        step = int(line.split(":")[0].removeprefix("step "))
        record = np.flatnonzero(measured.time.values <= step)[-1]
        assert not re.search("reached|learned|done|settled", line)
        if distance[record] > 1:
            noise += 1
            assert "of the data since" not in line
            assert (begun.time <= step).any() or step < 10
    assert noise >= 2  # of the three, so that the test has something to say


def test_a_loss_is_flat_from_where_it_stays_near_its_end():
    """A loss that falls like 1 + 10/step is within 3 % of its end from step 300 or so on; its smoothing looks back a fifth."""
    example = import_example("still_learning")
    step = np.arange(10.0, 10_001.0, 10.0)
    assert 300 <= example.flat_since(step, 1 + 10 / step) <= 420
    assert example.flat_since(step, np.ones_like(step)) == 10
    noisy = 1 + 0.02 * np.random.default_rng(0).standard_normal(step.size)
    assert np.allclose(example.smoothed(step, noisy)[-100:], noisy.mean(), atol=0.01)
    jump = np.where(step < 9000, 2.0, 1.0)
    assert example.flat_since(step, jump) >= 9000


def test_still_learning(tmp_path):
    """The tables of the page, and the figure with the numbers behind it."""
    example, page = import_example("still_learning"), ROOT / "docs" / "still_learning.md"
    tables = example.main(tmp_path, steps=40, patches=200, samples=16)
    assert {path.name for path in tmp_path.iterdir()} == {"still_learning.csv", "still_learning.png"}
    for name, table in tables.items():
        committed = import_example("pages").extract(page, name)
        first, second = (
            re.findall(r"^\|([^|]*)", re.sub(r"[\d,.]+", "#", one), re.MULTILINE) for one in (table, committed)
        )
        assert first == second, "the same rows, in the same order"
    series = pd.read_csv(tmp_path / "still_learning.csv")
    assert (series["modes_begun"].diff().dropna() >= 0).all(), "what has begun has begun"
    assert series["variance_in_band"].between(0, 1).all()
    plain = pd.read_csv(ROOT / "docs" / "figures" / "still_learning.csv")
    assert list(plain) == list(series)


def test_probing(tmp_path):
    """The tables of the page, the cost in them counted by hand."""
    probing = importlib.import_module("benchmarks.probing")
    shutil.copy(ROOT / "docs" / "networks.md", tmp_path)
    page = tmp_path / "networks.md"
    sizes = probing.Sizes(train=3, many=64, patches=300)
    table = probing.main(page, sizes, {"linear": ec.Linear(ec.OneLayer(0.0), levels=4)})
    assert import_example("pages").extract(page, "probing").strip() == table.strip()
    first = next(line for line in table.splitlines() if line.startswith("| linear | 5 |"))
    assert first.split("|")[3].split()[0] == f"{9 * 64 / (3 * 256):.3g}", "nine passes of 64 samples, of three of 256"
    committed = pages_of_docs("networks.md", "probing")
    assert sum(line.startswith("| U-Net |") for line in committed.splitlines()) == 2 * len(probing.STEPS) + 1


def test_theory_takes_out_what_the_sampler_does_to_the_optimum():
    """Of the best linear denoiser exactly; by its gain at eight levels, up to what lies between them."""
    probing = importlib.import_module("benchmarks.probing")
    data = ec.data.natural_patches(8, n=300).standardized()
    spectrum = ec.Spectrum.from_samples(data.samples)
    case = probing.Case(ec.Linear(ec.OneLayer(0.0), levels=2), data, probing.Sizes(train=1, many=64))

    def best(x, sigma):
        gain = spectrum.variance / (spectrum.variance + float(sigma) ** 2)
        return torch.as_tensor(spectrum.from_modes(gain * spectrum.to_modes(x.double().numpy())), dtype=x.dtype)

    case.denoiser = best
    case.gain, same = case.measured_gain(), case.look(probing.FINE, 64).log_variance
    for steps in (5, 20):
        moved = case.look(steps, 64).log_variance - same
        assert np.abs(moved).max() > 0.1
        assert np.allclose(moved, case.bias_of_the_optimum(steps), atol=2e-3)  # float32
    assert np.quantile(np.abs(moved - case.bias_of_the_gain(20)), 0.9) < 0.05


def test_study_pages(tmp_path):
    """The committed page is whole: every table is there, and its figures."""
    from eigenclock_studies import run_study

    for page in (ROOT / "docs").glob("*.md"):
        shutil.copy(page, tmp_path)
    for part in ("gaussian", "images"):
        run_study("spectral_bias", preset="tiny", out=tmp_path / "tiny", part=part, command="eigenclock study ...")
    import_example("study_pages").main(tmp_path, tmp_path / "tiny", tmp_path / "none")
    made = import_example("pages").extract(tmp_path / "spectral_bias.md", "gaussian")
    assert "Gaussian d = 24" in made
    pages = import_example("pages")
    for table in pages.names(ROOT / "docs" / "spectral_bias.md"):
        assert len(pages.extract(ROOT / "docs" / "spectral_bias.md", table)) > 50, f"{table} was never filled in"


def test_pages_of_the_other_studies(tmp_path):
    """Made by the command, whole, with numbers behind every figure; and they say what they are."""
    from eigenclock_studies import run_study

    make = import_example("study_pages")
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("figures", "*.png"))
    run_study("innovation_window", preset="tiny", out=tmp_path / "tiny", part="exact", options={"exact.groups": (3, 4)})
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


def every_page():
    """README and all pages; what trainers and trackers of others warn about is theirs."""
    found = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]
    theirs = pytest.mark.filterwarnings("ignore")
    return [pytest.param(page, marks=theirs) if page == "docs/trainers.md" else page for page in found]


@pytest.mark.parametrize("page", every_page())
def test_python_blocks_of_pages_run(page, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    """A block of text after one of Python is what it prints."""
    scope: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", (ROOT / page).read_text(), re.DOTALL)
    for block, promised in blocks:
        capsys.readouterr()
        exec(compile(block, page, "exec"), scope)
        assert not promised or capsys.readouterr().out == promised


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
