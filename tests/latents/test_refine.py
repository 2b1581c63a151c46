"""Tests of `eigenclock.latents.refine`."""

import numpy as np

from eigenclock.latents.refine import refine_passage


def test_refine_passage_is_censored_while_it_falls():
    step = np.array([0.0, 1, 2, 4, 8, 16, 32, 64, 128, 256])
    done = np.array([1.0, 0.9, 0.6, 0.3, 0.05, 0.04, 0.05, 0.045, 0.05, 0.05])
    assert 4 < refine_passage(step, done, 0.1).time[0] < 8
    assert refine_passage(step, np.linspace(1, 0.1, 10), 0.1).status == ["right-censored"]
    assert refine_passage(step, np.full(10, 0.3), 0.1).status == ["right-censored"]
