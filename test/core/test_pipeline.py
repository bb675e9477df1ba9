# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline: images in, disparity and metric depth out, held to exact ground truth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import numpy as np
from pipelines import depth_of, disparity_of, run, textured
import pytest
from reference_settings import SGBM_TUNED
from scenes import geometry_of, plane, scene_of, step, StereoScene, tilted_plane

from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.tuning.accuracy import depth_accuracy, disparity_accuracy

SEMI_GLOBAL = ('sgbm', 'sgbm_3way', 'sgbm_hh', 'sgbm_hh4')


def estimate_of(pipeline: StereoPipeline) -> np.ndarray:
    """Disparity with NaN where there is none."""
    disparity = disparity_of(pipeline)
    return np.where(disparity >= pipeline.min_disparity, disparity, np.nan)


@pytest.mark.parametrize(
    ('settings', 'bad_all', 'bad_estimated', 'error', 'density'),
    [(Settings(), 27.02, 6.90, 1.207, 78.40), (SGBM_TUNED, 19.00, 4.84, 0.817, 85.12)],
    ids=['bm', 'sgbm tuned'],
)
def test_accuracy_on_motorcycle_is_that_of_opencv(
    settings, bad_all, bad_estimated, error, density, motorcycle
):
    """Figures of OpenCV itself, to their last digit."""
    accuracy = disparity_accuracy(estimate_of(run(settings, motorcycle)), motorcycle.disparity)
    assert accuracy.bad_all[2.0] == pytest.approx(bad_all, abs=0.01)
    assert accuracy.bad_estimated[2.0] == pytest.approx(bad_estimated, abs=0.01)
    assert accuracy.end_point_error == pytest.approx(error, abs=0.001)
    assert accuracy.density == pytest.approx(density, abs=0.01)


def test_depth_on_motorcycle_is_right_in_metres(motorcycle, motorcycle_geometry):
    """A node that forgets the principal points is wrong by 1.5 to 5.3 times."""
    pipeline = run(Settings(), motorcycle, motorcycle_geometry)
    true_depth = 994.978 * 0.193001 / (motorcycle.disparity + 31.086)
    assert depth_accuracy(depth_of(pipeline), true_depth).median_relative_error < 1.0


@pytest.mark.parametrize('offset', [0.0, 12.25, -12.25])
@pytest.mark.parametrize('algorithm', ['bm', *SEMI_GLOBAL])
@pytest.mark.parametrize(('width', 'height'), [(240, 120), (241, 121)])
def test_a_plane_has_its_distance_whatever_the_principal_points(algorithm, offset, width, height):
    distance = 4.0
    geometry = geometry_of(width, height, f=500.0, baseline=0.1, offset=offset)
    scene = scene_of(plane(width, height, 50.0 / distance + offset))
    settings = Settings(
        algorithm=algorithm,
        block_size=9 if algorithm == 'bm' else 5,
        min_disparity=-16,
        num_disparities=48,
    )
    pipeline = run(settings, scene, geometry)
    depth = depth_of(pipeline)
    assert np.isfinite(depth).sum() > 0.9 * window_area(pipeline)
    # 0.5 px at 12.5 px: OpenCV's interpolation between whole disparities is biased, most of all
    # that of the semi-global matchers (0.3 px) at half a pixel.
    assert np.nanmedian(depth) == pytest.approx(distance, rel=0.5 / 12.5)
    assert np.nanmedian(disparity_of(pipeline)[np.isfinite(depth)]) == pytest.approx(12.5, abs=0.5)


@pytest.mark.parametrize('whole', [-12, 0, 7, 30])
def test_a_whole_disparity_is_found(whole):
    scene = scene_of(plane(240, 120, whole))
    pipeline = run(Settings(min_disparity=-16, num_disparities=64), scene)
    estimate = estimate_of(pipeline)
    assert np.nanmedian(estimate) == whole
    # OpenCV interpolates between unlike neighbours even where the match is perfect.
    assert np.nanmax(np.abs(estimate - whole)) < 0.5


@pytest.mark.parametrize('ends', [(8, 30, 0), (9, 12, 0.1), (30, 12, -0.05)])
def test_a_tilted_plane_is_found_to_a_fraction_of_a_pixel(ends):
    truth = tilted_plane(240, 120, *ends)
    estimate = estimate_of(run(Settings(), scene_of(truth)))
    assert np.nanpercentile(np.abs(estimate - truth), 99) < 0.35
    assert abs(np.nanmean(estimate - truth)) < 0.05


