# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The geometry of two cameras: what makes a stereo camera, and what is refused as one."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scenes import camera, geometry_of

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.camera.plausibility import implausibilities
from stereo_depth_node.core.errors import CalibrationError, VerticalCamerasError

F = 500.0


def pair(
    tx_left: float = 0.0, tx_right: float = -F * 0.1, **right: object
) -> tuple[CameraCalibration, CameraCalibration]:
    return camera(640, 480, f=F, tx=tx_left), camera(640, 480, **{'f': F, 'tx': tx_right, **right})


@pytest.mark.parametrize(
    ('tx_left', 'tx_right', 'baseline'),
    [(0.0, -50.0, 0.1), (-44.0, -94.0, 0.1), (25.0, -25.0, 0.1), (50.0, 0.0, 0.1)],
)
def test_the_baseline_is_the_difference_of_both_tx(tx_left, tx_right, baseline):
    geometry = StereoGeometry.from_calibrations(*pair(tx_left, tx_right))
    assert geometry.baseline == pytest.approx(baseline, rel=1e-12)


@pytest.mark.parametrize('doffs', [31.086, -31.086, 0.0])
def test_focal_length_and_principal_points_are_those_of_the_projection_matrices(doffs):
    left = camera(741, 500, f=994.978, cx=311.193, cy=254.877)
    right = camera(741, 500, f=994.978, cx=311.193 + doffs, cy=254.877, tx=-994.978 * 0.193)
    geometry = StereoGeometry.from_calibrations(left, right)
    assert (geometry.f, geometry.cx, geometry.cy) == (994.978, 311.193, 254.877)
    assert (geometry.width, geometry.height) == (741, 500)
    assert geometry.offset == pytest.approx(-doffs, abs=1e-12)


def test_the_projection_matrix_counts_and_not_the_raw_camera():
    raw = (900.0, 0.0, 11.0, 0.0, 900.0, 12.0, 0.0, 0.0, 1.0)
    left, right = (dataclasses.replace(calibration, k=raw) for calibration in pair())
    geometry = StereoGeometry.from_calibrations(left, right)
    assert (geometry.f, geometry.cx) == (F, 319.5)


def test_different_regions_of_interest_move_the_disparity_at_infinity():
    left, right = pair()
    left = dataclasses.replace(left, roi=(20, 10, 400, 300))
    right = dataclasses.replace(right, roi=(50, 10, 400, 300))
    geometry = StereoGeometry.from_calibrations(left, right)
    assert (geometry.width, geometry.height) == (400, 300)
    assert geometry.offset == pytest.approx(30.0)
    assert geometry.baseline == pytest.approx(0.1)


def test_binning_leaves_the_baseline_and_halves_the_focal_length():
    left, right = (
        dataclasses.replace(calibration, binning_x=2, binning_y=2) for calibration in pair()
    )
    geometry = StereoGeometry.from_calibrations(left, right)
    assert (geometry.f, geometry.width, geometry.height) == (F / 2, 320, 240)
    assert geometry.baseline == pytest.approx(0.1)


@pytest.mark.parametrize(
    'changes', [{'k': (0.0,) * 9}, {'d': (math.nan,) * 5, 'r': (math.inf,) * 9}, {'k': ()}]
)
def test_rectified_images_need_the_projection_alone(changes):
    geometry = StereoGeometry.from_calibrations(*pair(**changes))
    assert (geometry.f, geometry.baseline) == (500.0, pytest.approx(0.1))


@pytest.mark.parametrize(
    ('cameras', 'words'),
    [
        (pair(0.0, 0.0), ['baseline is 0 m', 'P[3]', 'set the parameter baseline']),
        (pair(-50.0, -50.0), ['baseline is 0 m', '-50 (left) and -50 (right)']),
        (pair(0.0, -1e-4), ['baseline is 2e-07 m', '1e-06 m at least']),
        (pair(0.0, 50.0), ['baseline is -0.1 m', 'swapped', 'exchange']),
        (pair(-50.0, 0.0), ['baseline is -0.1 m', 'swapped', 'exchange']),
        (pair(f=510.0), ['500 px (left', '510 px (right', 'calibrate the pair together']),
        (pair(p=(0.0,) * 12), ['right camera is not calibrated', 'left_camera_info_url']),
        (pair(p=()), ['right camera is not calibrated']),
        (pair(f=-500.0), ['right camera is -500 px', 'positive']),
        (pair(tx_right=math.nan), ['right camera', 'not finite']),
        (pair(tx_left=math.nan), ['left camera', 'not finite']),
        (pair(binning_x=2, binning_y=2), ['binning is 2x2 (right)', 'which must be the same']),
        ((camera(640, 480), camera(320, 240, tx=-50.0)), ['640x480 (left)', '320x240 (right)']),
    ],
)
def test_what_is_no_stereo_camera_is_refused_with_cause_and_cure(cameras, words):
    with pytest.raises(CalibrationError) as caught:
        StereoGeometry.from_calibrations(*cameras)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize('tx_right', [0.0, 50.0, -50.0])
