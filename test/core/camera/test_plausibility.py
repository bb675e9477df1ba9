# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes in calibrations are named with the field and what is to be done."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from scenes import camera

from stereo_depth_node.core.camera.calibration import CameraCalibration, why_size_differs
from stereo_depth_node.core.camera.plausibility import implausibilities
from stereo_depth_node.core.errors import CalibrationSizeError
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

FULL = {'width': 1280, 'height': 960, 'f': 1000.0}
HALF = {'width': 640, 'height': 480, 'f': 500.0}


def notes(
    size: dict[str, Any],
    *,
    rectify: bool = False,
    right: dict[str, Any] | None = None,
    **both: Any,
) -> tuple[str, ...]:
    """Return what is named of a pair of one kind, the right camera 0.1 m beside the left."""
    left, other = camera(**size), camera(**size, tx=-0.1 * size['f'])
    left = dataclasses.replace(left, **both)
    other = dataclasses.replace(other, **{**both, **(right or {})})
    return implausibilities(left, other, rectify=rectify)


def with_k(calibration: CameraCalibration, **changes: Any) -> dict[str, Any]:
    k = list(calibration.k)
    k[2], k[5] = changes['cx'], changes['cy']
    return {'k': tuple(k)}


@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'binning_x': 2, 'binning_y': 2},
        {'roi': (320, 240, 640, 480)},
        {'roi': (0, 0, 640, 480)},
        {'roi': (100, 500, 400, 300), 'binning_x': 2, 'binning_y': 2},
        {'d': (-0.3, 0.1, 0.001, -0.001, 0.0)},
        {'d': (-0.3, 0.1, 0.001, -0.001, -0.02), 'roi': (320, 240, 640, 480)},
    ],
)
def test_what_is_plausible_is_left_alone(changes):
    assert notes(FULL, rectify=True, **changes) == ()


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'binning_x': 2, 'binning_y': 2}, ['binning is 2x2', '640x480']),
        ({'roi': (320, 240, 640, 480)}, ['roi is 640x480 at (320, 240)', '640x480']),
    ],
)
def test_binning_and_roi_that_p_has_already(changes, words):
    """P of the 640x480 image, width and height of the full sensor."""
    small = camera(**HALF)
    p_right = camera(**HALF, tx=-50.0).p
    found = notes(FULL, **changes, p=small.p, right={'p': p_right})
    assert len(found) == 2, 'one for each camera'
    assert 'P of the left camera, (319.5, 239.5), is the middle of' in found[0]
    assert all(word in found[0] for word in [*words, 'applied already'])


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'binning_x': 2, 'binning_y': 2}, 'binning is 2x2, but width and height are those of'),
        ({'roi': (100, 100, 320, 240)}, 'roi is 320x240 at (100, 100), but width and height are'),
        ({}, 'calibrate at the size that is published'),
    ],
)
def test_a_size_that_differs_names_binning_and_roi(changes, words):
    size = HALF if changes else FULL
    pair = [dataclasses.replace(camera(**size, tx=tx), **changes) for tx in (0.0, -50.0)]
    assert words in why_size_differs(pair[0], 640, 480)
    with pytest.raises(CalibrationSizeError, match='the images are 640x480, the calibration is'):
        StereoPipeline.from_calibrations(Settings(), 640, 480, *pair)


@pytest.mark.parametrize(
    ('roi', 'words'),
    [
        ((320, 240, 1280, 960), 'roi of the left camera reaches to 1600x1200, its image is 1280'),
        ((10, 0, 0, 0), 'reaches to 1290x960'),
    ],
)
def test_a_roi_outside_of_the_image(roi, words):
    found = notes(FULL, roi=roi)
    assert len(found) == 2
    assert words in found[0]


@pytest.mark.parametrize(('cx', 'cy'), [(1279.0, 479.5), (319.5, 479.5), (639.5, 100.0)])
def test_a_principal_point_far_from_the_middle(cx, cy):
    found = notes({**FULL, 'cx': cx, 'cy': cy})
    assert len(found) == 2
    assert f'P of the left camera, ({cx:g}, {cy:g}), is far from the middle of its' in found[0]


def test_a_calibration_of_the_image_turned_by_a_quarter():
    found = notes({**FULL, 'cx': 479.5, 'cy': 639.5})
    assert len(found) == 2
    assert 'is the middle of an image of 960x1280' in found[0]
    assert 'cx and cy are exchanged' in found[0]


@pytest.mark.parametrize(
    ('index', 'value', 'words'),
    [
        (1, 50.0, 'P[1] is 50, not 0 in the left camera'),
        (10, 1.1, 'P[10] is 1.1, not 1'),
        (5, 900.0, 'P[0] is 1000 px and P[5] 900 px'),
        (5, 0.0, 'P[0] is 1000 px and P[5] 0 px'),
    ],
)
def test_numbers_of_p_that_no_rectified_camera_has(index, value, words):
    sides = [list(camera(**FULL, tx=tx).p) for tx in (0.0, -100.0)]
    for p in sides:
        p[index] = value
    found = notes(FULL, p=tuple(sides[0]), right={'p': tuple(sides[1])})
    assert len(found) == 2
    assert words in found[0]


