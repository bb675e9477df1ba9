# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The page of the studio in a real browser: what it shows, refuses and saves.

These tests leave the page as it was: it is the same for all of them.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('selenium')
pytest.importorskip('matplotlib')

from selenium.webdriver.common.keys import Keys

from stereo_depth_node.core import Settings, StereoPipeline
from stereo_depth_node.core.arrays import DISPARITY_SCALE
from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.params_file import load_settings
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.offline.datasets.loading import load_motorcycle


@pytest.fixture
def page(same_page):
    return same_page


@pytest.fixture(scope='module')
def matched():
    """Return the default disparities of the scene, pixels, NaN where unknown."""
    scene = load_motorcycle()
    height, width = scene.left.shape
    pipeline = StereoPipeline(Settings(matcher_backend='opencv'), width, height, scene.geometry)
    pipeline.match(scene.left, scene.right)
    return np.where(pipeline.fixed >= 0, pipeline.fixed / DISPARITY_SCALE, np.nan)


def test_every_setting_of_the_node_has_its_control(page):
    shown = page.js(
        "return [...document.querySelectorAll('[data-setting]')].map((e) => e.dataset.setting)"
    )
    assert shown == list(known_parameters())


def test_the_figures_are_those_of_the_result(page, matched):
    _, figures = page.settled()
    assert figures['density'] == f'{100 * np.isfinite(matched).mean():.1f} %'
    scene = load_motorcycle()
    known = np.isfinite(scene.truth)
    wrong = ~(np.abs(matched - scene.truth) <= 2.0)[known]
    assert figures['bad'] == f'{100 * wrong.mean():.1f} %'


@pytest.mark.parametrize(('name', 'value'), [('block_size', 4), ('num_disparities', 1024)])
def test_a_refused_value_is_explained_at_its_control_and_changes_nothing(page, name, value):
    """Of the first the settings say why, of the second the size of the images."""
    before = str(getattr(Settings(), name))
    number, _ = page.settled()
    page.type(name, str(value))
    reason = page.until(lambda: page.text(f'[data-setting={name}] .studio-reason'), 'the reason')
    with pytest.raises(SettingsError) as caught:
        StereoPipeline(Settings().replace(**{name: value}), 741, 500)
    assert reason == str(caught.value)
    assert page.value(name) == before
    assert page.number() == number
    page.type(name, before)
    page.until(lambda: not page.text(f'[data-setting={name}] .studio-reason'))


def test_a_click_shows_the_costs_with_their_minimum_at_the_published_disparity(page, matched):
    x, y = 520, 300
    page.pick_surely(x, y)
    text = page.until(lambda: page.text('.studio-explained'), 'the explanation')
    found = page.pixel()
    px, py = (int(each) for each in found['Pixel'].split(', '))
    assert float(found['Disparity'].split()[0]) == pytest.approx(matched[py, px], abs=0.006)
    best = int(text.split('Best at ')[1].split()[0])
    assert abs(best - matched[py, px]) <= 0.5 + 1 / DISPARITY_SCALE
    page.until(lambda: page.one('.studio-costs canvas').size['height'] > 100, 'the curve')
    assert page.one('.studio-row-image svg rect')


@pytest.mark.parametrize('width', [1200, 2400])
def test_what_is_said_of_a_match_is_seen_in_windows_of_any_width(page, width):
    size = {'width': width, 'height': 900, 'deviceScaleFactor': 1, 'mobile': False}
    page.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', size)
    try:
        page.pick_surely(520, 300)
        page.until(lambda: page.text('.studio-explained'))
        page.until(
            lambda: page.js(
                """const of = (name) => document.querySelector(name).getBoundingClientRect();
                   const [text, image] = [of('.studio-explained'), of('.studio-row-image img')];
                   return image.height > 80 && image.width / image.height > 1.5
                       && image.bottom <= text.top && text.bottom <= of('.studio-match').bottom"""
            ),
            'all of the text below all of the rows',
        )
    finally:
        page.driver.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})


def test_an_end_of_the_colours_that_is_emptied_is_the_default_again(page):
    page.settled()

    def ends():
        found = page.all('[data-layer-row=disparity] .studio-end input')
        return [each.get_attribute('value') for each in found]

    def type_end(place, *keys):
        page.all('[data-layer-row=disparity] .studio-end input')[place].send_keys(
            Keys.CONTROL, 'a', Keys.NULL, *keys, Keys.ENTER
        )

    def picture_has(words):
        return words in page.one('img[data-layer=disparity]').get_attribute('src')

    page.until(lambda: ends() == ['0', '63'])
    page.until_done(lambda: type_end(1, '40'), lambda: picture_has('high=40'))
    type_end(0, '50')
    page.until(lambda: ends() == ['0', '40'], 'no range that is empty')
    page.until_done(lambda: type_end(0, '10'), lambda: picture_has('low=10'))
    page.until_done(lambda: type_end(0, Keys.DELETE), lambda: ends() == ['0', '40'])
    page.until_done(lambda: type_end(1, Keys.DELETE), lambda: ends() == ['0', '63'])


def test_an_unknown_pixel_says_why(page):
    page.pick_surely(20, 250)
    page.until(lambda: page.pixel().get('Unknown', '').startswith('border'), page.pixel())


def test_layers_lie_over_one_another(page):
    page.settled()
    chosen = {'Depth': 'depth', 'Error': 'truth', 'Why unknown': 'unknown'}

    def switch(title):
        box = next(each for each in page.all('.q-checkbox') if each.text == title)
        page.js('arguments[0].click()', box)

    for title, name in chosen.items():
        switch(title)
        page.until(lambda name=name: page.layer(name), title)
    order = page.js(
        """return [...document.querySelectorAll('.studio-stage img')]
           .filter((each) => each.offsetWidth).map((each) => each.dataset.layer)"""
    )
    assert order == ['left', 'disparity', 'depth', 'truth', 'unknown']
    for title in chosen:
        switch(title)
    page.until(lambda: not page.one('img[data-layer=unknown]').is_displayed())


def test_the_points_are_drawn_in_space(page):
    page.press('c')
    page.until(lambda: 'points, in metres' in page.text('.studio-cloud-text'))
    page.until(
        lambda: page.js(
            """const scene = window['scene_' + document.querySelector('.studio-scene').id];
               return scene.children.some((each) => each.children?.some?.((p) => p.isPoints)
                                                    || each.isPoints)"""
        ),
        'points in the scene',
    )
    page.press('p')
    page.until(lambda: page.one('.studio-viewer').is_displayed())


def test_what_is_saved_is_under_the_output_folder_and_replaces_nothing(page, output):
    save = page.saves_params(output)
    assert load_settings(output / 'params.yaml') == Settings()

    save.click()
    # It stays until it is dismissed, unlike what is said of a file that is written.
    page.until(lambda: 'exists' in page.text('.q-notification.bg-negative'), 'the refusal')
    assert [each.name for each in output.iterdir()] == ['params.yaml']

    def is_dismissed() -> bool:
        for each in page.all('.q-notification.bg-negative .q-btn'):
            each.click()  # in vain while it moves
        return not page.all('.q-notification.bg-negative')

    page.until(is_dismissed, 'the end of the refusal')
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.all('.q-menu'))


def test_nothing_is_asked_of_another_machine(page):
    """By the page as it comes, and by whatever was done to it before."""
    page.settled()
    asked = [
        entry['message']
        for entry in page.driver.get_log('performance')
        if '"Network.requestWillBeSent"' in entry['message'] and '"url":"http' in entry['message']
    ]
    assert asked
    assert [each for each in asked if '"url":"http://127.0.0.1:' not in each] == []
