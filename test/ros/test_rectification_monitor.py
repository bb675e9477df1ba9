# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The monitor of the rectification: rows apart, swapped cameras, the range of the scene."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from scenes import geometry_of, plane, scene_of, StereoScene, tilted_plane

from stereo_depth_node.core.health.causes import CAUSES, Finding
from stereo_depth_node.core.health.rectification import MATCHES_LOST, rectification_findings
from stereo_depth_node.core.health.rectification_report import (
    MatchedImages,
    RectificationReport,
    report_of_matches,
)
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.sparse_matches import SparseMatches
from stereo_depth_node.ros.rectification_monitor import RectificationMonitor

WIDTH, HEIGHT = 480, 320
LEANING = scene_of(tilted_plane(WIDTH, HEIGHT, 12.0, 30.0))


@pytest.fixture
def monitor() -> Iterator[RectificationMonitor]:
    monitor = RectificationMonitor()
    yield monitor
    monitor.close()


def moved_down(image: np.ndarray, rows: float) -> np.ndarray:
    """Move the content of an image down."""
    move = np.float32([[1, 0, 0], [0, 1, rows]])
    height, width = image.shape
    return cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REPLICATE)


def measured(
    monitor: RectificationMonitor,
    left: np.ndarray,
    right: np.ndarray,
    **settings: object,
) -> tuple[RectificationReport, dict[str, Finding]]:
    """Let the monitor measure a pair; return the report and the findings by cause."""
    height, width = left.shape
    pipeline = StereoPipeline(
        Settings().replace(matcher_backend='opencv', **settings),
        width,
        height,
        geometry_of(width, height),
    )
    pipeline.match(left, right)
    monitor.update(pipeline)
    monitor.close()
    assert monitor.failure is None
    assert monitor.report is not None
    findings = rectification_findings(monitor.report)
    return monitor.report, {finding.cause.name: finding for finding in findings}


def test_a_good_pair_gives_no_warning(monitor):
    report, findings = measured(monitor, LEANING.left, LEANING.right, num_disparities=48)
    # Lucas-Kanade finds the whole and half pixels of a smooth texture to a tenth of a pixel.
    assert abs(report.rows_apart) < 0.1
    # The columns at either end are out of sight of the other camera.
    assert report.low == pytest.approx(12.0, abs=2.0)
    assert report.high == pytest.approx(30.0, abs=2.0)
    assert findings == {}


@pytest.mark.parametrize('rows', [2.0, -2.0, 1.0])
def test_rows_that_are_apart_are_measured(monitor, rows):
    report, findings = measured(monitor, LEANING.left, moved_down(LEANING.right, rows))
    assert report.rows_apart == pytest.approx(-rows, abs=0.1)
    expected = f'rows are {abs(rows):.1f} px apart: expect about {MATCHES_LOST[abs(rows)]:.0f} %'
    # The loss is read off a curve, at a tenth of a pixel of tolerance.
    assert findings['rows_apart'].text[:30] == expected[:30]


def test_rows_apart_in_a_reduced_image_are_in_pixels_of_the_image_that_comes(monitor):
    scene = scene_of(plane(WIDTH, HEIGHT, 12.0), finest_px=8.0)
    report, _ = measured(
        monitor, scene.left, moved_down(scene.right, 4.0), downscale=2, num_disparities=48
    )
    assert report.rows_apart == pytest.approx(-4.0, abs=0.2)
    assert report.row_offset.parts[0] == pytest.approx(-2.0, abs=0.1)
    assert (report.start, report.end) == (0, 64)


def test_swapped_cameras_are_seen(monitor):
    _, findings = measured(monitor, LEANING.right, LEANING.left)
    assert 'exchange the left and right image topics' in findings['cameras_swapped'].text
    assert 'scene_too_far' not in findings


def test_a_scene_nearer_than_what_is_searched(monitor, motorcycle):
    report, findings = measured(monitor, motorcycle.left, motorcycle.right, num_disparities=32)
    # The nearest part of the Motorcycle is at 60 px.
    assert report.high == pytest.approx(60.0, abs=4.0)
    text = findings['scene_too_near'].text
    assert f'as near as {report.high:.0f} px of disparity, the search ends at 32 px' in text
    assert 'set num_disparities to 64' in text


