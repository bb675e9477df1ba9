# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the middleware of the tests has in its environment."""

from __future__ import annotations

import os
import re
import sys
import tempfile

from stereo_depth_node.environment import (
    fast_dds_environment,
    profile_variable,
    shared_file,
)

__all__ = ['environment_with_shipped_profile', 'set_environment']

# Each participant clears its whole segment when it begins: 64 MiB take 60 ms of a processor.
# Images of 1280x720 in grey still fit in several times.
_SEGMENT_BYTES = 16 << 20
_SHIPPED = shared_file('config/fastdds_shm.xml')

_profile = tempfile.NamedTemporaryFile('w', suffix='.xml')  # noqa: SIM115 (until the process ends)
_logs = tempfile.TemporaryDirectory()


def set_environment() -> None:
    """Set the variables of the middleware, unless they are set, for this process and its children.

    To be called before the first context: they are read only then. The Fast DDS profile is the
    one that is shipped, with a smaller segment.
    """
    shipped = _SHIPPED.read_text(encoding='utf-8')
    _profile.write(re.sub('(?<=<segment_size>)[0-9]+', str(_SEGMENT_BYTES), shipped))
    _profile.flush()
    os.environ.update(fast_dds_environment(os.environ, _profile.name))
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    # Without a folder for its logs ROS does not start, and a home may not be writable.
    os.environ.setdefault('ROS_LOG_DIR', _logs.name)


def environment_with_shipped_profile() -> dict[str, str]:
    """Return the environment of another process of the tests, with the shipped profile."""
    return {
        **os.environ,
        'PYTHONPATH': os.pathsep.join(sys.path),
        profile_variable(os.environ): str(_SHIPPED),
    }
