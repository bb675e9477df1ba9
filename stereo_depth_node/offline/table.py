# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Tables in plain text."""

from __future__ import annotations

from collections.abc import Sequence
import math

__all__ = ['aligned_table', 'decimal']


def aligned_table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """Return a table: the first `texts` columns to the left, the others to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, ['-' * width for width in widths])
    return '\n'.join(
        '  '.join(
            cell.ljust(width) if column < texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def decimal(value: float | None, digits: int) -> str:
    """Return a number with so many digits, a dash where there is none."""
    return '-' if value is None or not math.isfinite(value) else f'{value:.{digits}f}'
