# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The results of the demo: figures, whether they are right, and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
import json
import math
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.tuning.accuracy import depth_accuracy, disparity_accuracy
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.offline.reports.picture import draw_panels, Panel, shown_range

__all__ = ['DemoResult', 'draw_result', 'read_result']

_DISPARITY, _DEPTH, _DEPTH_INFO = 'disparity', 'depth/image_rect', 'depth/camera_info'

_BAD_PX = 2.0
# Share of the pairs sent that must come back: a busy machine may skip pairs, and the first may be
# sent before all processes have discovered each other.
_LEAST_SHARE = 0.5
# float32 has 24 bits: f * B / d computed twice agrees to far less than this.
_DEPTH_TOLERANCE = 1e-5

# Motorcycle at its own size with num_disparities 64 and block_size 15. Block matching is
# deterministic; the tolerances allow for another rounding in the conversion to grey, and are
# a fraction of what one wrong setting or a wrong principal point changes.
_EXPECTED = {
    'density': (78.4, 0.5),
    'bad_estimated': (6.9, 0.3),
    'end_point_error': (1.21, 0.05),
    'median_depth_error': (0.25, 0.05),
}
# Any other size: loose bounds that only something broken misses.
_PLAUSIBLE = {
    'density': (80.0, 25.0),
    'bad_estimated': (10.0, 10.0),
    'end_point_error': (2.0, 2.0),
    'median_depth_error': (0.5, 0.5),
}
_MEANING = {
    'density': ('density', '%'),
    'bad_estimated': ('bad-2.0 of estimated', '%'),
    'end_point_error': ('mean disparity error', 'px'),
    'median_depth_error': ('median depth error', '%'),
}


@dataclass(frozen=True, eq=False)
class DemoResult:
    """What was sent and what was received.

    Parameters
    ----------
    scene : Scene
        What was sent.
    sent : tuple of int
        Stamps of the pairs, nanoseconds.
    arrivals : mapping of str to (N, 2) int64
        For each topic, stamp and time of arrival of each message, nanoseconds.
    header : mapping
        Fields of the last messages.
    disparity, depth : (H, W) float32
        The last results, NaN where unknown.
    """

    scene: Scene
    sent: tuple[int, ...]
    arrivals: Mapping[str, NDArray[np.int64]]
    header: Mapping[str, Any]
    disparity: NDArray[np.float32]
    depth: NDArray[np.float32]

    def rate(self, topic: str) -> float:
        """Return messages per second between the first and the last; NaN below two."""
        arrived = self.arrivals[topic][:, 1]
        if arrived.size < 2:
            return math.nan
        return float((arrived.size - 1) / (arrived[-1] - arrived[0]) * NS_PER_S)

    def latency_ms(self, topic: str, percent: float) -> float:
        """Return a percentile of the time from the stamp of the pair to the arrival."""
        stamps, arrived = self.arrivals[topic].T
        return float(np.percentile((arrived - stamps) * 1e-6, percent))

    @cached_property
    def figures(self) -> dict[str, float]:
        """Disparity and depth compared with the ground truth of the scene."""
        disparity = disparity_accuracy(
            self.disparity, self.scene.true_disparity, thresholds=(_BAD_PX,)
        )
        depth = depth_accuracy(self.depth, self.scene.true_depth)
        return {
            'density': disparity.density,
            'bad_estimated': disparity.bad_estimated[_BAD_PX],
            'end_point_error': disparity.end_point_error,
            'median_depth_error': depth.median_relative_error,
        }

    def problems(self, *, has_reference: bool) -> list[str]:
        """Return a sentence for everything that is wrong.

        Parameters
        ----------
        has_reference : bool
            The figures of this scene at this size and with these settings are known.
        """
        found = []
        for topic, arrivals in self.arrivals.items():
            if len(arrivals) < _LEAST_SHARE * len(self.sent):
                found.append(f'only {len(arrivals)} of {len(self.sent)} came on {topic}')
            if not set(arrivals[:, 0].tolist()) <= set(self.sent):
                found.append(f'{topic} has stamps that no pair was sent with')
            if len(np.unique(arrivals[:, 0])) < len(arrivals):
                found.append(f'{topic} has two results for one pair')
        found += self._contradictions()
        for name, (expected, tolerance) in (_EXPECTED if has_reference else _PLAUSIBLE).items():
            value = self.figures[name]
            if not abs(value - expected) <= tolerance:
                title, unit = _MEANING[name]
                found.append(f'{title} is {value:.2f} {unit}, expected {expected} +- {tolerance}')
        return found

    def _contradictions(self) -> list[str]:
        """Return where disparity and depth, as published, contradict each other."""
        f, baseline = self.header['disparity']['f'], self.header['disparity']['t']
        found = []
        if not np.array_equal(np.isnan(self.disparity), np.isnan(self.depth)):
            found.append('depth is not known exactly where disparity is')
        with np.errstate(divide='ignore'):
            expected = f * baseline / self.disparity
        error = np.abs(self.depth / expected - 1)
        # NumPy 1.21 has no nanmax with an initial value.
        worst = np.max(error, initial=0.0, where=~np.isnan(error))
        if worst > _DEPTH_TOLERANCE:
            found.append(f'depth differs from f * B / d by up to {worst:.1e}')
        return found

    def table(self) -> str:
        """Return the figures as lines of name and value."""
        figures, depths = self.figures, len(self.arrivals[_DEPTH])
        rows = (
            ('scene', f'{self.scene.name}, {_size(self.depth)}'),
            ('pairs sent', str(len(self.sent))),
            ('disparities received', str(len(self.arrivals[_DISPARITY]))),
            ('depths received', f'{depths} (camera_info {len(self.arrivals[_DEPTH_INFO])})'),
            ('rate', f'{self.rate(_DEPTH):.1f} per second'),
            (
                'latency, median / 95 %',
                (
                    f'{self.latency_ms(_DEPTH, 50):.1f} / {self.latency_ms(_DEPTH, 95):.1f} ms '
                    'from the stamp of the pair to the depth in hand'
                ),
            ),
            ('density', f'{figures["density"]:.1f} % of the pixels with ground truth'),
            ('bad-2.0', f'{figures["bad_estimated"]:.1f} % of estimated'),
            ('mean disparity error', f'{figures["end_point_error"]:.2f} px'),
            ('median depth error', f'{figures["median_depth_error"]:.2f} %'),
        )
        return indent(tabulate(rows, tablefmt='plain', disable_numparse=True), '  ')

    def last_line(self, picture: Path) -> str:
        """Return the summary in one line."""
        figures = self.figures
        return (
            f'demo: {len(self.sent)} pairs, density {figures["density"]:.1f} %, '
            f'bad-2.0 {figures["bad_estimated"]:.1f} % of estimated, '
            f'median depth error {figures["median_depth_error"]:.2f} %, picture {picture}'
        )