def test_binning_of_one_direction_makes_pixels_that_are_not_square():
    assert 'P[0] is 500 px and P[5] 1000 px' in notes(FULL, binning_x=2)[0]


def test_a_roi_of_one_camera_moves_all_disparities():
    wider = {**FULL, 'width': 1288}
    (found,) = notes(wider, roi=(4, 0, 1280, 960), right={'roi': (0, 0, 1280, 960)})
    assert 'roi begins at x = 4 (left) and x = 0 (right)' in found
    assert 'by -4 px' in found


def test_with_rectify_the_raw_principal_point_counts():
    changes = with_k(camera(**FULL), cx=319.5, cy=239.5)
    assert notes(FULL, **changes) == ()
    found = notes(FULL, rectify=True, **changes)
    assert 'K of the left camera, (319.5, 239.5), is far from the middle' in found[0]


@pytest.mark.parametrize(('f', 'degrees'), [(100000.0, '0.733'), (100.0, '162')])
def test_a_field_of_view_that_no_camera_has(f, degrees):
    found = notes({**FULL, 'f': f})
    assert f'the left camera would be {degrees} degrees (P[0] is {f:g} px' in found[0]


@pytest.mark.parametrize(
    ('index', 'change', 'words'),
    [
        (0, 0.3, 'the focal lengths of P differ, 1000 px (left P[0]) and 1000.3 px (right)'),
        (5, 0.3, '(left P[5])'),
        (6, 0.4, '0.4 px apart vertically (P[6])'),
        (7, 2.0, 'P[7] is 0 (left) and 2 (right), not 0'),
    ],
)
def test_rows_that_do_not_line_up(index, change, words):
    p = list(camera(**FULL, tx=-100.0).p)
    p[index] += change
    (found,) = notes(FULL, right={'p': tuple(p)})
    assert words in found


QUARTER = (0.0, 0.0, 1.0, 0.0, 1.0, 0.0, -1.0, 0.0, 0.0)
HALF_TURN = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'r': QUARTER}, 'R of the left camera turns the camera by 90 degrees'),
        ({'r': HALF_TURN}, 'turns the camera by 180 degrees'),
        ({'r': (1.0, 0.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0, 1.0)}, 'is no rotation'),
        ({'r': (1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)}, 'is no rotation'),
        ({'k': (1000.0, 0.0, 639.5, 0.0, 0.0, 479.5, 0.0, 0.0, 1.0)}, '(K[0]) and 0 px (K[4])'),
    ],
)
def test_what_no_raw_camera_is_rectified_with(changes, words):
    found = notes(FULL, rectify=True, **changes)
    assert len(found) == 2, 'one for each camera'
    assert words in found[0]
    assert notes(FULL, **changes) == (), 'only rectify uses K and R'


@pytest.mark.parametrize('degrees', [0.0, 3.0, 20.0])
def test_rotations_of_a_few_degrees_are_plausible(degrees):
    s, c = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    assert notes(FULL, rectify=True, r=(c, 0.0, s, 0.0, 1.0, 0.0, -s, 0.0, c)) == ()
    assert notes(FULL, rectify=True, r=(0.0,) * 9) == ()


def test_distortion_that_folds_the_border_over():
    """R (1 - r^2) grows up to r = 0.58; the corner is at 0.8."""
    found = notes(FULL, rectify=True, d=(-1.0, 0.0, 0.0, 0.0, 0.0))
    assert len(found) == 2
    assert 'D of the left camera folds' in found[0]
    assert notes(FULL, d=(-1.0, 0.0, 0.0, 0.0, 0.0)) == (), 'only rectify uses D'


@pytest.mark.parametrize(
    ('tx', 'baseline', 'words'),
    [
        (-120_000.0, 120.0, 'or set the parameter baseline to 0.12'),
        (-0.12, 0.00012, 'multiply it by 1000, or set the parameter baseline to 0.12'),
        (-3.0, 0.003, 'must be -f * baseline, in pixels times metres'),
    ],
    ids=['millimetres', 'baseline itself', 'tiny'],
)
def test_a_baseline_that_no_camera_has(tx, baseline, words):
    (found,) = notes(FULL, right={'p': camera(**FULL, tx=tx).p})
    assert f'the baseline is {baseline:g} m' in found
    assert words in found


def test_a_parameter_baseline_in_millimetres():
    pair = [camera(**FULL, tx=tx) for tx in (0.0, -100.0)]
    (found,) = implausibilities(*pair, baseline=120.0)
    assert 'set the parameter baseline to the distance of both cameras in metres' in found
    assert 'P[3]' not in found


def test_an_unknown_size_is_taken_from_the_images():
    unknown = {'width': 0, 'height': 0}
    pair = [dataclasses.replace(camera(**HALF, tx=tx), **unknown) for tx in (0.0, -50.0)]
    assert implausibilities(*pair) == ()
    pipeline = StereoPipeline.from_calibrations(Settings(), 640, 480, *pair)
    assert pipeline.geometry is not None
    assert pipeline.geometry.width == 640
    half = [dataclasses.replace(each, binning_x=2, binning_y=2) for each in pair]
    assert (half[0].sized(320, 240).width, half[0].sized(320, 240).image_size) == (640, (320, 240))
