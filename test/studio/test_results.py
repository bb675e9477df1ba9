# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the studio computes: why pixels are unknown, errors, figures, pictures, points."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
import math

import cv2
import numpy as np
import pytest
from scenes import camera, geometry_of, plane, scene_of, step

pytest.importorskip('matplotlib')
pytest.importorskip('rosbags')

from stereo_depth_node.core import Settings
from stereo_depth_node.core.errors import CalibrationError, InputError, SettingsError
from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.studio.cloud import cloud_of
from stereo_depth_node.studio.exports import changes_for_node, exported, OutputFolder
from stereo_depth_node.studio.figures import figures_of, reference_of
from stereo_depth_node.studio.frames import Frame
from stereo_depth_node.studio.inspection import costs_of, described, explained, plot_of, row_of
from stereo_depth_node.studio.layers import LAYERS, limits_of, png_of_layer
from stereo_depth_node.studio.result import Result

WIDTH, HEIGHT = 200, 120
PLAIN = Settings(
    matcher_backend='opencv', num_disparities=32, block_size=9, uniqueness_ratio=0,
    texture_threshold=0,
)  # fmt: skip


def frame_of(disparity, *, offset=0.0, **changes) -> Frame:
    """Return a synthetic pair with its truth, an image of it changed where asked for."""
    made = scene_of(disparity)
    content = {
        'left': made.left,
        'right': made.right,
        'truth': made.truth,
        'geometry': geometry_of(WIDTH, HEIGHT, offset=offset),
        **changes,
    }
    return Frame(Scene('a plane', **content), 'left.png')


@pytest.fixture(scope='module')
def near_and_far() -> Frame:
    return frame_of(step(WIDTH, HEIGHT, 8, 20))


def test_disparity_and_depth_of_a_known_scene(near_and_far):
    result = Result(near_and_far, PLAIN)
    assert result.disparity[60, 70] == pytest.approx(8, abs=0.07)
    assert result.depth[60, 70] == pytest.approx(500 * 0.1 / 8, rel=0.01)
    assert result.truth_error[60, 70] < 0.07
    assert result.left_right_error[60, 70] < 0.2
    assert np.isnan(result.disparity[60, 10])


def test_a_baseline_in_the_settings_takes_the_place_of_that_of_the_scene(near_and_far):
    result = Result(near_and_far, PLAIN.replace(baseline=0.2))
    assert result.depth[60, 70] == pytest.approx(500 * 0.2 / 8, rel=0.01)


def test_raw_images_need_matrices_to_be_rectified(near_and_far):
    with pytest.raises(SettingsError, match='no matrices'):
        near_and_far.check(PLAIN.replace(rectify=True))
    cameras = camera(WIDTH, HEIGHT), camera(WIDTH, HEIGHT, tx=-50.0)
    frame = Frame(near_and_far.scene, 'raw', cameras)
    frame.check(PLAIN.replace(rectify=True))
    turned = Frame(near_and_far.scene, 'raw', cameras[::-1])
    with pytest.raises(CalibrationError):
        turned.check(PLAIN)


def reason_at(frame, settings, x, y):
    return dict(described(Result(frame, settings), x, y)).get('Unknown', '').partition(':')[0]


def test_the_border_has_no_disparity_as_not_all_can_be_tried(near_and_far):
    assert reason_at(near_and_far, PLAIN, 10, 60) == 'border'
    assert reason_at(near_and_far, PLAIN, 100, 1) == 'border'
    assert reason_at(near_and_far, PLAIN.replace(fill_left_band=True), 12, 60) == ''


