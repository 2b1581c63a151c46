"""Tests of `eigenclock_studies.spectral_bias.cure.figures`, on planted runs."""

import numpy as np
from support.cure import SOURCE, arms

from eigenclock_studies.spectral_bias.cure.figures import curves_figure, samples_figure, speed_figure
from eigenclock_studies.spectral_bias.cure.methods import EDM_ALONE, MODE


def test_speed_figure_draws_the_planted_factor(rng):
    (ax,) = speed_figure(arms(rng, 0.5), SOURCE).axes
    steps, factor = ax.lines[0].get_data()  # the denoising error of EDM is half as large after twice the steps
    assert list(steps) == [10, 20, 40]
    np.testing.assert_allclose(factor, 2, rtol=0.05)  # planted up to one per cent


def test_curves_figure_has_a_line_per_method_and_plain_numbers(rng):
    figure = curves_figure(arms(rng), SOURCE)
    figure.draw_without_rendering()
    assert figure.legends[0].get_texts()[0].get_text() == EDM_ALONE.title
    for ax in figure.axes:
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            texts = [label.get_text() for label in axis.get_majorticklabels()]
            assert all(float(text.replace(",", "")) > 0 for text in texts)
            inside = [text for text in texts if low <= float(text.replace(",", "")) <= high]
            assert 2 <= len(inside) <= 8


def test_samples_figure_names_its_columns(rng):
    axes = samples_figure(arms(rng), SOURCE, "chain").axes
    assert [ax.get_title() for ax in axes if ax.get_title()] == [EDM_ALONE.title, MODE.title]
    assert [ax.get_ylabel() for ax in axes if ax.get_ylabel()] == ["10", "20", "40"]
