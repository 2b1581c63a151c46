"""Tests of `eigenclock.training.probing.ranks`: two real processes over gloo."""

import multiprocessing
import os
import time

import pytest
import torch

import eigenclock as ec


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.BatchNorm1d(16), torch.nn.Linear(16, 3))


def train(rank, store, folder, probed):
    """Ten steps of two processes on different samples; buffers of the batch norm are exchanged at every call."""
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    net = torch.nn.parallel.DistributedDataParallel(model())
    spectrum = ec.Spectrum([1.0, 0.3, 0.1])
    descent = torch.optim.SGD(net.parameters(), lr=0.01)
    probe = ec.Probe(spectrum, sampler=ec.Heun(steps=4), steps=[1, 5, 10], n_samples=32)
    generator, looked = torch.Generator().manual_seed(rank), 0.0
    for step in range(11):
        if step:
            clean = torch.randn(16, 3, generator=generator)
            (net(clean + torch.randn(16, 3, generator=generator)) - clean).square().mean().backward()
            descent.step()
            descent.zero_grad()
        if probed:
            begun = time.perf_counter()
            probe(step, lambda x, sigma: net(x))
            looked += time.perf_counter() - begun
    result = {"weights": dict(net.module.state_dict()), "scalars": probe.scalars(), "recorded": probe.recorded}
    if probed and rank == 0:
        result["steps"] = probe.curve().time.values.tolist()
    if probed and rank == 1:
        with pytest.raises(ec.InputError, match="process 1: that of rank 0 has the records"):
            probe.curve()
        result["state"] = probe.state_dict()["curves"]
        assert not probe.due(10)
    torch.save(result, f"{folder}/{rank}_{probed}.pt")
    torch.distributed.barrier()  # neither leaves while the other still exchanges
    torch.distributed.destroy_process_group()
    os._exit(0)  # gloo's threads were seen to abort a process that ends in the usual way


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no torch.distributed")
def test_the_first_of_two_processes_looks_and_training_is_the_same_to_the_bit(tmp_path):
    """Without care the first process would wait for ever for buffers of the second, or the second for the first's."""
    fresh = multiprocessing.get_context("spawn")
    for probed in (True, False):
        workers = [
            fresh.Process(target=train, args=(rank, tmp_path / f"store{probed}", tmp_path, probed)) for rank in (0, 1)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(120)
            alive = worker.is_alive()
            worker.kill()
            assert not alive, "a process waits for ever"
            assert worker.exitcode == 0
    found = {
        (rank, probed): torch.load(tmp_path / f"{rank}_{probed}.pt", weights_only=True)
        for rank in (0, 1)
        for probed in (True, False)
    }
    assert found[0, True]["steps"] == [0, 1, 5, 10]
    assert found[0, True]["scalars"]["step"] == 10
    assert found[1, True]["recorded"] == 0
    assert found[1, True]["scalars"] == {}
    assert found[1, True]["state"] == {}
    for rank in (0, 1):
        for name, weight in found[rank, True]["weights"].items():
            assert torch.equal(weight, found[rank, False]["weights"][name]), name
