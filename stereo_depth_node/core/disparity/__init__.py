# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What happens to disparities after matching: filters, depth, uncertainty."""