def read_result(folder: Path, scene: Scene) -> DemoResult | str:
    """Read what publisher and receiver wrote; a sentence when something never came."""
    sent = tuple(json.loads((folder / 'sent.json').read_text())['stamps'])
    received = json.loads((folder / 'received.json').read_text())
    missing = [topic for topic, arrivals in received['arrivals'].items() if not arrivals]
    if missing:
        return f'{len(sent)} pairs were sent, but nothing came on {", ".join(missing)}'
    with np.load(folder / 'received.npz') as images:
        disparity, depth = images['disparity'], images['depth']
    for name, image in (('disparity', disparity), ('depth', depth)):
        if image.shape != scene.left.shape:
            return f'the {name} is {_size(image)}, the images sent are {_size(scene.left)}'
    arrivals = {topic: np.array(times, np.int64) for topic, times in received['arrivals'].items()}
    return DemoResult(scene, sent, arrivals, received, disparity, depth)


def draw_result(result: DemoResult, path: Path) -> None:
    """Draw the left image, the results of the node, and their error."""
    scene, figures = result.scene, result.figures
    error = np.abs(result.disparity - scene.true_disparity)
    draw_panels(
        path,
        [
            Panel('Left image', scene.colours[0] if scene.colours else scene.left),
            Panel('Disparity', result.disparity, 'px', shown_range(scene.true_disparity)),
            Panel('Depth', result.depth, 'm', shown_range(scene.true_depth), 'turbo_r'),
            Panel('Disparity error against ground truth', error, 'px', (0.0, 4.0), 'inferno'),
        ],
        caption=f'{scene.name} through stereo_depth_node: density {figures["density"]:.1f} %, '
        f'median depth error {figures["median_depth_error"]:.2f} %',
    )


def _size(image: NDArray[Any]) -> str:
    return f'{image.shape[1]}x{image.shape[0]}'
