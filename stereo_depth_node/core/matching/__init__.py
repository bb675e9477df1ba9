# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stereo matching: by OpenCV, by the kernel, and at the left border of the image."""
