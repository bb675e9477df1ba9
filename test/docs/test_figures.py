# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Figures that stand in two places are those of the tables of docs/performance.md."""

from __future__ import annotations

from pathlib import Path
import re

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / 'README.md').read_text(encoding='utf-8')
PERFORMANCE = (ROOT / 'docs/performance.md').read_text(encoding='utf-8')


def rates(size: str, disparities: str, algorithm: str, outputs: str) -> list[str]:
    """Return the frames per second of the node with OpenCV and, where there is one, the kernel."""
    heading = f'**{size}, {disparities} disparities, block 15, {algorithm}, mono8, {outputs}**'
    table = PERFORMANCE.partition(f'\n{heading}\n')[2].partition('\n**')[0]
    return re.findall(r'^\| node, (?:opencv|auto) \| (\S+)', table, re.MULTILINE)


def test_the_rates_of_the_readme_are_those_measured():
    rows = re.findall(r'^\| (\d+x\d+), (\d+) \| (\S+) \| (\S+) \|$', README, re.MULTILINE)
    assert len(rows) == 2
    for size, disparities, *shown in rows:
        assert shown == rates(size, disparities, 'bm', 'disparity + depth')


def test_the_rates_in_short_are_those_measured():
    short = PERFORMANCE.partition('\n## In short\n')[2].partition('\n## ')[0]
    rows = re.findall(r'^\| (.+), (\d+) \| `(\w+)` \| ([a-z+ ]+) \| (.*) \|$', short, re.MULTILINE)
    assert len(rows) == 7
    for *case, shown in rows:
        assert re.findall(r'[\d.]+', shown) == rates(*case)


def test_the_times_of_the_matcher_are_those_measured():
    shown = re.search(r'takes (\S+) ms with `cv2.StereoBM` and (\S+) ms with the kernel', README)
    assert f'\n| 640x480, 64 | 1 | {shown[1]} | {shown[2]} |' in PERFORMANCE
