# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a snapshot of the node to what is wrong with it: a pure function.

The first finding always says whether depth flows and, if not, the one cause to remove next: an
earlier cause hides the later ones, as a camera that sends nothing hides that it is uncalibrated.
"""

from __future__ import annotations

from collections.abc import Iterator
import math

from stereo_depth_node.core.health.causes import CAUSES, Finding, Level, listed
from stereo_depth_node.core.health.clocks import wrong_clocks
from stereo_depth_node.core.health.failures import (
    FAILURES,
    missing_calibration,
    why_pairs_fail,
    why_some_pairs_fail,
)
from stereo_depth_node.core.health.losses import (
    is_notable,
    lost_images,
    or_transport_cure,
    why_much_is_lost,
)
from stereo_depth_node.core.health.rectification import rectification_findings
from stereo_depth_node.core.health.result import why_depth_is_empty
from stereo_depth_node.core.health.snapshot import IncompatibleSubscriber, Snapshot
from stereo_depth_node.core.health.stamps import (
    backward_stamps,
    repeated_images,
    repeated_pair,
    repeated_stamps,
    steady_offset,
    why_nothing_pairs,
)
from stereo_depth_node.core.health.topics import (
    has_mixed_images,
    shared_topics,
    unusable_frames,
    why_images_do_not_come,
)
from stereo_depth_node.core.pairing.reasons import DropReason
from stereo_depth_node.core.settings.algorithms.table import FASTEST_ALGORITHM

__all__ = ['diagnose']

# Until then nothing can be said: publishers are still being discovered, the first images come.
_GRACE_S = 1.0
# Share of its time that the node computes when it is the bottleneck.
_BUSY = 0.7

_FAILED = tuple({failure.reason: None for failure in FAILURES})
_SKIPPED = (DropReason.SUPERSEDED, DropReason.BACKLOG_FULL)
_UNPAIRED = (DropReason.UNPAIRED, DropReason.QUEUE_FULL, DropReason.LATE)


def diagnose(snapshot: Snapshot) -> list[Finding]:
    """Return what is wrong, the state of the output first; never empty."""
    shared, standing = list(shared_topics(snapshot)), list(_standing(snapshot))
    if snapshot.lifecycle != 'active':
        return [_inactive(snapshot), *standing]
    if not snapshot.is_wanted:
        return [_unwanted(snapshot), *shared, *standing]
    if snapshot.flows:
        state, *degraded = _output(snapshot)
        return [state, *shared, *degraded, *standing]
    blocking = list(_blocking(snapshot))
    if not blocking and snapshot.age <= 2 * _GRACE_S:
        blocking = [CAUSES['starting'].found(age=snapshot.age)]
    if not blocking:
        silence = min(snapshot.output_silence, snapshot.age)
        blocking = [CAUSES['unexplained'].found(silence=silence)]
    # What comes of one calibration for both cameras is no fault of the calibration.
    of_one = [each for each in shared if each.cause is CAUSES['same_topic']]
    rest = [each for each in shared if each not in of_one]
    return [*of_one, *blocking, *rest, *standing]


def _output(snapshot: Snapshot) -> list[Finding]:
    """Return whether what goes out is depth, and what makes it worse."""
    degraded = list(_degraded(snapshot))
    missed = [each for each in degraded if each.cause is CAUSES['range_misses_scene']]
    rest = [each for each in degraded if each not in missed]
    if missed:
        return [*missed, *rest]
    if snapshot.result is not None:
        return [why_depth_is_empty(snapshot.result, snapshot.settings), *rest]
    return [CAUSES['flowing'].found(rate=snapshot.computed / snapshot.window), *rest]


def _inactive(snapshot: Snapshot) -> Finding:
    state, command = snapshot.lifecycle, f'ros2 lifecycle set {snapshot.node_name}'
    cures = {
        'unconfigured': f'configure and activate it with {command} configure, then {command} '
        'activate',
        'inactive': f'activate it with {command} activate',
    }
    return CAUSES['inactive'].found(state=state, cure=cures.get(state, 'start its process anew'))


def _unwanted(snapshot: Snapshot) -> Finding:
    if snapshot.incompatible_subscriber is not None:
        return _unreached(snapshot.incompatible_subscriber, Level.ERROR)
    meant = snapshot.unpublished
    hint = f'; others subscribe to {listed(meant)}, which nobody publishes' if meant else ''
    return CAUSES['nobody_subscribes'].found(topics=listed(snapshot.outputs, 'or'), hint=hint)


def _unreached(subscriber: IncompatibleSubscriber, level: Level) -> Finding:
    return CAUSES['incompatible_subscriber'].found(level=level, **subscriber._asdict())


def _blocking(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what keeps images from becoming depth, in the order of their way."""
    silent = [name for name, side in snapshot.sides() if side.is_silent]
    if silent and snapshot.has_one_stream:
        silent = ['left', 'right']
    if silent and snapshot.age > _GRACE_S:
        are_there = all(side.image.publishers for name, side in snapshot.sides() if name in silent)
        if snapshot.is_unreadable and snapshot.failure is not None and are_there:
            yield why_pairs_fail(snapshot, snapshot.failure)  # what came last
        yield from why_images_do_not_come(snapshot, silent)
        if snapshot.missing_calibration:
            yield missing_calibration(snapshot)
    if silent:
        return
    # The window may still hold pairs of the time before.
    do_not_pair = snapshot.pairs == 0 or snapshot.pair_silence > snapshot.output_patience
    nothing_pairs = do_not_pair and not snapshot.is_unreadable
    unpaired = list(why_nothing_pairs(snapshot)) if nothing_pairs else []
    yield from unpaired
    if snapshot.failure is not None and not unpaired:  # else it is that of a pair long ago
        yield why_pairs_fail(snapshot, snapshot.failure)


