# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures: colours that mean the value, unknown pixels that look unknown."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip('matplotlib', reason='matplotlib is not installed')

from stereo_depth_node.core.errors import ImageError, InputError
from stereo_depth_node.offline.reports.picture import (
    draw_panels,
    Panel,
    shown_range,
    UNKNOWN_COLOUR,
)

# OpenCV reads BGR.
UNKNOWN_BGR = tuple(int(UNKNOWN_COLOUR[at : at + 2], 16) for at in (5, 3, 1))


def halves(left, right):
    """Return a (60, 80) image with one value on the left half and one on the right."""
    image = np.full((60, 80), left, np.float32)
    image[:, 40:] = right
    return image


def share_of(picture, bgr):
    return (np.abs(picture.astype(int) - bgr).max(axis=2) <= 2).mean()


def drawn(path, *panels, **options):
    draw_panels(path, panels, **options)
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture


def test_unknown_pixels_have_a_colour_that_no_value_has(tmp_path):
    """The image takes more than half of the picture, so half of it more than a quarter."""
    values = halves(np.nan, 5.0)
    values[:, 40:] += np.linspace(-5, 5, 40, dtype=np.float32)
    picture = drawn(tmp_path / 'p.png', Panel('p', values, 'px'))
    known = drawn(tmp_path / 'k.png', Panel('k', np.nan_to_num(values, nan=3.0), 'px'))
    assert share_of(picture, UNKNOWN_BGR) > 0.25
    assert share_of(known, UNKNOWN_BGR) < 0.01


def test_infinity_is_as_unknown_as_nan(tmp_path):
    picture = drawn(tmp_path / 'p.png', Panel('p', halves(np.inf, 1.0), 'm', (0.0, 2.0)))
    assert share_of(picture, UNKNOWN_BGR) > 0.25


def test_the_ends_of_the_limits_get_the_ends_of_the_colour_map(tmp_path):
    panel = Panel('p', halves(-10.0, 10.0), 'px', (-10.0, 10.0), 'gray')
    picture = drawn(tmp_path / 'p.png', panel)
    middle = picture[picture.shape[0] // 2]
    black_then_white = (
        np.flatnonzero(middle.max(axis=1) == 0),
        np.flatnonzero(middle.min(axis=1) == 255),
    )
    assert len(black_then_white[0]) > 100
    assert len(black_then_white[1]) > 100


def test_a_photograph_keeps_its_colours(tmp_path):
    red = np.zeros((60, 80, 3), np.uint8)
    red[..., 0] = 200
    assert share_of(drawn(tmp_path / 'p.png', Panel('red', red)), (0, 0, 200)) > 0.5


def test_a_dark_grey_photograph_stays_dark(tmp_path):
    dark = np.full((60, 80), 40, np.uint8)
    assert share_of(drawn(tmp_path / 'p.png', Panel('dark', dark)), (40, 40, 40)) > 0.5


def test_an_image_without_any_value_can_be_drawn(tmp_path):
    picture = drawn(tmp_path / 'p.png', Panel('p', halves(np.nan, np.nan), 'm'), caption='none')
    assert share_of(picture, UNKNOWN_BGR) > 0.5


def test_panels_stand_in_reading_order(tmp_path):
    levels = (10, 90, 170)
    panels = [Panel(str(level), np.full((60, 80), level, np.uint8)) for level in levels]
    picture = drawn(tmp_path / 'p.png', *panels)
    places = []
    for level in levels:
        rows, columns = np.nonzero(np.abs(picture.astype(int) - level).max(axis=2) <= 2)
        assert rows.size > 0.1 * picture.shape[0] * picture.shape[1]
        places.append((np.median(rows), np.median(columns)))
    (row_a, column_a), (row_b, column_b), (row_c, column_c) = places
    assert row_a == pytest.approx(row_b, abs=2)
    assert column_a < column_b
    assert row_c > row_a
    assert column_c == pytest.approx(column_a, abs=2)


def test_the_folder_is_made(tmp_path):
    draw_panels(tmp_path / 'a' / 'b' / 'p.png', [Panel('p', halves(0.0, 1.0), 'm')])
    assert (tmp_path / 'a' / 'b' / 'p.png').stat().st_size > 0


def test_a_few_wild_values_do_not_take_the_colours():
    values = np.linspace(1.0, 2.0, 10_000).reshape(100, 100)
    values[0, :10] = 1e6
    lowest, highest = shown_range(values)
    assert lowest == pytest.approx(1.02, abs=0.005)
    assert highest == pytest.approx(1.98, abs=0.005)


@pytest.mark.parametrize('value', [np.nan, 3.0])
def test_the_range_is_never_empty(value):
    lowest, highest = shown_range(np.full((3, 3), value))
    assert lowest < highest


@pytest.mark.parametrize(
    'panel',
    [
        Panel('values without unit', np.zeros((4, 4), np.float32)),
        Panel('colours with unit', np.zeros((4, 4, 3), np.uint8), 'm'),
        Panel('no pixel', np.zeros((0, 4), np.uint8)),
    ],
)
def test_what_is_no_image_is_refused_by_name(tmp_path, panel):
    with pytest.raises(ImageError, match=panel.title):
        draw_panels(tmp_path / 'p.png', [panel])


def test_a_picture_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match=r'file/p\.png'):
        draw_panels(tmp_path / 'file' / 'p.png', [Panel('p', halves(0.0, 1.0), 'm')])
