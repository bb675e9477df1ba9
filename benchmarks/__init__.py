# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the matcher, the core and the node, on this machine: ``scripts/bench``.

The node is measured as it is used: as a process of its own, between a process that feeds it with
images as a camera driver does and one that receives its results as a consumer does. Not a part of
what is installed.
"""
