# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The files of OpenCV's sample stereo_calib: intrinsics.yml and extrinsics.yml, or one of both.

Programs that copy the sample use other names for the same matrices; the usual ones are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import re
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.settings.text_files import printable, read_text
from stereo_depth_node.offline.calibrations.content import CalibrationFile
from stereo_depth_node.offline.calibrations.stereo import CameraPair, RawPair, RectifiedPair

__all__ = ['is_opencv', 'opencv_pair']

# Name in the sample -> what else programs call it, without case, dots, spaces and underscores.
_OF_SIDE = {
    'M': ('m', 'k', 'cm', 'mtx', 'cameramatrix', 'intrinsic', 'intrinsics', 'intrinsicmatrix'),
    'D': ('d', 'dist', 'distcoeff', 'distcoeffs', 'distortion', 'distortioncoefficients'),
    'R': ('r', 'rect', 'rectification', 'rectificationmatrix'),
    'P': ('p', 'proj', 'projmat', 'projection', 'projectionmatrix'),
}  # fmt: skip
_OF_PAIR = {
    'R': ('r', 'rot', 'rotation', 'rotationmatrix'),
    'T': ('t', 'trans', 'trns', 'translation', 'translationvector'),
}
_SIDES = {1: ('1', 'l', 'left'), 2: ('2', 'r', 'right')}
_NAMES = {
    name: f'{known}{number}'
    for known, words in _OF_SIDE.items()
    for number, sides in _SIDES.items()
    for word in words
    for side in sides
    for name in (f'{word}{side}', f'{side}{word}')
} | {word: known for known, words in _OF_PAIR.items() for word in words}
_SIZES = (('imagewidth', 'imageheight'), ('width', 'height'), ('leftwidth', 'leftheight'))
_COUNTS: dict[str, int | tuple[int, ...]] = {
    'M': 9, 'D': (0, 4, 5, 8, 12, 14), 'R': 9, 'T': 3, 'P': 12,
}  # fmt: skip
_WHOLE = re.compile(r'\d{1,9}')
_PARTNERS = (('intrinsics', 'extrinsics'), ('extrinsics', 'intrinsics'))


def is_opencv(file: CalibrationFile) -> bool:
    """Whether the file has at least two matrices of a stereo camera."""
    return len(_matrices(file)) >= 2


def opencv_pair(
    files: Sequence[CalibrationFile],
) -> tuple[CameraPair, list[CalibrationFile]]:
    """Read the stereo camera that one or both files describe.

    Of a single file, the other is looked for beside it.

    Returns
    -------
    pair : CameraPair
        The cameras.
    used : list of CalibrationFile
        The files that they are from.

    Raises
    ------
    InputError
        If something is missing; the text says what.
    """
    files = [*files, *_partner(files)]
    found: dict[str, Any] = {}
    for file in files:
        for name, value in _matrices(file).items():
            found[name] = tuple(file.numbers(value, name, _COUNTS[name[0]]))
    size = next((size for file in files if (size := _size(file))), (0, 0))
    left, right = (
        CameraCalibration(
            *size,
            'rational_polynomial' if len(found.get(f'D{side}', ())) > 5 else 'plumb_bob',
            d=found.get(f'D{side}', ()),
            k=found.get(f'M{side}', ()),
            r=found.get(f'R{side}', ()),
            p=found.get(f'P{side}', ()),
        )
        for side in (1, 2)
    )
    has_k, has_p = ('M1' in found and 'M2' in found), ('P1' in found and 'P2' in found)
    if has_p and has_k and 'R1' in found and 'R2' in found:
        return RectifiedPair(left, right), files
    if has_p:
        p_left, p_right = (np.reshape(found[name], (3, 4)) for name in ('P1', 'P2'))
        return RectifiedPair.of_matrices(p_left, p_right, size), files
    if has_k and 'R' in found and 'T' in found:
        return RawPair(left, right, found['R'], found['T']), files
    if has_k:
        missing, where = 'R and T of the right camera, or P1 and P2 are', 'extrinsics.yml'
    elif 'R' in found and 'T' in found:
        missing, where = 'the camera matrices M1 and M2 are', 'intrinsics.yml'
    else:
        missing, where = 'M1, D1, M2, D2, R and T are not all there: some are', 'both files'
    raise InputError(
        f'{printable(files[0].path)} (OpenCV): {missing} missing: give {where} of stereo_calib, '
        'too'
    )


def _partner(files: Sequence[CalibrationFile]) -> list[CalibrationFile]:
    """Return the other file of the sample where only one was given and both are there."""
    if len(files) > 1:
        return []
    path = files[0].path
    for name, other in _PARTNERS:
        if name in path.name:
            beside = path.with_name(path.name.replace(name, other))
            if beside.is_file():
                return [CalibrationFile(beside, read_text(beside))]
    return []


def _matrices(file: CalibrationFile) -> dict[str, Any]:
    """Return the matrices that a file has, by their names in the sample."""
    return {
        _NAMES[name]: value
        for name, value in _entries(file).items()
        if name in _NAMES and isinstance(value, dict | list)
    }


def _entries(file: CalibrationFile) -> dict[str, Any]:
    """Return what is in a file by plain names: ``LEFT.K``, or K below left, is ``leftk``."""
    entries = _xml(file) if file.text.lstrip().startswith('<?xml') else file.entries
    found = {}
    for name, value in entries.items():
        is_group = isinstance(value, dict) and 'data' not in value
        for inner, one in value.items() if is_group else [('', value)]:
            found[re.sub(r'[^a-z0-9]', '', f'{name}{inner}'.lower())] = one
    return found


def _xml(file: CalibrationFile) -> Mapping[str, Any]:
    """Return what is in a file of XML, where it is whole; its matrices as lists of words.

    Not with OpenCV: its 5.0 writes beyond the memory of a matrix that lacks its columns. What it
    saves has no document type, which could make a small file large.
    """
    if '<opencv_storage>' not in file.text or '<!DOCTYPE' in file.text:
        return {}
    try:
        root = ET.fromstring(file.text.strip())
    except ET.ParseError:
        return {}
    return {
        entry.tag: _xml_value(entry)
        if entry.find('data') is not None or not len(entry)
        else {inner.tag: _xml_value(inner) for inner in entry}
        for entry in root
    }


def _xml_value(entry: ET.Element) -> list[str] | int | str:
    data = entry.find('data')
    if data is not None:
        return (data.text or '').split()
    text = (entry.text or '').strip()
    return int(text) if _WHOLE.fullmatch(text) else text


def _size(file: CalibrationFile) -> tuple[int, int] | None:
    """Return the size of the images where the file has it, as most have not."""
    entries = _entries(file)
    for names in _SIZES:
        width, height = (entries.get(name) for name in names)
        if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
            return width, height
    return None
