# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The environment in which images pass between processes without loss.

The middleware reads its configuration from environment variables when a process starts its
first node, so the launch file, the demo and the tests set them beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import os
from pathlib import Path
import sys

from stereo_depth_node.core.errors import InputError

__all__ = ['PROFILE_VARIABLES', 'fast_dds_environment', 'shared_file']

_PACKAGE = 'stereo_depth_node'


def shared_file(name: str) -> Path:
    """Find a file of the package's share folder.

    Looked for in the checkout that the code runs from, then in the prefixes of
    ``AMENT_PREFIX_PATH``, then in the environment of the interpreter (pip).

    Parameters
    ----------
    name : str
        Path within the share folder, such as ``'config/depth.yaml'``.

    Raises
    ------
    InputError
        No installation of the package has this file.
    """
    folders = list(_share_folders())
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise InputError(
        f'{name} is in none of {", ".join(map(str, folders))}: '
        'install the package again, or source the setup file of its workspace'
    )


def _share_folders() -> Iterator[Path]:
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / 'package.xml').is_file():
        yield checkout
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        if prefix:
            yield Path(prefix, 'share', _PACKAGE)
    yield Path(sys.prefix, 'share', _PACKAGE)


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
