# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whoever does what the node says sees depth: the advice of every cause is taken literally."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from advice import Scenario, SCENARIOS
import advice_on_calibration  # noqa: F401 (enters its scenarios)
import advice_on_images  # noqa: F401
import advice_on_stamps  # noqa: F401
import advice_on_topics  # noqa: F401
from bench import Bench
from harness import Graph, reserved_graph
from rig import stamps_ns

from stereo_depth_node.core.health.causes import CAUSES

# What nobody can bring about from outside is below; test_small_shared_memory.py and
# test_managed_node.py follow the advice on what needs another machine, and on what only a managed
# node says.
ELSEWHERE = ('internal_error', 'unexplained', 'shared_memory', 'inactive')
# They wait most of the time.
AT_ONCE = 5


def test_every_cause_has_a_scenario() -> None:
    assert {cause for cause, _ in SCENARIOS} | {*ELSEWHERE} == set(CAUSES)


@pytest.mark.parametrize(
    ('cause', 'scenario'),
    [pytest.param(*each, id=each[1].__name__) for each in SCENARIOS],
)
def test_who_follows_the_advice_sees_depth(
    followed: dict[type[Scenario], Future[None]], cause: str, scenario: type[Scenario]
) -> None:
    """Broken, named, what the text says is done, and the cause is gone and depth flows."""
    followed[scenario].result()


@pytest.fixture(scope='module')
def followed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[type[Scenario], Future[None]]]:
    """Give the outcomes of all scenarios that are to be tested; some of them run at once."""
    benches: SimpleQueue[Bench] = SimpleQueue()
    tmp_path_factory.getbasetemp()  # once: threads that ask for it at once get two

    def follow(cause: str, scenario: type[Scenario]) -> None:
        bench = benches.get()
        try:
            scenario(bench, tmp_path_factory.mktemp('advice')).play(cause)
        finally:
            benches.put(bench)

    chosen = [
        item.callspec.params
        for item in request.session.items
        if getattr(item, 'function', None) is test_who_follows_the_advice_sees_depth
    ]
    with ExitStack() as stack:
        for _ in range(min(AT_ONCE, len(chosen))):
            bench = Bench(stack.enter_context(reserved_graph()), process=True)
            bench.rig.stamps_ns = stamps_ns()  # or each would find gaps where the others send
            benches.put(bench)
        threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        stack.callback(threads.shutdown, cancel_futures=True)
        yield {each['scenario']: threads.submit(follow, **each) for each in chosen}


def test_an_error_inside_is_to_be_reported_and_the_next_pair_is_computed(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(graph)
    bench.wait_for_health()
    monkeypatch.setattr(bench.node.node.state.processor._decoder, 'decode', lambda *_: 1 / 0)
    text, _ = bench.wait_for('internal_error')
    assert 'Please report it, with the traceback in the log' in text
    assert 'Traceback' in capfd.readouterr().err
    monkeypatch.undo()
    bench.wait_for('flowing')


def test_what_nothing_explains_is_to_be_reported_with_all_figures(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(graph)
    bench.wait_for_health()
    monkeypatch.setattr(bench.node.node, '_work', lambda: None)
    text, _ = bench.wait_for('unexplained')
    assert 'Please report it, with this whole text' in text
    assert f'images received: {bench.node.received}' in text
    assert 'settings other than the defaults:\n    num_disparities: 16' in text
    monkeypatch.undo()
    bench.wait_for_the_end_of('unexplained')
    bench.assert_adds_up()
