# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of the outputs, serialized once for all pairs of one pipeline.

For the next pair only stamp, and pixels or points, are written, in place. So the middleware gets
what it would otherwise make of a message object, by copying the pixels twice; and a bag holds the
bytes that the node publishes.
"""

from __future__ import annotations

from collections.abc import Callable
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.messages.cdr import CdrReader
from stereo_depth_node.core.pipeline import StereoPipeline

__all__ = ['FLOAT_SIZE', 'PIXEL_TYPES', 'OutputCloud', 'OutputImage', 'OutputMessage']

#: The pixels of the encodings that the package writes.
PIXEL_TYPES: dict[str, np.dtype[Any]] = {
    '32FC1': np.dtype(np.float32),
    '16UC1': np.dtype(np.uint16),
    'mono8': np.dtype(np.uint8),
    'rgb8': np.dtype((np.uint8, 3)),
}
#: Of each value of a point, bytes.
FLOAT_SIZE = 4

_STAMP = struct.Struct('=iI')
# Of a DisparityImage, from the end of its image to the end of its valid_window.
_DISPARITY_FIELDS = struct.Struct('=2f4IB')
_ALIGNMENT = 4
_NUMBER = struct.Struct('=I')


class OutputMessage:
    """A serialized message that begins with a header, for pair after pair.

    Parameters
    ----------
    serialized : bytes or memoryview
        The message in the byte order of this machine, complete but for its stamp.

    Attributes
    ----------
    serialized : bytearray
        The message for the pair of the last update.
    """

    def __init__(self, serialized: bytes | memoryview) -> None:
        self.serialized = bytearray(serialized)
        self._fields = CdrReader(self.serialized)
        self._stamps: list[int] = []
        self._pass_header()

    def update(self, pipeline: StereoPipeline, stamp: tuple[int, int]) -> None:
        """Write the last pair of a pipeline into the message.

        Parameters
        ----------
        pipeline : StereoPipeline
            The one that the message is made for.
        stamp : tuple of 2 int
            Of the left image: seconds and nanoseconds.
        """
        del pipeline
        for offset in self._stamps:
            _STAMP.pack_into(self.serialized, offset, *stamp)

    def _pass_header(self) -> None:
        self._fields.stamp()
        self._stamps.append(self._fields.offset - _STAMP.size)
        self._fields.string()
        self._clear_padding()

    def _clear_padding(self) -> None:
        """Clear what aligns the next field: rclpy leaves there what was in its memory."""
        while self._fields.offset % _ALIGNMENT:
            self.serialized[self._fields.offset] = 0
            self._fields.offset += 1


class OutputImage(OutputMessage):
    """An image, or a disparity image, whose pixels are written in place.

    Parameters
    ----------
    serialized : bytes or memoryview
        The message, with room for its pixels.
    fill : callable
        Writes the pixels of the last pair of a pipeline into an array.
    is_disparity : bool
        It is a DisparityImage: the header is followed by an image with a header of its own.

    Attributes
    ----------
    pixels : (H, W) float32, uint16 or uint8, or (H, W, 3) uint8 ndarray
        The pixels in the message.
    """

    def __init__(
        self,
        serialized: bytes | memoryview,
        fill: Callable[[StereoPipeline, npt.NDArray[Any]], None],
        *,
        is_disparity: bool = False,
    ) -> None:
        super().__init__(serialized)
        self._fill = fill
        if is_disparity:
            self._pass_header()
        self.pixels = self._pass_pixels()
        if is_disparity:
            self._fields.offset += _DISPARITY_FIELDS.size
            self._clear_padding()

    def update(self, pipeline: StereoPipeline, stamp: tuple[int, int]) -> None:
        """Write the last pair of a pipeline into the message."""
        super().update(pipeline, stamp)
        self._fill(pipeline, self.pixels)

    def _pass_pixels(self) -> npt.NDArray[Any]:
        """Pass what follows the header of an image and return its pixels."""
        fields = self._fields
        height, width, encoding = fields.uint32(), fields.uint32(), fields.string()
        fields.octet()
        self._clear_padding()
        fields.uint32()
        pixel = PIXEL_TYPES[encoding]
        return np.frombuffer(fields.octets(), pixel).reshape(height, width, *pixel.shape)


class OutputCloud(OutputMessage):
    """A point cloud, whose length changes from pair to pair.

    Parameters
    ----------
    serialized : bytes or memoryview
        The message without points.
    """

    def __init__(self, serialized: bytes | memoryview) -> None:
        super().__init__(serialized)
        fields = self._fields
        self._size = fields.offset
        fields.offset += 2 * _NUMBER.size
        for _ in range(fields.uint32()):
            fields.string()
            self._clear_padding()
            fields.offset += _NUMBER.size + 1  # offset and datatype
            self._clear_padding()
            fields.offset += _NUMBER.size  # count
        fields.octet()
        self._clear_padding()
        self._point_step = fields.uint32()
        self._row_step = fields.offset
        self._data = fields.offset + 2 * _NUMBER.size
        self._is_dense = self.serialized[self._data :]

    def update(self, pipeline: StereoPipeline, stamp: tuple[int, int]) -> None:
        """Write the last pair of a pipeline into the message."""
        super().update(pipeline, stamp)
        height, width = pipeline.select_points()
        row_step = width * self._point_step
        end = self._data + height * row_step
        _resize(self.serialized, end + len(self._is_dense))
        _NUMBER.pack_into(self.serialized, self._size, height)
        _NUMBER.pack_into(self.serialized, self._size + _NUMBER.size, width)
        _NUMBER.pack_into(self.serialized, self._row_step, row_step)
        _NUMBER.pack_into(self.serialized, self._row_step + _NUMBER.size, height * row_step)
        # The view must not outlive this call: while there is one, nothing can be resized.
        points = np.frombuffer(memoryview(self.serialized)[self._data : end], np.float32)
        pipeline.points(points.reshape(-1, self._point_step // FLOAT_SIZE))
        self.serialized[end:] = self._is_dense


def _resize(buffer: bytearray, size: int) -> None:
    """Change the length of a buffer; Python keeps its memory unless it is less than half."""
    if size < len(buffer):
        del buffer[size:]
    else:
        buffer.extend(bytes(size - len(buffer)))
