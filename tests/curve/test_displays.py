"""Tests of `eigenclock.curve.displays`."""

import matplotlib.pyplot as plt
import numpy as np

import eigenclock as ec
from eigenclock.curve import displays as plots


def test_displays_draw_on_given_axes(patches):
    _, spectrum = patches
    curve = ec.predict(spectrum, time=np.geomspace(1, 1e4, 40), objective=ec.EDM(), optimizer=ec.GradientFlow(0.01))
    figure, axes = plt.subplots(2, 3)
    drawn = [
        curve.plot.variance(axes[0, 0]), curve.plot.emergence(axes[0, 1]), curve.plot.kl(axes[0, 2]),
        curve.plot.spectrum(axes[1, 0]), curve.plot.samples([1.0, 100.0], axes[1, 1]), curve.plot.variance(axes[1, 2], modes=[0, 3]),
    ]  # fmt: skip
    for display, ax in zip(drawn, axes.flat, strict=True):
        assert display.ax_ is ax
        assert ax.get_xlabel()
    assert "steps" in axes[0, 0].get_xlabel()
    assert "data units²" in axes[0, 0].get_ylabel()
    assert len(axes[1, 2].get_legend().get_texts()) == 2
    again = drawn[0].plot()
    assert again.figure_ is not figure
    plt.close("all")


def test_comparison_display(patches):
    _, spectrum = patches
    curve = ec.predict(spectrum, time=np.geomspace(1, 1e4, 40))
    display = plots.EmergenceDisplay.from_curves(one=curve, two=curve).plot()
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert any(label.startswith("one, rising:") for label in labels)
    plt.close("all")
