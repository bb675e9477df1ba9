# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a pipeline refuses, what it needs, and what it leaves in memory."""

from __future__ import annotations

from allocations import peak_of
import numpy as np
from pipelines import depth_of, disparity_of, run, textured
import pytest
from scenes import camera, geometry_of, plane, scene_of

from stereo_depth_node.core.errors import (
    CalibrationError,
    ImageError,
    SettingsError,
    SizeError,
)
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings


def test_the_settings_of_a_reduced_pipeline_are_in_pixels_of_its_result():
    settings = Settings(min_disparity=-10, num_disparities=128, downscale=4)
    pipeline = StereoPipeline(settings, 640, 480)
    assert pipeline.downscale == 4
    assert (pipeline.settings.min_disparity, pipeline.settings.num_disparities) == (-3, 48)


@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'algorithm': 'sgbm', 'block_size': 5},
        {'downscale': 2, 'fill_left_band': True},
        {'rectify': True},
        {'min_depth': 0.5, 'max_depth': 20.0},
        {'speckle_window_size': 100},
        {'max_uncertainty': 1.0, 'max_relative_uncertainty': 0.1, 'rectification_sigma': 0.3},
    ],
    ids=['bm', 'sgbm', 'reduced and filled', 'rectified', 'limited', 'speckles', 'certain'],
)
def test_a_frame_allocates_no_memory_of_image_size(changes):
    scene = scene_of(plane(640, 480, 10))
    settings = Settings(matcher_backend='opencv', num_disparities=32, **changes)
    cameras = camera(640, 480), camera(640, 480, tx=-50.0)
    pipeline = StereoPipeline.from_calibrations(settings, *scene.size, *cameras)
    disparity = np.empty(pipeline.fixed.shape, np.float32)
    metres = np.empty(pipeline.fixed.shape, np.float32)
    millimetres = np.empty(pipeline.fixed.shape, np.uint16)
    before = pipeline.fixed

    def three_frames() -> None:
        for _ in range(3):
            pipeline.match(scene.left, scene.right)
            pipeline.disparity(disparity)
            pipeline.depth(metres)
            pipeline.depth(millimetres)

    three_frames()
    assert peak_of(three_frames) < pipeline.width * pipeline.height
    assert pipeline.fixed is before
    assert pipeline.unknown_depth() is pipeline.unknown_depth()


@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'min_disparity': 20},
        {'min_disparity': -40},
        {'fill_left_band': True},
        {'fill_left_band': True, 'min_disparity': -20},
        {'algorithm': 'sgbm', 'block_size': 5},
        {'algorithm': 'sgbm_3way', 'block_size': 5, 'min_disparity': -40, 'fill_left_band': True},
        {'downscale': 2},
        {'speckle_window_size': 50},
        {'num_disparities': 128},
    ],
)
def test_a_result_does_not_depend_on_what_the_buffers_held_before(changes):
    """No pixel comes from memory that was not written."""
    scene = textured(160, 96)
    pipeline = StereoPipeline(Settings(**{'num_disparities': 32, **changes}), *scene.size)
    results = []
    for sentinel in (32001, -30001, 0):
        pipeline.fixed.fill(sentinel)
        pipeline.match(scene.left, scene.right)
        results.append(pipeline.fixed.copy())
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_a_second_pair_leaves_nothing_of_the_first():
    first, second = scene_of(plane(160, 96, 5)), scene_of(plane(160, 96, 20), seed=7)
    used = run(Settings(num_disparities=32), first)
    used.match(second.left, second.right)
    np.testing.assert_array_equal(used.fixed, run(Settings(num_disparities=32), second).fixed)


def test_images_with_padded_rows_and_read_only_images_are_matched_alike():
    scene = textured(160, 96)
    padded = np.zeros((2, 96, 200), np.uint8)
    padded[:, :, :160] = scene.left, scene.right
    padded.setflags(write=False)
    pipeline = StereoPipeline(Settings(num_disparities=32), 160, 96)
    pipeline.match(padded[0, :, :160], padded[1, :, :160])
    np.testing.assert_array_equal(pipeline.fixed, run(Settings(num_disparities=32), scene).fixed)


@pytest.mark.parametrize('side', ['left', 'right'])
@pytest.mark.parametrize('shape', [(97, 160), (96, 161)])
def test_an_image_of_another_size_is_refused_and_nothing_is_computed(side, shape):
    scene = textured(160, 96)
    pipeline = run(Settings(num_disparities=32), scene)
    before = pipeline.fixed.copy()
    images = {'left': scene.left, 'right': scene.right, side: np.zeros(shape, np.uint8)}
    with pytest.raises(SizeError, match=rf'the {side} image is \d+x\d+, expected 160x96'):
        pipeline.match(images['left'], images['right'])
    np.testing.assert_array_equal(pipeline.fixed, before)


