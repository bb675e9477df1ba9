# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Work that is given out a few items at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.workers import completed


def test_what_was_given_out_is_done_before_an_error_of_the_items_is_raised() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise InputError('there is no sixth one')

    seen: dict[int, int] = {}
    with ThreadPoolExecutor(2) as pool:

        def submit(item: int) -> Future[int]:
            return pool.submit(pow, item, 2)

        with pytest.raises(InputError, match='no sixth'):
            seen.update((item, done.result()) for item, done in completed(items(), submit, 4))
    assert seen == {0: 0, 1: 1, 2: 4, 3: 9, 4: 16}
