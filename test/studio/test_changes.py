# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is changed on the page of the studio in a real browser, and what it hands out."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytest.importorskip('selenium')
pytest.importorskip('matplotlib')

from selenium.webdriver.common.keys import Keys

from stereo_depth_node.core import Settings, StereoPipeline
from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.datasets.loading import load_motorcycle


def test_a_slider_changes_the_picture_and_the_figures(page):
    before, figures = page.settled()
    picture = page.layer('disparity')[1]
    page.slide('num_disparities', Keys.ARROW_LEFT)
    page.until(lambda: page.number() > before, 'a new picture')
    page.until(lambda: page.layer('disparity')[0] == page.number())
    page.until(lambda: page.value('num_disparities') == '48', 'the value of the slider')
    assert page.layer('disparity')[1] != picture
    _, now = page.settled()
    assert now['density'] != figures['density']
    assert now['range'].startswith('0 to 47 px')


def test_the_last_of_many_moves_wins(page):
    page.settled()
    page.slide('uniqueness_ratio', *[Keys.ARROW_RIGHT] * 12)
    # Keys that come faster than the page sends moves are merged, too: where it rests is not known.
    page.until(lambda: page.value('uniqueness_ratio') == page.place('uniqueness_ratio') != '15')
    ratio = int(page.place('uniqueness_ratio'))
    scene = load_motorcycle()
    height, width = scene.left.shape
    settings = Settings(matcher_backend='opencv', uniqueness_ratio=ratio)
    pipeline = StereoPipeline(settings, width, height, scene.geometry)
    pipeline.match(scene.left, scene.right)
    density = f'{100 * np.mean(pipeline.fixed >= 0):.1f} %'
    page.until(lambda: page.settled()[1]['density'] == density, density)
    assert page.value('uniqueness_ratio') == page.place('uniqueness_ratio') == str(ratio)
    last = page.layer('disparity')
    page.slide('uniqueness_ratio', Keys.ARROW_RIGHT)
    page.until(lambda: page.layer('disparity')[1] != last[1])
    page.slide('uniqueness_ratio', Keys.ARROW_LEFT)
    page.until(lambda: page.layer('disparity')[1] == last[1])


def test_a_page_that_is_loaded_anew_has_the_settings_and_can_undo_them(page):
    page.settled()
    page.type('block_size', '9')
    page.until(lambda: page.layer('disparity')[0] == page.number() > 1)
    picture = page.layer('disparity')[1]
    page.driver.refresh()
    page.until(lambda: page.layer('disparity') and page.value('block_size') == '9')
    page.until(lambda: page.layer('disparity')[1] == picture)
    page.until_done(lambda: page.press('z'), lambda: page.value('block_size') == '15')


def test_undo_redo_presets_and_the_frozen_result(page):
    _, first = page.settled()
    page.press('f')
    page.click('Presets')
    page.click('fast')
    page.until(lambda: page.value('downscale') == '2')
    page.until(lambda: page.settled()[1]['density'] != first['density'])
    second = page.layer('disparity')[1]
    page.press('b')
    page.until(lambda: page.one('.studio-badge').is_displayed())
    assert page.settled()[1]['density'] == first['density']
    page.press('b')
    page.until(lambda: page.layer('disparity')[1] == second)
    page.press('z')
    page.until(lambda: page.value('downscale') == '1')
    page.until(lambda: page.settled()[1]['density'] == first['density'])
    page.press('y')
    page.until(lambda: page.value('downscale') == '2')


def test_the_pixel_that_is_looked_at_stays_where_it_is_in_the_scene(page):
    page.settled()
    page.pick_surely(520, 300)
    page.until(lambda: page.text('.studio-explained'))
    x, y = (int(each) for each in page.pixel()['Pixel'].split(', '))
    page.click('Presets')
    page.click('fast')
    page.until(lambda: page.value('downscale') == '2')
    page.until(lambda: page.pixel()['Pixel'] == f'{x * 370 // 741}, {y * 250 // 500}')


def test_what_was_refused_is_said_until_something_else_is_changed(page, output):
    save = page.saves_params(output)
    save.click()
    page.until(lambda: page.all('.q-notification.bg-negative'), 'the refusal')
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.all('.q-menu'))
    page.type('block_size', '11')
    page.until(lambda: not page.all('.q-notification.bg-negative'))


def test_what_is_exported_gives_the_same_with_the_tool(page, downloads, tmp_path):
    page.settled()
    page.type('num_disparities', '80')
    page.until(lambda: page.settled()[1]['range'].startswith('0 to 79'))
    for name in ('params.yaml', 'disparity.npy'):
        page.click('Export')
        page.click(name)
        page.until((downloads / name).exists, name)
        page.until(lambda: not page.all('.q-menu'), 'the end of the menu')
    content = (downloads / 'params.yaml').read_text()
    assert [line for line in content.splitlines() if line.startswith('    ')] == [
        '    num_disparities: 80'
    ]
    assert load_settings(downloads / 'params.yaml') == Settings(num_disparities=80)
    scene = load_motorcycle()
    import cv2

    for side, colours in zip(('left', 'right'), scene.colours, strict=True):
        cv2.imwrite(str(tmp_path / f'{side}.png'), cv2.cvtColor(colours, cv2.COLOR_RGB2BGR))
    arguments = [str(tmp_path / f'{side}.png') for side in ('left', 'right')]
    arguments += ['--params', str(downloads / 'params.yaml'), '--write', 'disparity.npy']
    assert main(['images', *arguments, '--output', str(tmp_path), '--quiet']) == 0
    expected = (tmp_path / 'left_disparity.npy').read_bytes()
    assert (downloads / 'disparity.npy').read_bytes() == expected
    assert np.isfinite(np.load(io.BytesIO(expected))).mean() > 0.5


def test_tune_shows_how_far_it_is_and_can_be_cancelled(page):
    page.settled()
    page.click('Tune')
    page.click('Start')
    page.until(lambda: '% of the time' in page.text('.studio-tune-text'), 'progress')
    page.click('Cancel')
    page.until(lambda: page.text('.studio-tune-text').startswith('Cancelled'))
    assert page.value('block_size') == '15'


def test_two_tabs_have_settings_of_their_own(page, address):
    first = page.driver.current_window_handle
    page.settled()
    page.driver.switch_to.new_window('tab')
    try:
        page.driver.get(address)
        page.until(lambda: page.layer('disparity'))
        page.type('block_size', '9')
        page.until(lambda: page.number() > 1)
        page.driver.close()
    finally:
        page.driver.switch_to.window(first)
    assert page.value('block_size') == '15'
    page.type('block_size', '11')
    page.until(lambda: page.number() > 1)
