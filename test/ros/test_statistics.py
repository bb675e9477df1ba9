# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The window of the counts is a second long, and longer where few images come."""

from __future__ import annotations

from collections import Counter

import pytest

from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.ros.statistics import Counts, CountWindow


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
