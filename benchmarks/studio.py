# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Measures in a real browser how long it takes from a slider's move to the new picture.

The time begins when the browser gets the key that moves the slider, and ends with the first frame
that it draws with the new disparities. In between are the page, the matching and the transfer of
the picture. The scene is Middlebury's Motorcycle, 741x500.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
import sys

from browser import chromium, SOFTWARE_GL
from selenium.webdriver.common.keys import Keys
from studio_pages import Page, served, shown

from stereo_depth_node.offline.parser import ToolParser

__all__ = ['main']

_LIMITS_MS = {'bm': 150.0, 'sgbm_3way': 400.0}
_SETTLE = 3  # moves that are not measured
_WATCH = """
window.moves = [];
document.addEventListener('keydown', () => { window.began = performance.now(); }, true);
const image = document.querySelector('img[data-layer="disparity"]');
new MutationObserver(() => requestAnimationFrame(() => {
    if (window.began) window.moves.push(performance.now() - window.began);
    window.began = 0;
})).observe(image, {attributes: true, attributeFilter: ['data-number']});
"""


def measure(page: Page, moves: int) -> list[float]:
    """Move the slider of the block size there and back; return the times, ms."""
    page.js(_WATCH)
    for move in range(moves):
        page.settled()
        known = len(page.js('return window.moves'))
        page.slide('block_size', Keys.ARROW_LEFT if move % 2 else Keys.ARROW_RIGHT)
        page.until(lambda known=known: len(page.js('return window.moves')) > known)
    times: list[float] = page.js('return window.moves')
    return times


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 when the medians are within the limits."""
    parser = ToolParser(prog='scripts/bench studio', description=__doc__)
    parser.add_argument('--moves', type=int, default=20, help='default 20')
    parser.add_argument('--algorithm', nargs='+', default=list(_LIMITS_MS), help='default both')
    options = parser.parse_whole(arguments)
    is_met = True
    print('| algorithm | block | median, ms | 90 %, ms | largest, ms | limit, ms |')
    print('|---|---|---|---|---|---|')
    for algorithm in options.algorithm:
        block = 15 if algorithm == 'bm' else 5
        settings = ('--algorithm', algorithm, '--block-size', str(block))
        with served(*settings) as url, chromium(*SOFTWARE_GL) as driver:
            page = shown(driver, url)
            # The kernel is loaded meanwhile.
            times = measure(page, options.moves + _SETTLE)[_SETTLE:]
        middle, limit = median(times), _LIMITS_MS.get(algorithm)
        is_met &= limit is None or middle <= limit
        most = sorted(times)[round(0.9 * (len(times) - 1))]
        shown_limit = '' if limit is None else f'{limit:.0f}'
        print(
            f'| {algorithm} | {block} | {middle:.0f} | {most:.0f} | {max(times):.0f} | '
            f'{shown_limit} |'
        )
    return 0 if is_met else 1


if __name__ == '__main__':
    sys.exit(main())
