# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings whose figures on public scenes are known, and are held by several tests."""

from __future__ import annotations

from stereo_depth_node.core.settings.settings import Settings

SGBM_TUNED = Settings(
    algorithm='sgbm_3way',
    block_size=3,
    p1=36,
    p2=144,
    pre_filter_cap=63,
    uniqueness_ratio=10,
    speckle_window_size=100,
    speckle_range=2,
)
