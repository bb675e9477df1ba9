# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files of stereo cameras, recognised by what is in them."""
