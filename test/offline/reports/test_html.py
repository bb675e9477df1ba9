# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reports as pages: what is in them, and what a browser makes of them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('matplotlib', reason='plots are drawn with matplotlib')

from browser import Opened, problems

from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.reports.html import new_figure, Report
from stereo_depth_node.offline.reports.picture import Panel, png_of_panel

# Elements without an end tag.
_VOID = ('meta', 'link', 'img', 'br', 'hr', 'path', 'use')


class Balance(HTMLParser):
    """Checks that every element ends where it must."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.ids += [str(value) for name, value in attrs if name == 'id']
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag not in _VOID:
            assert self.open.pop() == tag


def example() -> Report:
    """Return a page with everything on it."""
    report = Report('A <title> & more', 'What it is about')
    report.add_tiles({'pairs': '16 of 16'})
    report.add_heading('Plots')
    for _ in range(2):
        figure, axes = new_figure(2)
        axes[0].plot([0, 1, 2], [1, 3, 2])
        report.add_plot(figure, 'A line')
    for caption, image in (
        ('A grey image', np.full((40, 60), 128, np.uint8)),
        ('A blue image', np.full((40, 60, 3), (255, 0, 0), np.uint8)),
    ):
        report.add_gallery([(cv2.imencode('.png', image)[1].tobytes(), caption)])
    report.add_settings(Settings(block_size=21), 'settings')
    report.add_table(('name', 'value'), [('a<b', 1.23456), ('c', True)])
    report.add_table(('name',), [('hidden',)], folded='more')
    report.add_list(['first', 'second'])
    return report


@pytest.fixture(scope='module')
def example_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the example."""
    path = tmp_path_factory.mktemp('example') / 'page.html'
    example().write(path)
    return path


def test_a_page_is_sound_and_its_names_are_unique(example_page: Path) -> None:
    balance = Balance()
    page = example_page.read_text()
    balance.feed(page)
    assert balance.open == []
    assert len(balance.ids) == len(set(balance.ids)) > 10
    assert 'A &lt;title&gt; &amp; more' in page
    assert 'a&lt;b' in page


def test_counts_are_written_in_full_and_other_numbers_with_four_digits() -> None:
    report = Report('Numbers')
    report.add_table(('count', 'share', 'is on'), [(123456, 12.34567, True)])
    cells = re.findall(r'<td[^>]*>([^<]*)</td>', report.render())
    assert cells == ['123456', '12.35', 'True']


def test_the_rate_is_said_of_a_recording_that_is_computed_alone() -> None:
    pytest.importorskip('rosbags')
    from stereo_depth_node.offline.bags.report import bags_report
    from stereo_depth_node.offline.bags.summary import JobSummary

    summaries = [JobSummary(Path(name), Path('out'), pairs=10, computed=10) for name in 'ab']
    pages = [
        bags_report(summaries[:count], Settings(), namespace='', seconds=2.0).render()
        for count in (1, 2)
    ]
    assert '<b>5.0</b><span>pairs per second</span>' in pages[0]
    assert 'pairs per second' not in pages[1]
    assert '20 pairs computed in 2.0 s' in pages[1]


def test_the_same_data_give_the_same_page(example_page: Path) -> None:
    assert example().render() == example_page.read_text()


def test_a_browser_shows_a_page_without_complaint(opened: Opened, example_page: Path) -> None:
    driver = opened(example_page)
    assert problems(driver) == []
    assert driver.title == 'A <title> & more'
    sizes = driver.execute_script(
        'return [...document.querySelectorAll("figure svg, figure img")].map('
        'e => [e.getBoundingClientRect().width, e.getBoundingClientRect().height])'
    )
    assert len(sizes) == 4
    assert all(width > 500 and height > 100 for width, height in sizes)
    loaded = driver.execute_script(
        'return [...document.images].map(e => e.complete && e.naturalWidth)'
    )
    assert loaded == [60, 60]
    # Clip paths and markers of the second plot are its own.
    dangling = driver.execute_script(
        'return [...document.querySelectorAll("use")].filter(e => !document.getElementById('
        '(e.getAttribute("href") || e.getAttribute("xlink:href")).slice(1))).length'
    )
    assert dangling == 0


def test_a_narrow_page_does_not_scroll_sideways(opened: Opened, example_page: Path) -> None:
    driver = opened(example_page)
    emulated(driver, 'light', 420, mobile=False)
    width, shown = driver.execute_script(
        'return [document.documentElement.scrollWidth, document.documentElement.clientWidth]'
    )
    assert width <= shown


def emulated(driver: Any, theme: str, width: int, *, mobile: bool) -> None:
    """Show the page in a theme, on a screen of this width."""
    feature = {'name': 'prefers-color-scheme', 'value': theme}
    driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [feature]})
    screen = {'width': width, 'height': 800, 'deviceScaleFactor': 2, 'mobile': mobile}
    driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', screen)


