# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests on a real ROS graph.

Modules that use them begin with ``pytest.importorskip('rclpy')``: pairing and frame queue are
tested without ROS.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def graph() -> Iterator[Any]:
    """Give a ROS graph that is empty and that nobody else uses."""
    from harness import reserved_graph

    with reserved_graph() as graph:
        yield graph


@pytest.fixture(scope='module')
def shared_graph() -> Iterator[Any]:
    """Give one ROS graph for all tests of a module."""
    from harness import reserved_graph

    with reserved_graph() as graph:
        yield graph
