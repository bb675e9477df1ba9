# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings computed on a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
from typing import Any

import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')
pytest.importorskip('distributed', reason='clusters are those of Dask')

from bags import content_hash, write_bag
import distributed

from stereo_depth_node.offline.bags import plan, schedule
from stereo_depth_node.offline.cli import main


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Start a scheduler and two worker processes of one thread each."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def test_a_worker_that_is_killed_in_the_middle_changes_nothing(
    tmp_path: Path, cluster: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(plan, 'part_size', lambda expected_pairs: 30)
    source = write_bag(tmp_path / 'in', 120)
    assert main(['bag', str(source), str(tmp_path / 'alone'), '--quiet', '--processes', '1']) == 0
    workers = [worker.pid for worker in cluster.workers.values()]
    take = schedule._Run.take
    taken: list[int] = []

    def killing(run: Any, task: Any, future: Any) -> None:
        """Kill a worker when the first part is there: it is at work on another one."""
        if not taken:
            os.kill(workers[0], signal.SIGKILL)
        taken.append(task.plan.index)
        take(run, task, future)

    monkeypatch.setattr(schedule._Run, 'take', killing)
    address = cluster.scheduler_address
    assert main(['bag', str(source), str(tmp_path / 'out'), '--quiet', '--dask', address]) == 0
    assert sorted(taken) == list(range(4))
    assert content_hash(tmp_path / 'out') == content_hash(tmp_path / 'alone')
    assert not (tmp_path / 'out.partial').exists()


def test_a_scheduler_that_does_not_answer_is_named(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    source = write_bag(tmp_path / 'in', 2)
    client = distributed.Client
    monkeypatch.setattr(
        distributed, 'Client', lambda address, timeout: client(address, timeout='1s')
    )
    address = 'tcp://127.0.0.1:9'  # the port "discard", on which nobody listens
    assert main(['bag', str(source), str(tmp_path / 'out'), '--quiet', '--dask', address]) == 2
    error = capsys.readouterr().err
    assert address in error
    assert error.count('\n') == 1
