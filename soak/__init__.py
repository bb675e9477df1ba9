# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the node at full load among random faults: ``scripts/soak``.

Not a part of what is installed.
"""
