# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whoever does what the node says sees depth: the advice of every cause is taken literally."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from advice import Scenario, SCENARIOS
import advice_on_depth  # noqa: F401 (enters its scenarios)
import advice_on_input  # noqa: F401
from bench import Bench
from harness import Graph

from stereo_depth_node.core.health.causes import CAUSES

# What nobody can bring about from outside; what needs a machine of another kind, which
# test_little_memory.py and test_shared_memory.py make; what only the tool says; and what
# test_wrong_depth.py, test_frame_ids.py and test_causes.py have.
ELSEWHERE = (
    *('internal_error', 'unexplained', 'out_of_memory', 'shared_memory', 'few_points'),
    *('cameras_vertical', 'frame_id_empty', 'frame_id_slash', 'disparity_reduced'),
)


@pytest.fixture(scope='module')
def shared_bench(shared_graph: Graph) -> Bench:
    return Bench(shared_graph, process=True)


def test_every_cause_has_a_scenario() -> None:
    assert {cause for cause, _ in SCENARIOS} | {*ELSEWHERE} == set(CAUSES)


@pytest.mark.parametrize(
    ('cause', 'scenario'),
    [pytest.param(*each, id=each[1].__name__) for each in SCENARIOS],
)
def test_who_follows_the_advice_sees_depth(
    shared_bench: Bench, tmp_path: Path, cause: str, scenario: type[Scenario]
) -> None:
    """Broken, named, what the text says is done, and the cause is gone and depth flows."""
    user = scenario(shared_bench, tmp_path)
    try:
        user.breaks()
        text, _ = shared_bench.wait_for(cause, user.words)
        (said, *_) = (line for line in text.splitlines() if line.startswith(f'{cause}: '))
        user.obeys(said)
        if cause != 'flowing':
            shared_bench.wait_for_the_end_of(cause)
        shared_bench.assert_adds_up()
    finally:
        user.ends()


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
