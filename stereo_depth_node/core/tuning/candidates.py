# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The values that a search tries, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from stereo_depth_node.core.settings.settings import DISPARITY_STEP, Settings
from stereo_depth_node.core.tuning.result import Changes

__all__ = [
    'DENSE_START',
    'FILTER_CANDIDATES',
    'SEMI_GLOBAL_ALGORITHMS',
    'SEMI_GLOBAL_START',
    'Step',
    'candidates_of',
]

Step = tuple[str, Callable[[Settings], Iterable[Changes]]]

# By growing time: the first one is searched, the others are tried with what it needs.
SEMI_GLOBAL_ALGORITHMS = ('sgbm_3way', 'sgbm', 'sgbm_hh4', 'sgbm_hh')

# More than any disparity: lets everything pass, where -1 has OpenCV check after all.
_NO_LEFT_RIGHT_CHECK = 4096

DENSE_START: Changes = {
    'disp12_max_diff': -1,
    'speckle_window_size': 0,
    'pre_filter_cap': 31,
}
SEMI_GLOBAL_START: Changes = {
    'block_size': 3,
    'p1': 0,
    'p2': 0,
    'pre_filter_cap': 31,
    'pre_filter_type': 'xsobel',
    'uniqueness_ratio': 0,
    'disp12_max_diff': _NO_LEFT_RIGHT_CHECK,
    'speckle_window_size': 0,
}

_COARSE_BLOCKS = (5, 9, 13, 17, 21, 27, 35)
_SEMI_GLOBAL_BLOCKS = (1, 3, 5, 7, 9)
# P1 and P2 as multiples of block_size^2, at a pre_filter_cap of 31; OpenCV's rule is 8 and 32.
_SMALL_PENALTIES = (2, 4, 8, 16)
_PENALTY_RATIOS = (4, 8, 16)

FILTER_CANDIDATES: Sequence[tuple[str, Sequence[Changes]]] = (
    ('speckles', [{'speckle_window_size': size, 'speckle_range': 1} for size in (50, 200, 400)]),
    ('left-right check', [{'disp12_max_diff': pixels} for pixels in (1, 4)]),
    ('uniqueness', [{'uniqueness_ratio': ratio} for ratio in (2, 5, 10)]),
)


def candidates_of(settings: Settings) -> Sequence[Step]:
    """Return the steps for the algorithm of `settings`, in their order."""
    return _BLOCK_MATCHING if settings.algorithm == 'bm' else _SEMI_GLOBAL


def _left_band(settings: Settings) -> Iterable[Changes]:
    yield {'fill_left_band': True}


def _checks(settings: Settings) -> Iterable[Changes]:
    for ratio in (0, 5, 10, 15):
        for level in (0, 10):
            yield {'uniqueness_ratio': ratio, 'texture_threshold': level}


def _semi_global_checks(settings: Settings) -> Iterable[Changes]:
    for ratio in (0, 5, 10):
        for limit in (_NO_LEFT_RIGHT_CHECK, 1):
            yield {'uniqueness_ratio': ratio, 'disp12_max_diff': limit}


def _blocks(settings: Settings) -> Iterable[Changes]:
    near = (settings.block_size + change for change in (-4, -2, 2, 4))
    for size in (*_COARSE_BLOCKS, *near):
        if size >= 5:
            yield {'block_size': size}


def _pre_filters(settings: Settings) -> Iterable[Changes]:
    for cap in (4, 7, 10, 15, 23, 31, 47, 63):
        yield {'pre_filter_type': 'xsobel', 'pre_filter_cap': cap}
    for size in (5, 9, 15, 25):
        for cap in (15, 31, 63):
            yield {
                'pre_filter_type': 'normalized_response',
                'pre_filter_size': size,
                'pre_filter_cap': cap,
            }


def _limits(settings: Settings) -> Iterable[Changes]:
    """Widen the range: beyond its ends there may be what was not found before matching.

    Never narrowed: what lies outside of the range cannot speak for itself.
    """
    low, count = settings.min_disparity, settings.num_disparities
    yield {'num_disparities': count + DISPARITY_STEP}
    yield {'num_disparities': count + 2 * DISPARITY_STEP}
    yield {'min_disparity': low - DISPARITY_STEP, 'num_disparities': count + DISPARITY_STEP}


def _semi_global_blocks(settings: Settings) -> Iterable[Changes]:
    p1, p2 = settings.penalties
    area = settings.block_size**2
    for size in _SEMI_GLOBAL_BLOCKS:
        # The sums over a block grow with its area: so do the penalties that balance them.
        yield {
            'block_size': size,
            'p1': max(p1 * size**2 // area, 1),
            'p2': max(p2 * size**2 // area, 2),
        }


def _penalties(settings: Settings) -> Iterable[Changes]:
    area = settings.block_size**2
    for small in _SMALL_PENALTIES:
        for ratio in _PENALTY_RATIOS:
            yield {'p1': small * area, 'p2': small * ratio * area}


def _caps(settings: Settings) -> Iterable[Changes]:
    for cap in (15, 31, 63):
        yield {'pre_filter_cap': cap}


_BLOCK_MATCHING: Sequence[Step] = (
    ('left band', _left_band),
    ('checks', _checks),
    ('block size', _blocks),
    ('pre-filter', _pre_filters),
    ('disparity limits', _limits),
)
_SEMI_GLOBAL: Sequence[Step] = (
    ('left band', _left_band),
    ('checks', _semi_global_checks),
    ('penalties', _penalties),
    ('pre-filter', _caps),
    ('block size', _semi_global_blocks),
    ('disparity limits', _limits),
)
