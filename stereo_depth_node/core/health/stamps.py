# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Why stamps keep images from pairing, and what is suspicious of stamps that pair."""

from __future__ import annotations

from collections.abc import Iterator
import math

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.health.causes import CAUSES, Finding, Level, listed
from stereo_depth_node.core.health.losses import lost_images, or_transport_cure
from stereo_depth_node.core.health.snapshot import Snapshot
from stereo_depth_node.core.pairing.offset import OffsetEstimate
from stereo_depth_node.core.pairing.reasons import DropReason

__all__ = [
    'backward_stamps',
    'repeated_images',
    'repeated_pair',
    'repeated_stamps',
    'steady_offset',
    'why_nothing_pairs',
]

_NS_PER_MS = 1_000_000
# Images of each camera before it is said that none of them pairs.
_ENOUGH_IMAGES = 3
# Until then few images are nothing unusual.
_BEGINNING_S = 2.0
# Stamps further apart are not an offset of the shutters but of the clocks.
_CLOCKS_S = 1.0
_CLOCKS_PERIODS = 3
# A larger tolerance than this offset, so that it holds when the offset wanders.
_HEADROOM = 1.2
_MAX_QUEUE_SIZE = 1000
# Of both sides, at most, in a recording of three: every second of its beginnings is recognised.
_REPEATS_OF_A_RESTART, _STEPS_OF_A_RESTART = 8, 4
# No two cameras of one rate are further apart than half a period, and some jitter.
_LARGEST_OFFSET_PERIODS = 0.6
# Periods of one rate differ by less, of this share.
_ONE_RATE = 0.1


def why_nothing_pairs(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield why images of both cameras come and do not pair; nothing before there are enough."""
    if min(snapshot.left.received, snapshot.right.received) < _ENOUGH_IMAGES:
        if snapshot.age > _BEGINNING_S:
            yield _unpaired(snapshot)
        return
    zero = [name for name, side in snapshot.sides() if side.zero == side.received]
    if zero:
        yield CAUSES['stamps_zero'].found(side=listed(zero))
    elif repeated_images(snapshot) >= min(snapshot.left.received, snapshot.right.received):
        yield repeated_stamps(snapshot, Level.ERROR)
    elif (backward := backward_stamps(snapshot, Level.ERROR)) is not None:
        yield backward
    else:
        yield _apart(snapshot)


def repeated_images(snapshot: Snapshot) -> int:
    """Return how many images repeat a stamp of their camera.

    Not those of a short recording that begins again: it is recognised by them.
    """
    explained = snapshot.undecided + _REPEATS_OF_A_RESTART * snapshot.restarts
    return max(snapshot.dropped.get(DropReason.DUPLICATE, 0) - explained, 0)


def repeated_stamps(snapshot: Snapshot, level: Level) -> Finding:
    """Return the finding that stamps repeat."""
    return CAUSES['stamps_repeat'].found(
        level=level,
        count=repeated_images(snapshot),
        received=snapshot.received,
        publishers=_publishers(snapshot),
    )


def repeated_pair(snapshot: Snapshot) -> Finding | None:
    """Return the finding that one pair comes again and again, None when it does not."""
    if snapshot.looped != 1:
        return None
    return CAUSES['pair_repeats'].found(publishers=_publishers(snapshot))


def backward_stamps(snapshot: Snapshot, level: Level) -> Finding | None:
    """Return the finding that stamps run backwards, None when they do not.

    A recording that begins again makes a step back on each side and is no such case.
    """
    steps = snapshot.left.backward + snapshot.right.backward
    steps -= _STEPS_OF_A_RESTART * snapshot.restarts
    if snapshot.looped or snapshot.undecided:
        return None
    if steps < _ENOUGH_IMAGES or 10 * steps < snapshot.received:
        return None
    return CAUSES['stamps_backward'].found(
        level=level,
        count=steps,
        received=snapshot.received,
        publishers=_publishers(snapshot),
    )


def _apart(snapshot: Snapshot) -> Finding:
    settings, offset = snapshot.settings, snapshot.offset
    if offset is not None:
        nearest, arrival = offset.nearest_ns / NS_PER_S, offset.arrival_ns / NS_PER_S
        period = max(side.period_ns or 0 for _, side in snapshot.sides()) / NS_PER_S
        if (
            abs(offset.nearest_ns) > _LARGEST_OFFSET_PERIODS * snapshot.left.smallest_interval_ns
            and (losses := lost_images(snapshot, Level.ERROR)) is not None
        ):
            return losses
        if abs(nearest) > max(_CLOCKS_S, _CLOCKS_PERIODS * period, settings.sync_tolerance):
            return CAUSES['clocks_differ'].found(
                offset=abs(nearest),
                direction='after' if nearest > 0 else 'before',
                tolerance=settings.sync_tolerance,
            )
        if abs(nearest) > settings.sync_tolerance:
            return _stamps_apart(snapshot, offset, Level.ERROR)
        span = settings.queue_size * period
        if period > 0.0 and abs(arrival) > span:
            needed = math.ceil(_HEADROOM * abs(arrival) / period) + 1
            return CAUSES['queue_too_short'].found(
                side='right' if arrival < 0 else 'left',
                lag=abs(arrival),
                queue_size=settings.queue_size,
                span=span,
                proposal=min(needed, _MAX_QUEUE_SIZE),
            )
    return _unpaired(snapshot)


def steady_offset(snapshot: Snapshot) -> Finding | None:
    """Return the finding that some pairs are beyond the tolerance as cameras of one rate differ.

    None when most are within it, or when the rates differ.
    """
    offset, left, right = snapshot.offset, snapshot.left.period_ns, snapshot.right.period_ns
    if offset is None or not (left and right and math.isclose(left, right, rel_tol=_ONE_RATE)):
        return None
    smallest, largest = snapshot.settings.sync_tolerance * NS_PER_S, _LARGEST_OFFSET_PERIODS * left
    if not smallest < abs(offset.nearest_ns) < largest:
        return None
    return _stamps_apart(snapshot, offset, Level.WARN)


def _stamps_apart(snapshot: Snapshot, offset: OffsetEstimate, level: Level) -> Finding:
    return CAUSES['stamps_apart'].found(
        level=level,
        offset_ms=abs(offset.nearest_ns) / _NS_PER_MS,
        samples=offset.samples,
        tolerance_ms=1e3 * snapshot.settings.sync_tolerance,
        proposal=_rounded_up(_HEADROOM * abs(offset.nearest_ns) / NS_PER_S),
    )


def _unpaired(snapshot: Snapshot) -> Finding:
    reasons = [f'{count}: {reason.value}' for reason, count in snapshot.dropped.items() if count]
    return CAUSES['no_pairs'].found(
        received=snapshot.received,
        window=snapshot.window,
        reasons='; '.join(reasons) or 'all of them wait',
        cure=or_transport_cure(snapshot, 'compare the stamps of both cameras', 'if they agree'),
    )


def _rounded_up(value: float) -> float:
    """Return a value of two digits that is not less."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / digit) * digit


def _publishers(snapshot: Snapshot) -> str:
    topics = [side.image for _, side in snapshot.sides()]
    senders = {topic.name: listed(topic.publishers) or 'nobody now' for topic in topics}
    return listed(f'{name} is published by {who}' for name, who in senders.items())
