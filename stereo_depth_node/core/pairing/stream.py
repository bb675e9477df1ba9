# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One camera's stream of stamps: its rhythm, and its images that wait for a partner."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
import enum
import itertools
import math
from statistics import median_low
from typing import Generic, TypeVar

__all__ = ['Arrival', 'StampStream', 'Waiting']

T = TypeVar('T')

#: Images over which the rhythm of a stream is measured.
_MEASURED_IMAGES = 40
#: Stamps of paired images remembered, at least, to know a duplicate.
_REMEMBERED_STAMPS = 128
#: Until two images tell the frame period, a camera is taken to run at 100 Hz or less.
_ASSUMED_INTERVAL_NS = 10_000_000
#: The reordering horizon while the frame period is unknown, and its limits.
_ASSUMED_HORIZON_NS = 1_000_000_000
_MIN_HORIZON_NS = 100_000_000
_MAX_HORIZON_NS = 60_000_000_000
#: So many duplicates in a row, in ascending order, are a recording that began again; so are as
#: many of one image, and two of each of two images.
_REPLAY_RUN = 3
_REPLAYS_OF_TWO = 4
#: A longer gap in the stamps is a jump, such as in a recording that was cut, and no loss.
_LONGEST_GAP_FRAMES = 20
#: A step back by so many frames is no mere reordering: a recording has begun again.
_LONGEST_REORDER_FRAMES = 2
#: So many equal gaps one after the other are the frame period of now.
_RHYTHM_GAPS = 4


class Arrival(enum.Enum):
    """What a stamp says about the image that carries it."""

    NEW = enum.auto()
    DUPLICATE = enum.auto()
    RESTART = enum.auto()


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """An image without a partner yet.

    Attributes
    ----------
    item
        What the caller handed in.
    late
        An image of the same camera with a newer stamp came before it.
    other_count
        How many images the other camera had delivered when it came.
    """

    item: T
    late: bool
    other_count: int


def _pieces(stamps: list[int], least: float, most: float) -> Iterator[list[int]]:
    """Yield the pieces of a list, cut wherever a step is below `least` or above `most`."""
    start = 0
    for place, (before, after) in enumerate(itertools.pairwise(stamps), 1):
        if not least <= after - before <= most:
            yield stamps[start:place]
            start = place
    yield stamps[start:]


