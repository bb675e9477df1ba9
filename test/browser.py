# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A headless browser that looks at a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
from typing import Any

import pytest

__all__ = ['SOFTWARE_GL', 'Opened', 'chromium', 'problems']

Opened = Callable[[Path], Any]
"""Opens a page that is a file, and returns the browser."""

SOFTWARE_GL = ('--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader')
"""Three-dimensional views where there is no graphics card."""

# Nothing that a browser does of itself, such as asking for updates.
_QUIET = (
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
)


@contextmanager
def chromium(*arguments: str, **preferences: Any) -> Iterator[Any]:
    """Start Chromium; the test is skipped where there is none.

    Parameters
    ----------
    *arguments : str
        Of its command line.
    **preferences : Any
        Of its profile; a double underscore stands for a dot.
    """
    pytest.importorskip('selenium', reason='the browser is driven by selenium')
    driver_path = shutil.which('chromedriver')
    browser = shutil.which('chromium') or shutil.which('google-chrome')
    if driver_path is None or browser is None:
        pytest.skip('needs chromium and chromedriver (Debian: chromium, chromium-driver)')
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ('--headless=new', '--window-size=1200,900', *_QUIET, *arguments):
        options.add_argument(argument)
    if hasattr(os, 'geteuid') and os.geteuid() == 0:
        options.add_argument('--no-sandbox')  # which does not work for root
    options.add_experimental_option(
        'prefs', {name.replace('__', '.'): value for name, value in preferences.items()}
    )
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
    try:
        driver = webdriver.Chrome(options=options, service=Service(driver_path))
    except WebDriverException:  # it gives up after a minute, which a busy machine may need
        driver = webdriver.Chrome(options=options, service=Service(driver_path))
    try:
        yield driver
    finally:
        driver.quit()


def problems(driver: Any) -> list[str]:
    """Return what the browser complains about, and what the page asked others for."""
    complaints = [entry['message'] for entry in driver.get_log('browser')]
    asked = [
        entry['message']
        for entry in driver.get_log('performance')
        if '"Network.requestWillBeSent"' in entry['message']
        and ('"url":"http' in entry['message'] or '"url":"ws' in entry['message'])
    ]
    return complaints + asked
