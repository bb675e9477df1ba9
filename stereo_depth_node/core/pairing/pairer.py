# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Left and right images become pairs by their stamps: integers in, pairs out, no ROS.

Rule
----
Images wait, one queue per camera, until they pair or are dropped. A left and a right image
pair when

1. their stamps differ by at most the tolerance,
2. each is the nearest of all that wait on the other side (the older one of two equally
   near), and
3. no image still to come can be nearer. With e <= g the two stamps, E the camera of the
   earlier one, n the newest stamp E has delivered and p the smallest recent interval of
   either camera, this holds when ``n + p >= 2 * g - e``.

Two stamps nearer than p / 2 therefore pair the moment the second one comes (n = e makes
rule 3 ``2 * (g - e) <= p``), equal stamps always do, and only wider pairs wait for the next
image of E. Until a camera has sent two images its interval is taken as 10 ms.

Why no true partner is lost
---------------------------
Let each camera's stamps ascend by at least p. Call l and r true partners when they differ
by no more than the tolerance and each is strictly nearer to the other than any other image
of the whole streams.

- No pair takes l from r. Suppose (l, q), q != r, were the first emitted pair to part true
  partners. r was then not yet emitted, so it waited or was still to come. If it waited,
  rule 2 fails: r is nearer to l than q. If it was to come: should q be the later of (l, q),
  r would be stamped above q, hence farther from l; should q be the earlier, r >= n + p
  >= 2 * l - q by rule 3, hence no nearer than q. Both contradict. The same holds with sides
  exchanged.
- (l, r) is emitted. Once both wait, rules 1 and 2 hold; rule 3 holds at the latest when E
  sends a stamp of 2 * g - e or more, which is within one tolerance of g. Should E pause,
  rule 3 is waived at `settle`, and for an image that has to leave its queue.

What can still part them is a queue too short for the lag between the cameras, a restart, or
an image that comes out of order while the tolerance exceeds half the frame period; a late
image is paired like any other as long as its partner waits.

Steps of the clock
------------------
An image more than the horizon (twice the span of a full queue, at least 100 ms) behind its
own camera's newest stamp is a restart: a looped recording, a simulator reset. So are three
known stamps replayed in order, for recordings shorter than the horizon, and the same one or two
images again and again, of both cameras. The camera that restarts first ends the run: all that
waits is dropped. When the other follows, only its own waiting images are dropped. A jump forward
needs no rule: what waits falls behind the horizon.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pairing.offset import offset_estimate, OffsetEstimate
from stereo_depth_node.core.pairing.reasons import DropReason, Side
from stereo_depth_node.core.pairing.stream import Arrival, StampStream

__all__ = ['StereoPair', 'StereoPairer']

T = TypeVar('T')


@dataclass(frozen=True, slots=True)
class StereoPair(Generic[T]):
    """A left and a right image that belong together.

    Attributes
    ----------
    left_ns, right_ns : int
        Stamps in ns.
    left, right
        What the caller handed in.
    epoch : int
        Restarts seen before this pair; stamps compare only within one epoch.
    """

    left_ns: int
    right_ns: int
    left: T
    right: T
    epoch: int


