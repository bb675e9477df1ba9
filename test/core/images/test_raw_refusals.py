# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Raw images whose header and data do not agree, or that nobody knows."""

from __future__ import annotations

from allocations import peak_of
from encoded import (
    pixels_of,
    PLANAR,
    quantised,
    raw_image,
    scene,
)
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from stereo_depth_node.core.errors import EncodingError, ImageError, SizeError
from stereo_depth_node.core.images.encodings import ENCODINGS
from stereo_depth_node.core.images.pair_decoder import PairDecoder
from stereo_depth_node.core.images.raw import (
    check_that_data_is_used,
    decode_grey,
    RawImage,
)


def test_data_may_end_with_the_last_pixel():
    image = raw_image(quantised(scene(), 8), 'rgb8', padding=7)
    full = decode_grey(image)
    cut = RawImage(48, 64, 'rgb8', False, image.step, image.data[:-7])
    np.testing.assert_array_equal(decode_grey(cut), full)


@pytest.mark.parametrize('encoding', sorted(ENCODINGS))
def test_one_byte_too_few_is_refused_with_both_numbers(encoding):
    bits = ENCODINGS[encoding].bits
    image = raw_image(pixels_of(encoding, quantised(scene(), bits)), encoding)
    size = 48 * image.step if encoding in PLANAR else len(image.data)  # colour is not needed
    short = RawImage(48, 64, encoding, False, image.step, image.data[: size - 1])
    with pytest.raises(SizeError, match=f'{size - 1} bytes.* {size}:'):
        decode_grey(short)


@pytest.mark.parametrize(('encoding', 'factor'), [('rgb8', 3), ('mono16', 2)])
def test_data_of_another_encoding_than_the_header_says_is_refused(encoding, factor):
    bits = ENCODINGS[encoding].bits
    data = raw_image(pixels_of(encoding, quantised(scene(), bits)), encoding).data
    image = RawImage(48, 64, 'mono8', False, 64, data)
    with pytest.raises(SizeError, match=f'data holds {factor * 48 * 64} bytes, but 48 rows'):
        check_that_data_is_used(image)
    check_that_data_is_used(RawImage(48, 64, encoding, False, 64 * factor, data))
    with pytest.raises(SizeError, match='the left image: data holds'):
        PairDecoder().decode(image, image)


def test_a_step_below_the_width_of_a_row_is_refused_with_both_numbers():
    with pytest.raises(SizeError, match=r'step is 191 bytes.* takes 192'):
        decode_grey(RawImage(48, 64, 'rgb8', False, 191, bytes(48 * 192)))


@pytest.mark.parametrize(('height', 'width'), [(0, 64), (48, 0), (0, 0)])
@pytest.mark.parametrize('fallback', [None, lambda image: np.empty((0, 0), np.uint8)])
@pytest.mark.parametrize('encoding', ['mono8', 'bayer_rggb16', 'yuv444'])
def test_an_empty_image_is_refused(height, width, fallback, encoding):
    with pytest.raises(EncodingError if encoding == 'yuv444' and not fallback else SizeError):
        decode_grey(RawImage(height, width, encoding, False, 64, b''), fallback=fallback)


@pytest.mark.parametrize('encoding', [*sorted(ENCODINGS), 'yuv444'])
def test_a_size_that_a_header_merely_claims_is_not_allocated(encoding):
    huge = RawImage(2**32 - 1, 2**28, encoding, False, 2**32 - 1, bytes(1000))

    def decode() -> None:
        with pytest.raises(SizeError):
            decode_grey(huge, fallback=lambda image: np.empty((image.height, image.width)))

    assert peak_of(decode) < 100_000


def test_an_unknown_encoding_is_named_with_what_is_supported_and_the_remedy():
    with pytest.raises(EncodingError, match=r"'yuv444'.*bayer.*yuv422.*cv_bridge"):
        decode_grey(RawImage(2, 2, 'yuv444', False, 2, bytes(6)))
    with pytest.raises(EncodingError) as error:
        decode_grey(RawImage(2, 2, 'x' * 100_000, False, 2, bytes(6)))
    assert len(str(error.value)) < 500


def test_the_fallback_decodes_unknown_encodings_only():
    answer = np.full((2, 2), 9, np.uint8)
    unknown = RawImage(2, 2, 'yuv444', False, 2, bytes(6))
    assert decode_grey(unknown, fallback=lambda image: answer) is answer
    known = decode_grey(RawImage(2, 2, 'mono8', False, 2, bytes(4)), fallback=lambda image: answer)
    np.testing.assert_array_equal(known, np.zeros((2, 2)))


@pytest.mark.parametrize(
    'answer', [np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.float32), np.zeros((2, 2, 3), 'u1')]
)
def test_a_fallback_that_gives_no_grey_image_is_refused(answer):
    with pytest.raises(EncodingError, match='expected'):
        decode_grey(RawImage(2, 2, 'yuv444', False, 2, bytes(6)), fallback=lambda image: answer)


@settings(max_examples=300)
@given(
    size=st.tuples(*[st.one_of(st.integers(0, 6), st.integers(0, 2**32 - 1))] * 3),
    encoding=st.one_of(st.sampled_from(sorted(ENCODINGS)), st.text(max_size=5)),
    big_endian=st.booleans(),
    data=st.binary(max_size=400),
)
def test_any_header_and_data_give_an_image_or_a_named_error(size, encoding, big_endian, data):
    height, width, step = size
    try:
        grey = decode_grey(RawImage(height, width, encoding, big_endian, step, data))
    except ImageError:
        return
    assert grey.shape == (height, width)
    assert grey.dtype in (np.uint8, np.uint16)
