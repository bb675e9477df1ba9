# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The results as tables, for a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

__all__ = ['markdown', 'text']

_NO = '-'
_HEAD = (
    'what',
    'frames/s',
    'x bare',
    'CPU ms/frame',
    'x bare',
    'of it beside the matcher',
    'latency ms, median',
    'p95',
    'x bare',
    'lost on the way',
    'dropped by policy',
)


def text(results: Mapping[str, Any]) -> str:
    """Return everything measured as text of fixed width."""
    return _document(results, _text_table, '{}')


def markdown(results: Mapping[str, Any]) -> str:
    """Return everything measured as Markdown, with the command that measured it."""
    command = f'Measured by `{results["command"]}`'
    return f'{command} on {_machine(results)}.\n\n' + _document(results, _markdown_table, '**{}**')


def _document(results: Mapping[str, Any], table: Any, title: str) -> str:
    parts = []
    for result in results['cases']:
        parts.append(
            _chain(result, table, title)
            if 'opencv' not in result
            else _nodes(result, table, title)
        )
        parts += [line for line in (_against_peers(result), _notes(result)) if line]
    if results['cases']:
        parts.append(_upkeep(results['cases'], table, title))
    for name, write in (('startup', _startup), ('scaling', _scaling)):
        if results.get(name):
            parts.append(write(results[name], table, title))
    return '\n\n'.join(parts) + '\n'


def _nodes(result: Mapping[str, Any], table: Any, title: str) -> str:
    rates = (
        f'fed with {result["overload_rate"]:.0f} pairs/s; latency and the times in brackets '
        f'at {result["moderate_rate"]:.0f} pairs/s'
    )
    rows = [_cells(row) for row in result['rows']]
    return '\n'.join((title.format(result['name']), rates, '', table(_HEAD, rows)))


def _chain(result: Mapping[str, Any], table: Any, title: str) -> str:
    moderate, overload = (f'{result[f"{at}_rate"]:.0f} Hz' for at in ('moderate', 'overload'))
    head = (
        'chain',
        f'at {moderate}: CPU ms/frame',
        'latency ms, median',
        'p95',
        'received',
        f'at {overload}: frames/s',
        'CPU ms/frame',
        'latency ms, median',
    )
    rows = []
    for row in result['rows']:
        frames = row['frames']['moderate']
        share = 100.0 * (1.0 - frames['pairs_without_result'] / max(frames['sent_pairs'], 1))
        latency = row['latency_ms']
        rows.append(
            [
                row['name'],
                _spread(row['moderate_cpu_ms']),
                _each(latency['moderate'], 'median'),
                _each(latency['moderate'], 'p95'),
                f'{share:.1f} %',
                _spread(row['rate']),
                _spread(row['cpu_ms']),
                _each(latency['overload'], 'median'),
            ]
        )
    about = 'from raw images to the first output: CPU of all processes, latency from the stamp'
    return '\n'.join((title.format(result['name']), about, '', table(head, rows)))


def _cells(row: Mapping[str, Any]) -> list[str]:
    bare = row['ratios']['bare']
    if 'ms' in row:
        speed = {
            name: 1e3 / row['ms'][at]
            for name, at in (('median', 'median'), ('low', 'high'), ('high', 'low'))
        }
        times = {'median': 1 / bare['ms']['median']}
        return [
            row['name'], _spread(speed), _ratio(times), _spread(row['cpu_ms']),
            _ratio(bare['cpu_ms']), _NO, _spread(row['ms']), _NO, _ratio(bare['ms']), _NO, _NO,
        ]  # fmt: skip
    cells = [row['name'], _spread(row['rate']), _ratio(bare['rate'])]
    cells += [f'{_spread(row["cpu_ms"])} ({_number(row["moderate_cpu_ms"]["median"])})']
    cells += [_ratio(bare['cpu_ms'])]
    if 'beside_cpu_ms' in row:
        moderate = _number(row['moderate_beside_cpu_ms']['median'])
        cells += [f'{_spread(row["beside_cpu_ms"])} ({moderate})']
    else:
        cells += [_NO]
    latency = row['latency_ms']['moderate']
    cells += [_each(latency, 'median'), _each(latency, 'p95'), _ratio(bare['latency'])]
    frames = row['frames']['overload']
    if 'received_images' not in frames:
        return [
            *cells,
            f'{frames["pairs_without_result"]} of {frames["sent_pairs"]} pairs',
            'unknown',
        ]
    lost, sent = frames['lost_in_transport_images'], 2 * frames['sent_pairs']
    dropped = sum(frames['dropped_images'].values())
    return [*cells, f'{lost} of {sent} images', f'{dropped} images']


def _each(latency: Mapping[str, Any], kind: str) -> str:
    """Return the latency of every output."""
    if len(latency) == 1:
        return _spread(next(iter(latency.values()))[kind])
    return ', '.join(f'{output} {_spread(each[kind])}' for output, each in latency.items())


