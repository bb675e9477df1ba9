# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The uncertainty of depth, held against true errors on exact and on real ground truth."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import Field, geometry_of, plane, scene_of, step, tilted_plane

from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings

# Of a normal distribution 68.3 and 95.4 % lie within one and two standard deviations.
NORMAL_1, NORMAL_2 = 0.683, 0.954


def aligned(**changes: object) -> Settings:
    """Return settings for images that line up perfectly, as those made here do."""
    return Settings(**{'rectification_sigma': 0.0, **changes})


def sphere(width: int, height: int) -> Field:
    """Disparity of a ball of near 30 px before a wall at 12 px."""
    y, x = np.mgrid[:height, :width]
    radius = 0.35 * height
    squared = 1.0 - ((x - width / 2) ** 2 + (y - height / 2) ** 2) / radius**2
    return np.where(squared > 0, 20.0 + 10.0 * np.sqrt(np.maximum(squared, 0)), 12.0)


def depths(pipeline: StereoPipeline) -> tuple[np.ndarray, np.ndarray]:
    depth, sigma = (np.empty(pipeline.fixed.shape, np.float32) for _ in range(2))
    pipeline.depth(depth)
    pipeline.uncertainty(sigma)
    return depth, sigma


def matched(settings: Settings, field: Field, **camera: float) -> tuple[StereoPipeline, Field]:
    scene = scene_of(field)
    geometry = geometry_of(*scene.size, **camera)
    pipeline = StereoPipeline(settings, *scene.size, geometry)
    pipeline.match(scene.left, scene.right)
    truth = geometry.f * geometry.baseline / (field - geometry.offset)
    return pipeline, truth


@pytest.mark.parametrize(
    ('algorithm', 'block'), [('bm', 9), ('bm', 15), ('sgbm', 5), ('sgbm_3way', 3)]
)
@pytest.mark.parametrize(
    'field',
    [
        plane(240, 160, 20.3),
        tilted_plane(240, 160, 10.0, 30.0),
        tilted_plane(240, 160, 16.0, 18.0, down=0.05),
        step(240, 160, 14.4, 24.7),
        sphere(240, 160),
    ],
    ids=['plane', 'steep', 'tilted', 'step', 'sphere'],
)
@pytest.mark.parametrize('offset', [0.0, -12.5])
def test_depth_is_right_within_the_stated_uncertainty(algorithm, block, field, offset):
    """At least as many as a normal distribution has, without the ten in a hundred at edges.

    The sub-pixel error of semi-global matching depends on the fraction of the disparity: where
    a scene has but one or two of them, all its pixels may lie between one and two sigma.
    """
    settings = aligned(algorithm=algorithm, block_size=block, num_disparities=48)
    pipeline, truth = matched(settings, field, offset=offset)
    depth, sigma = depths(pipeline)
    known = np.isfinite(depth)
    np.testing.assert_array_equal(known, np.isfinite(sigma))
    assert known.mean() > 0.5
    error = np.abs(depth - truth)[known]
    assert np.mean(error <= 2 * sigma[known]) > NORMAL_2 - 0.10
    if algorithm == 'bm' or np.unique(field).size > 100:
        assert np.mean(error <= sigma[known]) > NORMAL_1 - 0.10


def test_the_uncertainty_is_not_just_large():
    """On a well textured plane it is within three times the true error of the matcher."""
    pipeline, truth = matched(aligned(block_size=15), plane(240, 160, 20.3))
    depth, sigma = depths(pipeline)
    known = np.isfinite(depth)
    true_sigma = np.sqrt(np.mean((depth - truth)[known] ** 2))
    assert np.median(sigma[known]) < 3 * true_sigma


@pytest.mark.parametrize('offset', [0.0, -10.0])
def test_it_grows_with_the_square_of_the_depth(offset):
    """sigma_Z = Z^2 / (f * B) * sigma_d, and sigma_d of equal texture is the same."""
    found = []
    for disparity in (10.0, 20.0):
        pipeline, truth = matched(
            aligned(num_disparities=48), plane(240, 160, disparity), offset=offset
        )
        _, sigma = depths(pipeline)
        found.append(np.nanmedian(sigma) / truth[0, 0] ** 2)
    assert found[0] == pytest.approx(found[1], rel=0.15)


