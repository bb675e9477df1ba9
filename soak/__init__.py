# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the node at full load among random faults: ``scripts/soak``.

Not a part of what is installed.
"""

from importlib.util import find_spec
import sys

# While "python -m" looks for a module in here, and not when tests import it.
if sys.argv[0] == '-m' and not all(map(find_spec, ('cv2', 'rclpy'))):
    sys.exit('soak: OpenCV or rclpy is not there for this Python. scripts/soak has them.')
