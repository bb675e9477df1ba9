# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The outputs of the node that the demo receives."""

from __future__ import annotations

__all__ = ['DEPTH', 'DEPTH_INFO', 'DISPARITY']

DISPARITY = 'disparity'
DEPTH = 'depth/image_rect'
DEPTH_INFO = 'depth/camera_info'
