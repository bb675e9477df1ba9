# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Serialized images are read as the library that wrote them means them, whole or cut short."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='messages are serialized with rosbags, the extra "offline"')

from rosbags.typesys import get_typestore, Stores

from stereo_depth_node.core.errors import DataLengthError, ImageError
from stereo_depth_node.core.images.pair_decoder import CompressedImage
from stereo_depth_node.core.images.raw import decode_grey, RawImage
from stereo_depth_node.core.messages.serialized_image import SerializedImage

TYPES = get_typestore(Stores.ROS2_JAZZY)
PIXELS = np.arange(5 * 12, dtype=np.uint8).reshape(5, 12)

stamps = st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32 - 1))
strings = st.text(st.characters(exclude_characters='\0', exclude_categories=['Cs']), max_size=9)


def serialized(
    stamp: tuple[int, int] = (5, 6),
    frame_id: str = 'left_optical',
    *,
    little_endian: bool = True,
    **fields: Any,
) -> bytes:
    """Return an Image, or a CompressedImage when `fields` has its format."""
    time = TYPES.types['builtin_interfaces/msg/Time'](*stamp)
    header = TYPES.types['std_msgs/msg/Header'](time, frame_id)
    name = 'sensor_msgs/msg/CompressedImage' if 'format' in fields else 'sensor_msgs/msg/Image'
    if 'format' not in fields:
        height, width = PIXELS.shape
        defaults = {'encoding': 'mono8', 'is_bigendian': 0, 'step': width, 'data': PIXELS.ravel()}
        fields = {'height': height, 'width': width, **defaults, **fields}
    message = TYPES.types[name](header=header, **fields)
    return bytes(TYPES.serialize_cdr(message, name, little_endian=little_endian))


def decoded(message: bytes) -> np.ndarray:
    """Return the grey values of an Image."""
    content = SerializedImage(message).content()
    assert isinstance(content, RawImage)
    return decode_grey(content)


@given(stamps, strings, strings, st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_every_field_of_an_image_is_read(
    stamp: tuple[int, int],
    frame_id: str,
    encoding: str,
    step: int,
    is_bigendian: bool,
    little_endian: bool,
) -> None:
    """Whatever the lengths of the strings, by which all behind them is moved."""
    image = SerializedImage(
        serialized(
            stamp,
            frame_id,
            encoding=encoding,
            step=step,
            is_bigendian=int(is_bigendian),
            little_endian=little_endian,
        )
    )

    content = image.content()

    assert image.stamp == stamp
    assert image.stamp_ns == stamp[0] * 10**9 + stamp[1]
    assert image.frame_id == frame_id
    assert isinstance(content, RawImage)
    assert (content.height, content.width) == PIXELS.shape
    assert (content.encoding, content.step) == (encoding, step)
    assert content.is_bigendian is is_bigendian
    assert bytes(content.data) == PIXELS.tobytes()


@given(stamps, strings, strings, st.binary(max_size=20), st.booleans())
def test_every_field_of_a_compressed_image_is_read(
    stamp: tuple[int, int], frame_id: str, format_: str, data: bytes, little_endian: bool
) -> None:
    message = serialized(
        stamp,
        frame_id,
        format=format_,
        data=np.frombuffer(data, np.uint8),
        little_endian=little_endian,
    )
    image = SerializedImage(message, is_compressed=True)

    content = image.content()

    assert (image.stamp, image.frame_id) == (stamp, frame_id)
    assert isinstance(content, CompressedImage)
    assert (content.format, bytes(content.data)) == (format_, data)


def test_pixels_are_not_copied() -> None:
    message = serialized()

    grey = decoded(message)

    np.testing.assert_array_equal(grey, PIXELS)
    assert np.shares_memory(grey, np.frombuffer(message, np.uint8))


def test_a_message_that_is_cut_short_is_refused_wherever_it_ends() -> None:
    whole = serialized()
    begin_of_data = len(whole) - PIXELS.size
    for length in range(len(whole)):
        expected = 'data holds' if length >= begin_of_data else f'ends after {length} bytes'
        with pytest.raises(ImageError, match=expected if length > 1 else 'begins with'):
            decoded(whole[:length])


@pytest.mark.parametrize('length', [12, 20, 28])
def test_the_frame_of_a_message_that_ends_within_is_refused(length: int) -> None:
    image = SerializedImage(serialized()[:length])
    with pytest.raises(DataLengthError, match=f'after {length} bytes'):
        _ = image.frame_id


def test_lengths_that_a_message_only_claims_take_no_memory() -> None:
    message = bytearray(serialized(frame_id='abc'))
    message[12:16] = b'\xff\xff\xff\x7f'  # the length of frame_id
    with pytest.raises(DataLengthError):
        SerializedImage(bytes(message)).content()


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    message = serialized(frame_id='abc').replace(b'abc', b'a\xffc')
    assert SerializedImage(message).frame_id == 'a\N{REPLACEMENT CHARACTER}c'


@pytest.mark.parametrize('encapsulation', [b'\x00\x02', b'\x00\x08', b'\x01\x00'])
def test_other_ways_of_serialization_are_named(encapsulation: bytes) -> None:
    """Parameter lists and the mutable kinds have other fields at other places."""
    with pytest.raises(ImageError, match=f"'{encapsulation.hex()}'.*plain CDR"):
        SerializedImage(encapsulation + serialized()[2:])