def test_noise_makes_depth_uncertain_in_proportion():
    """Var(l - r) / sum(g^2): four times the noise, four times the standard deviation."""
    scene = scene_of(plane(240, 160, 20.0), finest_px=6.0)
    geometry = geometry_of(240, 160)
    medians = []
    for strength in (4.0, 16.0):
        rng = np.random.default_rng(0)
        left, right = (
            np.clip(image + rng.normal(0, strength, image.shape), 0, 255).astype(np.uint8)
            for image in (scene.left * 0.5 + 60, scene.right * 0.5 + 60)
        )
        pipeline = StereoPipeline(aligned(block_size=21), 240, 160, geometry)
        pipeline.match(left, right)
        medians.append(np.nanmedian(depths(pipeline)[1]))
    assert 1.5 < medians[1] / medians[0] < 6.0


def test_a_weak_texture_is_less_certain_than_a_strong_one():
    scene = scene_of(plane(240, 160, 20.0))
    geometry = geometry_of(240, 160)
    medians = []
    for contrast in (1.0, 0.1):
        left, right = (
            (128 + (image.astype(float) - 128) * contrast).astype(np.uint8)
            for image in (scene.left, scene.right)
        )
        pipeline = StereoPipeline(aligned(texture_threshold=0), 240, 160, geometry)
        pipeline.match(left, right)
        medians.append(np.nanmedian(depths(pipeline)[1]))
    assert medians[1] > medians[0]


def test_images_without_any_texture_are_as_uncertain_as_the_range_searched():
    flat = np.full((80, 160), 100, np.uint8)
    settings = aligned(texture_threshold=0, uniqueness_ratio=0, num_disparities=32)
    geometry = geometry_of(160, 80)
    pipeline = StereoPipeline(settings, 160, 80, geometry)
    pipeline.match(flat, flat)
    pipeline.fixed[...] = 20 * 16
    _, sigma = depths(pipeline)
    worst = 32 / np.sqrt(12) * geometry.f * geometry.baseline / 20.0**2
    assert np.nanmax(sigma) == pytest.approx(worst, rel=1e-5)


def test_the_sub_pixel_error_that_is_assumed_is_the_one_the_matchers_have():
    """Planes of every tenth of a pixel: the root mean square error of each family."""
    found = {}
    for algorithm, block in (('bm', 21), ('sgbm', 5), ('sgbm_3way', 3)):
        squares = []
        for tenth in range(10):
            field = plane(200, 60, 20.0 + tenth / 10)
            pipeline, _ = matched(aligned(algorithm=algorithm, block_size=block), field)
            inner = (pipeline.fixed / 16.0 - field)[12:-12, 80:-12]
            squares.append(np.mean(inner[np.abs(inner) < 1] ** 2))
        found[algorithm] = np.sqrt(np.mean(squares))
    assert found['bm'] < 0.06  # 1/16 / sqrt(3) = 0.036 and a little noise
    assert 0.14 < found['sgbm'] < 0.22
    assert 0.14 < found['sgbm_3way'] < 0.22


def errors_of_right_matches(settings, scene, geometry):
    """Return error and sigma of the depths that are right to within 2 px.

    The others are other surfaces, of which no spread tells.
    """
    pipeline = StereoPipeline(settings, *scene.size, geometry)
    pipeline.match(scene.left, scene.right)
    depth, sigma = depths(pipeline)
    truth = geometry.f * geometry.baseline / (scene.disparity - geometry.offset)
    error = np.abs(depth - truth)
    right = np.isfinite(error) & (np.abs(pipeline.fixed / 16 - scene.disparity) < 2)
    return error[right], sigma[right]