class StampStream(Generic[T]):
    """What one camera has delivered. Stamps are integers in ns.

    Attributes
    ----------
    count, backward, zero : int
        Images received; those stamped earlier than the image received just before;
        those with stamp 0.
    last_ns : int or None
        Stamp of the image received last.
    newest_ns : int or None
        Greatest stamp since the stream (re)started.
    stamps : list of int
        Stamps of the waiting images, ascending.
    recent : deque of int
        Stamps of the last 40 images that were no duplicates, as received.
    epoch : int
        Which run of the clock the stream is in; `StereoPairer` keeps it.
    loop : dict of int to T
        The images, by stamp, of a recording of one or two that is played in a loop; empty when
        it is none. Those of a driver whose stamps do not move differ and are no loop.
    """

    def __init__(self, queue_size: int) -> None:
        self.count = 0
        self.backward = 0
        self.zero = 0
        self.last_ns: int | None = None
        self.newest_ns: int | None = None
        self.stamps: list[int] = []
        self.recent: deque[int] = deque(maxlen=_MEASURED_IMAGES)
        self.epoch = 0
        self._stamps_received: deque[int] = deque(maxlen=_MEASURED_IMAGES)
        self._waiting: dict[int, Waiting[T]] = {}  # in order of arrival
        self._intervals: deque[int] = deque(maxlen=_MEASURED_IMAGES)
        self._paired: deque[int] = deque(maxlen=max(_REMEMBERED_STAMPS, 2 * queue_size))
        self._replay_run = 0
        self._duplicates_in_a_row = 0
        self._replayed: deque[tuple[int, T]] = deque(maxlen=_REPLAYS_OF_TWO)
        self.loop: dict[int, T] = {}

    @property
    def period_ns(self) -> int | None:
        """Median interval of the last images in order, None before the second."""
        return median_low(self._intervals) if self._intervals else None

    @property
    def smallest_interval_ns(self) -> int:
        """Smallest interval of the last images in order; 10 ms before the second image."""
        return min(self._intervals, default=_ASSUMED_INTERVAL_NS)

    @property
    def undecided(self) -> int:
        """How many of the last images repeat stamps and may yet be a loop: the next ones tell.

        A recording of three whose second image came first is recognised by the fifth one.
        """
        return self._duplicates_in_a_row if self._duplicates_in_a_row <= _REPLAYS_OF_TWO else 0

    @property
    def repeats(self) -> bool:
        """Whether its last stamp is among the few before, as in a recording of one or two."""
        return self.last_ns in list(self._stamps_received)[-1 - _REPLAYS_OF_TWO : -1]

    def horizon_ns(self, queue_size: int, tolerance_ns: int) -> int:
        """Return how far behind the newest stamp an image is merely late.

        Twice the span of a full queue: what comes later still cannot meet its partner.
        """
        period_ns = self.period_ns
        if period_ns is None:
            span = _ASSUMED_HORIZON_NS
        else:
            span = min(max(2 * queue_size * period_ns, _MIN_HORIZON_NS), _MAX_HORIZON_NS)
        return max(span, 2 * tolerance_ns)

    def missing_frames(self, images: int) -> tuple[int, int]:
        """Return how many frames the gaps between the last stamps stand for, and of how many.

        Parameters
        ----------
        images : int
            The stamps of so many images are looked at, of 40 at most.
        """
        last = list(self._stamps_received)[-images:] if images else []
        period_ns = self.period_ns
        if not period_ns:
            return 0, len(last)
        missing = 0
        back, on = _LONGEST_REORDER_FRAMES * period_ns, _LONGEST_GAP_FRAMES * period_ns
        for run in _pieces(last, -back, math.inf):
            for part in _pieces(sorted(run), 0, on):
                gaps = [after - before for before, after in itertools.pairwise(part)]
                # A camera that has become slower loses nothing.
                step = max(period_ns, min(gaps[-_RHYTHM_GAPS:], default=0))
                missing += sum(max(round(gap / step) - 1, 0) for gap in gaps)
        return missing, len(last) + missing

    def receive(self, stamp_ns: int, item: T, queue_size: int, tolerance_ns: int) -> Arrival:
        """Count an image and say what its stamp makes of it; nothing waits yet."""
        self.count += 1
        self.zero += stamp_ns == 0
        self.backward += self.last_ns is not None and stamp_ns < self.last_ns
        self.last_ns = stamp_ns
        self._stamps_received.append(stamp_ns)
        if self.newest_ns is None or stamp_ns > self.newest_ns:
            self._note_new(stamp_ns)
            return Arrival.NEW
        if self.newest_ns - stamp_ns > self.horizon_ns(queue_size, tolerance_ns):
            return Arrival.RESTART
        if stamp_ns not in self._waiting and stamp_ns not in self._paired:
            self._note_new(stamp_ns)
            return Arrival.NEW
        return Arrival.RESTART if self._begins_again(stamp_ns, item) else Arrival.DUPLICATE

    def _note_new(self, stamp_ns: int) -> None:
        self._forget_replay()
        if self.loop and stamp_ns not in self.loop:
            self.loop = {}

    def _forget_replay(self) -> None:
        self._replay_run = self._duplicates_in_a_row = 0
        self._replayed.clear()

    def _begins_again(self, stamp_ns: int, item: T) -> bool:
        """Tell whether a duplicate belongs to a recording that has begun again."""
        ascends = bool(self._replayed) and stamp_ns > self._replayed[-1][0]
        self._replay_run = self._replay_run + 1 if ascends and self._replay_run else 1
        self._duplicates_in_a_row += 1
        self._replayed.append((stamp_ns, item))
        if stamp_ns in self.loop and self.loop[stamp_ns] == item:
            return True
        self.loop = self._short_loop()
        return self._replay_run >= _REPLAY_RUN or bool(self.loop)

    def _short_loop(self) -> dict[int, T]:
        """Return the one or two images that the last duplicates are, empty if they are others.

        An image stamped 0 has no stamp.
        """
        last = list(self._replayed)
        if len(last) >= _REPLAY_RUN and all(each == last[-1] for each in last[-_REPLAY_RUN:]):
            last = last[-1:]
        elif len(last) < _REPLAYS_OF_TWO or last[:2] != last[2:]:
            last = []
        return {stamp_ns: item for stamp_ns, item in last if stamp_ns}

    def put(self, stamp_ns: int, item: T, other_count: int) -> None:
        """Let an image wait, and learn the rhythm from its stamp."""
        late = self.newest_ns is not None and stamp_ns <= self.newest_ns
        if not late:
            if self.newest_ns is not None:
                self._intervals.append(stamp_ns - self.newest_ns)
            self.newest_ns = stamp_ns
        self.recent.append(stamp_ns)
        self._waiting[stamp_ns] = Waiting(item, late, other_count)
        insort(self.stamps, stamp_ns)

    def nearest(self, stamp_ns: int) -> int | None:
        """Return the waiting stamp nearest to `stamp_ns`, the older one of two, or None."""
        stamps = self.stamps
        if not stamps:
            return None
        after = bisect_left(stamps, stamp_ns)
        if after == len(stamps):
            return stamps[-1]
        if after == 0 or stamps[after] - stamp_ns < stamp_ns - stamps[after - 1]:
            return stamps[after]
        return stamps[after - 1]

    def take(self, stamp_ns: int, *, paired: bool) -> Waiting[T]:
        """Remove and return a waiting image; a paired one is remembered against duplicates."""
        del self.stamps[bisect_left(self.stamps, stamp_ns)]
        if paired:
            self._paired.append(stamp_ns)
        return self._waiting.pop(stamp_ns)

    def overdue(self, queue_size: int, tolerance_ns: int) -> int | None:
        """Return the stamp of an image that has waited long enough, or None."""
        if not self.stamps or self.newest_ns is None:
            return None
        behind_ns = self.newest_ns - self.stamps[0]
        # No horizon is nearer than the least one: most images need not know theirs.
        if behind_ns > _MIN_HORIZON_NS and behind_ns > self.horizon_ns(queue_size, tolerance_ns):
            return self.stamps[0]
        # By arrival, not by stamp: images left from before a step back must not crowd out
        # the new ones, whose stamps are smaller.
        return next(iter(self._waiting)) if len(self._waiting) > queue_size else None

    def clear(self) -> int:
        """Forget the waiting and the paired images; return how many were waiting."""
        waiting = len(self._waiting)
        self.stamps.clear()
        self._waiting.clear()
        self._paired.clear()
        self._forget_replay()
        return waiting

    def restart(self) -> None:
        """Forget where the clock stood; the rhythm stays."""
        self.newest_ns = None
        self.recent.clear()