class StereoPairer(Generic[T]):
    """Pairs left and right images by the rule in the module docstring.

    Images received are always twice the pairs emitted plus the images dropped plus the
    images waiting. Not thread-safe.

    Parameters
    ----------
    tolerance_ns
        Greatest difference of the stamps of a pair, ns; 0 pairs equal stamps only.
    queue_size
        Images of one camera that may wait, 1 or more.

    Attributes
    ----------
    left, right : StampStream
        What each camera has delivered: counts, last stamp, frame period.
    pairs : int
        Pairs emitted.
    dropped : Counter of DropReason
        Images dropped, by reason.
    resets : int
        Restarts of the clock; one that both cameras show counts once.
    """

    def __init__(self, tolerance_ns: int, queue_size: int = 10) -> None:
        self.tolerance_ns = tolerance_ns
        self.queue_size = queue_size
        self.left: StampStream[T] = StampStream(queue_size)
        self.right: StampStream[T] = StampStream(queue_size)
        self.pairs = 0
        self.dropped: Counter[DropReason] = Counter()
        self.resets = 0
        self._arrival_offsets: deque[int] = deque(maxlen=self.right.recent.maxlen)

    @property
    def tolerance_ns(self) -> int:
        """Greatest difference of the stamps of a pair, ns; a change holds from the next image."""
        return self._tolerance_ns

    @tolerance_ns.setter
    def tolerance_ns(self, value: int) -> None:
        if value < 0:
            raise SettingsError(f'tolerance is {value} ns: set 0 (exact stamps) or more')
        self._tolerance_ns = value

    @property
    def queue_size(self) -> int:
        """Images of one camera that may wait; a change holds from the next image."""
        return self._queue_size

    @queue_size.setter
    def queue_size(self, value: int) -> None:
        if value < 1:
            raise SettingsError(f'queue_size is {value}: set 1 or more')
        self._queue_size = value

    @property
    def received(self) -> int:
        """Images received from both cameras."""
        return self.left.count + self.right.count

    @property
    def looped(self) -> int:
        """Pairs of a recording of one or two that is played in a loop, 0 when it is none."""
        return max(len(self.left.loop), len(self.right.loop))

    @property
    def undecided(self) -> int:
        """Duplicates of both cameras that may yet be a recording that has begun again."""
        return self.left.undecided + self.right.undecided

    @property
    def waiting(self) -> int:
        """Images of both cameras that wait for a partner."""
        return len(self.left.stamps) + len(self.right.stamps)

    def add(self, side: Side, stamp_ns: int, item: T) -> list[StereoPair[T]]:
        """Take one image and return the pairs it completes, usually none or one."""
        is_left = side is Side.LEFT
        stream, other = (self.left, self.right) if is_left else (self.right, self.left)
        limits = (self._queue_size, self._tolerance_ns)
        arrival = stream.receive(stamp_ns, item, *limits)
        if arrival is Arrival.RESTART and stamp_ns in stream.loop and not other.repeats:
            arrival = Arrival.DUPLICATE  # its camera hangs
        if arrival is Arrival.DUPLICATE:
            self.dropped[DropReason.DUPLICATE] += 1
            return []
        if arrival is Arrival.RESTART:
            self._restart(stream, other)
        stream.put(stamp_ns, item, other.count)
        if not is_left and self.left.last_ns is not None:
            self._arrival_offsets.append(stamp_ns - self.left.last_ns)
        pairs = self._emit_final()
        while (overdue_ns := stream.overdue(*limits)) is not None:
            pairs += self._pair_or_drop(overdue_ns, stream, other)
            pairs += self._emit_final()
        return pairs

    def refuse(self, side: Side) -> None:
        """Count an image whose stamp cannot be read."""
        (self.left if side is Side.LEFT else self.right).count += 1
        self.dropped[DropReason.INVALID] += 1

    def settle(self) -> list[StereoPair[T]]:
        """Return the pairs that only wait for a nearer image that may come.

        For the end of a recording, and for inputs that have paused.
        """
        return self._emit_final(nothing_to_come=True)

    def clear(self, reason: DropReason = DropReason.RESET) -> None:
        """Drop all that waits and forget where the clocks stand, as before the first image."""
        self._drop(reason, self.left.clear() + self.right.clear())
        self.left.restart()
        self.right.restart()
        self._arrival_offsets.clear()

    def offset(self, images: int = 0) -> OffsetEstimate | None:
        """Return the measured offset of the stamps, None before both cameras sent images.

        Of the last `images` of each camera, or of as many as are remembered.
        """
        last = (self.left.recent, self.right.recent, self._arrival_offsets)
        return offset_estimate(*(list(stamps)[-images:] for stamps in last))

    def _emit_final(self, *, nothing_to_come: bool = False) -> list[StereoPair[T]]:
        pairs: list[StereoPair[T]] = []
        changed = True
        while changed and self.left.stamps and self.right.stamps:
            changed = False
            for left_ns in tuple(self.left.stamps):
                right_ns = self.right.nearest(left_ns)
                if right_ns is None or abs(right_ns - left_ns) > self._tolerance_ns:
                    continue
                if self.left.nearest(right_ns) != left_ns:
                    continue
                if nothing_to_come or self._is_final(left_ns, right_ns):
                    pairs.append(self._emit(left_ns, right_ns))
                    changed = True
        return pairs

    def _is_final(self, left_ns: int, right_ns: int) -> bool:
        """Tell whether no image to come can be nearer: rule 3."""
        if left_ns == right_ns:
            return True
        earlier, later = sorted((left_ns, right_ns))
        newest = (self.left if left_ns == earlier else self.right).newest_ns
        step = min(self.left.smallest_interval_ns, self.right.smallest_interval_ns)
        return newest is not None and newest + step >= 2 * later - earlier

    def _emit(self, left_ns: int, right_ns: int) -> StereoPair[T]:
        left = self.left.take(left_ns, paired=True)
        right = self.right.take(right_ns, paired=True)
        self.left.epoch = self.right.epoch = max(self.left.epoch, self.right.epoch)
        self.pairs += 1
        return StereoPair(left_ns, right_ns, left.item, right.item, self.resets)

    def _restart(self, stream: StampStream[T], other: StampStream[T]) -> None:
        dropped = stream.clear()
        stream.restart()
        if stream.epoch < other.epoch:
            stream.epoch = other.epoch
        else:
            stream.epoch += 1
            self.resets += 1
            dropped += other.clear()
            self._arrival_offsets.clear()
        self._drop(DropReason.RESET, dropped)

    def _pair_or_drop(
        self, stamp_ns: int, stream: StampStream[T], other: StampStream[T]
    ) -> list[StereoPair[T]]:
        """End the wait of an image: with the partner it has, else for one reason."""
        partner_ns = other.nearest(stamp_ns)
        if (
            partner_ns is not None
            and abs(partner_ns - stamp_ns) <= self._tolerance_ns
            and stream.nearest(partner_ns) == stamp_ns
        ):
            is_left = stream is self.left
            left_ns, right_ns = (stamp_ns, partner_ns) if is_left else (partner_ns, stamp_ns)
            return [self._emit(left_ns, right_ns)]
        image = stream.take(stamp_ns, paired=False)
        other_moves = other.count > image.other_count
        other_is_behind = other.newest_ns is not None and other.newest_ns < stamp_ns
        if image.late:
            self._drop(DropReason.LATE, 1)
        elif other_moves and other_is_behind:
            self._drop(DropReason.QUEUE_FULL, 1)
        else:
            self._drop(DropReason.UNPAIRED, 1)
        return []

    def _drop(self, reason: DropReason, images: int) -> None:
        if images:
            self.dropped[reason] += images
