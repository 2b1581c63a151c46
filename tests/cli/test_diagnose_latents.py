"""Tests of `eigenclock.cli.diagnose_latents`."""

import numpy as np
import xarray as xr
from matplotlib.image import imread

from eigenclock import cli


def test_diagnose_and_score_latent_commands(tmp_path, capsys):
    """From a file to a table, a figure and a NetCDF file; from an array to a model to samples, the same again."""
    rng, labels = np.random.default_rng(0), np.arange(60) % 2
    latents = rng.standard_normal((60, 4, 2, 2)) + 9 * labels[:, None, None, None]
    masks = rng.integers(0, 2, (60, 4, 4))
    np.savez(tmp_path / "z.npz", latents=latents, labels=labels, masks=masks)
    cli.main(["diagnose-latents", str(tmp_path / "z.npz"), "--out", str(tmp_path / "out"), "--decoder", "torch:tanh"])
    printed, said = capsys.readouterr()
    assert "global semantics (GSQ)" in printed
    assert (
        "t_lin may be too low: 60 latents are few for 16 dimensions, below 10 for each; the time lies between" in said
    )
    assert "1.000" in printed
    assert "predicted time to learn the covariance" in printed
    assert imread(tmp_path / "out" / "diagnosis.png").std() > 0.02
    with xr.open_dataset(tmp_path / "out" / "diagnosis.nc", engine="h5netcdf") as found:
        assert float(found["value"].sel(metric="gsq")) == 1
    np.save(tmp_path / "x.npy", rng.standard_normal((80, 2)) @ rng.standard_normal((2, 9)))
    small = [
        "--options.stage1_steps",
        "20",
        "--options.stage2_steps",
        "10",
        "--options.sigma1",
        "0.1",
        "--options.width",
        "16",
    ]
    model = ["--model", str(tmp_path / "m.safetensors")]
    cli.main(["score-latent", "fit", "--data", str(tmp_path / "x.npy"), *model, *small])
    assert "collapse clock" in capsys.readouterr().out
    for name in ("a", "b"):
        cli.main(["score-latent", "sample", *model, "--n", "7", "--seed", "3", "--out", str(tmp_path / f"{name}.npy")])
    first, second = (np.load(tmp_path / f"{name}.npy") for name in ("a", "b"))
    assert first.shape == (7, 9)
    assert np.array_equal(first, second)
