# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Half of an image that holds both is, pixel for pixel, the image that the camera would send."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.errors import (
    CalibrationSizeError,
    DataLengthError,
    EncodingError,
    LayoutError,
)
from stereo_depth_node.core.images.colour import decode_colour, has_colour
from stereo_depth_node.core.images.encodings import ENCODINGS
from stereo_depth_node.core.images.layouts import (
    Half,
    halves_of,
    LAYOUTS,
    SEPARATE,
    size_error,
    whole_size,
)
from stereo_depth_node.core.images.pair_decoder import CompressedImage, PairDecoder
from stereo_depth_node.core.images.raw import decode_grey, RawImage
from stereo_depth_node.core.settings.settings import known_parameters

WIDTH, HEIGHT = 12, 8


def pair_and_whole(
    layout: str, encoding: str, padding: int, *, is_bigendian: bool = False
) -> tuple[list[RawImage], RawImage]:
    """Return two images of noise, and the one that holds both."""
    size = ENCODINGS[encoding].bytes_per_pixel
    rng = np.random.default_rng(1)
    rows = [rng.integers(0, 256, (HEIGHT, WIDTH * size), np.uint8) for _ in range(2)]
    joined = np.concatenate(rows, axis=LAYOUTS[layout])
    noise = rng.integers(0, 256, (len(joined), padding), np.uint8)
    width, height = whole_size(layout, WIDTH, HEIGHT)

    def raw(width: int, height: int, data: np.ndarray) -> RawImage:
        return RawImage(height, width, encoding, is_bigendian, data.shape[1], data.tobytes())

    separate = [raw(WIDTH, HEIGHT, each) for each in rows]
    return separate, raw(width, height, np.hstack([joined, noise]))


def test_the_layouts_are_those_of_the_setting() -> None:
    assert known_parameters()['stereo_layout'].choices == (SEPARATE, *LAYOUTS)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize('padding', [0, 8])
def test_halves_have_the_pixels_of_two_images(layout: str, encoding: str, padding: int) -> None:
    for is_bigendian in (False, True):
        separate, whole = pair_and_whole(layout, encoding, padding, is_bigendian=is_bigendian)
        for half, alone in zip(halves_of(layout), separate, strict=True):
            found = half.of_raw(whole)
            np.testing.assert_array_equal(decode_grey(found), decode_grey(alone))
            assert has_colour(found) == has_colour(alone)
            if has_colour(alone) and ENCODINGS[encoding].bits == 8:
                np.testing.assert_array_equal(decode_colour(found), decode_colour(alone))


def test_halves_of_nv12_side_by_side_have_their_own_colours() -> None:
    planes = [np.full((HEIGHT * 3 // 2, WIDTH), 100, np.uint8) for _ in range(2)]
    planes[0][HEIGHT:], planes[1][HEIGHT:] = 60, 200
    joined = np.hstack(planes)
    whole = RawImage(HEIGHT, 2 * WIDTH, 'nv12', False, 2 * WIDTH, joined.tobytes())
    for half, alone in zip(halves_of('side_by_side'), planes, strict=True):
        expected = RawImage(HEIGHT, WIDTH, 'nv12', False, WIDTH, alone.tobytes())
        np.testing.assert_array_equal(decode_colour(half.of_raw(whole)), decode_colour(expected))
    stacked = RawImage(HEIGHT, WIDTH, 'nv12', False, WIDTH, planes[0].tobytes())
    assert not any(has_colour(half.of_raw(stacked)) for half in halves_of('top_bottom'))


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('encoding', ['mono8', 'mono16', 'bgr8', 'bayer_rggb8'])
def test_halves_of_a_compressed_image_are_the_images_compressed_alone(
    layout: str, encoding: str
) -> None:
    separate, whole = pair_and_whole(layout, encoding, 0)

    def png(image: RawImage, half: Half | None = None) -> CompressedImage:
        known = ENCODINGS[encoding]
        kind = np.uint8 if known.bits == 8 else np.uint16
        pixels = np.frombuffer(image.data, kind).reshape(image.height, image.width, -1)
        data = cv2.imencode('.png', pixels)[1].tobytes()
        return CompressedImage(f'{encoding}; png compressed {encoding}', data, half)

    expected = [image.copy() for image in PairDecoder().decode(*map(png, separate))]
    halves = [png(whole, half) for half in halves_of(layout)]
    found = PairDecoder().decode(*halves, (WIDTH, HEIGHT))
    for one, other, half, alone in zip(found, expected, halves, separate, strict=True):
        np.testing.assert_array_equal(one, other)
        if has_colour(half):
            np.testing.assert_array_equal(decode_colour(half), decode_colour(png(alone)))


@pytest.mark.parametrize(
    ('encoding', 'size', 'half', 'said'),
    [
        ('mono8', (13, 8), Half('side_by_side', 0), 'width of 13 px is odd.*two images side'),
        ('mono8', (12, 9), Half('top_bottom', 1), 'height of 9 px is odd.*one above the other'),
        ('bayer_rggb8', (14, 8), Half('side_by_side', 1), 'width of 14 px is no multiple of 4'),
        ('yuv422', (14, 8), Half('side_by_side', 1), 'width of 14 px is no multiple of 4'),
    ],
)
def test_what_cannot_be_halved_is_refused(
    encoding: str, size: tuple[int, int], half: Half, said: str
) -> None:
    width, height = size
    step = width * ENCODINGS[encoding].bytes_per_pixel
    image = RawImage(height, width, encoding, False, step, bytes(step * height))
    with pytest.raises(LayoutError, match=said):
        half.of_raw(image)


def test_a_header_that_its_data_contradict_is_refused() -> None:
    _, whole = pair_and_whole('side_by_side', 'mono8', 0)
    cut = RawImage(HEIGHT, whole.width, 'mono8', False, whole.step, bytes(whole.data)[:-1])
    narrow = RawImage(HEIGHT, whole.width, 'mono8', False, WIDTH, whole.data)
    for image in (cut, narrow):  # also for the half that would be whole
        with pytest.raises(DataLengthError):
            Half('side_by_side', 0).of_raw(image)
    unknown = RawImage(HEIGHT, whole.width, 'strange', False, whole.step, whole.data)
    with pytest.raises(EncodingError, match="'strange' cannot be halved"):
        Half('side_by_side', 0).of_raw(unknown)


@pytest.mark.parametrize(
    ('whole', 'layout', 'said'),
    [
        ((192, 64), SEPARATE, 'are 192x64, the calibration is for 96x64.* to side_by_side and'),
        ((96, 128), SEPARATE, 'set stereo_layout to top_bottom and'),
        ((96, 128), 'side_by_side', 'are 96x128, taken as side_by_side.* to top_bottom and'),
        ((96, 64), 'side_by_side', 'set stereo_layout to separate if'),
    ],
)
def test_the_size_of_the_calibration_says_the_layout(
    whole: tuple[int, int], layout: str, said: str
) -> None:
    error = size_error(whole, layout, (96, 64), 'calibrate')
    assert isinstance(error, LayoutError)
    with pytest.raises(LayoutError, match=said):
        raise error


def test_a_size_that_no_layout_explains_is_one_of_the_calibration() -> None:
    error = size_error((100, 64), SEPARATE, (96, 64), 'calibrate anew')
    assert isinstance(error, CalibrationSizeError)
    assert str(error).endswith('for 96x64: calibrate anew')
