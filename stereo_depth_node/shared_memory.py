# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether /dev/shm holds what Fast DDS wants to put there, before it tries, and for whom.

Containers get 64 MiB from Docker. Where its segment does not fit, Fast DDS does without shared
memory; where nothing fits, what ROS loads ends the process with SIGBUS.
"""

from __future__ import annotations

from collections.abc import Mapping
import contextlib
from dataclasses import dataclass
import fcntl
import os
from pathlib import Path
from xml.etree import ElementTree as ET

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import printable, read_text
from stereo_depth_node.environment import profile_variable, shared_file

__all__ = [
    'REMEDY',
    'SHM_FOLDER',
    'SharedMemory',
    'foreign_participant',
    'is_shared_memory_full',
    'shared_memory',
]

SHM_FOLDER = Path('/dev/shm')
"""Where Linux keeps shared memory."""

REMEDY = (
    'give the container more (docker run --shm-size=512m, or --ipc=host), or remove what ended '
    'programs have left in it'
)
"""What to do where it is too small."""

_MIB = 1 << 20
# Of a participant without a profile, with its ports and locks.
_DEFAULT_BYTES = 2 * _MIB
# What Fast DDS adds to a segment: 4.7 % for its allocator, and the ports.
_OVERHEAD, _PORTS_BYTES = 1.05, _MIB
# A smaller segment holds no image.
_SMALLEST_SEGMENT = 2 * _MIB
# Tracing (LTTng) maps a page of its own and one of the user.
_SMALLEST_ROOM = 64 << 10
# Of RTPS (9.6.2.3): ports of domain 0 begin here, and each domain has so many.
_FIRST_PORT, _PORTS_OF_A_DOMAIN = 7400, 250
_NAMESPACE = '{http://www.eprosima.com}'


@dataclass(frozen=True)
class SharedMemory:
    """What there is of shared memory for this process.

    Attributes
    ----------
    problem : str
        What is wrong with it and what to do; empty when nothing is.
    variable : str
        The variable to set to a profile that fits; empty when it is to stay as it is.
    profile : str
        The content of that profile.
    """

    problem: str = ''
    variable: str = ''
    profile: str = ''


def is_shared_memory_full(folder: Path = SHM_FOLDER) -> bool:
    """Tell whether there is no room for a single page."""
    return folder.is_dir() and _free(folder) < _SMALLEST_ROOM


def shared_memory(environment: Mapping[str, str], folder: Path = SHM_FOLDER) -> SharedMemory:
    """Compare what Fast DDS will ask for with what there is.

    Parameters
    ----------
    environment : mapping
        The variables of this process, which name the Fast DDS profile, if any.
    folder : Path
        Where shared memory is.
    """
    middleware = environment.get('RMW_IMPLEMENTATION') or 'rmw_fastrtps_cpp'
    if not folder.is_dir() or not middleware.startswith('rmw_fastrtps'):
        return SharedMemory()
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        problem = f'{folder} cannot be written to: mount it writable for everybody (mode 1777)'
        return _without(environment, problem)
    profile = _named_profile(environment)
    segment = _segment_bytes(profile)
    wanted = int(segment * _OVERHEAD) + _PORTS_BYTES if segment else _DEFAULT_BYTES
    free = _free(folder)
    if free >= wanted:
        return SharedMemory(_why_not_read(environment))
    found = f'{folder} has {free / _MIB:.1f} MiB left, Fast DDS wants {wanted / _MIB:.1f} MiB'
    # The cameras need the other half.
    fitting = int((free / 2 - _PORTS_BYTES) / _OVERHEAD)
    if segment and fitting >= _SMALLEST_SEGMENT:
        problem = (
            f'{found}: this node makes do with a segment of {fitting / _MIB:.1f} MiB, images of '
            f'the cameras may get lost; {REMEDY}'
        )
        return SharedMemory(
            problem, profile_variable(environment), _with_segment(profile, fitting)
        )
    return _without(environment, f'{found}; {REMEDY}')


def _without(environment: Mapping[str, str], problem: str) -> SharedMemory:
    """Do without shared memory: with the profile in use, less what is in it of that."""
    profile = _named_profile(environment)
    if not _segment_bytes(profile):
        profile = read_text(shared_file('config/fastdds_shm.xml'))
    text = f'{problem}. Until then this node does without, and large images may get lost'
    return SharedMemory(text, profile_variable(environment), _with_segment(profile, 0))


def _free(folder: Path) -> int:
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def _named_profile(environment: Mapping[str, str]) -> str:
    """Return the profile in use; empty if there is none, or none that can be read."""
    path = environment.get(profile_variable(environment))
    try:
        return read_text(path) if path else ''
    except InputError:
        return ''


def _why_not_read(environment: Mapping[str, str]) -> str:
    """Return what is wrong with the profile that is named; empty if nothing is."""
    variable = profile_variable(environment)
    if path := environment.get(variable):
        try:
            ET.fromstring(read_text(path))
        except (InputError, ET.ParseError) as error:
            return (
                f'{variable} names a profile that Fast DDS cannot read, so that large images get '
                f'lost ({printable(error)}): set it to {shared_file("config/fastdds_shm.xml")}'
            )
    return ''


def _segment_bytes(profile: str) -> int:
    """Return the size of the segment that a profile asks for, 0 if it asks for none."""
    try:
        sizes = ET.fromstring(profile).iter(f'{_NAMESPACE}segment_size')
        return max((int(size.text or 0) for size in sizes), default=0)
    except (ET.ParseError, ValueError):
        return 0


def _with_segment(profile: str, size: int) -> str:
    """Return a profile with segments of another size, without them if that is 0."""
    ET.register_namespace('', _NAMESPACE.strip('{}'))
    root = ET.fromstring(profile)
    removed = set()
    for transports in root.iter(f'{_NAMESPACE}transport_descriptors'):
        for transport in list(transports):
            if transport.findtext(f'{_NAMESPACE}type') != 'SHM':
                continue
            for element in transport.iter(f'{_NAMESPACE}segment_size'):
                element.text = str(size)
            if not size:
                removed.add(transport.findtext(f'{_NAMESPACE}transport_id'))
                transports.remove(transport)
    for transports in root.iter(f'{_NAMESPACE}userTransports'):
        for element in list(transports):
            if element.text in removed:
                transports.remove(element)
    return ET.tostring(root, encoding='unicode')


def foreign_participant(domain_id: int, folder: Path = SHM_FOLDER) -> str:
    """Return what is wrong if Fast DDS of another user is in a ROS domain; empty if it is not."""
    first = _FIRST_PORT + _PORTS_OF_A_DOMAIN * domain_id
    for lock in folder.glob('fast*_port*_el'):
        number = lock.name.rpartition('_port')[2].removesuffix('_el')
        is_of_domain = number.isdecimal() and 0 <= int(number) - first < _PORTS_OF_A_DOMAIN
        if is_of_domain and (user := _foreign_user(lock)) is not None:
            return (
                f'a program of another user (uid {user}) is in this ROS domain, and programs of '
                'two users exchange nothing through shared memory. Run cameras, node and whoever '
                'subscribes as one user, or all of them without shared memory '
                '(FASTDDS_BUILTIN_TRANSPORTS=UDPv4, which ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST '
                'overrules). What does not belong together goes into another ROS_DOMAIN_ID'
            )
    return ''


def _foreign_user(lock: Path) -> int | None:
    """Return the other user, if there is one, who holds the lock of a port: who listens on it.

    None also where it is gone by now. Those of programs that were killed stay, and are free.
    """
    with contextlib.suppress(OSError):  # such as a symbolic link to itself
        user = lock.stat().st_uid
        if user == os.geteuid():
            return None
        try:
            file = os.open(lock, os.O_RDONLY | os.O_NONBLOCK)  # never waits, whatever it is
        except PermissionError:  # who may not read it cannot tell
            return user
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return user
        finally:
            os.close(file)
    return None
