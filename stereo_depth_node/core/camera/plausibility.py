# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is possible in a pair of calibrations but most likely a mistake, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
import math

import numpy as np

from stereo_depth_node.core.camera.calibration import are_plausible, CameraCalibration
from stereo_depth_node.core.camera.folding import share_folded
from stereo_depth_node.core.camera.geometry import StereoGeometry

__all__ = ['implausibilities', 'implausible_numbers']

# Baselines outside of this range are more often a calibration in millimetres than a camera.
_PLAUSIBLE_BASELINE_M = (0.005, 2.0)
_PLAUSIBLE_VIEW_DEGREES = (10.0, 150.0)
# A principal point further from the middle, as a share of the size, is one of another image.
_FARTHEST_FROM_MIDDLE = 0.2
# A binning or roi that changes the size by less than this share says nothing.
_NOTABLE_CROP = 0.05
# Calibration files round their numbers to these.
_ROUNDED_F, _ROUNDED_PX = 1e-4, 0.1
# Share of the rectified image that may fold over without anybody noticing.
_TOLERABLE_FOLD = 0.005
# Width and height of a pixel differ by less.
_ROUNDED_PIXEL = 0.01
# Where numbers of P are 0 or 1, they are so exactly, or nearly so.
_NOTHING = 1e-3
# Raw pixels may be binned in one direction; what is no rotation is not so by rounding.
_LARGEST_ASPECT, _LARGEST_SHEAR, _LARGEST_TURN_DEGREES = 3.0, 1e-2, 45.0


def implausibilities(
    left: CameraCalibration,
    right: CameraCalibration,
    baseline: float = 0.0,
    *,
    rectify: bool = False,
) -> tuple[str, ...]:
    """Name what is possible in a pair of calibrations but most likely a mistake.

    Parameters
    ----------
    left, right : CameraCalibration
        A pair that :meth:`StereoGeometry.from_calibrations` accepts.
    baseline : float
        As given to it.
    rectify : bool
        K, D and R are used as well.

    Returns
    -------
    tuple of str
        A sentence with its remedy for each finding; empty when there is none.
    """
    geometry = StereoGeometry.from_calibrations(left, right, baseline)
    found = [
        *_camera_notes('left', left, rectify=rectify),
        *_camera_notes('right', right, rectify=rectify),
        *_pair_notes(left.for_image(), right.for_image()),
        *_crop_notes(left, right),
        *_baseline_note(geometry, is_given=baseline > 0.0),
    ]
    if left.frame_id != right.frame_id and left.frame_id and right.frame_id:
        found.append(
            f'frame_id is {left.frame_id!r} (left) and {right.frame_id!r} (right): outputs use '
            'the left one; set one optical frame in both drivers to end this message'
        )
    return tuple(found)


def implausible_numbers(geometry: StereoGeometry) -> tuple[str, ...]:
    """Return a sentence with its remedy for each number that is most likely a mistake."""
    view = _implausible_view(geometry.width, geometry.f)
    if view is None:
        return _baseline_note(geometry)
    text = (
        f'the field of view would be {view:.3g} degrees, for the focal length is '
        f'{geometry.f / geometry.width:.2g} times the width of the images: give it in pixels of '
        'these images, which is millimetres * width in pixels / width of the sensor'
    )
    return (text, *_baseline_note(geometry))


def _baseline_note(geometry: StereoGeometry, *, is_given: bool = False) -> tuple[str, ...]:
    """Return a sentence with its remedy if a baseline is most likely a mistake.

    Parameters
    ----------
    geometry : StereoGeometry
        Has the baseline.
    is_given : bool
        It is that of the parameter.
    """
    low, high = _PLAUSIBLE_BASELINE_M
    baseline, f = geometry.baseline, geometry.f
    is_f_wrong = bool(geometry.width) and _implausible_view(geometry.width, f) is not None
    if low <= baseline <= high or is_f_wrong:
        return ()
    if is_given:
        remedy = 'set the parameter baseline to the distance of both cameras in metres'
    elif baseline > high:
        remedy = (
            'if the calibration is in millimetres, divide P[3] of the right camera by 1000 or set '
            f'the parameter baseline to {baseline / 1000.0:g}'
        )
    elif low <= baseline * f <= high:
        remedy = (
            f'P[3] of the right camera is {-baseline * f:g}, which looks like the baseline '
            f'itself, and must be -f * baseline: multiply it by {f:g}, or set the parameter '
            f'baseline to {baseline * f:g}'
        )
    else:
        remedy = (
            'P[3] of the right camera must be -f * baseline, in pixels times metres: correct it, '
            'or set the parameter baseline'
        )
    return (f'the baseline is {baseline:g} m: {remedy}',)