def test_plots_follow_the_theme(opened: Opened, example_page: Path) -> None:
    colours = []
    driver = opened(example_page)
    for theme in ('light', 'dark'):
        emulated(driver, theme, 1000, mobile=False)
        colours.append(
            driver.execute_script(
                'const style = e => getComputedStyle(document.querySelector(e));'
                'return [style("figure svg text").fill, style("body").color,'
                'style("figure svg [style*=line]").stroke]'
            )
        )
    for text, ink, _ in colours:
        assert text == ink
    assert all(light != dark for light, dark in zip(*colours, strict=True))
    # Nothing is painted behind a plot.
    assert 'fill: #ffffff' not in example_page.read_text()


def test_a_picture_for_a_page_has_a_transparent_ground() -> None:
    panel = Panel('Depth', np.linspace(1.0, 2.0, 1200).reshape(30, 40), 'm')
    content = np.frombuffer(png_of_panel(panel), np.uint8)
    corner = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)[0, 0]
    assert corner[3] == 0


def test_a_phone_shows_texts_of_a_readable_size(opened: Opened, tmp_path: Path) -> None:
    report = example()
    panel = Panel('Depth', np.linspace(1.0, 2.0, 1200).reshape(30, 40), 'm')
    report.add_gallery([(png_of_panel(panel), 'Depth')] * 2)
    report.write(tmp_path / 'page.html')
    driver = opened(tmp_path / 'page.html')
    emulated(driver, 'dark', 390, mobile=True)
    heights = driver.execute_script(
        'return [...document.querySelectorAll("figure svg text")].map('
        'e => e.getBoundingClientRect().height)'
    )
    assert min(heights) >= 9
    # One picture beneath the other, as wide as the screen but for its margins.
    boxes = driver.execute_script(
        'return [...document.querySelectorAll(".gallery img")].slice(-2).map('
        'e => {const box = e.getBoundingClientRect(); return [box.left, box.width]})'
    )
    assert boxes[0] == boxes[1]
    assert boxes[0][1] > 330
    # A column of a table is not squeezed to single letters.
    widths = driver.execute_script(
        'return [...document.querySelectorAll("th")].map(e => e.scrollWidth > e.clientWidth)'
    )
    assert not any(widths)


def test_the_report_of_a_recording_shows_what_came_of_it(opened: Opened, tmp_path: Path) -> None:
    """It lacks an image."""
    pytest.importorskip('rosbags', reason='recordings are read with rosbags')
    from bags import stereo_tape

    tape = stereo_tape(12)
    rights = [each for each in tape.messages if each[0] == '/right/image_rect']
    tape.messages.remove(rights[4])
    source = tape.write(tmp_path / 'drive')
    page = tmp_path / 'report.html'
    command = ['bag', str(source), str(tmp_path / 'out'), '--report', str(page)]
    assert main([*command, '--set', 'block_size=11', '--quiet', '--processes', '1']) == 0
    driver = opened(page)
    assert problems(driver) == []
    text = driver.find_element('tag name', 'main').text
    assert 'Stereo depth of drive' in text
    assert '11 of 11' in text
    assert '1 of 23' in text
    assert 'the other camera sent no image within the tolerance' in text
    assert 'block_size' in text
    assert 'OpenCV' in text
    pictures = driver.execute_script('return [...document.images].map(e => e.naturalWidth)')
    # Left image and depth of three frames.
    assert len(pictures) == 2 * 3
    assert all(width > 600 for width in pictures)
    plots = driver.execute_script('return document.querySelectorAll("figure svg").length')
    assert plots == 1
    # The settings are folded until they are asked for.
    table = driver.find_element('css selector', 'details table')
    assert not table.is_displayed()
    driver.find_element('css selector', 'details summary').click()
    assert table.is_displayed()
    assert 'num_disparities' in table.text


def test_a_report_that_exists_is_kept_unless_it_may_be_replaced(
    tmp_path: Path, capsys: Any
) -> None:
    pytest.importorskip('rosbags', reason='recordings are read with rosbags')
    from bags import write_bag

    report = tmp_path / 'report.html'
    report.write_text('mine')
    command = ['bag', str(write_bag(tmp_path / 'in', 1)), str(tmp_path / 'out'), '--quiet']
    command += ['--report', str(report)]
    assert main(command) == 2
    assert 'exists' in capsys.readouterr().err
    assert report.read_text() == 'mine'
    assert not (tmp_path / 'out').exists()
    assert main([*command, '--overwrite', '--processes', '1']) == 0
    assert '<html' in report.read_text()
