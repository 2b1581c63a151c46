"""Tests of `eigenclock.latents.compare`: order, intervals, and what it says of sizes and layouts."""

import numpy as np
import pytest

import eigenclock as ec

RNG = np.random.default_rng(0)
NOISE = RNG.standard_normal((1500, 4, 4, 4))
ROUGH, SMOOTH = NOISE + np.roll(NOISE, 1, axis=3), NOISE.cumsum(axis=2).cumsum(axis=3)


def test_spaces_are_ranked_by_the_time_that_each_alone_is_given():
    found = ec.compare_latents({"smooth": SMOOTH, "rough": ROUGH, "white": NOISE})
    assert found.table["space"].tolist() == ["rough", "smooth", "white"]
    assert found.table["verdict"].tolist() == ["soonest", "later", "white"]
    assert found.best == "rough"
    for row in found.table.itertuples():
        alone = ec.diagnose_latents({"smooth": SMOOTH, "rough": ROUGH, "white": NOISE}[row.space])
        assert row.t_lin == float(alone["t_lin"])
        assert row.t_lin_low <= row.t_lin <= row.t_lin_high
    assert found.verdict.startswith("rough is learned soonest (t_lin ")
    assert "next comes smooth, " in found.verdict
    assert "of white the covariance says nothing" in found.verdict
    assert "<table" in found._repr_html_()
    assert repr(found) == "LatentComparison(3 spaces; rough first)"


def test_the_same_space_twice_is_not_told_apart():
    found = ec.compare_latents({"one": ROUGH[:700], "other": ROUGH[700:1400]})
    assert found.table["verdict"].tolist() == ["soonest", "not told apart"]
    assert "are learned soonest and are not told apart" in found.verdict


def test_scaling_factors_change_no_time_and_are_said():
    found = ec.compare_latents({"as it is": 5 * ROUGH, "scaled": ROUGH / ROUGH.std()})
    times = found.table.set_index("space")
    assert times["t_lin"].iloc[0] == pytest.approx(times["t_lin"].iloc[1], rel=1e-9)
    assert times.loc["as it is", "scaling_factor"] == pytest.approx(1 / (5 * ROUGH.std()), rel=1e-2)
    assert len(found.notes) == 1
    assert found.notes[0].startswith("as it is has a standard deviation of 7.0")
    uneven = ec.compare_latents(
        {"even": ROUGH / ROUGH.std(), "uneven": ROUGH * np.array([1.6, 1, 0.3, 0.3])[:, None, None]}
    )
    assert any("channels of uneven differ 5.3-fold in size" in note for note in uneven.notes)


def test_channels_last_are_turned_and_what_looks_like_them_is_said():
    first = ec.compare_latents({"rough": ROUGH, "smooth": SMOOTH})
    last = ec.compare_latents(
        {"rough": np.moveaxis(ROUGH, 1, -1), "smooth": np.moveaxis(SMOOTH, 1, -1)}, channels_last=True
    )
    assert first.table.equals(last.table)
    wide = RNG.standard_normal((200, 8, 8, 3)).cumsum(axis=1)
    with pytest.warns(ec.InputWarning, match=r"look like \(n, h, w, d\)"):
        ec.compare_latents({"a": wide, "b": wide})


def test_what_cannot_be_compared_is_refused_by_name():
    for given, options, words in (
        ({"one": ROUGH}, {}, "latents must be two latent spaces or more by name"),
        (ROUGH, {}, "latents must be two latent spaces or more by name"),
        ({"one": ROUGH, "bad": ROUGH[0]}, {}, "bad: latents must have shape"),
        ({"one": ROUGH, "two": ROUGH}, {"decoders": {"three": lambda z: z}}, "decoders must be of the spaces one, two, got 'three'"),
        ({"one": ROUGH, "dead": np.ones((600, 4, 4, 4))}, {}, "dead: latents must vary, got 1.0 everywhere"),
        ({1: ROUGH, "1": ROUGH}, {}, "latents must have different names"),
        ({"one": ROUGH, "two": ROUGH}, {"labels": [0, 1]}, "one: labels must have shape"),
    ):  # fmt: skip
        with pytest.raises(ec.InputError, match=words):
            ec.compare_latents(given, **options)
