# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the running node for /diagnostics: names and values, as text."""

from __future__ import annotations

import dataclasses
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from stereo_depth_node.core.matching.opencv import DISPARITY_SCALE
from stereo_depth_node.ros.observer import total_dropped

if TYPE_CHECKING:
    from stereo_depth_node.core.health.snapshot import Snapshot
    from stereo_depth_node.core.pipeline import StereoPipeline
    from stereo_depth_node.core.settings.settings import Settings
    from stereo_depth_node.ros.node import StereoDepthNode

__all__ = ['depth_statistics', 'node_statistics', 'settings_text']

# Every so many rows and columns of the result are looked at.
_STRIDE = 8
_PERCENTILES = (5, 50, 95)


def node_statistics(node: StereoDepthNode, snapshot: Snapshot) -> dict[str, str]:
    """Return what the node counts and measures. Counts of images and pairs are since the start.

    Images received are twice the pairs computed plus the images dropped plus those waiting.
    """
    pairer, statistics = node.pairer, node.statistics
    waiting = pairer.waiting + 2 * len(node.frames)
    figures = {
        'left rate': f'{snapshot.left.rate:.1f} Hz',
        'right rate': f'{snapshot.right.rate:.1f} Hz',
        'output rate': f'{snapshot.computed / snapshot.window:.1f} Hz',
        'images received': str(pairer.received),
        'pairs found': str(pairer.pairs),
        'pairs computed': str(node.computed),
        'images waiting': str(waiting),
    }
    for reason, count in sorted(total_dropped(node).items(), key=lambda item: item[0].name):
        figures[f'images dropped, {reason.name.lower()}'] = str(count)
    figures['stamp restarts'] = str(pairer.resets)
    if snapshot.offset is not None:
        figures['left-right offset'] = f'{snapshot.offset.nearest_ns / 1e6:.3f} ms'
    if snapshot.flows and statistics.latency_s:
        figures['latency'] = f'{1e3 * median(statistics.latency_s):.1f} ms'
    for stage, seconds in snapshot.stages.items():
        figures[f'time, {stage}'] = f'{1e3 * seconds:.2f} ms'
    for output, count in snapshot.subscribers.items():
        figures[f'subscribers, {output}'] = str(count)
    return figures


def depth_statistics(pipeline: StereoPipeline) -> dict[str, str]:
    """Return size, density and depths of the last pair, from one pixel in 64."""
    geometry = pipeline.geometry
    fixed = pipeline.fixed[::_STRIDE, ::_STRIDE]
    known = fixed[fixed >= pipeline.settings.min_disparity * DISPARITY_SCALE]
    figures = {
        'size': f'{pipeline.width}x{pipeline.height}',
        'backend': pipeline.backend,
        'density': f'{100.0 * known.size / fixed.size:.1f} %',
    }
    if geometry is None:
        return figures
    figures['focal length'] = f'{geometry.f:.2f} px'
    figures['baseline'] = f'{geometry.baseline:.4f} m'
    disparity = known / DISPARITY_SCALE - geometry.offset
    disparity = disparity[disparity > 0.0]
    if disparity.size:
        depths = np.percentile(geometry.f * geometry.baseline / disparity, _PERCENTILES)
        for percent, depth in zip(_PERCENTILES, depths, strict=True):
            figures[f'depth, {percent} %'] = f'{depth:.3f} m'
    return figures


def settings_text(settings: Settings) -> str:
    """Return all settings on one line."""
    values = dataclasses.asdict(settings).items()
    return ' '.join(f'{name}={value!r}' for name, value in values)
