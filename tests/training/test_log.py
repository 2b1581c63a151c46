"""Tests of `eigenclock.training.log`."""

import json

import pytest
from support.small_training import small

import eigenclock as ec
from eigenclock.training.log import read_metrics


def test_metrics_stream_survives_a_line_cut_short(tmp_path):
    file = tmp_path / "metrics.jsonl"
    file.write_text(json.dumps({"step": 10, "loss": 1.0}) + '\n{"step": 20, "lo')
    assert read_metrics(file) == [{"step": 10, "loss": 1.0}]
    assert read_metrics(tmp_path / "none") == []


def test_tensorboard_events(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    small(tmp_path, options=ec.LoopOptions(batch_size=16, device="cpu", tensorboard=True))
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("loss")] == [10, 20, 30, 40]
