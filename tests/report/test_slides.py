"""Tests of `eigenclock.report.slides`."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from eigenclock.report.slides import FEWEST, few_shades, slides, webp


def noise(size, gray, seed=0, smooth=False):
    """White noise, of which nothing can be packed, or a picture as rough as a photograph: its integral."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 1 if gray else 3), dtype=np.uint8)
    if smooth:
        whole = (pixels - 127.5).cumsum(0).cumsum(1)
        pixels = np.uint8(255 * (whole - whole.min()) / np.ptp(whole))
    return np.broadcast_to(pixels, (size, size, 3)).copy()


def opened(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=float)


def test_sixteen_grays_are_off_by_half_a_step_at_most():
    pixels = noise(40, gray=True)
    content = few_shades(pixels)
    assert np.abs(opened(content) - pixels).max() <= 255 / 15 / 2 + 0.5  # and half a level of rounding
    assert len(content) < 40 * 40 / 2 + 300  # four bits a pixel, and the palette


def test_colours_and_white_gaps_stay():
    pixels = np.zeros((20, 20, 3), dtype=np.uint8)
    pixels[:, :10] = [200, 30, 60]
    pixels[:, 10:] = 255
    assert np.abs(opened(few_shades(pixels)) - pixels).max() <= 4  # the palette of two colours, to Pillow's rounding
    assert np.array_equal(opened(webp(pixels, None)), pixels)


@pytest.mark.parametrize(
    ("size", "gray", "budget", "kind"),
    [(35, True, 60_000, "png"), (67, True, 60_000, "webp"), (135, False, 200_000, "webp")],
)
def test_all_positions_stay_where_some_loss_is_enough(size, gray, budget, kind):
    frames = [[noise(size, gray, seed, smooth=True), noise(size, gray, 100 + seed, smooth=True)] for seed in range(24)]
    found = slides(frames, budget)
    assert [place for place, _ in found] == list(range(24))
    assert sum(len(uri) for _, frame in found for uri in frame) <= budget
    assert {uri.split(";")[0] for _, frame in found for uri in frame} == {f"data:image/{kind}"}


def test_fewer_positions_where_it_is_not_first_and_last_among_them():
    found = slides([[noise(200, False, seed)] for seed in range(24)], 100_000)
    places = [place for place, _ in found]
    assert FEWEST <= len(places) < 24
    assert (places[0], places[-1]) == (0, 23)
    first = opened(base64.b64decode(found[0][1][0].split(",")[1]))
    assert first.shape == (200, 200, 3)
