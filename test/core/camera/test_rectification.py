# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rectification against the camera models written out here, on points of known place."""

from __future__ import annotations

import math
from unittest.mock import patch

import cv2
import numpy as np
import pytest
from scenes import camera, plane, scene_of

from stereo_depth_node.core.camera.calibration import CameraCalibration
from stereo_depth_node.core.camera.rectification import Rectifier
from stereo_depth_node.core.errors import CalibrationError, SizeError
from stereo_depth_node.core.matching.kernel import provider
from stereo_depth_node.core.matching.kernel.provider import KernelState
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

WIDTH, HEIGHT = 320, 240
# Coefficients of real cameras (plumb_bob: EuRoC's left; equidistant: a 150 degree lens).
PLUMB_BOB = (-0.28340811, 0.07395907, 0.00019359, 1.76187114e-05)
RATIONAL = (0.7, -0.4, 0.0005, -0.0003, 0.05, 1.0, -0.3, 0.02)
EQUIDISTANT = (-0.01, 0.03, -0.02, 0.004)
LEVEL = (0.0, 0.0, 0.0)
TURNED = (0.02, -0.04, 0.03)


def rotation(about_x: float, about_y: float, about_z: float) -> np.ndarray:
    product = np.eye(3)
    for axis, angle in enumerate((about_x, about_y, about_z)):
        c, s = math.cos(angle), math.sin(angle)
        one = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        one[i, i], one[j, j], one[i, j], one[j, i] = c, c, -s, s
        product = one @ product
    return product


