# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark measures what it says, and accounts for every frame. No test is about speed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shlex
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from benchmarks.__main__ import _cases, _parser
from benchmarks.cases import Case, make_cases, own, peer
from benchmarks.scaling import fit, model_ms, tries
from benchmarks.scene import load_scene, with_distortion
from benchmarks.summary import account_problems, percentile, summarise_case
from benchmarks.usage import usage_of
from stereo_depth_node.core.camera.rectification import Rectifier
from stereo_depth_node.processes import Processes

ROOT = Path(__file__).resolve().parent.parent
# Far above what the slowest machine needs.
TIMEOUT_S = 500
TINY = (
    *('--size', '160x120', '--disparities', '16', '--backends', 'opencv'),
    *('--duration', '0.5', '--warm-up', '0', '--repeats', '1', '--latency-rate', '20'),
)
OWN_NODE = (sys.executable, '-m', 'stereo_depth_node.ros.main')


def bench(*arguments: str) -> str:
    """Run the benchmark as a program; return what it prints."""
    done = subprocess.run(
        (sys.executable, '-m', 'benchmarks', *arguments),
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f'{done.stderr}\n{done.stdout}'
    return done.stdout


# A shell that starts the node and waits for it, as ros2 run does.
PEER = shlex.join(
    (
        *('sh', '-c'),
        shlex.join((*OWN_NODE, '--ros-args', '-p', 'num_disparities:={disparities}')) + ' & wait',
    )
)

# The node on raw images, and another process, which stands for the rest of a chain of several: it
# has an interpreter and 128 MiB.
CHAIN = (
    shlex.join(
        (
            *(*OWN_NODE, '--ros-args', '-p', 'num_disparities:={disparities}'),
            *('-p', 'rectify:=true'),
            *('-r', 'left/image_rect:=left/image_raw', '-r', 'right/image_rect:=right/image_raw'),
        )
    )
    + '; '
    + shlex.join((sys.executable, '-c', 'import time as t\nheld = b"1" * 2**27\nt.sleep(1000)'))
)


@dataclass(frozen=True)
class Measured:
    """One run of the benchmark: what it printed, and wrote."""

    printed: str
    results: dict[str, Any]
    file: Path
    plot: Path

    @property
    def rows(self) -> dict[str, Any]:
        """The figures of each contestant by its name."""
        (case,) = self.results['cases']
        return {row['name']: row for row in case['rows']}


@pytest.fixture(scope='module')
def runs(tmp_path_factory) -> tuple[Measured, Measured]:
    """Measure every part once, and a chain, each beside a peer.

    Both at once: most of the time goes into starting processes.
    """

    def measure(name: str, *arguments: str) -> Measured:
        folder = tmp_path_factory.mktemp(name)
        file, plot = folder / 'results.json', folder / 'pictures' / 'scaling.png'
        printed = bench(*TINY, *arguments, '--json', str(file), '--plot', str(plot))
        return Measured(printed, json.loads(file.read_text()), file, plot)

    parts = ('--parts', 'nodes', 'startup', 'scaling', '--encoding', 'bgr8')
    with ThreadPoolExecutor() as threads:
        every_part = threads.submit(
            measure, 'parts', *parts, '--outputs', 'disparity+depth', '--peer', PEER
        )
        chain = threads.submit(
            measure, 'chain', '--chain', '--set', 'points_step=2', '--peer', CHAIN
        )
        return every_part.result(), chain.result()


@pytest.fixture(scope='module')
def measured(runs) -> Measured:
    """Every part."""
    return runs[0]


def test_every_part_is_measured_and_every_frame_is_accounted_for(measured):
    rows = measured.rows
    assert list(rows) == ['bare', 'core, opencv', 'node, opencv', f'peer: {PEER}']
    assert rows['bare']['ratios']['bare']['ms']['median'] == 1.0

    node = rows['node, opencv']
    for phase in ('overload', 'moderate'):
        frames = node['frames'][phase]
        assert frames['results'] > 0
        assert frames['received_images'] == (
            2 * frames['computed_pairs']
            + sum(frames['dropped_images'].values())
            + frames['waiting_images']
        )
        assert frames['sent_pairs'] == frames['results'] + frames['pairs_without_result']
        assert set(node['latency_ms'][phase]) == {'disparity', 'depth'}
    assert node['problems'] == []
    assert node['backend'] == 'opencv'
    assert measured.results['startup']['modules'] > 0
    assert {point['varied'] for point in measured.results['scaling']['points']} == {
        'disparities',
        'threads',
    }
    assert measured.plot.read_bytes().startswith(b'\x89PNG')


def test_every_row_is_printed_and_can_be_printed_again(measured):
    for row in measured.rows:
        assert row in measured.printed
    again = bench('--from-json', str(measured.file), '--readme')
    assert '| what | frames/s |' in again
    assert 'scripts/bench' in again


def test_a_peer_is_measured_with_all_the_processes_that_it_starts(measured):
    mine, other = (measured.rows[name] for name in ('node, opencv', f'peer: {PEER}'))
    # A shell alone is a few MiB; the node behind it has the interpreter, NumPy and OpenCV.
    assert other['rss_mib']['median'] > 50
    assert other['problems'] == []
    assert set(mine['ratios'][other['name']]) == {
        'rate',
        'cpu_ms',
        'moderate_cpu_ms',
        'latency',
    }
    assert f'against peer: {PEER}' in measured.printed


def test_with_a_peer_disparity_alone_is_measured_unless_outputs_are_named():
    options = ['--size', '160x120', '--peer', 'ros2 run other node {disparities}']
    (case,) = {case.outputs for case in _cases(_parser().parse_args(options))}
    assert case == ('disparity',)
    (case,) = {
        case.outputs
        for case in _cases(_parser().parse_args([*options, '--outputs', 'disparity+depth']))
    }
    assert case == ('disparity', 'depth')


def test_a_chain_is_measured_from_raw_images_to_the_cloud_with_all_its_processes(runs):
    _, chain = runs
    (case,) = chain.results['cases']
    assert case['case']['outputs'] == ['points']
    assert case['moderate_rate'] == 20.0
    mine, other = case['rows']
    for row in (mine, other):
        assert row['frames']['moderate']['results'] > 0
        assert row['latency_ms']['moderate']['points']['median']['median'] > 0.0
        assert row['problems'] == []
    assert other['rss_mib']['median'] > mine['rss_mib']['median'] + 64
    assert set(mine['ratios']) == {other['name']}
    assert 'at 20 Hz: CPU ms/frame' in chain.printed
    assert f'against peer: {CHAIN}' in chain.printed


def test_raw_images_become_the_scene_again_when_they_are_rectified():
    scene = load_scene(320, 240)
    raw, cameras = with_distortion(scene)
    for before, seen, camera in zip(
        (scene.left, scene.right), (raw.left, raw.right), cameras, strict=True
    ):
        again = np.empty_like(seen)
        Rectifier(camera).rectify(seen, again)
        inside = np.s_[20:-20, 20:-20]
        moved = np.abs(seen[inside].astype(int) - before[inside]).mean()
        kept = np.abs(again[inside].astype(int) - before[inside]).mean()
        # Two interpolations smooth a little; the distortion moves things by pixels.
        assert kept < 0.35 * moved


def test_usage_is_that_of_all_descendants(tmp_path):
    """A shell has a few MiB; the interpreter behind it, in its own session, holds 64 MiB."""
    ready = tmp_path / 'ready'
    program = (
        'import pathlib, sys, time; held = b"1" * 2**26; '
        'pathlib.Path(sys.argv[1]).touch(); time.sleep(1000)'
    )
    command = shlex.join(('setsid', sys.executable, '-c', program, str(ready)))
    with Processes(tmp_path) as processes:
        shell = processes.start('shell', ('sh', '-c', f'{command} & wait'), os.environ)
        while not ready.exists():
            shell.watch(0.01)
        assert usage_of(shell.pid).rss_bytes > 2**26


def test_frames_that_are_not_accounted_for_are_reported():
    right = {
        'sent_pairs': 10,
        'results': 6,
        'results_of_unknown_stamp': 0,
        'results_repeated': 0,
        'pairs_without_result': 4,
        'received_images': 18,
        'computed_pairs': 7,
        'dropped_images': {'late': 3},
        'waiting_images': 1,
        'published': 7,
        'lost_results': 1,
    }
    assert account_problems(right) == []
    for name in ('results', 'pairs_without_result', 'received_images', 'published'):
        assert account_problems({**right, name: right[name] + 1})
    assert account_problems({**right, 'dropped_images': {}})


def test_the_fit_finds_the_costs_that_times_were_made_of():
    points = [
        {'width': w, 'height': h, 'disparities': d, 'threads': n, 'backend': 'opencv'}
        for w, h in ((320, 240), (640, 480), (1920, 1080))
        for d in (16, 64, 256)
        for n in (1, 2, 8)
    ]
    for point in points:
        pixels = point['width'] * point['height']
        point['ms'] = 0.5 + (7.0 * pixels + 0.25 * tries(point)) / point['threads'] / 1e6
    found = fit(points)['opencv']
    # The times are exact: what remains is rounding.
    assert found['frame_ms'] == pytest.approx(0.5, rel=1e-6)
    assert found['pixel_ns'] == pytest.approx(7.0, rel=1e-6)
    assert found['try_ns'] == pytest.approx(0.25, rel=1e-6)
    assert found['worst_percent'] < 1e-6
    assert [model_ms(point, found) for point in points] == pytest.approx(
        [point['ms'] for point in points]
    )


def test_figures_are_medians_of_repeats_and_ratios_are_taken_within_a_repeat():
    def trial(rate: float) -> dict[str, object]:
        phase = {
            'rate': rate,
            'fed_rate': 2 * rate,
            'cpu_ms': 10.0,
            'rss_mib': 1.0,
            'rss_growth_mib': 0.0,
            'latency_ms': {'disparity': [8.0]},
            'frames': {
                'sent_pairs': 1,
                'results': 1,
                'results_of_unknown_stamp': 0,
                'results_repeated': 0,
                'pairs_without_result': 0,
            },
        }
        return {'start_s': 1.0, 'overload': phase, 'moderate': phase}

    # The machine is half as fast in the second repeat: the ratios know nothing of it.
    cores = [{'times': {'bare': {'ms': ms, 'cpu_ms': ms}}} for ms in (5.0, 10.0, 5.0)]
    nodes = {
        'node, opencv': [trial(rate) for rate in (100.0, 50.0, 100.0)],
        'peer: x': [trial(rate) for rate in (50.0, 25.0, 50.0)],
    }
    bare, node, _ = summarise_case({'core': cores, 'nodes': nodes})
    assert bare['ms'] == {'median': 5.0, 'low': 5.0, 'high': 10.0}
    assert node['rate'] == {'median': 100.0, 'low': 50.0, 'high': 100.0}
    assert node['ratios']['bare']['rate'] == {'median': 0.5, 'low': 0.5, 'high': 0.5}
    assert node['ratios']['peer: x']['rate'] == {'median': 2.0, 'low': 2.0, 'high': 2.0}


@pytest.mark.parametrize(('percent', 'value'), [(0, 1), (50, 2), (95, 4), (100, 4)])
def test_a_percentile_is_one_of_the_values(percent, value):
    assert percentile([3, 1, 4, 2], percent) == value


def test_sizes_have_their_usual_disparities_or_those_given():
    usual = make_cases([(640, 480), (1280, 720), (1920, 1080)], [])
    assert [case.num_disparities for case in usual] == [64, 128, 256]
    assert [case.num_disparities for case in make_cases([(640, 480), (320, 240)], [32])] == [
        32,
        32,
    ]
    with pytest.raises(ValueError, match='2 numbers of disparities'):
        make_cases([(640, 480), (1280, 720), (1920, 1080)], [64, 128])


def test_commands_carry_the_settings_of_the_case():
    case = Case(640, 480, 64)
    words = own('opencv', [('speckle_window_size', '100')]).commands_for(case)[0]
    assert {'num_disparities:=64', 'matcher_backend:=opencv', 'speckle_window_size:=100'} <= set(
        words
    )
    assert peer('a "b;c" ; d;').commands == (('a', 'b;c'), ('d',))
    assert peer("run 'a node' -p range:={disparities}").commands_for(case)[0] == [
        'run',
        'a node',
        '-p',
        'range:=64',
    ]
