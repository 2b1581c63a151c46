"""Tests of `eigenclock.training.descent`."""

import pytest
import torch

import eigenclock as ec
from eigenclock.training.descent import descend, half_then_linear, one_cycle
from eigenclock.training.optimizers import Adam


def test_descend_resumes_to_the_bit(tmp_path):
    """Killed after 600 of 1,000 steps and resumed, the weights are those of a run that never stopped."""

    def make():
        torch.manual_seed(0)
        return torch.nn.Linear(3, 1)

    def run(file, network, dies=None):
        def loss_of(step):
            if step == dies:
                raise KeyboardInterrupt
            x = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
            return (network(x) - x.sum(1, keepdim=True)).square().mean()

        return descend({"network": network}, loss_of, steps=1000, optimizer=Adam(1e-2), file=file, resume=True)

    whole, killed = make(), make()
    run(None, whole)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a.safetensors", killed, dies=600)
    resumed = make()
    assert run(tmp_path / "a.safetensors", resumed) == 500
    assert torch.equal(whole.weight, resumed.weight)
    with pytest.raises(ec.InputError, match=r"settings differ from the checkpoint .*: optimizer"):
        descend(
            {"network": make()},
            lambda step: None,
            steps=1000,
            optimizer=Adam(2e-2),
            file=tmp_path / "a.safetensors",
            resume=True,
        )


def test_descend_keeps_the_last_finite_state():
    network = torch.nn.Linear(2, 1)

    def loss_of(step):
        return network.weight.sum() * (float("nan") if step >= 60 else 1.0)

    with pytest.raises(
        ec.InputError, match=r"training stopped at step 99: the loss is nan, lr must be smaller than 0.01; .* step 50"
    ):
        descend({"network": network}, loss_of, steps=100, optimizer=Adam(1e-2))
    assert torch.isfinite(network.weight).all()


def test_schedules():
    assert [half_then_linear(p) for p in (0, 0.5, 0.75, 1)] == [1, 1, 0.5, 0]
    assert one_cycle(0.3) == pytest.approx(1)
    assert one_cycle(1.0) == pytest.approx(0, abs=1e-12)
    assert one_cycle(0.0) == pytest.approx(0.04)
