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


@pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "default::eigenclock.checks.InputWarning"
)
def test_autoencoders_of_diffusers_are_compared():
    """Two with random weights, each by its own way to latents and its own scaling factor."""
    import numpy as np

    import eigenclock as ec

    diffusers = pytest.importorskip("diffusers")
    latents_of = importlib.import_module("eigenclock.integrations.diffusers").latents_of
    block = {"in_channels": 3, "out_channels": 3, "latent_channels": 4}
    torch.manual_seed(0)
    autoencoders = {
        "KL": diffusers.AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
            block_out_channels=(8, 16), norm_num_groups=4, scaling_factor=0.18215, **block,
        ),
        "tiny": diffusers.AutoencoderTiny(encoder_block_out_channels=(8, 8), decoder_block_out_channels=(8, 8), num_encoder_blocks=(1, 1), num_decoder_blocks=(1, 1), **block),
    }  # fmt: skip
    images = torch.as_tensor(ec.data.natural_patches(16, colour=True, n=800).samples * 2 - 1, dtype=torch.float32).permute(0, 3, 1, 2)  # fmt: skip
    spaces = {name: latents_of(one.eval(), images) for name, one in autoencoders.items()}
    assert {z.shape[-1] for z in spaces.values()} == {4}
    found = ec.compare_latents(spaces, channels_last=True)
    assert set(found.table["space"]) == {"KL", "tiny"}
    assert "learned soonest" in found.verdict
    kl = found.table.set_index("space").loc["KL"]
    with torch.no_grad():
        mean = autoencoders["KL"].encode(images[:200]).latent_dist.mean
    # its factor was learned for other weights: these latents are small, and that is said
    spread = float(mean.permute(1, 0, 2, 3).flatten(1).std(dim=1).square().mean().sqrt()) * 0.18215
    assert kl["std"] == pytest.approx(spread, rel=0.1)
    assert any(note.startswith("KL has a standard deviation of") for note in found.notes)
    last = ec.diagnose_latents(np.moveaxis(spaces["KL"], -1, 1))
    assert kl["t_lin"] == float(last["t_lin"])
