"""Tests of `eigenclock.clocks.words`: what notebooks show."""

import numpy as np
import pandas as pd
import pytest

import eigenclock as ec
from eigenclock.clocks.words import as_html


def test_tables_show_first_and_last_rows_and_no_markup_of_the_users():
    table = pd.DataFrame({"mode": np.arange(100), "value": np.arange(100) / 7})
    html = as_html("a <b>sentence</b>", table)
    assert "<p>a &lt;b&gt;sentence&lt;/b&gt;</p>" in html
    assert html.count("<tr") == 1 + 8
    assert "<td>0</td>" in html
    assert "<td>99</td>" in html
    assert as_html("nothing", table.iloc[:0]).count("<td") == 0


def test_results_show_themselves_in_notebooks():
    spectrum = ec.Spectrum.power_law(40, exponent=1.5)
    curve = ec.predict(spectrum, time=np.geomspace(1e-2, 1e4, 200))
    emergence = curve.emergence()
    assert f"{curve.emergence().variance_begun(0.9):,.2g}" in curve._repr_html_().replace("by step ", "")
    assert "begun, not done" in emergence._repr_html_()
    slow = ec.predict(spectrum, optimizer=ec.GradientFlow(lr=0.01), time=np.geomspace(1, 1e3, 60))
    expected = ec.forecast(curve, slow)
    html = expected._repr_html_()
    assert expected.finest().when() in html
    assert expected.close(0.25).when() in html
    assert "largest variance" in spectrum._repr_html_()


@pytest.mark.parametrize("variance", [[1.0], [1.0, 0.0], [0.0, 1.0]])
def test_of_few_modes_too(variance):
    spectrum = ec.Spectrum(variance)
    curve = ec.predict(spectrum, time=[1.0, 10.0])
    for result in (spectrum, curve, curve.emergence()):
        assert "<table" in result._repr_html_()
