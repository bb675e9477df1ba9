# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Colours of images as they come, against the colours they were made of."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.errors import EncodingError
from stereo_depth_node.core.images.colour import decode_colour, has_colour
from stereo_depth_node.core.images.encodings import ENCODINGS
from stereo_depth_node.core.images.pair_decoder import CompressedImage
from stereo_depth_node.core.images.raw import RawImage

WIDTH, HEIGHT = 48, 32
# Red, green, blue and white in the quarters of the image.
QUARTERS = np.array([[(200, 30, 20), (40, 210, 30)], [(10, 60, 220), (250, 250, 250)]], np.uint8)
TRUTH = QUARTERS.repeat(HEIGHT // 2, axis=0).repeat(WIDTH // 2, axis=1)
# Of the image: away from the borders of the quarters, where colours are interpolated.
INSIDE = np.zeros((HEIGHT, WIDTH), bool)
INSIDE[3:13, 3:21] = INSIDE[3:13, 27:45] = INSIDE[19:29, 3:21] = INSIDE[19:29, 27:45] = True


def stored(encoding: str) -> np.ndarray:
    """Return the picture as the encoding has it, (rows, bytes) or (rows, values, channels)."""
    kind = encoding.rstrip('0168') if not encoding.startswith(('nv', 'yuv', '8', '16')) else ''
    if kind in ('rgb', 'bgr', 'rgba', 'bgra', 'bayer_rggb', 'bayer_bggr'):
        pixels = {
            'rgb': TRUTH,
            'bgr': TRUTH[:, :, ::-1],
            'rgba': np.dstack([TRUTH, TRUTH[:, :, 0]]),
            'bgra': np.dstack([TRUTH[:, :, ::-1], TRUTH[:, :, 0]]),
        }.get(kind, np.zeros(0))
        if kind.startswith('bayer'):
            y, x = np.mgrid[:HEIGHT, :WIDTH]
            order = np.array(['rgb'.index(letter) for letter in kind[-4:]]).reshape(2, 2)
            pixels = TRUTH[y, x, order[y % 2, x % 2]]
        return pixels if encoding.endswith('8') else pixels.astype(np.uint16) * 256
    i420 = cv2.cvtColor(TRUTH, cv2.COLOR_RGB2YUV_I420)
    u, v = i420[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    if encoding in ('nv12', 'nv21'):
        both = np.dstack([u, v] if encoding == 'nv12' else [v, u]).reshape(HEIGHT // 2, WIDTH)
        return np.vstack([i420[:HEIGHT], both])
    chroma = np.dstack([u, v]).reshape(HEIGHT // 2, WIDTH).repeat(2, axis=0)
    order = [chroma, i420[:HEIGHT]] if encoding in ('yuv422', 'uyvy') else [i420[:HEIGHT], chroma]
    return np.dstack(order)


def raw(encoding: str, pixels: np.ndarray, padding: int = 0) -> RawImage:
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), -1)
    rows = np.hstack([rows, np.full((len(rows), padding), 99, np.uint8)])
    return RawImage(HEIGHT, WIDTH, encoding, False, rows.shape[1], rows.tobytes())


@pytest.mark.parametrize('padding', [0, 16])
@pytest.mark.parametrize(
    'encoding',
    [
        'rgb8',
        'bgr8',
        'rgba8',
        'bgra8',
        'bayer_rggb8',
        'bayer_bggr8',
        'yuv422',
        'uyvy',
        'yuyv',
        'nv12',
        'nv21',
    ],
)
def test_colours_are_those_of_the_picture(encoding: str, padding: int) -> None:
    image = raw(encoding, stored(encoding), padding)
    assert has_colour(image)
    difference = np.abs(decode_colour(image).astype(int) - TRUTH)
    # YUV keeps what a camera's range of 16 to 235 holds.
    assert difference[INSIDE].max() <= (4 if encoding[0] in 'yun' else 0)


@pytest.mark.parametrize('encoding', ['rgb16', 'bgra16', 'bayer_rggb16'])
def test_colours_of_16_bits_are_reduced_by_one_scale(encoding: str) -> None:
    colour = decode_colour(raw(encoding, stored(encoding)))
    assert colour.dtype == np.uint8
    # The range of 10 to 250 is stretched to nearly all of 0 to 255.
    expected = (TRUTH.astype(float) - 10) / 240 * 255
    assert np.abs(colour - expected)[INSIDE].max() < 6


@pytest.mark.parametrize('padding', [1, 2])
@pytest.mark.parametrize('encoding', ['rgb16', 'bgra16', 'bayer_rggb16'])
def test_rows_may_begin_in_the_middle_of_a_value(encoding: str, padding: int) -> None:
    """As in :func:`decode_grey`: what is matched has a colour, too."""
    padded = decode_colour(raw(encoding, stored(encoding), padding))
    np.testing.assert_array_equal(padded, decode_colour(raw(encoding, stored(encoding))))


@pytest.mark.parametrize('encoding', ['yuv422', 'uyvy', 'yuyv'])
@pytest.mark.parametrize('width', [1, 15, 45])
def test_an_odd_width_has_the_colours_of_an_even_one(encoding: str, width: int) -> None:
    whole = raw(encoding, stored(encoding))
    part = RawImage(HEIGHT, width, encoding, False, whole.step, whole.data)
    difference = np.abs(decode_colour(part).astype(int) - TRUTH[:, :width])
    # One pixel has U alone; the colours of all others are within 4, as those of the whole.
    if width > 1:
        assert difference[INSIDE[:, :width]].max() <= 4
    assert difference.shape == (HEIGHT, width, 3)


@pytest.mark.parametrize('encoding', ['mono8', 'mono16', '8UC1', 'nv24', 'what'])
def test_grey_images_have_no_colour(encoding: str) -> None:
    image = raw(encoding, np.zeros((HEIGHT, 2 * WIDTH), np.uint8))
    assert not has_colour(image)
    with pytest.raises(EncodingError, match=encoding):
        decode_colour(image)


def test_planes_that_are_missing_make_a_grey_image() -> None:
    whole = raw('nv12', stored('nv12'))
    assert not has_colour(RawImage(HEIGHT, WIDTH, 'nv12', False, WIDTH, whole.data[:-1]))
    assert not has_colour(RawImage(HEIGHT - 1, WIDTH, 'nv12', False, WIDTH, whole.data))


@pytest.mark.parametrize(
    ('form', 'pixels', 'tolerance'),
    [
        ('bgr8; png compressed bgr8', TRUTH[:, :, ::-1], 0),
        ('rgb8; jpeg compressed bgr8', TRUTH[:, :, ::-1], 12),
        ('jpeg', TRUTH[:, :, ::-1], 12),
        ('bayer_rggb8; png compressed ', stored('bayer_rggb8'), 0),
    ],
)
def test_compressed_colours_are_those_of_the_picture(
    form: str, pixels: np.ndarray, tolerance: int
) -> None:
    ending = '.png' if 'png' in form else '.jpg'
    data = cv2.imencode(ending, pixels)[1].tobytes()
    image = CompressedImage(form, data)
    assert has_colour(image)
    difference = np.abs(decode_colour(image).astype(int) - TRUTH)
    assert difference[INSIDE].max() <= tolerance


def test_compressed_colours_of_12_bits_are_as_bright_as_those_of_8() -> None:
    """As raw ones: those of a camera of 12 bits are not black."""
    dark = TRUTH[:, :, ::-1].astype(np.uint16) * 16
    image = CompressedImage('bgr16; png compressed bgr16', cv2.imencode('.png', dark)[1].tobytes())
    expected = decode_colour(raw('rgb16', dark[:, :, ::-1]))
    np.testing.assert_array_equal(decode_colour(image), expected)
    assert expected.max() > 240


def test_planes_of_a_format_are_not_looked_for_in_a_compressed_image() -> None:
    grey = TRUTH[:, :, 0]
    image = CompressedImage('nv12; png compressed ', cv2.imencode('.png', grey)[1].tobytes())
    np.testing.assert_array_equal(decode_colour(image), np.dstack([grey] * 3))


def test_compressed_grey_has_no_colour() -> None:
    assert not has_colour(CompressedImage('mono8; jpeg compressed mono8', b''))


def test_every_encoding_with_colour_has_three_values_or_a_code_for_them() -> None:
    coloured = {name for name, encoding in ENCODINGS.items() if encoding.has_colour}
    assert {name for name in ENCODINGS if name.startswith(('rgb', 'bgr', 'bayer'))} <= coloured
    assert not coloured & {name for name in ENCODINGS if 'mono' in name or name.endswith('C1')}
