# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From repeats to figures: medians with their spread, and ratios within each repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

__all__ = ['account_problems', 'figure', 'percentile', 'summarise_case']

Figure = dict[str, float]


def figure(values: Iterable[float]) -> Figure:
    """Return median, smallest and largest of the values of all repeats."""
    ordered = sorted(values)
    return {'median': median(ordered), 'low': ordered[0], 'high': ordered[-1]}


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank) - 1, 0)]


def summarise_case(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row of figures for the bare matcher, the core and every node.

    Parameters
    ----------
    result : mapping
        Of one case: `core`, a measurement per repeat or none at all, and `nodes`, by name a trial
        per repeat.

    Returns
    -------
    list of dict
        `name`; figures; and `ratios`: how many times as fast, or as expensive, as the bare
        matcher of the same repeat, and as each peer of the same repeat.
    """
    cores = result['core']
    rows = [
        {
            'name': name,
            'ms': figure(core['times'][name]['ms'] for core in cores),
            'cpu_ms': figure(core['times'][name]['cpu_ms'] for core in cores),
            'ratios': {
                'bare': {
                    kind: figure(
                        core['times'][name][kind] / core['times']['bare'][kind] for core in cores
                    )
                    for kind in ('ms', 'cpu_ms')
                }
            },
        }
        for name in (cores[0]['times'] if cores else ())
    ]
    nodes = result['nodes']
    peers = [name for name in nodes if name.startswith('peer')]
    for name, trials in nodes.items():
        row = {'name': name, **_figures(trials), **_counts(trials)}
        row['ratios'] = {'bare': _against_bare(trials, cores)} if cores else {}
        for peer in peers if name not in peers else ():
            row['ratios'][peer] = _against_peer(trials, nodes[peer])
        rows.append(row)
    return rows


# Figures of a trial, by name. Only nodes of this package report their stages.
_FIGURES: dict[str, Callable[[Mapping[str, Any]], float]] = {
    'rate': lambda trial: trial['overload']['rate'],
    'fed_rate': lambda trial: trial['overload']['fed_rate'],
    'cpu_ms': lambda trial: trial['overload']['cpu_ms'],
    'moderate_rate': lambda trial: trial['moderate']['rate'],
    'moderate_cpu_ms': lambda trial: trial['moderate']['cpu_ms'],
    'start_s': lambda trial: trial['start_s'],
    'rss_mib': lambda trial: trial['overload']['rss_mib'],
    'rss_growth_mib': lambda trial: trial['overload']['rss_growth_mib'],
}
_FIGURES_OF_STAGES: dict[str, Callable[[Mapping[str, Any]], float]] = {
    'beside_cpu_ms': lambda trial: _beside(trial['overload']),
    'moderate_beside_cpu_ms': lambda trial: _beside(trial['moderate']),
    'match_ms': lambda trial: trial['overload']['stage_ms']['wall']['match'],
}


def _beside(phase: Mapping[str, Any]) -> float:
    """CPU time per frame that is not in the stage that matches, ms."""
    return float(phase['cpu_ms'] - phase['stage_ms']['cpu']['match'])


def _figures(trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sources = dict(_FIGURES)
    if 'stage_ms' in trials[0]['overload']:
        sources.update(_FIGURES_OF_STAGES)
    figures: dict[str, Any] = {name: figure(map(of, trials)) for name, of in sources.items()}
    figures['latency_ms'] = {
        phase: {
            output: {
                'median': figure(median(trial[phase]['latency_ms'][output]) for trial in trials),
                'p95': figure(
                    percentile(trial[phase]['latency_ms'][output], 95) for trial in trials
                ),
            }
            for output in trials[0][phase]['latency_ms']
        }
        for phase in ('overload', 'moderate')
    }
    peaks = [trial['peak_bytes'] for trial in trials if 'peak_bytes' in trial]
    if peaks:
        figures['stage_peak_bytes'] = max(peaks)
    return figures


def _counts(trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sum up the frames of all repeats by their fate, and list where that does not add up."""
    accounts = {
        phase: [trial[phase]['frames'] for trial in trials] for phase in ('overload', 'moderate')
    }
    return {
        'frames': {phase: _summed(each) for phase, each in accounts.items()},
        'problems': [
            problem
            for each in accounts.values()
            for account in each
            for problem in account_problems(account)
        ],
        'backend': trials[-1].get('backend'),
    }


def _summed(accounts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for account in accounts:
        for name, value in account.items():
            if isinstance(value, Mapping):
                reasons = total.setdefault(name, {})
                for reason, count in value.items():
                    reasons[reason] = reasons.get(reason, 0) + count
            else:
                total[name] = total.get(name, 0) + value
    return total


def account_problems(account: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each sum of a phase that does not add up."""
    sums = {
        'pairs sent = pairs with a result + pairs without': (
            account['sent_pairs'] + account['results_of_unknown_stamp'],
            account['results'] - account['results_repeated'] + account['pairs_without_result'],
        ),
        'results of a stamp never sent = 0': (account['results_of_unknown_stamp'], 0),
        'results repeated = 0': (account['results_repeated'], 0),
    }
    if 'received_images' in account:
        dropped = sum(account['dropped_images'].values())
        sums |= {
            'images received = 2 * computed + dropped + waiting': (
                account['received_images'],
                2 * account['computed_pairs'] + dropped + account['waiting_images'],
            ),
            'computed = published': (account['computed_pairs'], account['published']),
            'published = received + lost results': (
                account['published'],
                account['results'] + account['lost_results'],
            ),
        }
    return [
        f'{rule}: {left} is not {right}' for rule, (left, right) in sums.items() if left != right
    ]


def _against_bare(
    trials: Sequence[Mapping[str, Any]], cores: Sequence[Mapping[str, Any]]
) -> dict[str, Figure]:
    """Compare with a program that does nothing but call the matcher, one frame after another."""
    pairs = [(trial, core['times']['bare']) for trial, core in zip(trials, cores, strict=True)]
    return {
        'rate': figure(trial['overload']['rate'] * bare['ms'] / 1e3 for trial, bare in pairs),
        'cpu_ms': figure(trial['overload']['cpu_ms'] / bare['cpu_ms'] for trial, bare in pairs),
        'latency': figure(_latency(trial) / bare['ms'] for trial, bare in pairs),
    }


def _against_peer(
    trials: Sequence[Mapping[str, Any]], peers: Sequence[Mapping[str, Any]]
) -> dict[str, Figure]:
    pairs = list(zip(trials, peers, strict=True))
    return {
        'rate': figure(own['overload']['rate'] / peer['overload']['rate'] for own, peer in pairs),
        'cpu_ms': figure(
            own['overload']['cpu_ms'] / max(peer['overload']['cpu_ms'], 1e-9)
            for own, peer in pairs
        ),
        'moderate_cpu_ms': figure(
            own['moderate']['cpu_ms'] / max(peer['moderate']['cpu_ms'], 1e-9)
            for own, peer in pairs
        ),
        'latency': figure(_latency(own) / _latency(peer) for own, peer in pairs),
    }


def _latency(trial: Mapping[str, Any]) -> float:
    # Of the first output.
    return float(median(next(iter(trial['moderate']['latency_ms'].values()))))
