"""Tests of `eigenclock_studies.spectral_bias.convolution`."""

import pandas as pd
import pytest

from eigenclock_studies.spectral_bias import convolution


def test_share_beyond_a_pixel():
    fits = pd.DataFrame({"sigma": [1.0, 1.0], "kernel": [1, 5], "r2": [0.6, 0.9]})
    assert convolution.beyond_a_pixel(fits, 5).item() == pytest.approx(0.75)