@pytest.mark.parametrize(
    'settings',
    [
        aligned(block_size=9),
        aligned(block_size=15),
        aligned(algorithm='sgbm', block_size=5),
        aligned(algorithm='sgbm_3way', block_size=3, p1=36, p2=144, pre_filter_cap=63),
    ],
    ids=['bm 9', 'bm 15', 'sgbm 5', '3way 3'],
)
def test_on_a_real_scene_right_matches_lie_within_it(settings, motorcycle, motorcycle_geometry):
    error, sigma = errors_of_right_matches(settings, motorcycle, motorcycle_geometry)
    assert 0.65 < np.mean(error <= sigma) < 0.90
    assert 0.90 < np.mean(error <= 2 * sigma) < 0.99


def test_the_default_covers_rows_that_a_good_calibration_leaves(motorcycle, motorcycle_geometry):
    """The rows of Motorcycle are 0.34 px apart; with a sigma of 0 three in a hundred more miss."""
    shares = []
    for settings in (aligned(), Settings()):
        error, sigma = errors_of_right_matches(settings, motorcycle, motorcycle_geometry)
        shares.append(np.mean(error <= 2 * sigma))
    assert shares[1] > shares[0] + 0.03 > 0.98


def test_without_a_geometry_it_says_what_it_needs():
    pipeline = StereoPipeline(aligned(), 160, 120)
    with pytest.raises(ValueError, match='needs a geometry'):
        pipeline.uncertainty(np.empty((120, 160), np.float32))


