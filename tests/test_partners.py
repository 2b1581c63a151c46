"""The notebook, the training script of diffusers and the benchmark of a GPU, run as they are."""

import importlib
import re
from pathlib import Path

import pytest
import torch


def test_the_notebook_runs_from_its_first_cell_to_its_last():
    """And was committed with what it shows: a picture, tables, no error."""
    import nbformat

    from examples import notebook

    made, kept = notebook.executed(), nbformat.read(notebook.NOTEBOOK, as_version=4)
    for nb in (made, kept):
        outputs = [output for cell in nb.cells if cell.cell_type == "code" for output in cell.outputs]
        kinds = [set(output.get("data", {})) for output in outputs]
        assert sum("image/png" in kind for kind in kinds) == 2
        assert sum("text/html" in kind for kind in kinds) >= 4
        assert not any(output.output_type == "error" for output in outputs)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["ddpm", "flow"])
def test_diffusers_training(kind, tmp_path):
    example = importlib.import_module("examples.diffusers_training")
    lines = Path(example.__file__).read_text().splitlines()
    assert len(lines) < 80
    assert [line.rsplit("# ", 1)[1] for line in lines if re.search(r"# \d$", line)] == list("12345")
    before = torch.get_rng_state()
    probe = example.main(kind, steps=3, samples=128, folder=str(tmp_path))
    torch.set_rng_state(before)
    assert probe.curve().time.values.tolist() == [0, 1, 2, 3]
    assert probe.curve().dataset.attrs["objective"] == {"ddpm": "Epsilon", "flow": "FlowMatching"}[kind]
    assert list(tmp_path.glob("events*"))


def test_the_benchmark_of_a_gpu_measures_a_cpu_too(monkeypatch, capsys):
    """A device against itself: no difference, and every row of both tables."""
    import eigenclock as ec
    from benchmarks import gpu

    monkeypatch.setattr(gpu, "NETWORKS", {"chain": (ec.MLP(8, 1), 8)})
    monkeypatch.setattr("sys.argv", ["gpu", "--device", "cpu", "--steps", "2"])
    tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        with pytest.raises(SystemExit) as ended:
            gpu.main()
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert re.findall(r"\| (loss|probe's gain), chain \| (\S+) \|", printed) == [
        ("loss", "0.0e+00"),
        ("probe's gain", "0.0e+00"),
    ]
    assert [row.split("|")[2].strip() for row in printed.splitlines() if row.startswith("| chain")] == [
        "float32",
        "bfloat16",
    ]
