# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The machine that the figures were measured on."""

from __future__ import annotations

from importlib import metadata
import os
from pathlib import Path
import platform

__all__ = ['describe_machine']

_PACKAGES = ('numpy', 'opencv-python-headless', 'opencv-python', 'numba', 'ros-rclpy', 'rclpy')


def describe_machine() -> dict[str, str]:
    """Return processor, number of processors, Python, and the versions that matter."""
    return {
        'processor': _processor(),
        'processors': str(len(os.sched_getaffinity(0))),
        'system': platform.platform(),
        'python': platform.python_version(),
        'versions': ', '.join(_versions()),
        'ros_distro': os.environ.get('ROS_DISTRO', ''),
        'rmw': os.environ.get('RMW_IMPLEMENTATION', ''),
    }


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(':')[2].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.processor())


def _versions() -> list[str]:
    installed = {found.metadata['Name']: found.version for found in metadata.distributions()}
    return [f'{name} {installed[name]}' for name in _PACKAGES if name in installed]
