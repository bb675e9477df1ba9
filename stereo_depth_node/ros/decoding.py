# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a pair of image messages to a pair of 8-bit grey images."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage, Image

from stereo_depth_node.core.compressed import decode_compressed_grey
from stereo_depth_node.core.errors import EncodingError, EyeSizeError
from stereo_depth_node.core.images import decode_grey, RawImage, reduce_to_8bit
from stereo_depth_node.ros.messages import raw_image_from_message

__all__ = ['StereoDecoder']

Grey = npt.NDArray[np.uint8]
AnyGrey = npt.NDArray[Any]


class StereoDecoder:
    """Decodes pairs of image messages, into buffers that are made once per size."""

    def __init__(self) -> None:
        self._buffers: list[AnyGrey | None] = [None, None]
        self._reduced: tuple[Grey, Grey] | tuple[None, None] = (None, None)

    def decode(
        self, left: Image | CompressedImage, right: Image | CompressedImage
    ) -> tuple[Grey, Grey]:
        """Decode a pair.

        Images of 16 bit are reduced to 8 with one scale for both eyes.

        Returns
        -------
        left, right : (H, W) uint8 ndarray
            Good until the next pair, or as long as the messages live.

        Raises
        ------
        ImageError
            If an image cannot be decoded or the eyes differ in size or depth.
        """
        eyes = [self._decode_one(message, eye) for eye, message in enumerate((left, right))]
        (height, width), (right_height, right_width) = (eye.shape for eye in eyes)
        if (height, width) != (right_height, right_width):
            raise EyeSizeError(
                f'the left image is {width}x{height}, the right one {right_width}x{right_height}: '
                'set both cameras to one size'
            )
        reduced = reduce_to_8bit(*eyes, *self._reduced)
        if reduced[0] is not eyes[0]:
            self._reduced = reduced
        return reduced

    def _decode_one(self, message: Image | CompressedImage, eye: int) -> AnyGrey:
        if isinstance(message, CompressedImage):
            return decode_compressed_grey(message.data, message.format)
        decoded = decode_grey(
            raw_image_from_message(message), self._buffers[eye], fallback=_decode_with_cv_bridge
        )
        if decoded.base is None:  # not a view of the message
            self._buffers[eye] = decoded
        return decoded


def _decode_with_cv_bridge(image: RawImage) -> AnyGrey:
    """Decode what only cv_bridge knows.

    Imported only here: its compiled part does not load with every NumPy, and need not.
    """
    try:
        from cv_bridge import CvBridge
    except Exception as error:
        raise EncodingError(
            f'the encoding {image.encoding!r} needs the package cv_bridge, which cannot be '
            f'imported ({error}): install cv_bridge, or publish mono8'
        ) from error
    message = Image(
        height=image.height,
        width=image.width,
        encoding=image.encoding,
        is_bigendian=int(image.is_bigendian),
        step=image.step,
    )
    message.data = bytes(image.data)
    try:
        return np.asarray(CvBridge().imgmsg_to_cv2(message, 'mono8'))
    except Exception as error:
        raise EncodingError(
            f'the encoding {image.encoding!r} cannot be converted to mono8 by cv_bridge '
            f'({error}): publish mono8'
        ) from error