def _camera_notes(side: str, camera: CameraCalibration, *, rectify: bool) -> Iterator[str]:
    width, height = camera.width, camera.height
    if not (width and height):  # unknown, until an image has come
        return
    x, y, roi_width, roi_height = camera.roi
    right_end, lower_end = x + (roi_width or width), y + (roi_height or height)
    if right_end > width or lower_end > height:
        yield (
            f'roi of the {side} camera reaches to {right_end}x{lower_end}, its image is '
            f'{width}x{height} (width, height): these must be of the full sensor, as K and P are; '
            'or clear roi where all of them are of the cropped image'
        )
        return
    uses_k = rectify and camera.is_rectifiable and are_plausible((*camera.k, *camera.d, *camera.r))
    matrices = {'P': (camera.p, 4), **({'K': (camera.k, 3)} if uses_k else {})}
    for name, (matrix, columns) in matrices.items():
        note = _principal_point_note(side, name, matrix[2], matrix[columns + 2], camera)
        if note:
            yield note
            break
    yield from _shape_notes(side, camera)
    view = _implausible_view(width, camera.p[0])
    if view is not None:
        yield (
            f'the field of view of the {side} camera would be {view:.3g} degrees (P[0] is '
            f'{camera.p[0]:g} px, width {width} px): P is most likely of another resolution or '
            'unit; calibrate at the size that is published'
        )
    if uses_k:
        yield from _raw_notes(side, camera)
        share = share_folded(camera.for_image())
        if share > _TOLERABLE_FOLD:
            yield (
                f'the distortion D of the {side} camera folds {100.0 * share:.1f} % of the '
                'rectified image over, which show what belongs elsewhere: calibrate anew with '
                'the board in the corners of the image, or with fewer coefficients'
            )


def _implausible_view(width: int, f: float) -> float | None:
    """Return the horizontal field of view, degrees, if it is most likely that of no camera."""
    view = 2.0 * math.degrees(math.atan(width / 2.0 / f))
    least, most = _PLAUSIBLE_VIEW_DEGREES
    return None if least <= view <= most else view


def _principal_point_note(
    side: str, name: str, cx: float, cy: float, camera: CameraCalibration
) -> str:
    """Return what is wrong with a principal point, which is one of the full sensor."""
    full, after = (camera.width, camera.height), camera.image_size
    width, height = full
    fields = camera.crop
    cropped = [
        (centre, size, size_after)
        for centre, size, size_after in zip((cx, cy), full, after, strict=True)
        if size - size_after > _NOTABLE_CROP * size
    ]
    if cropped and all(
        4.0 * abs(centre - _middle(size_after)) < abs(centre - _middle(size))
        for centre, size, size_after in cropped
    ):
        return (
            f'the principal point of {name} of the {side} camera, ({cx:g}, {cy:g}), is the middle '
            f'of the {after[0]}x{after[1]} image although {fields}: {name} has them applied '
            'already; publish that of the full sensor, or set binning and roi to 0 and width and '
            'height to those of the image'
        )
    if width != height and all(
        abs(centre - _middle(size)) > _NOTABLE_CROP * size
        and 4.0 * abs(centre - _middle(other)) < abs(centre - _middle(size))
        for centre, size, other in ((cx, width, height), (cy, height, width))
    ):
        return (
            f'the principal point of {name} of the {side} camera, ({cx:g}, {cy:g}), is the middle '
            f'of an image of {height}x{width}, and the image is {width}x{height}: cx and cy are '
            'exchanged, or the image was turned by 90 degrees since; calibrate it as it is '
            'published'
        )
    distances = [abs(c - _middle(size)) / size for c, size in zip((cx, cy), full, strict=True)]
    if max(distances) > _FARTHEST_FROM_MIDDLE:
        return (
            f'the principal point of {name} of the {side} camera, ({cx:g}, {cy:g}), is far from '
            f'the middle of its {full[0]}x{full[1]} image: {name} is most likely of another '
            'resolution or of a crop; calibrate at the size that is published, or set roi'
        )
    return ''


