# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings: each written once, checked as a whole."""

from stereo_depth_node.core.settings.fields import DISPARITY_STEP
from stereo_depth_node.core.settings.settings import known_parameters, Settings

__all__ = ['DISPARITY_STEP', 'Settings', 'known_parameters']
