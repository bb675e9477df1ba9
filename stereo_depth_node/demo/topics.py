# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes and the demo looks at."""

from __future__ import annotations

__all__ = ['DEPTH', 'DEPTH_INFO', 'DISPARITY']

DISPARITY = 'disparity'
DEPTH = 'depth/image_rect'
DEPTH_INFO = 'depth/camera_info'
