# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Environment variables of ROS 2 processes, and the installed files that they point to.

The middleware reads its variables when a process creates its first node, so the launch file, the
demo, the benchmarks and the tests set them beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import contextlib
import os
from pathlib import Path
import random
import socket
import sys

from stereo_depth_node.core.errors import InputError, StereoDepthError

__all__ = [
    'PROFILE_VARIABLES',
    'fast_dds_environment',
    'graph_environment',
    'profile_variable',
    'reserved_domain',
    'shared_file',
]

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
    variable = profile_variable(environment)
    if environment.get(variable):
        return {}
    return {variable: profile or str(shared_file('config/fastdds_shm.xml'))}


def profile_variable(environment: Mapping[str, str]) -> str:
    """Return the variable that names the Fast DDS profile, or that would name one."""
    newer, older = PROFILE_VARIABLES
    named = [name for name in PROFILE_VARIABLES if environment.get(name)]
    usual = older if environment.get('ROS_DISTRO') in _FAST_DDS_2 else newer
    return named[0] if named else usual


# Domains whose ports stay clear of the ephemeral ports of Linux.
_DOMAIN_IDS = range(1, 102)


@contextlib.contextmanager
def reserved_domain(given: str | int | None = None) -> Iterator[str | int]:
    """Reserve a ROS domain that nobody else on this machine uses; gives its id, or the given one.

    The first participant of a domain receives discovery on UDP port 7410 + 250 * domain
    (RTPS 2.2, 9.6.1.1). While that port is held, participants of the domain take the next ones,
    and everybody who looks for a free domain in this way finds it in use.

    Raises
    ------
    StereoDepthError
        If all domains are in use.
    """
    if given is not None:
        yield given
        return
    for domain_id in random.sample(_DOMAIN_IDS, len(_DOMAIN_IDS)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
            try:
                port.bind(('', 7410 + 250 * domain_id))
            except OSError:
                continue
            yield domain_id
            return
    raise StereoDepthError(
        f'all ROS domains of this machine, {_DOMAIN_IDS[0]} to {_DOMAIN_IDS[-1]}, are in use: '
        'end some ROS programs, or set ROS_DOMAIN_ID'
    )


def graph_environment(inherited: Mapping[str, str], domain_id: int | str) -> dict[str, str]:
    """Return the environment of processes that form a ROS graph of their own on this machine.

    Parameters
    ----------
    inherited : mapping
        Variables to start from, such as ``os.environ``. A discovery range and a Fast DDS
        profile that it names are kept.
    domain_id : int or str
        ROS_DOMAIN_ID of the graph, such as that of a `reserved_domain`.
    """
    environment = dict(inherited)
    environment['ROS_DOMAIN_ID'] = str(domain_id)
    environment.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    environment.update(fast_dds_environment(environment))
    return environment
