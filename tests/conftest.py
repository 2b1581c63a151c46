"""Shared fixtures."""

import os
import shutil
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side, one core each

import matplotlib
import numpy as np
import pytest
from hypothesis import settings

import eigenclock as ec

matplotlib.use("Agg")
settings.register_profile("default", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("default")


def pytest_configure(config):
    """Warnings are errors, but for what is said of an input: tests of it ask for it. Here, after the type checker is in place."""
    config.addinivalue_line("filterwarnings", "default::eigenclock.checks.InputWarning")


ROOT = Path(__file__).parent.parent
MADE_BY_TOOLS = {"__pycache__", "site", "runs", "build", "dist"}
"""Folders, besides hidden ones, that no commit holds."""


def files_of_the_tree() -> dict[str, tuple[int, int]]:
    """Time and size of every file of the checkout."""
    found = {}
    for folder, inside, names in os.walk(ROOT):
        inside[:] = [name for name in inside if name not in MADE_BY_TOOLS and not name.startswith(".")]
        for name in names:
            seen = os.stat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = seen.st_mtime_ns, seen.st_size
    return found


SEEN: list[dict[str, tuple[int, int]]] = []
"""The tree as the last test left it."""


@pytest.fixture(autouse=True)
def leaves_the_working_tree_alone():
    """Fails any test that makes, changes or removes a file of the checkout: what a test writes belongs under tmp_path."""
    before = SEEN.pop() if SEEN else files_of_the_tree()
    yield
    SEEN.append(files_of_the_tree())
    changed = {Path(name).relative_to(ROOT).as_posix() for name, _ in before.items() ^ SEEN[-1].items()}
    assert not changed, f"changed in the working tree since the last test: {', '.join(sorted(changed))}"


@pytest.fixture(scope="session")
def patches():
    """A small data set of real images with its spectrum: 8×8 natural patches."""
    data = ec.data.natural_patches(8, n=3000, n_test=500).standardized()
    return data, ec.Spectrum.from_samples(data.samples, test=data.test)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium. Without one, tests fail under CI=true and skip elsewhere."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("no Chromium found, and CI=true: install Debian's chromium")
    if path is None:  # a contributor without root cannot install one; `make test` says so, and CI fails above
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()
