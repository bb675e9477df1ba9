# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which files a recording is made of."""

from __future__ import annotations

from pathlib import Path

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.files.writing import described_os_error

__all__ = ['METADATA', 'STORAGE_SUFFIXES', 'recording_files', 'storage_files']

METADATA = 'metadata.yaml'
STORAGE_SUFFIXES = ('.mcap', '.db3')
_ROS_1_MAGIC = b'#ROSBAG'


def recording_files(path: Path) -> list[Path]:
    """Return the storage files of a recording, in the order of their numbers.

    Raises
    ------
    InputError
        If it does not exist, or has none.
    """
    try:
        exists, files = path.exists(), storage_files(path)
        is_ros_1 = not files and _is_ros_1(path)
    except OSError as error:
        raise described_os_error('read', path, error) from error
    if not exists:
        raise InputError(f'{path} does not exist: name a ROS 2 bag')
    if is_ros_1:
        raise InputError(
            f'{path} is a bag of ROS 1: convert it with "rosbags-convert --src {path} --dst '
            f'{path.stem}", which comes with the package rosbags'
        )
    if not files and (path / METADATA).is_file():
        raise InputError(
            f'{path} has {METADATA} and none of the files that it is about '
            f'({" or ".join(STORAGE_SUFFIXES)}): copy these, too'
        )
    if not files:
        raise InputError(
            f'{path} is no ROS 2 bag: expected a folder with {METADATA}, or a file '
            f'{" or ".join(STORAGE_SUFFIXES)}'
        )
    return files


def storage_files(path: Path) -> list[Path]:
    """Return the storage files of a path, in the order of their numbers; none if it has none."""
    if path.is_file():
        return [path] if _is_storage(path) else []
    if not path.is_dir():
        return []
    files = [file for file in path.iterdir() if _is_storage(file)]
    return sorted(files, key=lambda file: (len(file.name), file.name))


def _is_storage(file: Path) -> bool:
    suffix = Path(file.stem).suffix if file.suffix == '.zstd' else file.suffix
    # To open a pipe would wait for whoever writes into it.
    return suffix in STORAGE_SUFFIXES and file.is_file()


def _is_ros_1(path: Path) -> bool:
    if not path.is_file() or path.suffix == '.zstd':
        return False
    with path.open('rb') as file:
        return file.read(len(_ROS_1_MAGIC)) == _ROS_1_MAGIC
