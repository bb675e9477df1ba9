# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The matching algorithms: all that is particular to one stands in its entry."""
