"""Tests of `eigenclock_studies.innovation_window.gpt`."""

import numpy as np
import pytest
import torch

from eigenclock.observables.copies import found_in
from eigenclock_studies.innovation_window.gpt import GPT, generate, likelihood, train_tokens


def test_gpt_is_causal_and_learns():
    model = GPT(16, 1, 2).build(8, seed=0)
    bits = torch.randint(0, 2, (4, 8), generator=torch.Generator().manual_seed(0))
    before = model(bits)
    for j in range(8):
        other = bits.clone()
        other[:, j] = 1 - other[:, j]
        changed = (model(other) - before).abs().amax(dim=(0, 2)) > 1e-7
        assert not changed[: j + 1].any()
        assert changed[j + 1 :].all() or j == 7
    few = np.array([[0, 1, 1, 0, 1, 0, 0, 1], [1, 1, 0, 0, 0, 1, 1, 0]])
    for _ in train_tokens(model, lambda step: few, steps=200, lr=1e-2, watch=[200], look=lambda step, model: None):
        pass
    drawn = generate(model, 256, seed=0)
    assert found_in(drawn, few).mean() > 0.95
    assert (generate(model, 16, seed=1) == generate(model, 16, seed=1)).all()
    nll = likelihood(model, few)
    assert nll[0] == pytest.approx(np.log(2), abs=0.05)
    assert nll[1:].sum() < 0.2
