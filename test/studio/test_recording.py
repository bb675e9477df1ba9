# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A recording in the studio: its frames, in the browser and without one."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip('rosbags')
pytest.importorskip('matplotlib')

from bags import BASELINE, FOCAL, write_bag
from scenes import plane, scene_of
from studio_pages import served, shown

from stereo_depth_node.core import Settings
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.studio.figures import References
from stereo_depth_node.studio.recordings import RecordingSource
from stereo_depth_node.studio.result import Result
from stereo_depth_node.studio.session import Session

NEAR = 40
DISPARITIES = (8, 10, 12, NEAR, 14)
SETTINGS = Settings(matcher_backend='opencv', num_disparities=32, uniqueness_ratio=0)


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    """Write a recording of planes; the fourth is nearer than what is searched."""
    scenes = [scene_of(plane(160, 120, each), seed=each) for each in DISPARITIES]
    path = tmp_path_factory.mktemp('recording') / 'planes'
    return write_bag(path, len(scenes), scenes=scenes)


def test_each_frame_of_a_recording_has_its_depth(recording):
    source = RecordingSource(recording, SETTINGS)
    assert (source.name, source.count) == ('planes', 5)
    for index, disparity in enumerate(DISPARITIES):
        result = Result(source.frame(index, SETTINGS), SETTINGS)
        if disparity != NEAR:
            assert result.depth[60, 100] == pytest.approx(FOCAL * BASELINE / disparity, rel=0.02)
    assert np.isfinite(result.depth).mean() > 0.5


def test_the_filter_over_time_looks_at_the_frame_before(recording):
    settings = SETTINGS.replace(temporal_max_diff=1)
    source = RecordingSource(recording, settings)
    assert source.frame(0, settings).before is None
    result = Result(source.frame(1, settings), settings)
    assert not np.isfinite(result.depth).any()
    assert 'time' in result.reasons.shares()
    assert source.frame(1, SETTINGS).before is None


def test_settings_are_searched_on_pairs_from_all_over_the_recording(recording):
    pairs = RecordingSource(recording, SETTINGS).pairs(0, SETTINGS)
    first, last = scene_of(plane(160, 120, 8), seed=8), scene_of(plane(160, 120, 14), seed=14)
    assert len(pairs) == 3
    assert np.array_equal(pairs[0].left, first.left)
    assert np.array_equal(pairs[-1].right, last.right)
    assert pairs[0].geometry.baseline == pytest.approx(BASELINE)


def test_a_frame_that_cannot_be_read_does_not_stop_the_player(recording):
    class Damaged(RecordingSource):
        def frame(self, index, settings):
            raise InputError(f'frame {index} is damaged')

    async def shown_with_its_problem() -> tuple[int, str]:
        with ThreadPoolExecutor(1) as workers:
            session = Session(Damaged(recording, SETTINGS), SETTINGS, workers, References())
            problem = asyncio.get_running_loop().create_future()
            session.on_problem = problem.set_result
            session.show_frame(2)
            task = asyncio.create_task(session.run())
            text = await asyncio.wait_for(problem, 60.0)
            task.cancel()
            return session.shown_index, text

    assert asyncio.run(shown_with_its_problem()) == (2, 'frame 2 is damaged')


def test_a_recording_without_a_pair_is_refused(tmp_path):
    path = write_bag(tmp_path / 'apart', 4, skew_ns=20_000_000)
    with pytest.raises(InputError, match='no pair'):
        RecordingSource(path, SETTINGS)


def test_a_recording_is_stepped_through_and_played(browser, recording):
    with served(recording, '--num-disparities', 32, '--uniqueness-ratio', 0) as url:
        page = shown(browser, url)
        frame, pixel = '.studio-frame', (100, 60)
        assert page.text(frame) == '1 of 5'
        page.pick_surely(*pixel)
        page.until(lambda: page.pixel().get('Disparity', '').startswith(('8.0', '7.9')))
        page.press('.')
        page.until(lambda: page.text(frame) == '2 of 5')
        page.until(lambda: page.number() > 1)
        page.pick_surely(*pixel)
        page.until(lambda: page.pixel().get('Disparity', '').startswith(('10.0', '9.9')))
        page.until(
            lambda: page.js(
                """const plot = document.querySelector('.studio-timeplot');
                   return mounted_app.elements[plot.id.slice(1)]
                       .props.options.series[0].data.length === 5"""
            ),
            'the figures of every frame',
        )
        page.click('Worst frame (w)')
        page.until(lambda: page.text(frame) == '4 of 5')
        page.until(lambda: page.one('.studio-timeline .q-select').click() or True)
        page.click('Wrong', '.q-menu')
        page.until(
            lambda: page.js(
                """const plot = document.querySelector('.studio-timeplot');
                   const series = mounted_app.elements[plot.id.slice(1)].props.options.series[0];
                   return series.name === 'Wrong' && series.data.some(([, it]) => it !== null)"""
            ),
            'what is wrong in every frame',
        )
        page.click('Play (space)')
        page.until(lambda: page.text(frame) == '5 of 5')
        page.until(lambda: not page.all('.studio-old'))
