# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras that have moved since their calibration: which way, how far and at what cost."""

from __future__ import annotations

from collections.abc import Callable
import math
import re

import cv2
import numpy as np
import pytest
from scenes import scene_of, StereoScene, tilted_plane

from stereo_depth_node.core.camera.row_offset import fit_row_offset
from stereo_depth_node.core.health.causes import Finding
from stereo_depth_node.core.health.rectification import rectification_findings
from stereo_depth_node.core.health.rectification_report import (
    MatchedImages,
    measure_rectification,
    RectificationReport,
)

F, WIDTH, HEIGHT = 994.978, 741, 500
CENTRE = np.array([[1.0, 0.0, (WIDTH - 1) / 2], [0.0, 1.0, (HEIGHT - 1) / 2], [0.0, 0.0, 1.0]])
CAMERA = CENTRE @ np.diag([F, F, 1.0])


def turned(axis: str, degrees: float) -> np.ndarray:
    """Return the homography of a camera that is turned about an axis: x, y or z."""
    vector = np.array([float(axis == name) for name in 'xyz']) * math.radians(degrees)
    return CAMERA @ cv2.Rodrigues(vector)[0] @ np.linalg.inv(CAMERA)


def about_centre(matrix: np.ndarray) -> np.ndarray:
    return CENTRE @ matrix @ np.linalg.inv(CENTRE)


def moved(image: np.ndarray, homography: np.ndarray) -> np.ndarray:
    return cv2.warpPerspective(
        image,
        homography,
        (WIDTH, HEIGHT),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )


def examined(
    left: np.ndarray, right: np.ndarray
) -> tuple[RectificationReport, dict[str, Finding]]:
    images = MatchedImages(offset=0.0, scale=1, start=0, end=64, f=F)
    report = measure_rectification(left, right, images, max_corners=400)
    assert report is not None
    return report, {each.cause.name: each for each in rectification_findings(report)}


def zoom(percent: float) -> np.ndarray:
    return about_centre(np.diag([1.0 + percent / 100.0, 1.0 + percent / 100.0, 1.0]))


def keystone(pixels: float) -> np.ndarray:
    """Move the rows in the corners by so many pixels."""
    matrix = np.eye(3)
    matrix[2, 0] = 4.0 * pixels / (WIDTH * HEIGHT)
    return about_centre(matrix)


def shift(pixels: float) -> np.ndarray:
    return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, pixels], [0.0, 0.0, 1.0]])


def roll(degrees: float) -> np.ndarray:
    return turned('z', degrees)


def yaw(degrees: float) -> np.ndarray:
    return turned('y', degrees)


@pytest.mark.parametrize(
    ('move', 'size', 'text'),
    [
        (roll, 0.5, r'it is a rotation of {} degrees \(the right image is turned clockwise\):'),
        (
            roll,
            -1.0,
            r'it is a rotation of {} degrees \(the right image is turned anticlockwise\):',
        ),
        (roll, 3.0, r'it is a rotation of {} degrees \(the right image is turned clockwise\):'),
        (zoom, 0.5, r'it is a zoom of {} % \(the right image is larger\):'),
        (zoom, -3.0, r'it is a zoom of {} % \(the left image is larger\):'),
        # Rows that are half a pixel apart, but disparities that are off by 6 px.
        (yaw, 0.35, r'it is a keystone of .* px in the corners \(a toe-in of {} degrees\):'),
        (yaw, 0.5, r'it is a keystone of .* px in the corners \(a toe-in of {} degrees\):'),
        (yaw, -2.0, r'it is a keystone of .* px in the corners \(a toe-out of {} degrees\):'),
        (yaw, 5.0, r'it is a keystone of .* px in the corners \(a toe-in of {} degrees\):'),
        (keystone, 1.0, r'it is a keystone of {} px in the corners \(a toe-out of .* degrees'),
        (keystone, -8.0, r'it is a keystone of {} px in the corners \(a toe-in of .* degrees'),
        (shift, 1.0, r'it is a shift of {} px \(the right image is lower\):'),
        (shift, -8.0, r'it is a shift of {} px \(the left image is lower\):'),
    ],
)
def test_kind_size_and_direction_are_named(
    motorcycle: StereoScene, move: Callable[[float], np.ndarray], size: float, text: str
):
    """Within a tenth, and whichever of the images has moved; never as swapped cameras."""
    homography = move(size)
    for left, right in (
        (motorcycle.left, moved(motorcycle.right, homography)),
        (moved(motorcycle.left, np.linalg.inv(homography)), motorcycle.right),
    ):
        _, findings = examined(left, right)
        found = re.search(text.format(r'([\d.]+)'), findings['rows_apart'].text)
        assert found, findings['rows_apart'].text
        assert float(found[1]) == pytest.approx(abs(size), rel=0.1)
        assert 'cameras_swapped' not in findings
        # Where a camera is turned sideways, disparities say nothing of the scene.
        assert move not in (yaw, keystone) or list(findings) == ['rows_apart']


