"""Tests of `eigenclock_studies.innovation_window.basins`."""

import numpy as np
import pytest
import torch
from support.oracle import RULE

from eigenclock_studies.innovation_window.basins import LEVELS
from eigenclock_studies.innovation_window.part_exact import reference_rates


def test_basins_of_exact_denoisers():
    rates = reference_rates(RULE, 256, 0)
    normal = 0.5 * (1 + torch.erf(torch.tensor([1 / s / np.sqrt(2) for s in LEVELS]))).numpy()
    # factorised: every bit keeps its sign with probability Φ(1/σ), for every class; 256 draws: three standard errors are 0.09
    assert rates["no rule"] == pytest.approx(np.tile(normal**24, (4, 1)), abs=0.09)
    assert rates["the rule"][1] == pytest.approx([1.0, 1.0, 0.92, 0.75, 0.35, 0.15], abs=0.09)
    assert rates["the rule"][2].max() < 0.02
    assert rates["the training set"][0] == pytest.approx([1, 1, 1, 1, 0.98, 0.93], abs=0.09)
    assert rates["the training set"][1:].max() < 0.02
