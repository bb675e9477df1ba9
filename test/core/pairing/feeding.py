# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images that are fed to a pairer by their stamps in ms, for its tests."""

from __future__ import annotations

from stereo_depth_node.core.pairing.pairer import StereoPairer
from stereo_depth_node.core.pairing.reasons import Side

MS = 1_000_000
PERIOD = 33 * MS
L, R = Side.LEFT, Side.RIGHT


def feed(pairer: StereoPairer[str], *images: tuple[Side, float]) -> list[tuple[float, float]]:
    """Add images given as (side, stamp in ms); return the pairs' stamps in ms."""
    pairs = []
    for side, stamp_ms in images:
        emitted = pairer.add(side, round(stamp_ms * MS), f'{side.value} {stamp_ms}')
        pairs += [(pair.left_ns / MS, pair.right_ns / MS) for pair in emitted]
    assert_balanced(pairer)
    return pairs


def assert_balanced(pairer: StereoPairer[str]) -> None:
    """Every image received is in a pair, dropped for one reason, or waiting."""
    dropped = sum(pairer.dropped.values())
    assert pairer.received == 2 * pairer.pairs + dropped + pairer.waiting


def learnt_pairer(
    tolerance_ms: float, queue_size: int = 10, offset_ms: float = 0
) -> StereoPairer[str]:
    """Return a pairer that has seen three pairs, with left stamps -99, -66 and -33 ms."""
    pairer: StereoPairer[str] = StereoPairer(round(tolerance_ms * MS), queue_size)
    for stamp in (-99, -66, -33):
        feed(pairer, (L, stamp), (R, stamp + offset_ms))
    pairer.settle()
    assert pairer.pairs == 3
    return pairer
