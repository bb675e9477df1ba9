# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The environment in which images pass between processes without loss.

The middleware reads its configuration from environment variables when a process starts its
first node, so the launch file, the demo and the tests set them beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping

from stereo_depth_node.resources import shared_file

__all__ = ['PROFILE_VARIABLES', 'fast_dds_environment']

PROFILE_VARIABLES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
"""Where Fast DDS looks for its profile: version 3, and version 2."""

# Distributions with Fast DDS 2, which knows the older variable only. Version 3 reads the older
# one too, but warns in every process.
_FAST_DDS_2 = ('humble', 'iron', 'jazzy')


def fast_dds_environment(
    environment: Mapping[str, str], profile: str | None = None
) -> dict[str, str]:
    """Return the variables to add so that Fast DDS has room for images.

    Parameters
    ----------
    environment : mapping
        The variables of the process to start, such as ``os.environ``.
    profile : str, optional
        Path of a Fast DDS profile; the package's own by default.

    Returns
    -------
    dict
        One variable with the path of the profile; empty when `environment` already names one.
    """
    if any(environment.get(variable) for variable in PROFILE_VARIABLES):
        return {}
    newer, older = PROFILE_VARIABLES
    variable = older if environment.get('ROS_DISTRO') in _FAST_DDS_2 else newer
    return {variable: profile or str(shared_file('config/fastdds_shm.xml'))}