def _raw_notes(side: str, camera: CameraCalibration) -> Iterator[str]:
    """Yield what is wrong with K and R, which raw images are rectified with."""
    fx, fy = camera.k[0], camera.k[4]
    if not 1.0 / _LARGEST_ASPECT < fy / fx < _LARGEST_ASPECT or fx < 0.0:
        yield (
            f'the focal lengths of K of the {side} camera, {fx:g} px (K[0]) and {fy:g} px (K[4]), '
            'are not those of one lens: calibrate anew, or correct what writes it'
        )
    if not any(camera.r):  # none
        return
    r = np.array(camera.r).reshape(3, 3)
    is_rotation = np.abs(r @ r.T - np.identity(3)).max() < _LARGEST_SHEAR and np.linalg.det(r) > 0
    cosine = (float(np.trace(r)) - 1.0) / 2.0
    if not is_rotation:
        wrong = 'is no rotation'
    elif cosine < math.cos(math.radians(_LARGEST_TURN_DEGREES)):
        wrong = f'turns the camera by {math.degrees(math.acos(max(cosine, -1.0))):.0f} degrees'
    else:
        return
    yield (
        f'R of the {side} camera {wrong}, and rectification turns a camera by a few degrees: '
        'calibrate the pair anew, or correct what writes it'
    )


def _shape_notes(side: str, camera: CameraCalibration) -> Iterator[str]:
    """Yield what is wrong with the numbers of P that are the same for all rectified cameras."""
    p = camera.p
    wrong = [
        f'P[{index}] is {p[index]:g}, not {expected:g}'
        for index, expected in ((1, 0.0), (4, 0.0), (8, 0.0), (9, 0.0), (10, 1.0), (11, 0.0))
        if abs(p[index] - expected) > _NOTHING
    ]
    if wrong:
        yield (
            f'{", ".join(wrong)} in the {side} camera, which no rectified camera has: P is '
            '[f 0 cx Tx; 0 f cy 0; 0 0 1 0], row by row; calibrate anew, or correct what writes it'
        )
    image = camera.for_image()
    if not math.isclose(image.p[0], image.p[5], rel_tol=_ROUNDED_PIXEL):
        yield (
            f'pixels of the {side} camera are not square, P[0] is {image.p[0]:g} px and P[5] '
            f'{image.p[5]:g} px: the heights of points are those of P[5]; correct P or binning, '
            'unless the camera leaves out rows or columns'
        )


def _crop_notes(left: CameraCalibration, right: CameraCalibration) -> Iterator[str]:
    """Yield that the images begin at different columns of the sensors."""
    offset = right.roi[0] / max(right.binning_x, 1) - left.roi[0] / max(left.binning_x, 1)
    if offset:
        yield (
            f'roi begins at x = {left.roi[0]} (left) and x = {right.roi[0]} (right), which moves '
            f'all disparities by {offset:g} px: set both cameras to one roi, or clear it where P '
            'is of the cropped image'
        )


def _pair_notes(left: CameraCalibration, right: CameraCalibration) -> Iterator[str]:
    remedy = 'rectified rows do not line up, calibrate the pair together as a stereo camera'
    rows_apart = left.p[6] - right.p[6]
    if abs(rows_apart) > _ROUNDED_PX:
        yield f'the principal points are {abs(rows_apart):g} px apart vertically (P[6]): {remedy}'
    for index in (0, 5):
        if not math.isclose(left.p[index], right.p[index], rel_tol=_ROUNDED_F):
            yield (
                f'the focal lengths of P differ, {left.p[index]:g} px (left P[{index}]) and '
                f'{right.p[index]:g} px (right): {remedy}'
            )
            break
    above = left.p[7] - right.p[7]
    if abs(above) > _ROUNDED_PX:
        yield f'P[7] is {left.p[7]:g} (left) and {right.p[7]:g} (right), not 0: {remedy}'


def _middle(size: int) -> float:
    return (size - 1) / 2.0
