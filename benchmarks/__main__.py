# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the matcher, the core and the node on this machine, and compares nodes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import json
import os
from pathlib import Path
import shlex
import sys
import tempfile
from typing import Any

from benchmarks.cases import BLOCK_SIZE, Case, DEFAULT_SIZES, make_cases, own, peer
from benchmarks.machine import describe_machine
from benchmarks.scaling import draw_scaling
from benchmarks.session import Session
from benchmarks.startup import profile_imports, summarise_imports
from benchmarks.tables import markdown, text
from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.settings.settings import known_parameters
from stereo_depth_node.offline.options import parse_size, positive
from stereo_depth_node.offline.parser import ToolParser
from stereo_depth_node.signals import interrupt_on_termination

__all__ = ['main']

_PARTS = ('nodes', 'startup', 'scaling')
_DISPARITY, _BOTH = ('disparity',), ('disparity', 'depth')
_OUTPUTS = (
    'disparity', 'disparity+depth', 'disparity+points', 'depth', 'points', 'depth+points',
)  # fmt: skip
_CHAIN_SIZES = ((640, 480), (1280, 720))


def _parser() -> ToolParser:
    choices = known_parameters()['algorithm'].choices
    parser = ToolParser(
        prog='scripts/bench',
        description='Measures the bare matcher of OpenCV, the core and the node, end to end, and '
        'prints every figure with its ratio to the bare matcher. The machine should have '
        'nothing else to do.',
        epilog='scripts/bench kernel measures the kernel alone, scripts/bench studio the page in '
        'the browser; each has its --help.',
    )
    what = parser.add_argument_group('what is measured')
    what.add_argument(
        '--size', nargs='+', type=parse_size, metavar='WIDTHxHEIGHT',
        help='of the images (default 640x480 1280x720 1920x1080)',
    )  # fmt: skip
    what.add_argument(
        '--disparities', nargs='+', type=int, default=[], metavar='N',
        help='one for all sizes or one for each (default 64, 128, 256)',
    )  # fmt: skip
    what.add_argument('--block-size', type=int, default=BLOCK_SIZE, help='default 15')
    what.add_argument('--algorithm', nargs='+', choices=choices, help='default bm')
    what.add_argument('--encoding', nargs='+', choices=('mono8', 'bgr8'), help='default both')
    what.add_argument(
        '--outputs', nargs='+', choices=_OUTPUTS,
        help='default the first two; with --chain points; rates are those of the first',
    )  # fmt: skip
    what.add_argument('--downscale', nargs='+', type=int, choices=(1, 2, 4), help='default 1')
    what.add_argument(
        '--backends', nargs='+', choices=('opencv', 'auto', 'numba'),
        help='who matches in the node (default opencv auto; with --chain auto)',
    )  # fmt: skip
    what.add_argument(
        '--set', nargs='+', type=_setting, default=[], metavar='NAME=VALUE', dest='settings',
        help='further parameters of the node',
    )  # fmt: skip
    what.add_argument(
        '--peer', action='append', default=[], metavar='COMMAND',
        help='also measure another node with the same topics, in turn with this one, by default '
        'disparity alone; {disparities} and {block_size} in the command stand for those of the '
        'case, and a ; parts the commands of several processes',
    )  # fmt: skip
    what.add_argument(
        '--chain', action='store_true',
        help='measure the chain from raw images (left|right/image_raw and camera_info, with '
        'distortion) to the cloud (points2), at 640x480 and 1280x720',
    )  # fmt: skip
    what.add_argument(
        '--parts', nargs='+', choices=_PARTS,
        help='default all, with --peer or --chain nodes alone',
    )  # fmt: skip
    how = parser.add_argument_group('how')
    how.add_argument(
        '--duration',
        type=positive(float),
        default=2.0,
        metavar='S',
        help='of each measurement (default 2 s)',
    )
    how.add_argument('--warm-up', type=float, default=1.0, metavar='S', help='default 1 s')
    how.add_argument('--repeats', type=int, default=3, help='default 3; the medians are printed')
    how.add_argument(
        '--latency-rate',
        type=positive(float),
        default=30.0,
        metavar='HZ',
        help='pairs per second at which latency is measured, or less where a node '
        'cannot sustain it (default 30)',
    )
    out = parser.add_argument_group('what comes out')
    out.add_argument('--json', type=Path, metavar='FILE', help='write all figures')
    out.add_argument(
        '--from-json',
        type=Path,
        metavar='FILE',
        help='measure nothing: print what an earlier run wrote',
    )
    out.add_argument('--readme', action='store_true', help='print Markdown')
    out.add_argument('--plot', type=Path, metavar='FILE', help='draw how the time grows')
    out.add_argument('--logs', type=Path, metavar='FOLDER', help='keep the logs of the processes')
    return parser


