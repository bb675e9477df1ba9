# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a pair of image messages to a pair of 8-bit grey images."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import Image

from stereo_depth_node.core.errors import EncodingError
from stereo_depth_node.core.images.pair_decoder import PairDecoder
from stereo_depth_node.core.images.raw import RawImage
from stereo_depth_node.core.messages.serialized_image import SerializedImage

__all__ = ['StereoDecoder']

Grey = npt.NDArray[np.uint8]
AnyGrey = npt.NDArray[Any]


class StereoDecoder:
    """Decodes pairs of image messages; cv_bridge helps with rare encodings where it works."""

    def __init__(self) -> None:
        self._decoder = PairDecoder(fallback=_decode_with_cv_bridge)

    def decode(self, left: SerializedImage, right: SerializedImage) -> tuple[Grey, Grey]:
        """Decode a pair; see :meth:`PairDecoder.decode`."""
        return self._decoder.decode(left.content(), right.content())


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
