# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One server for all tests of the studio; a test that changes settings has a page of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from studio_pages import Page, served, shown

BLANK = 'about:blank'


@pytest.fixture(scope='session')
def output(tmp_path_factory) -> Path:
    """Give the folder in which the studio saves files."""
    return tmp_path_factory.mktemp('output')


@pytest.fixture(scope='session')
def address(output) -> Iterator[str]:
    """Give the address of a studio that shows the scene motorcycle."""
    pytest.importorskip('nicegui', reason='the studio needs NiceGUI')
    with served('--output', output) as url:
        yield url


@pytest.fixture
def page(browser, address) -> Iterator[Page]:
    """Give a new page of the studio; at its end the browser has no complaint."""
    try:
        yield from opened(browser, address)
    finally:
        # The next page would go on with the settings of this one.
        browser.execute_script('sessionStorage.clear()')
        browser.get(BLANK)


@pytest.fixture
def same_page(browser, address) -> Iterator[Page]:
    """Give a page to tests that leave it as it was, the same to those that follow each other."""
    yield from opened(browser, address)


def opened(browser: Any, address: str) -> Iterator[Page]:
    if browser.current_url != address:
        browser.get(BLANK)  # the page before may complain that its studio has ended
        browser.get_log('browser')
        shown(browser, address)
    yield Page(browser)
    complaints = [
        entry['message']
        for entry in browser.get_log('browser')
        # Drawing in software is slow: this the browser says of itself.
        if 'GL Driver Message' not in entry['message']
    ]
    assert not complaints
