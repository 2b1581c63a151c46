"""The report in a real browser, and the figures as files."""

import base64
import io
import json
import re

import numpy as np
import pytest
from matplotlib.image import imread

from eigenclock import cli
from eigenclock.report.html import size_in_words
from eigenclock.spectrum.spectrum import Spectrum


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A real run: digits, brute force included."""
    out = tmp_path_factory.mktemp("report") / "run"
    options = [
        "--steps",
        "150",
        "--simulation.particles",
        "256",
        "--simulation.records",
        "12",
        "--simulation.batch_size",
        "32",
    ]
    cli.main(["predict", "--simulation.enabled", "true", "--data", "digits", "--out", str(out), *options])
    return out


@pytest.fixture
def page(browser, folder):
    """The report opened from disk, at desktop width, offline; with every message and request recorded."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    page.messages, page.requested = [], []
    page.on("console", lambda message: page.messages.append(message.text))
    page.on("pageerror", lambda error: page.messages.append(str(error)))
    page.on("request", lambda request: page.requested.append(request.url))
    page.goto(f"file://{folder}/report.html")
    page.wait_for_selector("#figure-loss .main-svg")
    yield page
    context.close()


@pytest.mark.browser
def test_page_works_from_disk_without_network_or_errors(page):
    assert page.messages == []
    assert [url for url in page.requested if not url.startswith(("file://", "data:", "blob:"))] == []
    for name in ("spectrum", "variance", "emergence", "loss", "distance"):
        figure = page.locator(f"#figure-{name}")
        assert figure.locator(".main-svg").count() > 0
        assert figure.bounding_box()["height"] > 300
        titles = figure.locator(".xtitle, .ytitle").all_text_contents()
        assert len(titles) == 2
        assert all(titles), "both axes are labelled"


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_page_fits_desktop_and_phone(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("variance", "emergence"):
        box = page.locator(f"#figure-{name}").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1
    assert page.locator("h1").bounding_box()["width"] > 0.8 * min(width, 1000)


def shown(page, kind):
    """The picture on the page, decoded."""
    uri = page.get_attribute(f"#{kind}", "src")
    return imread(io.BytesIO(base64.b64decode(uri.split(",")[1])), format="png")


@pytest.mark.browser
def test_slider_moves_through_training_by_keyboard(page, folder):
    slider = page.locator("#moment")
    slider.focus()
    page.keyboard.press("Home")
    assert page.inner_text("#step") == "0"
    first = shown(page, "predicted")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#step") == "1"
    assert slider.get_attribute("aria-valuetext") == "step 1"
    page.keyboard.press("End")
    assert page.inner_text("#step") == "150"
    last, simulated = shown(page, "predicted"), shown(page, "simulated")
    assert np.abs(last - first).mean() > 0.01
    assert last.shape == simulated.shape
    # the same noises on both sides: the pictures correlate, however noisy the simulation
    assert np.corrcoef(last[..., 0].ravel(), simulated[..., 0].ravel())[0, 1] > 0.8


@pytest.mark.browser
def test_numbers_on_the_page_are_those_of_the_run(page, folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    text = page.inner_text("body")
    law = metrics["predicted"]["power_law"]["falling"]
    assert f"−{abs(law['exponent']):.3f}" in text
    assert f"{100 * metrics['comparison']['median_error']:.1f} %" in page.inner_text(".lead").replace("\u00a0", " ")
    assert page.inner_text("#command") == json.loads((folder / "manifest.json").read_text())["command"]
    assert page.locator("details summary").inner_text() == "config.yaml"
    assert page.locator("td img").count() >= 10, "modes are shown as images"


@pytest.mark.browser
def test_text_has_contrast_and_pictures_have_words(page):
    ratio = """(selector) => {
      const parse = c => c.match(/[\\d.]+/g).slice(0, 3).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
      const light = c => { const [r, g, b] = parse(c); return .2126 * r + .7152 * g + .0722 * b };
      return [...document.querySelectorAll(selector)].map(e => (1.05) / (light(getComputedStyle(e).color) + .05));
    }"""
    for selector in ("p", "th", "td", ".card span", ".card b", ".predicted", ".simulated", "figcaption"):
        assert min(page.evaluate(ratio, selector)) >= 4.5, f"{selector} is too pale (WCAG AA)"
    assert page.locator("img:not([alt])").count() == 0
    assert page.get_attribute("html", "lang") == "en"
    assert page.locator("label[for=moment]").count() == 1


def test_html_is_escaped(tmp_path, capsys):
    """A file name is a user's text, not markup."""
    bad = tmp_path / "<img src=x onerror=alert(1)>.npy"
    np.save(bad, np.random.default_rng(0).standard_normal((40, 6)))
    cli.main(["predict", "--data", str(bad), "--out", str(tmp_path / "run")])
    content = (tmp_path / "run" / "report.html").read_text()
    assert "<img src=x" not in content
    assert "&lt;img src=x onerror=alert(1)&gt;" in content
    assert 'id="moment"' not in content, "vectors have no pictures"


def test_html_keeps_no_trace_of_a_network(folder):
    content = (folder / "report.html").read_text()
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="(https?:)?//', content)


def test_figures_are_pictures(folder):
    for name in ("spectrum", "variance", "emergence", "distance", "samples"):
        picture = imread(folder / "figures" / f"{name}.png")
        assert picture.shape[1] >= 900
        assert picture[..., :3].std() > 0.02, f"{name} is blank"


def test_features_are_no_larger_than_the_image():
    """A mode that is nearly constant has nearly no frequency: half its period would be thousands of pixels."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((40, 1, 1)) + 1e-3 * rng.standard_normal((40, 4, 4))
    spectrum = Spectrum.from_samples(images)
    assert size_in_words(float(spectrum.feature_size[0]), spectrum) == "whole image"
    assert size_in_words(2.0, spectrum) == "2 pixels"
    assert size_in_words(float("nan"), Spectrum([1.0])) == ""
