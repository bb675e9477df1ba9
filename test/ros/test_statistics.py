# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The window of the counts is a second long, and longer where few images come."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.ros import statistics
from stereo_depth_node.ros.statistics import Counts, CountWindow, Rate


@pytest.mark.parametrize(
    ('rate', 'length'), [(30.0, 1.0), (2.0, 1.5), (0.5, 6.0), (0.1, 10.0), (0.0, 10.0)]
)
def test_the_window_holds_three_images_of_each_side_or_ten_seconds(rate, length):
    window = CountWindow()
    now = Counts(0.0, dict.fromkeys(Side, (0, 0, 0, 0)), 0, 0, 0, Counter())
    assert window.begin(now) is now
    for step in range(1, 200):
        at = 0.5 * step
        images = dict.fromkeys(Side, (int(rate * at), 0, 0, 0))
        now = Counts(at, images, 0, 0, 0, Counter())
        then = window.begin(now)
    assert now.at - then.at == pytest.approx(length, abs=0.5)
    assert now.at - window.oldest.at <= 13.0


@pytest.mark.parametrize(
    ('times', 'interval'),
    [
        ((1.0,), 0.0),
        ((1.0, 3.0), 2.0),
        ((1.0, 1.1, 5.0), 0.1),
        ((1.0, 1.1, 1.2, 5.0), 0.1),
        ((1.0, 5.0, 9.0), 4.0),
        ((1.0, 5.0, 5.1, 9.0), 3.9),
    ],
)
def test_one_odd_interval_is_no_rhythm(monkeypatch, times, interval):
    """Else what stops for good after a pause would be missed much later."""
    rate = Rate()
    monkeypatch.setattr(statistics, 'time', SimpleNamespace(monotonic=iter(times).__next__))
    for _ in times:
        rate.tick()
    assert rate.interval == pytest.approx(interval)
