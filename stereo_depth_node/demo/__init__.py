# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A real stereo pair with ground truth through the real node.

Three processes, connected by ROS 2 as on a robot::

    publisher ── left, right, camera_info ──> node ── disparity, depth ──> receiver

``python -m stereo_depth_node.demo`` starts them, waits, and reports.
"""
