# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs that wait to be computed, and which of them give way."""

from __future__ import annotations

from collections import Counter, deque
from typing import Generic, TypeVar

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.pairing.pairer import StereoPair
from stereo_depth_node.core.pairing.reasons import DropReason

__all__ = ['FrameQueue']

T = TypeVar('T')


class FrameQueue(Generic[T]):
    """Holds pairs between pairing and computation.

    Images put in are always twice the pairs taken plus the images dropped plus twice the
    pairs waiting. Not thread-safe.

    Parameters
    ----------
    policy
        'latest' (live): one pair waits, the newest by stamp; 'every' (playback): pairs are
        kept in the order they came, the oldest gives way only when `capacity` is exceeded.
    capacity
        Pairs that may wait under 'every', 1 or more.

    Attributes
    ----------
    received : int
        Pairs put in.
    dropped : Counter of DropReason
        Images dropped, two for each pair.
    """

    def __init__(self, policy: str, capacity: int) -> None:
        self.received = 0
        self.dropped: Counter[DropReason] = Counter()
        self._pairs: deque[StereoPair[T]] = deque()
        self.configure(policy, capacity)

    def __len__(self) -> int:
        """Return the number of waiting pairs."""
        return len(self._pairs)

    def configure(self, policy: str, capacity: int) -> None:
        """Change policy and capacity; what no longer fits is dropped and counted."""
        if policy not in ('latest', 'every'):
            raise SettingsError(f"frame_policy is {policy!r}: set 'latest' or 'every'")
        if capacity < 1:
            raise SettingsError(f'capacity is {capacity}: set 1 or more')
        self._latest = policy == 'latest'
        self._capacity = 1 if self._latest else capacity
        self._shed()

    def put(self, pair: StereoPair[T]) -> None:
        """Add a pair; under 'latest' the older of two waiting pairs is dropped."""
        self.received += 1
        self._pairs.append(pair)
        self._shed()

    def take(self) -> StereoPair[T] | None:
        """Remove and return the next pair to compute, or None."""
        return self._pairs.popleft() if self._pairs else None

    def clear(self, reason: DropReason = DropReason.RESET) -> None:
        """Drop all waiting pairs."""
        self._drop(reason, len(self._pairs))
        self._pairs.clear()

    def _shed(self) -> None:
        surplus = len(self._pairs) - self._capacity
        if surplus <= 0:
            return
        if self._latest:
            newest = max(self._pairs, key=lambda pair: (pair.epoch, pair.left_ns))
            self._pairs = deque([newest])
            self._drop(DropReason.SUPERSEDED, surplus)
        else:
            for _ in range(surplus):
                self._pairs.popleft()
            self._drop(DropReason.BACKLOG_FULL, surplus)

    def _drop(self, reason: DropReason, pairs: int) -> None:
        if pairs:
            self.dropped[reason] += 2 * pairs
