# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from browser import Opened
import pytest


@pytest.fixture
def opened(shared_browser: Any) -> Iterator[Opened]:
    """Give what opens a page in the browser of all tests, as if it were a new one."""

    def open_page(page: Path) -> Any:
        for log in ('browser', 'performance'):
            shared_browser.get_log(log)  # what other pages have left there
        shared_browser.get(page.resolve().as_uri())
        return shared_browser

    yield open_page
    shared_browser.get('about:blank')
    shared_browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': []})
    shared_browser.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})
