# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages as the middleware delivers them, read where they are.

To make a message of each would copy its pixels twice more; also those that are never computed,
because newer ones have come.
"""

from __future__ import annotations

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.images.layouts import Half
from stereo_depth_node.core.images.pair_decoder import CompressedImage
from stereo_depth_node.core.images.raw import RawImage
from stereo_depth_node.core.messages.cdr import CdrReader

__all__ = ['SerializedImage']


class SerializedImage:
    """A serialized sensor_msgs/Image or sensor_msgs/CompressedImage.

    Parameters
    ----------
    serialized : bytes
        The message.
    is_compressed : bool
        It is a CompressedImage.
    arrival_ns : int
        When it arrived, ns; 0 for what was recorded.
    half : Half, optional
        What of it is meant, where it holds both images; the whole by default.

    Attributes
    ----------
    arrival_ns : int
        When it arrived.
    stamp : tuple of 2 int
        Seconds and nanoseconds.
    nbytes : int
        Size of the message.

    Raises
    ------
    ImageError
        If it is too short to have a stamp, or serialized in an unknown way.
    """

    __slots__ = ('_half', '_is_compressed', '_serialized', 'arrival_ns', 'nbytes', 'stamp')

    def __init__(
        self,
        serialized: bytes,
        *,
        is_compressed: bool = False,
        arrival_ns: int = 0,
        half: Half | None = None,
    ) -> None:
        self._serialized = serialized
        self._is_compressed = is_compressed
        self._half = half
        self.arrival_ns = arrival_ns
        self.nbytes = len(serialized)
        self.stamp = CdrReader(serialized).stamp()

    def __eq__(self, other: object) -> bool:
        """Tell whether the message is the same, byte for byte, whenever it came."""
        if not isinstance(other, SerializedImage):
            return NotImplemented
        return self._half == other._half and self._serialized == other._serialized

    __hash__ = None  # type: ignore[assignment]

    @property
    def stamp_ns(self) -> int:
        """The stamp in ns."""
        seconds, nanoseconds = self.stamp
        return seconds * NS_PER_S + nanoseconds

    @property
    def frame_id(self) -> str:
        """The frame of the header.

        Raises
        ------
        DataLengthError
            If the message ends before.
        """
        fields = CdrReader(self._serialized)
        fields.stamp()
        return fields.string()

    def content(self) -> RawImage | CompressedImage:
        """Describe the image; its data is a view of the message.

        Raises
        ------
        DataLengthError
            If the message ends before the data begins. If it ends in the data, the data is
            shorter than it should be.
        ImageError
            If half of a raw image is meant, and it cannot be halved.
        """
        fields = CdrReader(self._serialized)
        fields.stamp()
        fields.octets()  # frame_id
        if self._is_compressed:
            return CompressedImage(fields.string(), fields.octets(), self._half)
        image = RawImage(
            height=fields.uint32(),
            width=fields.uint32(),
            encoding=fields.string(),
            is_bigendian=fields.octet() != 0,
            step=fields.uint32(),
            data=fields.octets(),
        )
        return image if self._half is None else self._half.of_raw(image)
