"""Tests of `eigenclock_studies.spectral_bias.cure.muon`."""

import torch

from eigenclock_studies.spectral_bias.cure.muon import Muon


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Linear(5, 3))


def step(net, optimizer, seed):
    x = torch.randn((8, 6), generator=torch.Generator().manual_seed(seed))
    optimizer.zero_grad()
    net(x).square().sum().backward()
    optimizer.step()


def test_it_is_both_optimizers_side_by_side():
    ours, theirs = network(), network()
    both = Muon(1e-3).build(ours.parameters(), fused=False)
    muon = torch.optim.Muon(
        [p for p in theirs.parameters() if p.ndim == 2], 1e-3, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"
    )
    adam = torch.optim.Adam([p for p in theirs.parameters() if p.ndim != 2], 1e-3)
    for i in range(3):
        step(ours, both, i)
        x = torch.randn((8, 6), generator=torch.Generator().manual_seed(i))
        theirs.zero_grad()
        theirs(x).square().sum().backward()
        muon.step()
        adam.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)


def test_its_state_goes_on():
    whole, parts = network(), network()
    first = Muon(1e-3).build(whole.parameters(), fused=False)
    second = Muon(1e-3).build(parts.parameters(), fused=False)
    for i in range(2):
        step(whole, first, i)
        step(parts, second, i)
    third = Muon(1e-3).build(parts.parameters(), fused=False)
    third.load_state_dict(second.state_dict())
    for i in range(2, 4):
        step(whole, first, i)
        step(parts, third, i)
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(a, b)