@pytest.mark.parametrize('factor', [2, 4])
def test_reduced_images_are_less_certain(factor):
    """A pixel of the reduced image is `factor` pixels wide: so is its error."""
    scene = scene_of(plane(480, 320, 40.0), finest_px=10.0)
    sigmas = []
    for downscale in (1, factor):
        settings = aligned(downscale=downscale, block_size=15)
        pipeline = StereoPipeline(settings, 480, 320, geometry_of(480, 320))
        pipeline.match(scene.left, scene.right)
        depth, sigma = depths(pipeline)
        assert sigma.shape == depth.shape == (320 // downscale, 480 // downscale)
        sigmas.append(np.nanmedian(sigma))
    assert sigmas[1] > 1.3 * sigmas[0]


def test_rows_apart_move_slanted_edges_and_the_uncertainty_says_by_how_much():
    """Stripes at 45 degrees, one row apart, seem one pixel nearer or farther."""
    y, x = np.mgrid[:160, :240]
    rng = np.random.default_rng(3)
    profile = np.cumsum(rng.normal(0.0, 30.0, 600))
    profile -= np.linspace(0.0, profile[-1], 600)

    def image(right: float, down: float) -> np.ndarray:
        along = np.interp(x - right + y - down + 30.0, np.arange(600), profile)
        along = (along - profile.min()) / np.ptp(profile)
        return (40.0 + 170.0 * along).astype(np.uint8)

    geometry = geometry_of(240, 160)
    shares = []
    for sigma_of_rows in (0.0, 1.0):
        settings = Settings(num_disparities=48, rectification_sigma=sigma_of_rows)
        pipeline = StereoPipeline(settings, 240, 160, geometry)
        pipeline.match(image(20.0, 0.0), image(0.0, 1.0))
        depth, sigma = depths(pipeline)
        error = np.abs(depth - geometry.f * geometry.baseline / 20.0)[np.isfinite(depth)]
        assert np.median(np.abs(pipeline.fixed[pipeline.fixed >= 0] / 16.0 - 20.0)) > 0.8
        shares.append(np.mean(error <= 2.0 * sigma[np.isfinite(depth)]))
    assert shares[0] < 0.5
    assert shares[1] > 0.95


def test_a_measured_offset_of_the_rows_counts_where_none_is_set(motorcycle, motorcycle_geometry):
    medians = []
    for setting, measured in ((0.0, 0.3), (-1.0, 0.0), (-1.0, 0.3), (0.3, 0.0)):
        settings = Settings(rectification_sigma=setting)
        pipeline = StereoPipeline(settings, *motorcycle.size, motorcycle_geometry)
        pipeline.row_sigma = measured
        pipeline.match(motorcycle.left, motorcycle.right)
        medians.append(np.nanmedian(depths(pipeline)[1]))
    assert medians[0] == medians[1] < medians[2] == medians[3]


def test_until_the_rows_are_measured_they_are_as_by_default(motorcycle, motorcycle_geometry):
    """Nothing is more certain because nobody has looked: no tool but the node measures."""
    found = []
    for settings in (Settings(), Settings(rectification_sigma=-1.0)):
        pipeline = StereoPipeline(settings, *motorcycle.size, motorcycle_geometry)
        pipeline.match(motorcycle.left, motorcycle.right)
        found.append(depths(pipeline)[1])
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize('limits', [(0.2, 0.0), (0.0, 0.03), (0.2, 0.03)])
@pytest.mark.parametrize('encoding', ['32FC1', '16UC1'])
def test_what_is_too_uncertain_is_unknown_in_every_output(
    limits, encoding, motorcycle, motorcycle_geometry
):
    absolute, relative = limits
    all_of_it = StereoPipeline(aligned(), *motorcycle.size, motorcycle_geometry)
    all_of_it.match(motorcycle.left, motorcycle.right)
    depth, sigma = depths(all_of_it)
    with np.errstate(invalid='ignore'):
        kept = sigma <= (absolute or np.inf)
        kept &= sigma <= (relative or np.inf) * depth
    settings = aligned(
        max_uncertainty=absolute, max_relative_uncertainty=relative, depth_encoding=encoding
    )
    pipeline = StereoPipeline(settings, *motorcycle.size, motorcycle_geometry)
    pipeline.match(motorcycle.left, motorcycle.right)
    # Those at the very limit are decided by the rounding of float32.
    assert np.count_nonzero((pipeline.fixed >= 0) != kept) < 10
    known = pipeline.fixed >= 0
    assert 0.3 < known.mean() < 0.95 * np.isfinite(depth).mean()
    np.testing.assert_array_equal(pipeline.fixed[known], all_of_it.fixed[known])
    disparity, left_over = (np.empty(known.shape, np.float32) for _ in range(2))
    metric = np.empty(known.shape, np.float32 if encoding == '32FC1' else np.uint16)
    pipeline.disparity(disparity)
    pipeline.depth(metric)
    pipeline.uncertainty(left_over)
    np.testing.assert_array_equal(disparity >= pipeline.min_disparity, known)
    np.testing.assert_array_equal(np.nan_to_num(metric) > 0, known)
    np.testing.assert_array_equal(left_over[known], sigma[known])
    assert np.isnan(left_over[~known]).all()
    rows, columns = pipeline.select_points()
    assert rows * columns == np.count_nonzero(
        known[:: settings.points_step, :: settings.points_step]
    )


def test_leaving_out_the_most_uncertain_leaves_out_what_is_wrong(motorcycle, motorcycle_geometry):
    """A tenth fewer disparities, a third fewer wrong ones."""
    figures = []
    for limit in (0.0, 0.03):
        settings = aligned(max_relative_uncertainty=limit)
        pipeline = StereoPipeline(settings, *motorcycle.size, motorcycle_geometry)
        pipeline.match(motorcycle.left, motorcycle.right)
        known = (pipeline.fixed >= 0) & np.isfinite(motorcycle.disparity)
        wrong = np.abs(pipeline.fixed / 16.0 - motorcycle.disparity)[known] > 2.0
        figures.append((known.mean(), wrong.mean()))
    assert figures[1][0] > 0.85 * figures[0][0]
    assert figures[1][1] < 0.67 * figures[0][1]


def test_without_a_limit_the_uncertainty_is_not_computed(monkeypatch, motorcycle_geometry):
    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr('stereo_depth_node.core.pipeline.DepthUncertainty', fail)
    pipeline = StereoPipeline(aligned(), 741, 500, motorcycle_geometry)
    image = np.zeros((500, 741), np.uint8)
    pipeline.match(image, image)
    pipeline.depth(np.empty((500, 741), np.float32))