def _against_peers(result: Mapping[str, Any]) -> str:
    lines = [
        f'{row["name"]} against {peer}: rate x {_spread(ratios["rate"])}, '
        f'CPU per frame x {_spread(ratios["cpu_ms"])} '
        f'(x {_spread(ratios["moderate_cpu_ms"])} at {result["moderate_rate"]:.0f} pairs/s), '
        f'latency x {_spread(ratios["latency"])}'
        for row in result['rows']
        for peer, ratios in row['ratios'].items()
        if peer != 'bare'
    ]
    return '\n'.join(lines)


def _notes(result: Mapping[str, Any]) -> str:
    """Return the share of the matcher in the time, and what does not add up."""
    lines = []
    for row in result['rows']:
        if 'match_ms' in row:
            share = row['match_ms']['median'] * row['rate']['median'] / 10.0
            lines.append(
                f'{row["name"]}: {row["backend"]}; the matcher runs {share:.0f} % of the time'
            )
        problems = row.get('problems', [])
        lines += [f'{row["name"]}: THE ACCOUNT IS WRONG: {problem}' for problem in problems]
        if 'fed_rate' in row and row['rate']['median'] > 0.95 * row['fed_rate']['median']:
            lines.append(f'{row["name"]}: was not overloaded, it could do more')
    return '\n'.join(f'- {line}' for line in lines)


def _upkeep(cases: Sequence[Mapping[str, Any]], table: Any, title: str) -> str:
    head = (
        'what',
        'exec to first result, s',
        'resident MiB',
        'grown by, MiB',
        'allocated per frame: node',
        'core',
    )
    rows = [
        [
            f'{row["name"]}: {case["name"]}',
            _spread(row['start_s']),
            _spread(row['rss_mib']),
            _spread(row['rss_growth_mib']),
            _kib(row.get('stage_peak_bytes')),
            _kib(case.get('allocated_bytes', {}).get(row['name'].rpartition(' ')[2])),
        ]
        for case in cases
        for row in case['rows']
        if 'start_s' in row
    ]
    return f'{title.format("Start and memory")}\n\n{table(head, rows)}'


def _startup(startup: Mapping[str, Any], table: Any, title: str) -> str:
    rows = [[name, _number(ms)] for name, ms in startup['longest_ms'].items()]
    unneeded = ', '.join(startup['unneeded']) or 'none'
    return (
        f'{title.format("Imports of the node")}\n'
        f'{startup["modules"]} modules in {startup["total_ms"]:.0f} ms; '
        f'heavy ones that a node does not need: {unneeded}\n\n'
        f'{table(("package", "ms"), rows)}'
    )


def _scaling(scaling: Mapping[str, Any], table: Any, title: str) -> str:
    fits = [
        f'- {backend}: {fit["frame_ms"]:.2f} ms + ({fit["pixel_ns"]:.2f} ns per pixel + '
        f'{fit["try_ns"]:.4f} ns per disparity tried at a pixel) / threads '
        f'(within {fit["worst_percent"]:.0f} %)'
        for backend, fit in scaling['fit'].items()
    ]
    backends = list(scaling['fit'])
    times: dict[tuple[Any, ...], dict[str, float]] = {}
    for point in scaling['points']:
        key = (f'{point["width"]}x{point["height"]}', point['disparities'], point['threads'])
        times.setdefault(key, {})[point['backend']] = point['ms']
    rows = [
        [*map(str, key), *(_number(by[name]) for name in backends)] for key, by in times.items()
    ]
    head = ('size', 'disparities', 'threads', *(f'{name}, ms' for name in backends))
    listed = '\n'.join(fits)
    return f'{title.format("Growth of the time of a frame")}\n\n{listed}\n\n{table(head, rows)}'


def _machine(results: Mapping[str, Any]) -> str:
    machine = results['machine']
    return (
        f'{machine["processors"]} processors ({machine["processor"]}), Python '
        f'{machine["python"]}, {machine["versions"]}'
    )


def _number(value: float) -> str:
    if abs(value) >= 100.0:
        return f'{value:.0f}'
    return f'{value:.1f}' if abs(value) >= 10.0 else f'{value:.2f}'


def _spread(value: Mapping[str, float]) -> str:
    """Return the median with the smallest and largest of the repeats, where they differ."""
    middle, low, high = (_number(value[at]) for at in ('median', 'low', 'high'))
    return middle if low == high else f'{middle} [{low}..{high}]'


def _ratio(value: Mapping[str, float]) -> str:
    return f'{value["median"]:.2f}'


def _kib(count: float | None) -> str:
    return _NO if count is None else f'{count / 1024:.0f} KiB'


def _text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table: str = tabulate(rows, head, tablefmt='plain', disable_numparse=True)
    return table


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ['---', *['---:'] * (len(head) - 1)]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in (head, rule, *rows))