def _degraded(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what makes the output worse than it could be."""
    failed = (_dropped(snapshot, _FAILED) + 1) // 2
    if failed and snapshot.last_failure is not None:
        some_fail = why_some_pairs_fail(snapshot, snapshot.last_failure, failed)
        if some_fail is not None:
            yield some_fail
    if snapshot.age > 2 * _GRACE_S:  # the first pair takes longer than the others
        yield from _skipped_or_lost(snapshot)
    unpaired = _dropped(snapshot, _UNPAIRED)
    if is_notable(unpaired, snapshot.received) and not has_mixed_images(snapshot):
        yield steady_offset(snapshot) or CAUSES['images_unpaired'].found(
            count=unpaired,
            received=snapshot.received,
            window=snapshot.window,
            left_rate=snapshot.left.rate,
            right_rate=snapshot.right.rate,
            cure=or_transport_cure(
                snapshot, 'run both cameras at one rate, from one trigger', 'if they do'
            ),
        )
    if is_notable(repeated_images(snapshot), snapshot.received):
        yield repeated_stamps(snapshot, Level.WARN)
    for stamps in (repeated_pair(snapshot), backward_stamps(snapshot, Level.WARN)):
        if stamps is not None:
            yield stamps
    if not has_mixed_images(snapshot):
        yield from wrong_clocks(snapshot)
    if snapshot.rectification is not None:
        yield from rectification_findings(snapshot.rectification)
    if snapshot.frozen_side and snapshot.result is None:
        yield CAUSES['image_frozen'].found(side=snapshot.frozen_side)
    if snapshot.sees_no_common_scene and snapshot.result is None:
        yield CAUSES['few_points'].found()


def _skipped_or_lost(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield that pairs are skipped or, if none is, that images are lost on their way."""
    overload = _overload(snapshot)
    if overload is not None:
        yield overload
    elif has_mixed_images(snapshot):  # whose stamps show no gaps
        if why := why_much_is_lost(snapshot):
            yield CAUSES['shared_memory'].found(problem=why)
    else:
        losses = lost_images(snapshot, Level.WARN)
        if losses is not None:
            yield losses


def _overload(snapshot: Snapshot) -> Finding | None:
    skipped = _dropped(snapshot, _SKIPPED) // 2
    if not is_notable(skipped, snapshot.computed + skipped):
        return None
    total = math.fsum(snapshot.stages.values())
    return CAUSES['overloaded'].found(
        input_rate=min(snapshot.left.rate, snapshot.right.rate),
        output_rate=snapshot.computed / snapshot.window,
        skipped=f'{skipped} pairs',
        window=snapshot.window,
        total_ms=1e3 * total,
        stages=listed(f'{name} {1e3 * time:.1f} ms' for name, time in snapshot.stages.items()),
        cure=_cure_of_overload(snapshot, total),
    )


def _cure_of_overload(snapshot: Snapshot, total: float) -> str:
    settings = snapshot.settings
    # One more is being computed.
    share = min(total * (snapshot.computed + 1) / snapshot.window, 1.0)
    if share < _BUSY:
        advice = 'end other programs that keep the processor busy'
        if settings.frame_policy == 'latest':
            advice += ', or set frame_policy to every to compute pairs that come in bursts, too'
        return f'this node computes for {100 * share:.0f} % of the time only: {advice}'
    cures = []
    if settings.algorithm != FASTEST_ALGORITHM:
        cures.append(f'set algorithm to {FASTEST_ALGORITHM}')
    if settings.downscale < 4:
        cures.append(f'set downscale to {2 * settings.downscale}')
    cures.append(f'reduce num_disparities ({settings.num_disparities})')
    if settings.frame_policy == 'every':
        cures.append('play the recording slower')
    return listed(cures, 'or')


def _standing(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what is to be said whether depth flows or not."""
    if snapshot.is_wanted and snapshot.incompatible_subscriber is not None:
        yield _unreached(snapshot.incompatible_subscriber, Level.WARN)
    for reason in snapshot.refusals:
        yield CAUSES['parameter_refused'].found(reason=reason)
    for reason in snapshot.ignored:
        yield CAUSES['parameter_ignored'].found(reason=reason)
    if snapshot.shared_memory:
        yield CAUSES['shared_memory'].found(problem=snapshot.shared_memory)
    if snapshot.waits_for_clock:
        yield CAUSES['no_clock'].found()
    for note in snapshot.notes:
        yield CAUSES['implausible_calibration'].found(note=note)
    yield from _reduced_disparity(snapshot)
    yield from unusable_frames(snapshot)


def _reduced_disparity(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield that somebody takes disparities which not every consumer scales right."""
    count, factor = snapshot.subscribers.get('disparity', 0), snapshot.settings.downscale
    if count and factor > 1:
        subscribers = '1 node subscribes' if count == 1 else f'{count} nodes subscribe'
        yield CAUSES['disparity_reduced'].found(subscribers=subscribers, factor=factor)


def _dropped(snapshot: Snapshot, reasons: tuple[DropReason, ...]) -> int:
    return sum(snapshot.dropped.get(reason, 0) for reason in reasons)