def test_a_baseline_that_is_given_takes_the_place_of_the_calibrations(tx_right):
    geometry = StereoGeometry.from_calibrations(*pair(0.0, tx_right), baseline=0.25)
    assert geometry.baseline == 0.25


@pytest.mark.parametrize('baseline', [5e-324, 1e-46, 9e-7])
def test_a_baseline_that_is_given_and_no_camera_has_is_refused(baseline):
    with pytest.raises(CalibrationError, match=r'the parameter baseline.*1e-06 m at least'):
        StereoGeometry.from_calibrations(*pair(), baseline=baseline)


@pytest.mark.parametrize(
    ('ty', 'upper'), [(-50.0, 'left'), (50.0, 'right')], ids=['right below', 'right above']
)
def test_cameras_one_above_the_other_are_refused_whatever_the_baseline(ty, upper):
    left, right = pair(0.0, 0.0)
    right = dataclasses.replace(right, p=(*right.p[:7], ty, *right.p[8:]))
    with pytest.raises(VerticalCamerasError, match=rf'the upper camera \(now {upper}\)'):
        StereoGeometry.from_calibrations(left, right)
    with pytest.raises(VerticalCamerasError, match='turn both images'):
        StereoGeometry.from_calibrations(left, right, baseline=0.1)


def test_focal_lengths_that_differ_by_rounding_are_one():
    assert StereoGeometry.from_calibrations(*pair(f=500.4)).f == 500.0


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('f', 0.0),
        ('f', -700.0),
        ('fy', -1.0),
        ('baseline', 0.0),
        ('baseline', -0.1),
        ('cx', math.nan),
    ],
)
def test_numbers_that_no_camera_has_are_refused_where_they_are_given_directly(name, value):
    numbers = {'f': 700.0, 'cx': 320.0, 'cy': 240.0, 'cx_right': 320.0, 'baseline': 0.1}
    with pytest.raises(CalibrationError, match=f'^{name} of the stereo camera is {value:g}'):
        StereoGeometry(640, 480, **{**numbers, name: value})


@pytest.mark.parametrize('offset', [0.0, 12.5, -31.25])
def test_depth_is_focal_length_times_baseline_over_disparity_beyond_the_offset(offset):
    geometry = geometry_of(640, 480, f=500.0, baseline=0.1, offset=offset)
    assert geometry.depth_at(offset + 25.0) == pytest.approx(2.0)
    assert geometry.depth_at(offset) == math.inf
    assert geometry.depth_at(offset - 1.0) == math.inf


@pytest.mark.parametrize('factor', [1, 2, 4])
def test_a_reduced_geometry_is_that_of_the_reduced_cameras(factor):
    left, right = pair(cx=330.0)
    full = StereoGeometry.from_calibrations(left, right)
    from_cameras = StereoGeometry.from_calibrations(
        left.downscaled(factor), right.downscaled(factor)
    )
    reduced = full.downscaled(factor)
    assert dataclasses.astuple(reduced) == pytest.approx(dataclasses.astuple(from_cameras))
    assert reduced.offset == pytest.approx(full.offset / factor)


@pytest.mark.parametrize('fy', [0.0, 250.0])
@pytest.mark.parametrize('offset', [0.0, 20.0, -20.0])
def test_the_reprojection_matrix_takes_pixels_and_matched_disparity_to_the_point(offset, fy):
    geometry = dataclasses.replace(
        geometry_of(640, 480, f=500.0, baseline=0.1, offset=offset), fy=fy
    )
    assert geometry.fy == (fy or 500.0)
    x, y, z = 0.4, -0.3, 2.0
    column, row = geometry.f * x / z + geometry.cx, geometry.fy * y / z + geometry.cy
    column_right = geometry.f * (x - geometry.baseline) / z + geometry.cx_right
    point = geometry.reprojection_matrix() @ np.array([column, row, column - column_right, 1.0])
    assert point[:3] / point[3] == pytest.approx([x, y, z], rel=1e-12)


def test_a_plausible_pair_gives_no_warning():
    assert implausibilities(*pair()) == ()


@pytest.mark.parametrize(
    ('cameras', 'words'),
    [
        (pair(tx_right=-F * 60.0), ['baseline is 60 m', 'millimetres', '1000']),
        (pair(tx_right=-F * 0.004), ['baseline is 0.004 m']),
        (pair(cy=241.0), ['1.5 px apart vertically', 'calibrate the pair together']),
        (
            (camera(640, 480, frame_id='a'), camera(640, 480, tx=-50.0, frame_id='b')),
            ["'a' (left)", "'b' (right)", 'use the left'],
        ),
    ],
)
def test_what_is_most_likely_a_mistake_is_named(cameras, words):
    (found,) = implausibilities(*cameras)
    assert all(word in found for word in words), found
