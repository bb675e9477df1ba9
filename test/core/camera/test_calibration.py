# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Calibrations: region of interest, binning and reduction."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from scenes import camera

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings import Settings


def test_a_calibration_of_the_whole_image_is_that_of_the_image():
    full = camera(640, 480)
    assert full.for_image() is full
    assert full.image_size == (640, 480)


def test_the_matrices_of_opencv_are_taken_as_they_are():
    matrix, distortion = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]), np.zeros((1, 5))
    shift = np.array([[-0.12], [0], [0]])
    found = cv2.stereoRectify(
        matrix, distortion, matrix, distortion, (640, 480), np.eye(3), shift, alpha=0
    )
    left, right = (
        CameraCalibration(640, 480, 'plumb_bob', distortion, matrix, r, p)
        for r, p in zip(found[:2], found[2:4], strict=True)
    )
    assert left.p == tuple(found[2].ravel().tolist())
    assert left == dataclasses.replace(left, k=tuple(matrix.ravel().tolist()))
    assert hash(left) != hash(right)
    settings = Settings(rectify=True)
    pipeline = StereoPipeline.from_calibrations(settings, 640, 480, left, right)
    assert pipeline.geometry.baseline == pytest.approx(0.12)


@pytest.mark.parametrize('binning', [(0, 0), (1, 1), (2, 2), (4, 2)])
@pytest.mark.parametrize('roi', [(0, 0, 0, 0), (100, 50, 320, 240), (0, 0, 320, 240)])
def test_roi_then_binning_give_the_pixels_that_a_ray_meets(roi, binning):
    """A point is projected by the full camera, then cropped, then binned."""
    full = camera(640, 480, f=512.0, cx=310.5, cy=220.25, tx=-60.0)
    image = dataclasses.replace(full, roi=roi, binning_x=binning[0], binning_y=binning[1])
    point = np.array([0.3, -0.2, 2.0, 1.0])
    expected = (project(full, point) - roi[:2]) / np.maximum(binning, 1)
    assert project(image.for_image(), point) == pytest.approx(expected, abs=1e-9)
    rays = np.array(image.for_image().k).reshape(3, 3) @ point[:3]
    rays_full = np.array(full.k).reshape(3, 3) @ point[:3]
    expected = (rays_full[:2] / rays_full[2] - roi[:2]) / np.maximum(binning, 1)
    assert rays[:2] / rays[2] == pytest.approx(expected, abs=1e-9)


def test_roi_and_binning_give_the_size_of_the_image_and_are_used_up():
    image = dataclasses.replace(camera(640, 480), roi=(8, 8, 322, 242), binning_x=2, binning_y=4)
    assert image.image_size == (161, 60)
    applied = image.for_image()
    assert (applied.width, applied.height) == applied.image_size == (161, 60)
    assert applied.for_image() is applied


def test_a_roi_with_a_height_alone_keeps_the_full_width():
    image = dataclasses.replace(camera(640, 480), roi=(0, 0, 0, 240)).for_image()
    assert (image.width, image.height) == image.image_size == (640, 240)


@pytest.mark.parametrize('factor', [2, 4])
def test_a_reduced_image_sees_the_centre_of_each_block_of_pixels(factor):
    """Pixel x of the reduced image covers x*factor to x*factor + factor - 1 of the full one."""
    full = camera(643, 481, f=512.0, cx=310.5, cy=220.25, tx=-60.0)
    reduced = full.downscaled(factor)
    point = np.array([0.3, -0.2, 2.0, 1.0])
    centre_in_full = project(reduced, point) * factor + (factor - 1) / 2
    assert centre_in_full == pytest.approx(project(full, point), abs=1e-9)
    assert reduced.image_size == (643 // factor, 481 // factor)
    assert reduced.p[3] / reduced.p[0] == pytest.approx(full.p[3] / full.p[0])


def test_a_reduction_by_one_changes_nothing():
    full = camera(640, 480)
    assert full.downscaled(1) is full


def project(calibration: CameraCalibration, point: np.ndarray) -> np.ndarray:
    x, y, w = np.array(calibration.p).reshape(3, 4) @ point
    return np.array([x / w, y / w])