def test_a_scene_farther_than_what_is_searched(monitor):
    scene = scene_of(tilted_plane(WIDTH, HEIGHT, 4.0, 30.0))
    _, findings = measured(monitor, scene.left, scene.right, min_disparity=16)
    assert 'the search begins at 16 px' in findings['scene_too_far'].text


def test_a_search_far_wider_than_the_scene(monitor):
    report, findings = measured(monitor, LEANING.left, LEANING.right, num_disparities=128)
    assert report.high < 32
    assert 'num_disparities 48 would do, in 38 % of the time' in findings['search_too_wide'].text
    assert findings['search_too_wide'].level == CAUSES['search_too_wide'].level == 0


def test_the_uncertainty_takes_what_was_measured(monitor):
    """Half a row between the images, with rectification_sigma at -1."""
    settings = Settings(matcher_backend='opencv', rectification_sigma=-1.0)
    pipeline = StereoPipeline(settings, WIDTH, HEIGHT, geometry_of(WIDTH, HEIGHT))
    pipeline.row_sigma = 0.0
    pipeline.match(LEANING.left, moved_down(LEANING.right, 0.5))
    before, after = (np.empty((HEIGHT, WIDTH), np.float32) for _ in range(2))
    pipeline.uncertainty(before)
    monitor.update(pipeline)
    monitor.close()
    monitor.update(pipeline)
    pipeline.uncertainty(after)
    assert pipeline.row_sigma == pytest.approx(0.5, abs=0.1)
    assert np.nanmedian(after) > 2.0 * np.nanmedian(before)


def test_an_image_without_texture_gives_no_report(monitor):
    flat = np.full((HEIGHT, WIDTH), 90, np.uint8)
    pipeline = StereoPipeline(Settings(), WIDTH, HEIGHT, geometry_of(WIDTH, HEIGHT))
    pipeline.match(flat, flat)
    monitor.update(pipeline)
    monitor.close()
    assert monitor.report is None
    assert monitor.failure is None


def test_what_another_pipeline_measured_does_not_count(monitor):
    measured(RectificationMonitor(), LEANING.left, LEANING.right)
    pipelines = [
        StereoPipeline(Settings(), WIDTH, HEIGHT, geometry_of(WIDTH, HEIGHT)) for _ in range(2)
    ]
    for pipeline in pipelines:
        pipeline.match(LEANING.left, moved_down(LEANING.right, 2.0))
    monitor.update(pipelines[0])
    monitor.update(pipelines[1])
    assert monitor.report is None
    monitor.close()
    assert monitor.measured <= 2


def test_a_few_wrong_tracks_are_not_taken_for_the_scene():
    disparities = np.sort(np.append(np.full(200, 20.0), [300.0, 310.0, -90.0])).astype(np.float32)
    tracks = SparseMatches(np.zeros(203, np.float32), disparities)
    report = report_of_matches(tracks, MatchedImages(offset=0.0, scale=1, start=0, end=32))
    assert list(rectification_findings(report)) == []


def test_the_curve_of_lost_matches_is_that_of_the_motorcycle(motorcycle: StereoScene):
    def correct(rows: float) -> float:
        right = moved_down(motorcycle.right, rows)
        matcher = cv2.StereoBM.create(64, 15)
        found = matcher.compute(motorcycle.left, right).astype(np.float64) / 16
        with np.errstate(invalid='ignore'):
            good = (found >= 0) & (np.abs(found - motorcycle.disparity) < 2.0)
        return float(good[20:-20, 80:-10].mean())

    whole = correct(0.0)
    for rows, lost in MATCHES_LOST.items():
        both = 100.0 * (1.0 - (correct(rows) + correct(-rows)) / 2 / whole)
        # The table is rounded to 0.5. Before version 5, OpenCV's bilinear warp differs from the
        # exact one by up to one grey level, which changes the loss by up to 0.25: at 1.5 rows
        # 4.6, 4.13 and 4.14 give 31.27, 5.0 gives 31.52.
        assert both == pytest.approx(lost, abs=0.75), f'{rows} rows apart'
