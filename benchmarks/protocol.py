# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How the processes of a benchmark answer: one line of JSON for each line of command."""

from __future__ import annotations

import json
import sys
from typing import Any

__all__ = ['PREFIX', 'answer']

PREFIX = '@bench '
"""Begins a line that is an answer; other lines are what the process says to people."""


def answer(values: dict[str, Any]) -> None:
    """Answer the last command."""
    sys.stdout.write(f'{PREFIX}{json.dumps(values)}\n')
    sys.stdout.flush()
