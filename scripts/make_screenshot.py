# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Takes pictures of the studio in a headless browser, as somebody sees it who has used it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from browser import chromium, SOFTWARE_GL
import cv2
import numpy as np
from selenium.webdriver.common.keys import Keys
from studio_pages import Page, served, shown

ROOT = Path(__file__).resolve().parent.parent
# What is left of it is the page: the browser takes the rest for itself.
SIZE = '--window-size=1280,867'
# A pixel at the edge of the mudguard, whose costs have two valleys.
PICKED = (484, 161)
_QUALITY = 88


def take(page: Page, path: Path) -> None:
    """Write what the browser shows."""
    picture = cv2.imdecode(
        np.frombuffer(page.driver.get_screenshot_as_png(), np.uint8), cv2.IMREAD_COLOR
    )
    cv2.imwrite(str(path), picture, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    print(path)


def use(page: Page) -> None:
    """Change a few settings, so that the figures have trends, and look at a pixel."""
    for name, value in (
        ('num_disparities', '80'),
        ('speckle_window_size', '100'),
        ('disp12_max_diff', '2'),
        ('block_size', '11'),
        ('uniqueness_ratio', '8'),
    ):
        number = page.number()
        page.type(name, value)
        page.until(lambda number=number: page.number() > number)
        page.settled()
    page.js("document.querySelector('.studio-settings').scrollTop = 0")
    page.pick(*PICKED)
    page.until(lambda: page.text('.studio-explained'))
    page.until(lambda: page.one('.studio-costs canvas'))


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(prog='make_screenshot', description=__doc__)
    parser.add_argument(
        '--output', type=Path, default=ROOT / 'docs' / 'images', help='default: docs/images'
    )
    folder = parser.parse_args().output
    with served() as url, chromium(SIZE, *SOFTWARE_GL) as driver:
        page = shown(driver, url)
        use(page)
        take(page, folder / 'studio.jpg')
        dark(page)
        take(page, folder / 'studio_dark.jpg')


def dark(page: Page) -> None:
    """Show the points in space, on a dark page."""
    page.js('arguments[0].click()', page.button('Light or dark'))
    page.press(Keys.ESCAPE)
    page.press('c')
    page.until(lambda: 'points, in metres' in page.text('.studio-cloud-text'))
    drawn: Any = page.driver.get_screenshot_as_png()
    page.until(lambda: page.driver.get_screenshot_as_png() != drawn)


if __name__ == '__main__':
    main()
