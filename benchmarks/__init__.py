# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the matcher, the core and the node, on this machine: ``scripts/bench``.

The node is measured as it is used: as a process of its own, between a process that feeds it with
images as a camera driver does and one that receives its results as a consumer does. Not a part of
what is installed.
"""

from importlib.util import find_spec
import sys

# While "python -m" looks for a module in here, and not when tests import it.
if sys.argv[0] == '-m' and not all(map(find_spec, ('cv2', 'rclpy'))):
    sys.exit(
        'benchmarks: OpenCV or rclpy is not there for this Python. scripts/bench has them:\n'
        '  scripts/bench [OPTION]...    in place of  python -m benchmarks\n'
        '  scripts/bench kernel ...     in place of  python -m benchmarks.kernel'
    )