def test_a_step_is_found_on_both_sides_of_its_edge():
    truth = step(240, 120, far=6, near=20)
    pipeline = run(Settings(block_size=9, num_disparities=32), scene_of(truth))
    error = np.abs(estimate_of(pipeline) - truth)
    edge = np.s_[:, 240 // 2 - 5 : 240 // 2 + 5]
    error[edge] = np.nan
    assert np.nanmax(error) < 0.5
    assert np.isfinite(error).sum() > 0.9 * (window_area(pipeline) - 10 * 120)


@pytest.mark.parametrize('algorithm', SEMI_GLOBAL)
def test_semi_global_matching_finds_a_tilted_plane(algorithm):
    truth = tilted_plane(240, 120, 8, 30)
    settings = Settings(algorithm=algorithm, block_size=5)
    # OpenCV takes the gradient of the last column for 0: no match there is worth anything.
    error = np.abs(estimate_of(run(settings, scene_of(truth))) - truth)[:, :-1]
    assert np.nanpercentile(error, 99) < 0.5
    assert np.isfinite(error).mean() > 0.9 * (240 - 64) / 240


@given(
    size=st.sampled_from([(161, 97), (160, 96), (123, 64)]),
    offset=st.floats(-40, 40),
    minimum=st.integers(-30, 20),
    algorithm=st.sampled_from(('bm', 'sgbm', 'sgbm_3way')),
    speckle=st.sampled_from((0, 60)),
    fill=st.booleans(),
)
@hypothesis_settings(max_examples=60)
def test_every_pixel_is_valid_and_in_the_window_or_invalid_and_below_the_minimum(
    size, offset, minimum, algorithm, speckle, fill
):
    """Exactly, in the float32 numbers that are published."""
    scene = textured(*size)
    settings = Settings(
        algorithm=algorithm,
        block_size=7,
        min_disparity=minimum,
        num_disparities=32,
        speckle_window_size=speckle,
        fill_left_band=fill,
    )
    geometry = geometry_of(*size, offset=offset)
    pipeline = run(settings, scene, geometry)
    disparity, depth = disparity_of(pipeline), depth_of(pipeline)
    valid = pipeline.fixed >= minimum * 16
    assert np.all(disparity[valid] >= np.float32(pipeline.min_disparity))
    assert np.all(disparity[valid] <= np.float32(pipeline.max_disparity))
    assert np.all(disparity[~valid] < np.float32(pipeline.min_disparity))
    assert np.all(pipeline.fixed[~valid] == (minimum - 1) * 16)
    rows, columns = np.nonzero(valid)
    x0, y0, x1, y1 = pipeline.valid_window
    assert columns.min() >= x0
    assert columns.max() < x1
    assert rows.min() >= y0
    assert rows.max() < y1
    np.testing.assert_array_equal(np.isfinite(depth), valid & (disparity > 0))
    np.testing.assert_array_equal(pipeline.unknown_depth(), np.isnan(depth))
    known = np.isfinite(depth)
    np.testing.assert_allclose(depth[known] * disparity[known], 500.0 * 0.1, rtol=1e-5)


@pytest.mark.parametrize('offset', [31.086, -31.086])
def test_the_limits_of_disparity_move_with_the_principal_points(offset):
    geometry = geometry_of(160, 90, offset=offset)
    pipeline = StereoPipeline(Settings(min_disparity=-5, num_disparities=32), 160, 90, geometry)
    assert pipeline.min_disparity == pytest.approx(-5 - offset, abs=1e-5)
    assert pipeline.max_disparity == pytest.approx(26 - offset, abs=1e-5)


def test_millimetres_are_the_metres_rounded_and_0_where_unknown():
    scene = scene_of(tilted_plane(240, 120, 30, -3))
    geometry = geometry_of(240, 120, f=700.0, baseline=0.12)
    settings = Settings(min_disparity=-16, num_disparities=64)
    metres = depth_of(run(settings, scene, geometry))
    pipeline = run(settings.replace(depth_encoding='16UC1'), scene, geometry)
    millimetres = depth_of(pipeline, np.uint16)
    far_or_unknown = ~(metres <= 65.535)
    assert np.any(metres[far_or_unknown] > 65.535), 'the scene must have depths that do not fit'
    assert np.all(millimetres[far_or_unknown] == 0)
    np.testing.assert_array_equal(
        millimetres[~far_or_unknown], np.rint(metres[~far_or_unknown] * np.float32(1000))
    )
    np.testing.assert_array_equal(pipeline.unknown_depth(), millimetres == 0)


def test_depths_outside_of_the_limits_are_unknown_and_the_others_unchanged():
    scene = scene_of(tilted_plane(240, 120, 8, 30))
    geometry = geometry_of(240, 120, f=500.0, baseline=0.1)
    everything = depth_of(run(Settings(), scene, geometry))
    limited = depth_of(run(Settings(min_depth=2.0, max_depth=4.0), scene, geometry))
    expected = np.where((everything >= 2.0) & (everything <= 4.0), everything, np.nan)
    assert np.isfinite(expected).any()
    assert np.isfinite(expected).sum() < np.isfinite(everything).sum()
    np.testing.assert_array_equal(limited, expected)


@pytest.mark.parametrize('factor', [2, 4])
@pytest.mark.parametrize('offset', [0.0, 20.0, -20.0])
@pytest.mark.parametrize(('width', 'height'), [(480, 240), (483, 243)])
def test_reduced_images_give_the_same_depth(factor, offset, width, height):
    distance, disparity = 2.0, 40.0
    scene = scene_of(plane(width, height, disparity + offset), finest_px=4.0 * factor)
    settings = Settings(num_disparities=96, block_size=11, downscale=factor)
    pipeline = run(settings, scene, geometry_of(width, height, f=800.0, offset=offset))
    depth = depth_of(pipeline)
    assert depth.shape == (height // factor, width // factor)
    assert (pipeline.width, pipeline.height) == (width // factor, height // factor)
    assert pipeline.left.shape == depth.shape
    # Disparities are 10 or 20 px of the reduced image, found to about 0.1 px.
    assert np.nanmedian(depth) == pytest.approx(distance, rel=0.015)
    assert np.nanmedian(estimate_of(pipeline)) == pytest.approx(disparity / factor, abs=0.15)
    assert np.isfinite(depth).sum() > 0.9 * window_area(pipeline)


@pytest.mark.parametrize('factor', [2, 4])
def test_points_of_reduced_images_lie_where_those_of_the_full_ones_do(factor):
    """Planes tilted to either side tell whether the principal point has moved right."""
    rising, falling = (bias_of_reduced_plane(factor, *ends) for ends in ((20, 60), (60, 20)))
    # What the matcher's interpolation adds is the same in both: about 0.06 px. A principal
    # point that is off by half a pixel takes them 0.07 px (factor 2) or 0.25 px (4) apart.
    assert rising == pytest.approx(falling, abs=0.03)
    assert abs(rising) < 0.1


def bias_of_reduced_plane(factor: int, left: float, right: float) -> float:
    """Return the median error, pixels of the full image, along the rays of the full image."""
    width, height = 480, 240
    truth, full = tilted_plane(width, height, left, right), geometry_of(width, height, f=800.0)
    settings = Settings(num_disparities=96, block_size=7, downscale=factor)
    pipeline = run(settings, scene_of(truth, finest_px=4.0 * factor), full)
    geometry, disparity = pipeline.geometry, disparity_of(pipeline)
    rows, columns = np.nonzero(np.isfinite(depth_of(pipeline)))
    columns_full = (columns - geometry.cx) * full.f / geometry.f + full.cx
    true_disparity = np.interp(columns_full, np.arange(width), truth[0])
    return float(np.median(disparity[rows, columns] * factor - true_disparity))


def test_images_without_texture_give_no_disparity_and_no_depth():
    flat = np.full((96, 160), 127, np.uint8)
    pipeline = run(
        Settings(num_disparities=32),
        StereoScene(flat, flat, plane(160, 96, 0)),
        geometry_of(160, 96),
    )
    assert np.all(pipeline.fixed == -16)
    assert np.isnan(depth_of(pipeline)).all()
    assert np.all(depth_of(pipeline, np.uint16) == 0)


def window_area(pipeline: StereoPipeline) -> int:
    x0, y0, x1, y1 = pipeline.valid_window
    return (x1 - x0) * (y1 - y0)
