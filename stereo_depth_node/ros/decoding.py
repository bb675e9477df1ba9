# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Decodes the encodings that only cv_bridge knows."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import Image

from stereo_depth_node.core.arrays import AnyGrey
from stereo_depth_node.core.errors import EncodingError
from stereo_depth_node.core.images.encodings import SUPPORTED_ENCODINGS
from stereo_depth_node.core.images.raw import RawImage
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['decode_with_cv_bridge']


def decode_with_cv_bridge(image: RawImage) -> AnyGrey:
    """Decode what only cv_bridge knows.

    Imported only here: its compiled part does not load with every NumPy, and need not.
    """
    encoding = repr(image.encoding[:40])
    try:
        from cv_bridge import CvBridge
    except Exception as error:
        raise EncodingError(
            f'the encoding {encoding} is not one of {SUPPORTED_ENCODINGS}, and cv_bridge, which '
            f'knows more, cannot be imported ({printable(error)}): publish one of them, best mono8'
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
            f'the encoding {encoding} cannot be converted to mono8 by cv_bridge '
            f'({printable(error)}): publish mono8'
        ) from error
