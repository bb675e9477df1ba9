# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Topics whose images hold both: a half of them is a topic of its own.

``/cam/image:left`` and ``:right`` are the halves of images side by side, ``:top`` and ``:bottom``
those of images one above the other. No name of ROS has a colon.
"""

from __future__ import annotations

from collections.abc import Mapping
import struct
from types import MappingProxyType

import numpy as np

from stereo_depth_node.core.errors import ImageError
from stereo_depth_node.core.images.compressed import decode_compressed_grey
from stereo_depth_node.core.images.encodings import ENCODINGS
from stereo_depth_node.core.images.pair_decoder import CompressedImage
from stereo_depth_node.core.images.raw import RawImage
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['HALVES', 'half_of_message', 'split_name']

HALVES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {'left': (1, 0), 'right': (1, 1), 'top': (0, 0), 'bottom': (0, 1)}
)
"""Name of a half -> the axis that is divided, 0 for rows, and which half of it."""


def split_name(name: str) -> tuple[str, str]:
    """Return the name of a recorded topic and the half of its images, empty for the whole."""
    topic, separator, half = name.rpartition(':')
    return (topic, half) if separator and half in HALVES else (name, '')


def half_of_message(data: bytes, half: str, *, is_compressed: bool) -> bytes:
    """Return a sensor_msgs/Image with half of the image in a message.

    Raises
    ------
    ImageError
        If the message is no image, or cannot be halved.
    """
    message = SerializedImage(data, is_compressed=is_compressed)
    rows, encoding, is_bigendian = _rows(message.content())
    axis, which = HALVES[half]
    length = rows.shape[axis]
    if length % 2:
        raise ImageError(f'an image of {length} {"columns" if axis else "rows"} is not two images')
    part = np.ascontiguousarray(np.split(rows, 2, axis)[which])
    return _serialized(message, part, encoding, is_bigendian=is_bigendian)


def _rows(content: RawImage | CompressedImage) -> tuple[np.ndarray, str, bool]:
    """Return the pixels, (H, W, bytes of a pixel) uint8, their encoding and byte order."""
    if isinstance(content, CompressedImage):
        grey = decode_compressed_grey(content.data, content.format)
        height, width = grey.shape
        pixels = np.ascontiguousarray(grey).view(np.uint8).reshape(height, width, -1)
        return pixels, 'mono8' if pixels.shape[2] == 1 else 'mono16', False
    encoding = ENCODINGS.get(content.encoding)
    if encoding is None:
        raise ImageError(f'images of encoding {printable(content.encoding, 40)!r} are not halved')
    size = encoding.bytes_per_pixel
    height, width, step = content.height, content.width, content.step
    if step < width * size or len(content.data) < height * step:
        raise ImageError(f'an image of {width}x{height} with {len(content.data)} bytes is cut')
    rows = np.frombuffer(content.data, np.uint8, height * step).reshape(height, step)
    # Of planar encodings the rows of Y come first, and they are the grey image.
    name = 'mono8' if encoding.is_planar else content.encoding
    pixels = rows[:, : width * size].reshape(height, width, size)
    return pixels, name, content.is_bigendian


def _serialized(
    message: SerializedImage, pixels: np.ndarray, encoding: str, *, is_bigendian: bool
) -> bytes:
    """Return the message, CDR of little-endian order."""
    height, width, size = pixels.shape
    buffer = bytearray(struct.pack('<iI', *message.stamp))
    _add_string(buffer, message.frame_id)
    _align(buffer)
    buffer += struct.pack('<II', height, width)
    _add_string(buffer, encoding)
    buffer.append(is_bigendian)
    _align(buffer)
    buffer += struct.pack('<II', width * size, pixels.nbytes)
    return b'\0\1\0\0' + bytes(buffer) + pixels.tobytes()


def _add_string(buffer: bytearray, text: str) -> None:
    content = text.encode() + b'\0'
    buffer += struct.pack('<I', len(content)) + content


def _align(buffer: bytearray) -> None:
    buffer += bytes(-len(buffer) % 4)
