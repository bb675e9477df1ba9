# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files as ROS has them: where their URLs point to, and what is in them.

URLs are those of camera_info_manager, files those of camera_calibration_parsers: YAML, and the
older INI. Their limits are those of :mod:`stereo_depth_node.core.settings.text_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
import os
from pathlib import Path
import re
from typing import Any

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import parse_yaml, printable, read_text

__all__ = ['calibration_path', 'cameras_of_ini', 'load_calibration']

# A calibration has one or two kB. PyYAML reads this much in less than a second.
_MOST_BYTES = 1 << 16
# Beyond any sensor, and far below what the fields of a CameraInfo hold.
_LARGEST_SIZE_PX = 1 << 20
_INI_CAMERA = re.compile(r'^(?=\[image\])', re.MULTILINE)
_INI_LINE = re.compile(r'^camera matrix\s*$', re.MULTILINE)
# Without a model a file means plumb_bob, as in camera_calibration_parsers.
_MODEL_IF_UNNAMED = 'plumb_bob'


def calibration_path(url: str | Path) -> Path:
    """Return the file that a URL of camera_info_manager means.

    Parameters
    ----------
    url : str or Path
        ``file:///path``, ``package://name/path``, where the package is in a prefix of
        ``AMENT_PREFIX_PATH``, or a plain path. ``${ROS_HOME}`` stands for that variable, or for
        ``~/.ros``.

    Raises
    ------
    InputError
        If it is none of them, or there is no such package.
    """
    home = os.environ.get('ROS_HOME') or os.path.join('~', '.ros')
    text = str(url).replace('${ROS_HOME}', home)
    unknown = re.search(r'\$\{[^}]*\}?', text)
    if unknown:
        raise InputError(
            f'{printable(url)}: {printable(unknown[0])} is not known, only ${{ROS_HOME}} is: '
            'write it out'
        )
    scheme, separator, rest = text.partition('://')
    if not separator or '/' in scheme:
        return Path(os.path.expanduser(text))
    if scheme.lower() == 'file':
        return Path(os.path.expanduser(rest))
    if scheme.lower() != 'package':
        raise InputError(
            f'{printable(url)}: the scheme {printable(scheme)} is not known: name a path, or a '
            'URL that begins with file:// or package://'
        )
    package, _, inside = rest.partition('/')
    prefixes = list(filter(None, os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)))
    for prefix in prefixes:
        share = Path(prefix, 'share', package)
        if package and share.is_dir():
            return share / inside
    where = printable(', '.join(prefixes)) or 'AMENT_PREFIX_PATH, which is empty'
    raise InputError(
        f'{printable(url)}: there is no package {printable(package)} in {where}: source the setup '
        'file of its workspace'
    )


def load_calibration(url: str | Path) -> CameraCalibration:
    """Read a calibration file of ROS, YAML or INI, whatever of both camera_calibration writes.

    Parameters
    ----------
    url : str or Path
        As for :func:`calibration_path`. A name that ends in ``.ini`` is that of an INI file, and
        so is any with a line ``camera matrix``: camera_calibration writes ``ost.txt``.

    Raises
    ------
    InputError
        If the file cannot be read or is not such a file; the text names the file and the key.
    """
    path = calibration_path(url)
    name = printable(path)
    text = read_text(path, _MOST_BYTES)
    if path.suffix.lower() == '.ini' or _INI_LINE.search(text):
        cameras = cameras_of_ini(text, name)
        if len(cameras) > 1:
            raise InputError(
                f'{name} is of {len(cameras)} cameras: name the file of one, such as left.yaml, '
                'which camera_calibration writes beside it'
            )
        return cameras[0]
    documents = parse_yaml(text, name)
    return _checked(name, 'YAML', lambda: _from_yaml(documents[0]))


def cameras_of_ini(text: str, name: str) -> list[CameraCalibration]:
    """Return the cameras of an INI file: of a stereo camera it has the left, then the right one.

    Parameters
    ----------
    text : str
        Its content.
    name : str
        Of the file, for the error.

    Raises
    ------
    InputError
        If it is not such a file; the text names the key.
    """
    first, *others = _INI_CAMERA.split(text)
    parts = [first + (others[0] if others else ''), *others[1:]]
    return [_checked(name, 'INI', partial(_from_ini, part)) for part in parts]


def _checked(name: str, kind: str, read: Callable[[], CameraCalibration]) -> CameraCalibration:
    try:
        return read()
    except KeyError as error:
        raise InputError(
            f'{name}: {printable(error.args[0])} is missing, a ROS camera_info {kind} file has it'
        ) from error
    except (IndexError, OverflowError, TypeError, ValueError) as error:
        raise InputError(
            f'{name}: not a ROS camera_info {kind} file ({printable(error)})'
        ) from error


def _from_yaml(content: Any) -> CameraCalibration:
    if not isinstance(content, dict):
        raise TypeError('there are no keys in it')
    roi = content.get('roi') or {}
    if not isinstance(roi, dict):
        raise TypeError('there are no keys in roi')
    return CameraCalibration(
        width=_size(content['image_width']),
        height=_size(content['image_height']),
        distortion_model=str(content.get('distortion_model', _MODEL_IF_UNNAMED)),
        d=_numbers(content, 'distortion_coefficients'),
        k=_numbers(content, 'camera_matrix', 9),
        r=_numbers(content, 'rectification_matrix', 9),
        p=_numbers(content, 'projection_matrix', 12),
        binning_x=_size(content.get('binning_x', 0)),
        binning_y=_size(content.get('binning_y', 0)),
        roi=(
            _size(roi.get('x_offset', 0)),
            _size(roi.get('y_offset', 0)),
            _size(roi.get('width', 0)),
            _size(roi.get('height', 0)),
        ),
    )


def _from_ini(text: str) -> CameraCalibration:
    """Read the format of Videre Design: a name on a line of its own, then its numbers."""
    sections = {'image': dict[str, list[str]](), 'camera': dict[str, list[str]]()}
    numbers: list[str] = []
    entries = sections['image']
    for line in _ini_lines(text):
        if line.startswith('['):
            # [externals] says where the camera is; any other name is that of the camera.
            name = line.strip('[]')
            entries = (
                sections['image']
                if name == 'image'
                else sections.setdefault(name if name == 'externals' else 'camera', {})
            )
        elif line[0].isalpha() and line.lower() not in ('nan', 'inf'):
            numbers = entries[line] = []
        else:
            numbers += line.split()
    image, camera = sections['image'], sections['camera']
    d = _matrix(camera, 'distortion')
    return CameraCalibration(
        width=_size(image['width'][0]),
        height=_size(image['height'][0]),
        distortion_model=_MODEL_IF_UNNAMED if len(d) <= 5 else 'rational_polynomial',
        d=d,
        k=_matrix(camera, 'camera matrix', 9),
        r=_matrix(camera, 'rectification', 9),
        p=_matrix(camera, 'projection', 12),
    )


def _ini_lines(text: str) -> Iterator[str]:
    """Yield the lines that are neither empty nor comments."""
    for line in map(str.strip, text.splitlines()):
        if line and line[0] not in '#;':
            yield line


def _size(value: Any) -> int:
    size = int(value)
    if not 0 <= size <= _LARGEST_SIZE_PX:
        raise ValueError(f'a size of {size} pixels')
    return size


def _numbers(content: dict[str, Any], key: str, count: int | None = None) -> tuple[float, ...]:
    data = content[key]['data']
    if not isinstance(data, list):
        raise TypeError(f'data of {key} is no list')
    return _matrix({key: data}, key, count)


def _matrix(
    content: dict[str, list[Any]], key: str, count: int | None = None
) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in content[key])
    if count is not None and len(numbers) != count:
        raise ValueError(f'{key} has {len(numbers)} numbers, not {count}')
    return numbers
