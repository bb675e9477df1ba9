# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The studio: stereo depth in the browser, with every setting, its picture and its figures."""
