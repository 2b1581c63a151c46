"""Tests of `eigenclock_studies.figures`."""

import numpy as np
from matplotlib.axes import Axes

from eigenclock.clocks.passage import Passages
from eigenclock_studies import figures


def test_panels_are_one_axes_a_row_or_a_grid():
    assert isinstance(figures.panels()[1], Axes)
    assert figures.panels(3)[1].shape == (3,)
    assert figures.panels(2, 3)[1].shape == (3, 2)
    wide, narrow = figures.panels(3)[0], figures.panels()[0]
    assert wide.get_size_inches()[0] > 2.5 * narrow.get_size_inches()[0]


def test_every_seed_is_drawn_and_named_once():
    _, ax = figures.panels()
    figures.seeds(ax, [1, 2, 3], np.arange(6).reshape(2, 3), figures.BLUE, "two seeds")
    assert [line.get_ydata().tolist() for line in ax.lines[:2]] == [[0, 1, 2], [3, 4, 5]]
    assert ax.get_legend_handles_labels()[1] == ["two seeds"]


def test_censored_times_point_to_where_they_lie():
    clock = Passages(np.array([5.0, 9.0, 0.0]), np.array([5.0, np.inf, 2.0]), 0.1)
    _, ax = figures.panels()
    figures.times(ax, 1.0, clock, figures.BLUE)
    drawn = {line.get_marker(): line.get_ydata().tolist() for line in ax.lines}
    assert drawn == {"o": [5.0], "^": [9.0], "v": [2.0]}


def test_rows_of_pictures():
    rows = [("real", np.zeros((3, 4, 4, 3))), ("few", np.zeros((2, 4, 4), dtype=np.uint8))]
    figure = figures.picture_rows(rows)
    assert len(figure.axes) == 6
    assert [ax.get_ylabel() for ax in figure.axes[::3]] == ["real", "few"]
    assert sum(len(ax.images) for ax in figure.axes) == 5