def _setting(value: str) -> tuple[str, str]:
    name, equals, wanted = value.partition('=')
    if not equals or name not in known_parameters():
        raise argparse.ArgumentTypeError(f'{value!r} is not NAME=VALUE of a parameter of the node')
    return name, wanted


def _cases(options: argparse.Namespace) -> list[Case]:
    """Return the cases asked for; by default those that say most about the node."""
    sizes = options.size or list(DEFAULT_SIZES)
    # A command without a place for the disparities is meant for one number of them.
    is_for_one = not all('{disparities}' in command for command in options.peer)
    if is_for_one and not options.size and not options.disparities:
        sizes = sizes[:1]
    outputs = [tuple(each.split('+')) for each in options.outputs or ()]
    fixed = {'block_size': options.block_size, 'disparities': options.disparities}
    chosen = {
        'algorithms': options.algorithm,
        'encodings': options.encoding,
        'outputs': outputs or ([_DISPARITY] if options.peer and not options.chain else []),
        'downscales': options.downscale,
    }
    chosen = {name: values for name, values in chosen.items() if values}
    if options.chain:
        sizes = options.size or list(_CHAIN_SIZES)
        return make_cases(sizes, **fixed, **{'outputs': [('points',)], **chosen}, is_raw=True)
    if chosen or options.size:
        return make_cases(sizes, **fixed, **chosen)
    cases = [
        *make_cases(sizes, **fixed, outputs=(_DISPARITY, _BOTH)),
        *make_cases(sizes, **fixed, encodings=('bgr8',)),
    ]
    if not options.disparities:
        cases += make_cases([(1280, 720)], **fixed, downscales=(2, 4))
        cases += make_cases([(640, 480)], **fixed, algorithms=('sgbm', 'sgbm_3way'))
    return cases


def _measure(options: argparse.Namespace, logs: Path) -> dict[str, Any]:
    cases = _cases(options)
    parts = options.parts or (('nodes',) if options.peer or options.chain else _PARTS)
    known = options.backends or (['auto'] if options.chain else ['opencv', 'auto'])
    session = Session(
        known,
        duration_s=options.duration,
        warm_up_s=options.warm_up,
        repeats=options.repeats,
        latency_rate=options.latency_rate,
        log_folder=logs,
        report=_report,
    )
    results: dict[str, Any] = {
        'command': shlex.join(('scripts/bench', *sys.argv[1:])),
        'machine': describe_machine(),
        'cases': [],
    }
    if 'nodes' in parts:
        for case in cases:
            backends = known if case.algorithm == 'bm' else ['opencv']
            contestants = [
                *(own(backend, options.settings) for backend in backends),
                *(peer(command) for command in options.peer),
            ]
            measure = session.measure_chain if options.chain else session.measure
            results['cases'].append(measure(case, contestants))
    if 'startup' in parts:
        results['startup'] = summarise_imports(profile_imports(os.environ))
    if 'scaling' in parts:
        largest = max(case.width * case.height for case in cases)
        results['scaling'] = session.scale(options.block_size, largest)
    return results


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _run(options: argparse.Namespace) -> int:
    if options.from_json:
        results = json.loads(options.from_json.read_text())
    else:
        with tempfile.TemporaryDirectory(prefix='stereo_depth_bench_') as folder:
            logs = options.logs or Path(folder)
            logs.mkdir(parents=True, exist_ok=True)
            results = _measure(options, logs)
    # First of all what was measured is shown: a file that cannot be written loses nothing.
    print((markdown if options.readme else text)(results), end='', flush=True)
    if options.json and not options.from_json:
        options.json.write_text(json.dumps(results, indent=1))
    if options.plot and results.get('scaling'):
        draw_scaling(results['scaling']['points'], results['scaling']['fit'], options.plot)
    wrong = [
        row['name'] for case in results['cases'] for row in case['rows'] if row.get('problems')
    ]
    return 1 if wrong else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 when every frame fed is accounted for."""
    options = _parser().parse_whole(arguments)
    interrupt_on_termination()
    try:
        return _run(options)
    except (StereoDepthError, OSError, ValueError) as error:
        print(f'bench failed: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('bench: interrupted', file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
