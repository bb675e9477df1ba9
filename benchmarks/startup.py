# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node imports when it starts, and how long that takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import dataclasses
import subprocess
import sys

from stereo_depth_node.processes import ProcessError

__all__ = ['Import', 'profile_imports', 'summarise_imports']

_MODULE = 'stereo_depth_node.ros.node'
_TIMEOUT_S = 120.0
# Heavy, and of no use to a node at its start.
_UNNEEDED = ('matplotlib', 'numba', 'llvmlite', 'rosbags', 'scipy', 'skimage', 'tkinter')
_LONGEST = 8


@dataclasses.dataclass(frozen=True)
class Import:
    """One module: its name, its own time, its time with all that it imports, ms."""

    name: str
    own_ms: float
    total_ms: float


def profile_imports(environment: Mapping[str, str]) -> list[Import]:
    """Import the node in a new interpreter and return what that imported, in order."""
    done = subprocess.run(
        (sys.executable, '-X', 'importtime', '-c', f'import {_MODULE}'),
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise ProcessError(f'{_MODULE} cannot be imported\n{done.stderr[-2000:]}')
    # "import time: self [us] | cumulative | imported package", in microseconds.
    rows = [
        line[len('import time:') :].split('|')
        for line in done.stderr.splitlines()
        if line.startswith('import time:') and 'cumulative' not in line
    ]
    return [Import(name.strip(), int(own) / 1e3, int(total) / 1e3) for own, total, name in rows]


def summarise_imports(imports: Sequence[Import]) -> dict[str, object]:
    """Return the whole time, the share of each top-level package and what need not be there."""
    shares: dict[str, float] = {}
    for each in imports:
        package = each.name.partition('.')[0]
        shares[package] = shares.get(package, 0.0) + each.own_ms
    longest = sorted(shares.items(), key=lambda share: -share[1])[:_LONGEST]
    return {
        'total_ms': sum(shares.values()),
        'modules': len(imports),
        'longest_ms': dict(longest),
        'unneeded': sorted(set(shares) & set(_UNNEEDED)),
    }
