"""Tests of `eigenclock.training.checkpoints`."""

import pytest
import torch
from support.small_training import small

import eigenclock as ec
from eigenclock.jobs.run_folder import CHECKPOINT
from eigenclock.training.checkpoints import read_checkpoint


def test_only_own_checkpoints_are_read(tmp_path):
    file = tmp_path / CHECKPOINT
    file.parent.mkdir()
    torch.save({"weights": torch.zeros(2)}, file)
    with pytest.raises(ec.InputError, match="pickled checkpoints can run code and are never loaded"):
        small(tmp_path, resume=True)
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, file)
    with pytest.raises(ec.InputError, match="not a checkpoint of eigenclock"):
        read_checkpoint(file)
    with pytest.raises(ec.InputError, match="checkpoint not found"):
        read_checkpoint(tmp_path / "none")
    small(tmp_path / "run")
    with pytest.raises(ec.InputError, match="is of another network"):
        small(tmp_path / "run", network=ec.MLP(8, 2), resume=True)
