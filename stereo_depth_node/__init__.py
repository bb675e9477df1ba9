# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Disparity and metric depth from stereo images, for ROS 2 and offline."""
