# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a tab of the studio matches, and when it says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
import threading

import pytest
from scenes import plane, scene_of

pytest.importorskip('matplotlib')
pytest.importorskip('rosbags')

from stereo_depth_node.core import Settings
from stereo_depth_node.offline.datasets.scenes import Scene
from stereo_depth_node.studio import session as session_module
from stereo_depth_node.studio.figures import figures_of, References
from stereo_depth_node.studio.frames import Frame, SceneSource
from stereo_depth_node.studio.session import Session

START = Settings(matcher_backend='opencv', num_disparities=16)
PAIR = scene_of(plane(120, 60, 8))
DEADLINE_S = 120.0


class SlowSource(SceneSource):
    """A source that reads a frame anew for every size of the block, when it is let."""

    def __init__(self) -> None:
        super().__init__(Frame(Scene('plane', PAIR.left, PAIR.right), 'plane'))
        self.may_read = threading.Semaphore(0)
        self.read: list[int] = []

    def reading(self, settings: Settings) -> tuple[object, ...]:
        """Return the size of the block."""
        return (settings.block_size,)

    def frame(self, index: int, settings: Settings) -> Frame:
        """Wait until it may, and return the pair as another frame."""
        self.read.append(settings.block_size)
        assert self.may_read.acquire(timeout=DEADLINE_S)
        return replace(self.only)


@pytest.fixture
def source():
    return SlowSource()


def run(source: SlowSource, use: Callable[[Session], Awaitable[None]]) -> None:
    """Use a session while it matches."""

    async def using() -> None:
        with ThreadPoolExecutor(4) as workers:
            session = Session(source, START, workers, References())
            matching = asyncio.create_task(session.run())
            try:
                await asyncio.wait_for(use(session), DEADLINE_S)
            finally:
                matching.cancel()

    asyncio.run(using())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_of_changes_that_come_while_a_pair_is_matched_the_last_is_matched(source, monkeypatch):
    monkeypatch.setattr(session_module, '_FIRST_S', 0.0)

    async def use(session: Session) -> None:
        await until(lambda: source.read)
        for block_size in (7, 9, 11):
            assert await session.change({'block_size': block_size}) == ''
        source.may_read.release(2)
        await until(lambda: session.number == 2)
        assert session.result.settings.block_size == 11

    run(source, use)
    assert source.read == [START.block_size, 11]


def test_a_change_is_told_when_its_picture_is_seen(source, monkeypatch):
    """What else follows from it keeps the browser busy, and would have the picture wait."""
    monkeypatch.setattr(session_module, '_FIRST_S', DEADLINE_S)
    seen = []

    async def use(session: Session) -> None:
        async def show() -> None:
            await asyncio.sleep(0.01)
            seen.append(session.result.settings.block_size)

        session.on_result = show
        source.may_read.release(2)
        await until(lambda: seen)
        assert await session.change({'block_size': 9}) == ''
        assert seen == [START.block_size, 9]

    run(source, use)


def test_a_change_does_not_wait_for_the_figures_of_the_result_before(source, monkeypatch):
    """Those of large images take many times as long as a match."""
    is_begun, may_find = threading.Event(), threading.Event()
    found = []

    def slow(result, reference):
        is_begun.set()
        assert may_find.wait(DEADLINE_S)
        found.append(result.settings.block_size)
        return figures_of(result, reference)

    monkeypatch.setattr(session_module, 'figures_of', slow)
    monkeypatch.setattr(session_module, '_REST_S', 0.0)

    async def use(session: Session) -> None:
        source.may_read.release(2)
        await until(is_begun.is_set)
        assert await session.change({'block_size': 9}) == ''
        await until(lambda: session.number == 2)
        assert session.figures is None
        may_find.set()
        await until(lambda: session.figures_number == 2)
        assert found[-1] == 9

    run(source, use)


def test_it_is_known_since_when_a_pair_is_matched(source):
    async def use(session: Session) -> None:
        await until(lambda: source.read)
        assert session.began_s is not None
        source.may_read.release()
        await until(lambda: session.number == 1)
        assert session.began_s is None

    run(source, use)


def test_a_tab_that_is_lost_keeps_its_settings_and_its_newest_result(source):
    async def use(session: Session) -> None:
        source.may_read.release(2)
        await until(lambda: session.number == 1)
        first = session.result
        assert await session.change({'block_size': 9}) == ''
        await until(lambda: session.number == 2)
        assert session.result_of(1) is first
        session.keep_newest()
        assert session.result_of(1) is session.result_of(2) is session.result is not first
        assert session.settings.block_size == 9

    run(source, use)


def test_a_result_that_is_frozen_before_its_figures_gets_them(source):
    async def use(session: Session) -> None:
        async def freeze() -> None:
            session.freeze()

        session.on_result = freeze
        source.may_read.release()
        await until(lambda: session.frozen is not None)
        assert session.frozen[2] is None
        await until(lambda: session.frozen[2] is not None)
        assert (session.frozen[2], session.figures_number) == (session.figures, 1)

    run(source, use)
