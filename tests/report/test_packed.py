"""Tests of `eigenclock.report.packed`; a browser unpacks it in `test_html.py`."""

import base64
import json
import zlib

import numpy as np
import plotly.graph_objects as go

from eigenclock.report.packed import charts_of, packed, packed_plotly, short


def unpacked(text):
    return zlib.decompress(base64.b85decode(text), -zlib.MAX_WBITS).decode()


def test_what_is_packed_comes_back_and_may_stand_in_a_script():
    for text in ("", "a", "σ² </script> <!-- <script>", "x" * 10_001):
        assert unpacked(packed(text)) == text
        assert "/" not in packed(text)  # no tag can end


def test_plotly_is_whole_and_small():
    from plotly.offline import get_plotlyjs

    script = packed_plotly()
    assert unpacked(script) == get_plotlyjs()
    assert len(script) < 1_900_000  # what a report of two megabytes leaves it


def test_charts_are_what_plotly_would_be_given():
    figure = go.Figure()
    figure.add_scatter(x=np.array([1.0, 123456.789]), y=[np.nan, 2e-17], name="σ")
    chart = json.loads(charts_of({"one": figure}))["one"]
    (trace,), layout, config = chart
    assert trace["x"] == [1.0, 123500.0]  # four digits
    assert trace["y"] == [None, 2e-17]
    assert trace["name"] == "σ"
    assert layout.keys() == figure.to_plotly_json()["layout"].keys()
    assert config["responsive"] is True


def test_numbers_are_cut_wherever_they_lie():
    assert short({"a": [1.23456, (2.34567, "b")], "n": 3, "template": {"t": 1.23456}}) == {
        "a": [1.235, [2.346, "b"]],
        "n": 3,
        "template": {"t": 1.23456},
    }