def raw_camera(model: str, d: tuple[float, ...], angles: tuple[float, ...]) -> CameraCalibration:
    return camera(
        WIDTH,
        HEIGHT,
        distortion_model=model,
        d=d,
        k=(250.0, 0.0, 163.0, 0.0, 248.0, 117.5, 0.0, 0.0, 1.0),
        r=tuple(rotation(*angles).ravel()),
        p=(230.0, 0.0, 150.0, -23.0, 0.0, 230.0, 125.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    )


def pinhole(x: float, y: float, d: tuple[float, ...]) -> tuple[float, float]:
    """Brown's radial and tangential model, with the rational radial factor of 8 coefficients."""
    k1, k2, p1, p2, k3, k4, k5, k6 = (*d, *(0.0,) * (8 - len(d)))
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


def equidistant(x: float, y: float, d: tuple[float, ...]) -> tuple[float, float]:
    """Kannala and Brandt's model: the angle to the axis becomes the radius."""
    radius = math.hypot(x, y)
    angle = math.atan(radius)
    k1, k2, k3, k4 = d or (0.0,) * 4
    t2 = angle * angle
    distorted = angle * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
    scale = distorted / radius if radius else 1.0
    return x * scale, y * scale


MODELS = {
    **dict.fromkeys(('plumb_bob', 'rational_polynomial', 'none', ''), pinhole),
    'equidistant': equidistant,
}


def raw_point(calibration: CameraCalibration, column: float, row: float) -> tuple[float, float]:
    """Where the raw image shows what the rectified one shows at a pixel."""
    k, r, p = calibration.k, np.array(calibration.r).reshape(3, 3), calibration.p
    ray = np.linalg.inv(r) @ np.array([(column - p[2]) / p[0], (row - p[6]) / p[5], 1.0])
    distort = MODELS[calibration.distortion_model.lower()]
    x, y = distort(ray[0] / ray[2], ray[1] / ray[2], calibration.d)
    return k[0] * x + k[2], k[4] * y + k[5]


def spot(column: float, row: float) -> np.ndarray:
    """Return an image of one bright, round spot."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    squared = (x - column) ** 2 + (y - row) ** 2
    return np.rint(255 * np.exp(-squared / (2 * 2.5**2))).astype(np.uint8)


def centre_of(image: np.ndarray) -> tuple[float, float]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    weight = image.astype(float)
    return (x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()


@pytest.mark.parametrize('angles', [LEVEL, TURNED], ids=['level', 'turned'])
@pytest.mark.parametrize(
    ('model', 'd'),
    [
        ('plumb_bob', PLUMB_BOB),
        ('plumb_bob', (*PLUMB_BOB, -0.01)),
        ('plumb_bob', ()),
        ('plumb_bob', (0.0,) * 5),
        ('', ()),
        ('none', ()),
        ('None', (0.0,) * 5),
        ('rational_polynomial', RATIONAL),
        ('rational_polynomial', (0.0,) * 8),
        ('equidistant', EQUIDISTANT),
        ('equidistant', (0.0,) * 4),
        ('equidistant', ()),
    ],
)
def test_points_come_to_where_the_rectified_camera_sees_them(model, d, angles):
    """Also without any distortion, where the rotation alone is left to do."""
    calibration = raw_camera(model, d, angles)
    rectifier = Rectifier(calibration)
    for column, row in ((150, 125), (60, 50), (260, 60), (50, 190), (250, 180)):
        image = spot(*raw_point(calibration, column, row))
        rectified = np.empty_like(image)
        rectifier.rectify(image, rectified)
        # The maps are in steps of 1/32 px; a spot that is stretched moves its centre a little.
        assert centre_of(rectified) == pytest.approx((column, row), abs=0.15)


def test_a_missing_rotation_is_none():
    level = raw_camera('plumb_bob', PLUMB_BOB, LEVEL)
    absent = raw_camera('plumb_bob', PLUMB_BOB, LEVEL)
    absent = CameraCalibration(**{**vars(absent), 'r': (0.0,) * 9})
    image = scene_of(plane(WIDTH, HEIGHT, 0)).left
    results = [np.empty_like(image) for _ in range(2)]
    for calibration, out in zip((level, absent), results, strict=True):
        Rectifier(calibration).rectify(image, out)
    np.testing.assert_array_equal(*results)


def test_region_of_interest_and_binning_are_those_of_the_raw_image():
    """The rectified part of a raw image is the part of the rectified image."""
    full = raw_camera('plumb_bob', PLUMB_BOB, TURNED)
    image = scene_of(plane(WIDTH, HEIGHT, 0), finest_px=8).left
    whole, part = np.empty_like(image), np.empty((100, 160), np.uint8)
    Rectifier(full).rectify(image, whole)
    cropped = CameraCalibration(**{**vars(full), 'roi': (80, 60, 160, 100)})
    Rectifier(cropped).rectify(np.ascontiguousarray(image[60:160, 80:240]), part)
    inner = np.s_[30:-30, 30:-30]  # what the part of the raw image covers
    expected = whole[60:160, 80:240][inner].astype(int)
    # Both round their maps to 1/32 px, from numbers that differ in the last digits.
    assert np.abs(part[inner].astype(int) - expected).max() <= 4


@pytest.mark.parametrize(
    ('model', 'count', 'expected'),
    [
        ('plumb_bob', 1, '4 or 5'),
        ('plumb_bob', 6, '4 or 5'),
        ('rational_polynomial', 7, '8'),
        ('equidistant', 5, 'has 4'),
        ('equidistant', 3, 'has 4'),
    ],
)
def test_a_wrong_number_of_coefficients_is_refused_with_both_numbers(model, count, expected):
    with pytest.raises(CalibrationError) as caught:
        Rectifier(raw_camera(model, (0.01,) * count, LEVEL))
    for word in (model, f'{count} coefficients', expected, 'calibrate'):
        assert word in str(caught.value)


@pytest.mark.parametrize(('model', 'd'), [('omni', ()), ('none', PLUMB_BOB)])
def test_an_unknown_model_is_refused_with_the_known_ones(model, d):
    with pytest.raises(CalibrationError, match=rf"'{model}', known are plumb_bob, .* equidist"):
        Rectifier(raw_camera(model, d, LEVEL))


@pytest.mark.parametrize('field', ['k', 'd', 'r'])
def test_numbers_that_are_none_are_refused(field):
    content = vars(raw_camera('plumb_bob', (0.0,) * 5, LEVEL))
    content = {**content, field: (math.nan,) * len(content[field])}
    with pytest.raises(CalibrationError, match='not finite'):
        Rectifier(CameraCalibration(**content))


@pytest.mark.parametrize('matrix', ['k', 'p'])
def test_an_uncalibrated_camera_is_refused_with_the_remedies(matrix):
    content = vars(raw_camera('plumb_bob', (), LEVEL))
    content = {**content, matrix: (0.0,) * len(content[matrix])}
    with pytest.raises(CalibrationError, match=r'not calibrated.*set rectify to false'):
        Rectifier(CameraCalibration(**content))


@pytest.mark.parametrize(
    ('image', 'out'),
    [((240, 321), (240, 320)), ((240, 320), (239, 320)), ((120, 160), (120, 160))],
)
def test_an_image_of_another_size_is_refused(image, out):
    rectifier = Rectifier(raw_camera('plumb_bob', PLUMB_BOB, LEVEL))
    with pytest.raises(SizeError, match='the calibration is for 320x240'):
        rectifier.rectify(np.zeros(image, np.uint8), np.zeros(out, np.uint8))


def test_a_pipeline_that_rectifies_gives_what_rectified_images_give():
    calibrations = [
        raw_camera('plumb_bob', PLUMB_BOB, TURNED),
        raw_camera('plumb_bob', PLUMB_BOB, LEVEL),
    ]
    calibrations[0] = CameraCalibration(
        **{**vars(calibrations[0]), 'p': (*calibrations[0].p[:3], 0.0, *calibrations[0].p[4:])}
    )
    scene = scene_of(plane(WIDTH, HEIGHT, 8.0))
    rectified = []
    for calibration, image in zip(calibrations, (scene.left, scene.right), strict=True):
        out = np.empty_like(image)
        Rectifier(calibration).rectify(image, out)
        rectified.append(out)
    settings = Settings(num_disparities=32)
    raw = StereoPipeline.from_calibrations(
        settings.replace(rectify=True), WIDTH, HEIGHT, *calibrations
    )
    raw.match(scene.left, scene.right)
    ready = StereoPipeline.from_calibrations(settings, WIDTH, HEIGHT, *calibrations)
    ready.match(*rectified)
    np.testing.assert_array_equal(raw.left, rectified[0])
    # What it leaves out are blocks that reach into the black corners.
    found = raw.fixed >= 0
    np.testing.assert_array_equal(raw.fixed[found], ready.fixed[found])
    inner = np.s_[50:-50, 80:-50]
    np.testing.assert_array_equal(raw.fixed[inner], ready.fixed[inner])
    # These two images are not what such cameras see: a quarter still finds something.
    assert np.mean(found[inner]) > 0.2


def test_a_raw_pair_of_turned_and_distorted_cameras_gives_the_distance_of_a_plane():
    """Each raw image is the rectified one seen through its camera, pixel by pixel."""
    f, baseline, distance = 230.0, 0.1, 2.0
    disparity = f * baseline / distance
    scene = scene_of(plane(WIDTH, HEIGHT, disparity), finest_px=6)
    cameras, raw = [], []
    for image, angles, tx in (
        (scene.left, TURNED, 0.0),
        (scene.right, (-0.02, 0.03, 0.01), -23.0),
    ):
        calibration = raw_camera('plumb_bob', PLUMB_BOB, angles)
        calibration = CameraCalibration(
            **{**vars(calibration), 'p': (*calibration.p[:3], tx, *calibration.p[4:])}
        )
        cameras.append(calibration)
        raw.append(seen_through(calibration, image))
    settings = Settings(num_disparities=32, rectify=True)
    pipeline = StereoPipeline.from_calibrations(settings, WIDTH, HEIGHT, *cameras)
    pipeline.match(*raw)
    depth = np.empty((HEIGHT, WIDTH), np.float32)
    pipeline.depth(depth)
    inner = depth[50:-50, 60:-50]
    assert np.isfinite(inner).mean() > 0.9
    # 0.3 px of 11.5 px: two interpolations and the matcher's own.
    assert np.nanmedian(inner) == pytest.approx(distance, rel=0.3 / disparity)


def seen_through(calibration: CameraCalibration, rectified: np.ndarray) -> np.ndarray:
    """Return the raw image that shows the scene of a rectified one, by inverting the model."""
    v, u = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    distorted = np.stack(
        [(u - calibration.k[2]) / calibration.k[0], (v - calibration.k[5]) / calibration.k[4]]
    )
    ideal = distorted.copy()
    for _ in range(20):  # fixed point: the distortion changes slowly
        shown = np.stack(pinhole(ideal[0], ideal[1], calibration.d))
        ideal += distorted - shown
    rays = np.stack([ideal[0], ideal[1], np.ones_like(u)]).reshape(3, -1)
    x, y, z = np.array(calibration.r).reshape(3, 3) @ rays
    columns = (x / z * calibration.p[0] + calibration.p[2]).reshape(u.shape)
    rows = (y / z * calibration.p[5] + calibration.p[6]).reshape(u.shape)
    left, top = np.floor(columns).astype(int), np.floor(rows).astype(int)
    a, b = columns - left, rows - top
    left, top = np.clip(left, 0, WIDTH - 2), np.clip(top, 0, HEIGHT - 2)
    image = rectified.astype(float)
    upper = (1 - a) * image[top, left] + a * image[top, left + 1]
    lower = (1 - a) * image[top + 1, left] + a * image[top + 1, left + 1]
    return np.clip(np.rint((1 - b) * upper + b * lower), 0, 255).astype(np.uint8)


@pytest.mark.usefixtures('compiled_kernel')
@pytest.mark.parametrize(
    ('model', 'd', 'angles'),
    [
        ('plumb_bob', PLUMB_BOB, TURNED),
        ('plumb_bob', (0.4, 0.2, 0.0, 0.0, 0.0), LEVEL),
        ('equidistant', EQUIDISTANT, TURNED),
        ('plumb_bob', (), (0.0, 0.0, 0.8)),
        ('plumb_bob', (), (0.0, 1.5, 0.0)),
    ],
)
def test_compiled_code_gives_the_pixels_that_opencv_gives(monkeypatch, model, d, angles):
    """Also where the raw image ends, and where hardly anything of it is seen."""
    rng = np.random.default_rng(5)
    rectifier = Rectifier(raw_camera(model, d, angles))
    for image in (
        rng.integers(0, 256, (HEIGHT, WIDTH), np.uint8),
        rng.integers(0, 2, (HEIGHT, WIDTH + 3), np.uint8)[:, :WIDTH] * np.uint8(255),
    ):
        fast, slow = (np.full((HEIGHT, WIDTH), 77, np.uint8) for _ in range(2))
        with patch.object(cv2, 'remap') as opencv:
            rectifier.rectify(image, fast)
        opencv.assert_not_called()
        with monkeypatch.context() as without:
            without.setattr(provider, 'kernel_state', lambda: (KernelState.COMPILING, ''))
            rectifier.rectify(image, slow)
        np.testing.assert_array_equal(fast, slow)
        in_three, planes = np.empty((HEIGHT, WIDTH, 3), np.uint8), np.dstack([image] * 3)
        rectifier.rectify(planes, in_three)
        np.testing.assert_array_equal(in_three, np.dstack([slow] * 3))