def test_two_ways_at_once_are_both_named(motorcycle: StereoScene):
    _, findings = examined(motorcycle.left, moved(motorcycle.right, shift(4.0) @ zoom(2.0)))
    text = findings['rows_apart'].text
    found = re.search(r'a zoom of ([\d.]+) %.* and a shift of ([\d.]+) px', text)
    assert found, text
    assert [float(size) for size in found.groups()] == pytest.approx([2.0, 4.0], rel=0.05)


@pytest.mark.parametrize('may_be_raw', [False, True])
def test_the_rows_of_raw_images_come_right_by_rectifying_them(motorcycle: StereoScene, may_be_raw):
    images = MatchedImages(offset=0.0, scale=1, start=0, end=64, f=F, may_be_raw=may_be_raw)
    right = moved(motorcycle.right, shift(4.0))
    report = measure_rectification(motorcycle.left, right, images, max_corners=400)
    (found,) = rectification_findings(report)
    assert ('set rectify to true' in found.text) is may_be_raw
    assert found.text.endswith('calibrate the cameras anew')


@pytest.mark.parametrize('homography', [np.eye(3), shift(0.5), yaw(0.2), roll(0.05)])
def test_what_costs_next_to_nothing_is_not_reported(motorcycle: StereoScene, homography):
    report, findings = examined(motorcycle.left, moved(motorcycle.right, homography))
    assert 'rows_apart' not in findings
    assert report.row_offset.largest < 0.75


@pytest.mark.parametrize('homography', [roll(1.0), roll(3.0), zoom(3.0), yaw(3.0), shift(2.0)])
def test_the_cost_is_that_of_block_matching(motorcycle: StereoScene, homography):
    """Matches lost are foreseen to 10 of 100, by a table that was measured for shifts."""

    def correct(right: np.ndarray, homography: np.ndarray) -> float:
        y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
        point = np.stack([x - motorcycle.disparity, y, np.ones_like(x)], -1) @ homography.T
        truth = x - point[..., 0] / point[..., 2]
        matcher = cv2.StereoBM.create(128, 15)
        matcher.setMinDisparity(-64)
        found = matcher.compute(motorcycle.left, right) / 16.0
        with np.errstate(invalid='ignore'):
            return float((np.abs(found - truth) < 2.0)[20:-20, 80:-80].mean())

    whole = correct(motorcycle.right, np.eye(3))
    right = moved(motorcycle.right, homography)
    _, findings = examined(motorcycle.left, right)
    foreseen = re.search(r'expect about (\d+) % fewer', findings['rows_apart'].text)
    assert foreseen
    lost = 100.0 * (1.0 - correct(right, homography) / whole)
    assert float(foreseen[1]) == pytest.approx(lost, abs=10.0)


def test_wrong_matches_do_not_move_the_fit():
    """A third of the points is anywhere within 30 rows."""
    rng = np.random.default_rng(1)
    left = rng.uniform((0, 0), (640, 480), (300, 2))
    right = left - [20.0, 0.0]
    middle = (left[:, 0] + right[:, 0]) / 2.0
    right[:, 1] -= 1.5 + 3.0 * (2.0 * middle - 639.0) / 640.0 + rng.normal(0.0, 0.1, 300)
    right[::3, 1] += rng.uniform(-30.0, 30.0, 100)
    offset = fit_row_offset(left.astype(np.float32), right.astype(np.float32), 640, 480)
    # The standard error of 200 points with a noise of 0.1 px is below 0.02 px.
    assert offset.parts == pytest.approx((1.5, 3.0, 0.0, 0.0), abs=0.08)
    assert offset.spread < 0.3


def test_points_in_one_column_show_a_shift_and_no_rotation():
    rng = np.random.default_rng(1)
    left = np.stack([np.full(50, 500.0), rng.uniform(0, 480, 50)], -1).astype(np.float32)
    right = left - np.float32([20.0, 2.0])
    offset = fit_row_offset(left, right, 640, 480)
    assert offset.parts == pytest.approx((2.0, 0.0, 0.0, 0.0), abs=0.01)


@pytest.mark.parametrize(('offset', 'share'), [(14.0, 35), (25.0, 100)])
def test_principal_points_that_put_the_scene_beyond_infinity(offset, share):
    """Disparities of 8 to 20 px are positive: no images are swapped."""
    scene = scene_of(tilted_plane(320, 240, 8.0, 20.0))
    images = MatchedImages(offset=offset, scale=1, start=0, end=32, f=400.0)
    report = measure_rectification(scene.left, scene.right, images, max_corners=400)
    assert report is not None
    finding = next(rectification_findings(report))
    assert finding.cause.name == 'implausible_calibration'
    found = re.search(rf'(\d+) % of .* below {offset} px.*P\[2\] of left less', finding.text)
    assert found
    assert int(found[1]) == pytest.approx(share, abs=12)
