"""Tests of `eigenclock.cli.spectrum`."""

import numpy as np
import xarray as xr

import eigenclock as ec
from eigenclock import cli


def test_spectrum_command(tmp_path, capsys):
    cli.main(["spectrum", "--data", "digits", "--out", str(tmp_path / "spectrum.nc"), "--basis", "fourier"])

    table = capsys.readouterr().out
    assert "of 64 modes" in table
    assert table.splitlines()[-1].startswith("saved: ")
    with xr.open_dataset(tmp_path / "spectrum.nc", engine="h5netcdf") as dataset:
        assert np.isclose(ec.Spectrum.from_dataset(dataset.load()).variance.sum(), 64 * 0.25, rtol=0.5)