@pytest.mark.parametrize('side', ['left', 'right'])
@pytest.mark.parametrize(
    ('shape', 'dtype'), [((96, 160, 3), np.uint8), ((96, 160), np.float32), ((96, 160), np.uint16)]
)
def test_an_image_that_is_not_grey_in_8_bits_is_refused_and_nothing_is_computed(
    side, shape, dtype
):
    scene = textured(160, 96)
    pipeline = run(Settings(num_disparities=32), scene)
    before = pipeline.fixed.copy()
    images = {'left': scene.left, 'right': scene.right, side: np.zeros(shape, dtype)}
    with pytest.raises(ImageError, match=rf'the {side} image is .*, expected \(H, W\) uint8'):
        pipeline.match(images['left'], images['right'])
    np.testing.assert_array_equal(pipeline.fixed, before)


@pytest.mark.parametrize('output', ['disparity', 'depth', 'uncertainty'])
@pytest.mark.parametrize(
    ('shape', 'dtype'),
    [
        ((96, 160), np.float64),
        ((96, 160), np.int32),
        ((48, 160), np.float32),
        ((160, 96), np.float32),
        ((96, 160, 1), np.float32),
    ],
)
def test_an_array_that_results_do_not_fit_into_is_refused_and_not_written_to(output, shape, dtype):
    """Depths in 64 bits came in millimetres, and compiled code wrote beyond short arrays."""
    scene = textured(160, 96)
    pipeline = run(Settings(num_disparities=32), scene, geometry_of(160, 96))
    out = np.full(shape, 7, dtype)
    with pytest.raises(ImageError, match=r'expected \(96, 160\) float32'):
        getattr(pipeline, output)(out)
    assert np.all(out == 7)


@pytest.mark.parametrize(
    ('missing', 'columns', 'dtype'), [(1, 3, 'f4'), (0, 2, 'f4'), (0, 3, 'f8')]
)
def test_an_array_that_has_not_room_for_the_points_is_refused(missing, columns, dtype):
    scene = textured(160, 96)
    pipeline = run(Settings(num_disparities=32), scene, geometry_of(160, 96))
    _, count = pipeline.select_points()
    assert count > 0
    with pytest.raises(SizeError, match=rf'expected \({count}, 3\)'):
        pipeline.points(np.empty((count - missing, columns), dtype))
    pipeline.points(np.empty((count, 3), np.float32))


def test_a_calibration_of_another_size_is_refused_with_both_sizes():
    with pytest.raises(SizeError, match=r'images are 320x240, the calibration is for 640x480'):
        StereoPipeline(Settings(), 320, 240, geometry_of(640, 480))


def test_settings_that_the_reduced_images_are_too_small_for_are_refused():
    settings = Settings(num_disparities=16)
    StereoPipeline(settings, 60, 60)
    with pytest.raises(SettingsError, match='15x15'):
        StereoPipeline(settings.replace(downscale=4), 60, 60)


def test_disparity_needs_no_calibration_and_depth_says_what_it_needs():
    scene = textured(160, 96)
    pipeline = run(Settings(num_disparities=32), scene)
    np.testing.assert_array_equal(disparity_of(pipeline), pipeline.fixed / np.float32(16))
    with pytest.raises(ValueError, match='give the pipeline a StereoGeometry'):
        depth_of(pipeline)


@pytest.mark.parametrize('call', ['unknown_depth', 'select_points'])
def test_what_needs_a_calibration_says_so(call):
    pipeline = run(Settings(num_disparities=16), textured(160, 120))
    with pytest.raises(ValueError, match='needs a geometry'):
        getattr(pipeline, call)()


def test_the_baseline_that_is_set_takes_the_place_of_the_calibrations():
    cameras = camera(160, 96), camera(160, 96, tx=-50.0)
    settings = Settings(num_disparities=32, baseline=0.3)
    assert StereoPipeline.from_calibrations(settings, 160, 96, *cameras).geometry.baseline == 0.3


def test_cameras_that_make_no_stereo_camera_make_no_pipeline():
    with pytest.raises(CalibrationError, match='baseline is 0 m'):
        StereoPipeline.from_calibrations(Settings(), 160, 96, camera(160, 96), camera(160, 96))
