# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The log is calm: a cause once, what blocks the output every 30 s, and the end once."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from bench import Bench
from harness import Graph

from stereo_depth_node.core.health.causes import CAUSES, Finding
from stereo_depth_node.ros.cause_log import CauseLog

FLOWING = CAUSES['flowing'].found(rate=30.0)
BLOCKED = CAUSES['no_baseline'].found(error='P[3] is 0')
WORSE = CAUSES['frame_id_empty'].found()
CALM = CAUSES['frame_ids_differ'].found(left='a', right='b')


class Lines:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.log = CauseLog(self)

    def info(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(('INFO', text))

    def warning(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(('WARN', text))

    def look(self, start: float, end: float, *findings: Finding) -> list[tuple[str, str]]:
        """Look every half second from start to end; return what was logged meanwhile."""
        self.lines.clear()
        while start < end:
            self.log.update(findings, start)
            start += 0.5
        return list(self.lines)


@pytest.fixture
def lines() -> Lines:
    return Lines()


def test_what_flows_is_logged_once(lines):
    assert lines.look(0, 300, FLOWING) == [('INFO', FLOWING.text)]


def test_what_blocks_is_logged_every_30_seconds_and_its_end_once(lines):
    assert lines.look(0, 100, BLOCKED) == 4 * [('WARN', BLOCKED.text)]
    assert lines.look(100, 200, FLOWING) == [('INFO', f'no longer: no_baseline; {FLOWING.text}')]


def test_what_makes_it_worse_is_logged_when_it_comes_and_when_it_goes(lines):
    assert lines.look(0, 100, FLOWING, WORSE) == [('INFO', FLOWING.text), ('WARN', WORSE.text)]
    assert lines.look(100, 200, FLOWING) == [('INFO', 'no longer: frame_id_empty')]


def test_what_comes_and_goes_is_logged_once_in_30_seconds(lines):
    for start in range(30):
        lines.log.update([FLOWING, WORSE], start)
        lines.log.update([FLOWING], start + 0.5)
    assert [text for kind, text in lines.lines if kind == 'WARN'] == [WORSE.text]
    assert len(lines.lines) == 3, 'flowing, the cause, its end'


def test_what_is_no_fault_is_no_warning(lines):
    assert lines.look(0, 300, FLOWING, CALM) == [('INFO', FLOWING.text), ('INFO', CALM.text)]
    assert lines.look(300, 400, FLOWING) == []


def test_each_note_of_a_calibration_is_a_cause_of_its_own(lines):
    notes = [CAUSES['implausible_calibration'].found(note=note) for note in ('K', 'P')]
    assert len(lines.look(0, 100, FLOWING, *notes)) == 3


def test_texts_that_differ_each_time_are_not_kept(lines):
    for second in range(1000):
        names = f'/player_{second} and /camera'
        found = CAUSES['several_publishers'].found(topics='/left/image_rect', publishers=names)
        assert ('WARN', found.text) in lines.look(second, second + 0.5, FLOWING, found)
    assert len(lines.log._logged) < 50


def test_depth_that_flows_again_is_logged_after_a_pause_in_between(lines):
    lines.look(0, 5, FLOWING)
    lines.look(5, 6, BLOCKED)
    starting = CAUSES['starting'].found(age=0.1)
    assert lines.look(6, 7, starting) == [('INFO', 'no longer: no_baseline')]
    assert lines.look(7, 8, FLOWING) == [('INFO', FLOWING.text)]


def test_one_cause_gives_way_to_another(lines):
    lines.look(0, 1, BLOCKED)
    other = CAUSES['sizes_differ'].found(error='x')
    assert lines.look(1, 2, other) == [('INFO', 'no longer: no_baseline'), ('WARN', other.text)]


def test_the_running_node_does_not_warn_of_what_is_no_fault(graph: Graph):
    """Its search is wider than the scene needs, which is no fault."""
    bench = Bench(graph, process=True, num_disparities=64)
    bench.wait_for('search_too_wide')
    text = bench.explanation_of_health()
    settings = text[text.index('  settings other than the defaults:') :].splitlines()
    assert settings[1:] == ['    block_size: 5']
    assert bench.values['settings'] == 'block_size=5'
    bench.wait_for('flowing')
    said = [line for line in bench.node.output.splitlines() if 'would do' in line]
    assert [line.split()[0] for line in said] == ['[INFO]'], 'once, and not as a warning'
