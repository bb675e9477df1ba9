# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests. That this file is here makes :mod:`scenes` importable from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from browser import chromium, SOFTWARE_GL
import cv2
import numpy as np
import pytest
from scenes import StereoScene

from soak.footprint import SharedMemory
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.datasets.loading import load_motorcycle


@pytest.fixture(scope='session', autouse=True)
def _shared_memory() -> Iterator[None]:
    """Remove what processes that were killed have left in /dev/shm: 70 MB each."""
    memory = SharedMemory()
    yield
    memory.clean()


@pytest.fixture(scope='session')
def motorcycle() -> StereoScene:
    """Middlebury's Motorcycle pair, 741x500; its disparity is NaN where unknown."""
    try:
        # Its files are read, scikit-image is not imported: beside the NumPy of a ROS 2
        # distribution it cannot always be.
        scene = load_motorcycle()
    except InputError as error:
        pytest.skip(str(error))
    grey_left, grey_right = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in scene.colours)
    return StereoScene(grey_left, grey_right, scene.truth.astype(np.float64))


@pytest.fixture(scope='session')
def small_motorcycle(motorcycle: StereoScene) -> StereoScene:
    """Motorcycle at half its size: a quarter of the work where the size does not matter."""
    size = (370, 250)
    left, right = (
        cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        for image in (motorcycle.left, motorcycle.right)
    )
    disparity = cv2.resize(motorcycle.disparity, size, interpolation=cv2.INTER_NEAREST)
    return StereoScene(left, right, disparity / 2)


@pytest.fixture(scope='session')
def motorcycle_geometry() -> StereoGeometry:
    """Calibration of the Motorcycle pair, from scikit-image's description of it."""
    cx, doffs = 311.193, 31.086
    return StereoGeometry(
        width=741, height=500, f=994.978, cx=cx, cy=254.877, cx_right=cx + doffs, baseline=0.193001
    )


@pytest.fixture(scope='session')
def downloads(tmp_path_factory):
    """Give the folder that the browser puts files into."""
    return tmp_path_factory.mktemp('downloads')


@pytest.fixture(scope='session')
def shared_browser(downloads) -> Iterator[Any]:
    """Give the browser of all modules."""
    with chromium(
        *SOFTWARE_GL,
        '--disable-gpu-compositing',  # views in space alone need what takes the place of a GPU
        download__default_directory=str(downloads),
        download__prompt_for_download=False,
    ) as driver:
        yield driver


@pytest.fixture(scope='module')
def browser(shared_browser) -> Iterator[Any]:
    """Give the browser of all modules to tests of the studio."""
    pytest.importorskip('nicegui', reason='the studio needs NiceGUI')
    yield shared_browser
    shared_browser.get('about:blank')  # a page that stays open draws on and on
