"""Verdicts of the study: each can go every way."""

import numpy as np
import pandas as pd
import pytest

from eigenclock_studies.spectral_bias import convolution, laws


def rows(exponent, low, high, *, r2=0.9, modes=30):
    return pd.DataFrame(
        {"exponent": exponent, "low": low, "high": high, "r2": r2, "modes": modes, "one_over_inverse": exponent},
        index=[0],
    )


@pytest.mark.parametrize(
    ("law", "paper", "verdict"),
    [
        (rows(-1.0, -1.1, -0.9), 1.05, "shown"),
        (rows(-1.2, -1.25, -1.15), 1.08, "shown"),  # within 0.15
        (rows(-1.8, -1.9, -1.7), 1.08, "law shown, other exponent"),
        (rows(-0.5, -0.6, -0.4), None, "law shown"),
        (rows(-0.5, -1.1, 0.2), 0.5, "no clear law"),
        (rows(-0.5, -0.6, -0.4, r2=0.2), 0.5, "no clear law"),
        (rows(0.6, 0.5, 0.7), 0.5, "reversed: larger variance later"),
        (rows(-0.5, -0.6, -0.4, modes=4), 0.5, "too few modes emerged"),
        (rows(np.nan, np.nan, np.nan), 0.5, "too few modes emerged"),
    ],
)
def test_law_verdict(law, paper, verdict):
    assert laws.law_verdict(law, paper) == verdict


def test_intervals_are_those_of_alpha():
    assert laws.interval(rows(-1.26, -1.47, -1.15)) == "1.15 … 1.47 (95 % bootstrap over 30 modes, all seeds)"
    assert laws.inverse(rows(-1.0, -1.1, -0.9)) == "1.00"
    assert laws.inverse(rows(-1.0, -1.1, -0.9, r2=0.1)) == "not meaningful (R² < 0.5)"


@pytest.mark.parametrize(
    ("law", "verdict"),
    [
        (rows(-0.05, -0.3, 0.2), "shown"),
        (rows(-0.1, -0.15, -0.05), "not shown: flat law"),
        (rows(-0.6, -0.7, -0.5), "not shown: there is a law"),
        (rows(0.6, 0.5, 0.7), "reversed: larger variance later"),
    ],
)
def test_whether_a_law_is_gone(law, verdict):
    assert convolution.gone_verdict(law) == verdict


@pytest.mark.parametrize(
    ("c", "a", "null", "rank", "verdict"),
    [
        (0.1, 0.5, 0.4, 0.95, "shown"),
        (0.1, 0.5, 0.4, 0.5, "in part: better than both controls, order only partly"),
        (0.3, 0.2, 0.4, 0.95, "not shown: best is (a)"),
        (0.3, 0.5, 0.1, 0.95, "not shown: one time for all modes is as good"),
        (np.nan, np.nan, np.nan, np.nan, "too few modes emerged"),
    ],
)
def test_level_verdict(c, a, null, rank, verdict):
    error = {"a": a, "b": 0.6, "c": c, "d": c}
    table = pd.DataFrame(
        [
            {
                "level": level,
                "median_error": error[level],
                "null_error": null,
                "rank_correlation": rank,
                "slope": 1.0,
                "error_90": 1.0,
            }
            for level in "abcd"
        ]
    )
    assert laws.level_claim("x", table)["verdict"] == verdict
