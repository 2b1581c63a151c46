"""Public names: written once, loaded when used, and none of 0.1.0's has gone."""

import importlib
import subprocess
import sys

import pytest
from jsonargparse._util import get_import_path

import eigenclock as ec
from eigenclock.recipe.recipe import PARTS, concrete
from eigenclock.training.network_options import Network
from eigenclock.training.optimizers import Descent

OF_0_1_0 = [
    "EDM",
    "MLP",
    "PCA",
    "SGD",
    "Adam",
    "AdamW",
    "Affine",
    "AlignedConfig",
    "AmbientDiffusion",
    "Architecture",
    "Basis",
    "Circulant",
    "ClassClocks",
    "Clock",
    "Comparison",
    "ConvNet",
    "Coupled",
    "DeepLinear",
    "Denoising",
    "DiT",
    "Emergence",
    "Epsilon",
    "Estimate",
    "Euler",
    "EulerMaruyama",
    "FeatureMap",
    "FeedForward",
    "FlowConfig",
    "FlowGenerator",
    "FlowMatching",
    "Forecast",
    "Fourier",
    "GaussianKernel",
    "GaussianStart",
    "Generalization",
    "GradientDescent",
    "GradientFlow",
    "GroupParity",
    "GroupWeight",
    "HeavyBall",
    "Heun",
    "Innovation",
    "InputError",
    "KernelMatrix",
    "LatentBaseline",
    "LearningCurve",
    "Levels",
    "Linear",
    "LocalConv",
    "LogNormal",
    "LogRatio",
    "LoopOptions",
    "MatrixStart",
    "Memorization",
    "ModelConfig",
    "Network",
    "NormedMLP",
    "NoRule",
    "NoiseKernel",
    "Objective",
    "OneLayer",
    "Optimizer",
    "Passages",
    "Permutation",
    "PowerLaw",
    "PriorAlignedAutoencoder",
    "ProbabilityFlow",
    "Probe",
    "Recipe",
    "Residual",
    "Rule",
    "Sampler",
    "Score",
    "ScoreLatentDiffusion",
    "Spectrum",
    "Start",
    "Stochastic",
    "Stopping",
    "TiedTwoLayer",
    "Trained",
    "TwoLayer",
    "UNet",
    "UnalignedOneLayer",
    "UnalignedTiedTwoLayer",
    "Velocity",
    "as_denoiser",
    "check_forecasts",
    "class_clocks",
    "collapse",
    "compare",
    "compare_levels",
    "convolution_fit",
    "data",
    "diagnose_latents",
    "divergences",
    "exact",
    "forecast",
    "generalization",
    "innovation",
    "log_steps",
    "memorization",
    "noise_floor",
    "patch_spectrum",
    "predict",
    "predict_level",
    "predict_levels",
    "sample",
    "simulate",
    "stopping",
    "train",
    "variance_by",
]

HEAVY = ("scipy.stats", "scipy.optimize", "matplotlib", "plotly", "torch")

NO_TORCH = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
"""


def python(script, *arguments):
    """A fresh interpreter: what is loaded in this one says nothing."""
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def loaded_after(script):
    done = python(f"{script}\nimport sys\nprint(*sys.modules)")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_every_name_of_the_first_version_is_there():
    assert set(OF_0_1_0) <= set(ec.__all__)
    for name in OF_0_1_0:
        assert getattr(ec, name) is not None


def test_only_public_names_are_listed():
    assert dir(ec) == sorted(ec.__all__)
    assert len(ec.__all__) == len(set(ec.__all__))


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = ec.nothing_of_this_name


@pytest.mark.parametrize("name", ["clocks", "data", "exact", "rules", "cli"])
def test_paths_that_others_import(name):
    module = importlib.import_module(f"eigenclock.{name}")
    wanted = {"clocks": "Clock", "data": "load", "exact": "parity_denoiser", "rules": "GroupParity", "cli": "main"}
    assert callable(getattr(module, wanted[name]))


def test_folders_are_attributes_too():
    """`import eigenclock` alone gives `eigenclock.clocks`, as when everything was imported at once."""
    done = python("import eigenclock as ec; print(ec.clocks.Clock.__name__, ec.theory.predict.predict is ec.predict)")
    assert done.stdout == "Clock True\n", done.stderr


def test_import_loads_nothing_heavy():
    loaded = loaded_after("import eigenclock")
    assert not loaded & {*HEAVY, "numpy", "pandas", "xarray", "jsonargparse"}


def test_the_theory_does_not_load_torch_or_plots():
    loaded = loaded_after("import eigenclock as ec; ec.predict(ec.Spectrum([1.0]), time=[1.0])")
    assert not loaded & {"torch", "matplotlib", "plotly"}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_short_answers_need_no_theory(option):
    script = f"from eigenclock.cli import main\ntry: main(['{option}'])\nexcept SystemExit as end: assert end.code == 0"
    loaded = loaded_after(script)
    assert not [
        name for name in loaded if name.startswith(("eigenclock.theory", "eigenclock.recipe", "eigenclock.jobs"))
    ]
    assert not loaded & {*HEAVY, "numpy"}


OF_THE_LIBRARY = [
    one for base in (*PARTS, Network, Descent) for one in concrete(base) if one.__module__.startswith("eigenclock.")
]
"""Not of a study, nor of a test."""


@pytest.mark.parametrize("kind", OF_THE_LIBRARY)
def test_files_name_a_part_by_its_public_path(kind):
    """What the command line writes into config.yaml, `class_path: eigenclock.EDM`, does not depend on where the class lives."""
    assert get_import_path(kind) == f"eigenclock.{kind.__name__}"


def test_without_torch_a_hint(tmp_path):
    script = NO_TORCH + "from eigenclock.cli import main; main(sys.argv[1:])"
    for arguments in (
        ["run", "--data", "digits", "--out", str(tmp_path / "r")],
        ["study", "spectral_bias", "--out", str(tmp_path / "s")],
    ):
        done = python(script, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "eigenclock: error: training needs PyTorch: pip install 'eigenclock[train]'\n"
    done = python(NO_TORCH + "import eigenclock as ec; ec.predict(ec.Spectrum([1.0])); ec.Probe")
    message = "eigenclock.checks.InputError: training needs PyTorch: pip install 'eigenclock[train]'"
    assert done.stderr.splitlines()[-1] == message