def test_texture_and_uniqueness_take_plain_and_repeated_places_away():
    made = scene_of(plane(WIDTH, HEIGHT, 8))
    left, right = made.left.copy(), made.right.copy()
    left[40:80, 100:150], right[40:80, 92:142] = 128, 128
    stripes = np.where(np.arange(WIDTH) // 4 % 2, 200, 50).astype(np.uint8)
    left[85:115], right[85:115] = stripes, stripes
    frame = frame_of(plane(WIDTH, HEIGHT, 8), left=left, right=right)
    checked = PLAIN.replace(texture_threshold=200, uniqueness_ratio=10)
    assert reason_at(frame, checked, 125, 60) == 'texture'
    assert reason_at(frame, checked, 125, 100) == 'uniqueness'
    assert reason_at(frame, checked, 125, 20) == ''


def test_the_left_right_check_takes_away_what_the_right_camera_does_not_see():
    """Behind the left edge of something near."""
    made = scene_of(step(WIDTH, HEIGHT, 4, 24))
    left = made.left.copy()
    left[:, 82:98] = np.random.default_rng(0).integers(0, 255, (HEIGHT, 16), np.uint8)
    frame = frame_of(step(WIDTH, HEIGHT, 4, 24), left=left)
    result = Result(frame, PLAIN.replace(disp12_max_diff=1))
    assert result.reasons.shares()['left_right'] > 2.0
    assert reason_at(frame, PLAIN.replace(disp12_max_diff=1), 90, 60) in ('left-right', '')


def test_islands_limits_of_depth_and_of_uncertainty_are_reasons(near_and_far):
    island = PLAIN.replace(speckle_window_size=HEIGHT * WIDTH, speckle_range=1)
    assert reason_at(near_and_far, island, 70, 60).startswith('speckle')
    assert reason_at(near_and_far, PLAIN.replace(max_depth=4.0), 70, 60) == 'range'
    assert reason_at(near_and_far, PLAIN.replace(max_depth=4.0), 150, 60) == ''
    uncertain = PLAIN.replace(max_uncertainty=0.0001)
    assert reason_at(near_and_far, uncertain, 70, 60).startswith('too uncertain')
    region = PLAIN.replace(roi_x=120)
    assert reason_at(near_and_far, region, 70, 60).startswith('outside of the region')


def test_what_the_pair_before_had_elsewhere_is_a_reason(near_and_far):
    before = frame_of(plane(WIDTH, HEIGHT, 8)).scene
    frame = Frame(near_and_far.scene, 'second', before=before)
    settings = PLAIN.replace(temporal_max_diff=1)
    assert reason_at(frame, settings, 150, 60).startswith('the pair before')
    assert reason_at(frame, settings, 70, 60) == ''


def test_every_unknown_pixel_has_one_reason_and_no_known_one(motorcycle, motorcycle_geometry):
    scene = Scene('motorcycle', motorcycle.left, motorcycle.right, geometry=motorcycle_geometry)
    for changes in ({}, {'speckle_window_size': 200, 'disp12_max_diff': 1, 'max_depth': 4.0}):
        settings = Settings(matcher_backend='opencv').replace(**changes)
        result = Result(Frame(scene, 'motorcycle'), settings)
        assert np.array_equal(result.reasons.codes > 0, np.isnan(result.depth))


def test_figures_with_truth(near_and_far):
    result = Result(near_and_far, PLAIN)
    figures = figures_of(result, reference_of(result))
    assert figures.density == pytest.approx(100 * np.isfinite(result.depth).mean())
    assert figures.nearest == pytest.approx(500 * 0.1 / 20, rel=0.02)
    assert figures.farthest == pytest.approx(500 * 0.1 / 8, rel=0.02)
    assert figures.searched == (0.0, 31.0)
    assert figures.bad == pytest.approx(100 - 100 * (result.truth_error <= 2.0).mean(), abs=0.01)


def test_figures_say_which_range_the_scene_needs(motorcycle, motorcycle_geometry):
    scene = Scene('pair', motorcycle.left, motorcycle.right, geometry=motorcycle_geometry)
    figures = figures_of(Result(Frame(scene, 'pair'), Settings(matcher_backend='opencv')), None)
    low, high = np.nanpercentile(motorcycle.disparity, (2, 98))
    assert figures.needed == (pytest.approx(low, abs=4), pytest.approx(high, abs=4))
    assert figures.rows < 0.3
    assert figures.row_kinds == ()


def test_figures_say_which_way_the_rows_are_apart(motorcycle, motorcycle_geometry):
    lower = np.roll(motorcycle.left, 2, axis=0)
    scene = Scene('lower', lower, motorcycle.right, geometry=motorcycle_geometry)
    result = Result(Frame(scene, 'lower'), Settings(matcher_backend='opencv'))
    figures = figures_of(result, None)
    assert figures.rows == pytest.approx(2.0, abs=0.4)
    assert figures.row_kinds == ('shift',)
    assert any('a shift of' in text for text in figures.findings)
    assert math.isnan(figures.wrong)


def test_without_a_calibration_there_are_disparities_alone():
    made = frame_of(plane(WIDTH, HEIGHT, 8)).scene
    result = Result(Frame(Scene('plane', made.left, made.right), 'left.png'), PLAIN)
    assert result.depth is None
    figures = figures_of(result, None)
    assert figures.nearest == pytest.approx(8, abs=0.2)
    assert not figures.is_metric
    cloud = cloud_of(result)
    assert not cloud.is_metric
    # f is 0.8 image widths, the baseline 1: z = 160 / 8.
    assert np.median(np.asarray(cloud.points)[:, 1]) == pytest.approx(20.0, rel=0.02)


def test_layers_are_transparent_where_nothing_is_known(near_and_far):
    result = Result(near_and_far, PLAIN)
    for name in LAYERS:
        pixels = cv2.imdecode(
            np.frombuffer(png_of_layer(result, name), np.uint8), cv2.IMREAD_UNCHANGED
        )
        assert pixels.shape[:2] == (HEIGHT, WIDTH)
        if name in ('disparity', 'depth'):
            assert np.array_equal(pixels[..., 3] > 0, np.isfinite(result.disparity))
        if name == 'unknown':
            assert np.array_equal(pixels[..., 3] > 0, np.isnan(result.disparity))


def test_the_colours_reach_from_end_to_end_of_the_chosen_values(near_and_far):
    result = Result(near_and_far, PLAIN)
    assert limits_of(result, 'disparity') == (0.0, 31.0)
    narrow = png_of_layer(result, 'disparity', (8.0, 20.0))
    pixels = cv2.imdecode(np.frombuffer(narrow, np.uint8), cv2.IMREAD_UNCHANGED)
    # Turbo begins nearly black and ends in dark red, here in BGR.
    assert pixels[60, 70, :3].max() < 80
    assert pixels[60, 150, 2] > 100
    assert pixels[60, 150, :2].max() < 30


def test_the_costs_and_the_rows_of_a_pixel(near_and_far):
    result = Result(near_and_far, PLAIN)
    curve = costs_of(result, 70, 60)
    assert curve.best == 8
    assert explained(result, curve, 70, 60).startswith('Best at 8 px, second best at ')
    costs = np.full(32, 700.0, np.float32)
    costs[8], costs[20] = 0, 500
    same = replace(curve, costs=costs, second=20)
    text = explained(result, same, 70, 60)
    assert text.startswith('Best at 8 px, second best at 20 px, with a cost of 500 after 0')
    plot = plot_of(curve, 8.06)
    data = plot['series'][0]['data']
    assert [x for x, _ in data] == list(range(32))
    assert min(data, key=lambda point: point[1])[0] == 8
    assert plot['series'][0]['markLine']['data'] == [{'xAxis': 8.06}]
    source, marks, ratio = row_of(result, curve, 70, 60)
    assert source.startswith('data:image/png;base64,')
    assert marks.count('<rect') == 4
    rows = np.frombuffer(base64.b64decode(source.partition(',')[2]), np.uint8)
    height, width = cv2.imdecode(rows, cv2.IMREAD_UNCHANGED).shape
    assert ratio == width / height
    hidden = costs_of(result, 2, 60)
    assert 'at none of the disparities' in explained(result, hidden, 2, 60)


def test_a_node_keeps_what_its_camera_and_its_robot_need():
    robot = {'rectify': True, 'max_depth': 5.0, 'roi_y': 40, 'image_transport': 'compressed'}
    node = {**vars(Settings(block_size=21, uniqueness_ratio=0)), **robot}
    found = Settings(block_size=9, median_size=3, downscale=2)
    assert changes_for_node(found, node) == {
        'block_size': 9, 'uniqueness_ratio': 15, 'median_size': 3, 'downscale': 2
    }  # fmt: skip
    assert changes_for_node(Settings(max_depth=7.0), {**vars(Settings()), **robot}) == {
        'max_depth': 7.0
    }


def test_the_match_of_a_pixel_is_seen_while_a_result_is_in_use(near_and_far):
    result = Result(near_and_far, PLAIN)
    with ThreadPoolExecutor(1) as worker, result.lock:
        assert worker.submit(costs_of, result, 70, 60).result(60).best == 8


def test_why_pixels_are_unknown_is_found_out_for_those_that_are(near_and_far):
    """It takes the time of several pairs."""
    result = Result(near_and_far, PLAIN)
    assert 'Depth' in dict(described(result, 70, 60))
    assert 'reasons' not in vars(result)
    assert 'Unknown' in dict(described(result, 2, 60))
    assert 'reasons' in vars(result)


def test_what_is_saved_replaces_no_file_unless_that_is_wanted(near_and_far, tmp_path):
    result = Result(near_and_far, PLAIN)
    folder = OutputFolder(tmp_path / 'tuned')
    for name in ('params.yaml', 'launch.sh', 'cloud.ply'):
        assert folder.save(result, name).read_bytes() == exported(result, name)
    assert load_settings(tmp_path / 'tuned' / 'params.yaml') == PLAIN
    launch = (tmp_path / 'tuned' / 'launch.sh').read_text()
    assert launch.endswith('depth.launch.py params_file:=params.yaml\n')
    other = Result(near_and_far, PLAIN.replace(block_size=11))
    before = (tmp_path / 'tuned' / 'params.yaml').read_bytes()
    with pytest.raises(InputError, match='exists: give another name, or --overwrite'):
        folder.save(other, 'params.yaml')
    assert (tmp_path / 'tuned' / 'params.yaml').read_bytes() == before
    path = OutputFolder(folder.path, overwrite=True).save(other, 'params.yaml')
    assert load_settings(path) == PLAIN.replace(block_size=11)


def test_the_points_are_where_the_scene_is():
    frame = frame_of(plane(WIDTH, HEIGHT, 10), offset=2.0)
    cloud = cloud_of(Result(frame, PLAIN))
    x, forward, up = np.asarray(cloud.points).T
    assert cloud.is_metric
    assert np.median(forward) == pytest.approx(500 * 0.1 / (10 - 2), rel=0.02)
    assert cloud.middle == pytest.approx(6.25, rel=0.02)
    assert x.max() == pytest.approx((WIDTH - 5 - 99.5) * 6.25 / 500, rel=0.05)
    assert up.max() == pytest.approx((59.5 - 4) * 6.25 / 500, rel=0.05)
    assert np.asarray(cloud.colours).max() <= 1.0
