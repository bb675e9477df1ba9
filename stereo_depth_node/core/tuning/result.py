# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What tuning reports."""

from __future__ import annotations

from dataclasses import dataclass

from stereo_depth_node.core.settings import Settings
from stereo_depth_node.core.settings.parameter import Changes
from stereo_depth_node.core.tuning.objectives import Score

__all__ = ['TuningResult', 'TuningStep']


@dataclass(frozen=True)
class TuningStep:
    """What one step of the search did.

    Attributes
    ----------
    name : str
        What was tried.
    changes : mapping of str to value
        The settings it changed; empty when nothing was better.
    score : Score
        Of the settings after the step.
    tried : int
        How many settings were scored for it.
    seconds : float
        How long it took.
    """

    name: str
    changes: Changes
    score: Score
    tried: int
    seconds: float


@dataclass(frozen=True)
class TuningResult:
    """What a search found.

    Attributes
    ----------
    settings : Settings
        The best settings.
    steps : tuple of TuningStep
        In order; the first one is the start.
    is_complete : bool
        Whether the search came to its end within the budget.
    """

    settings: Settings
    steps: tuple[TuningStep, ...]
    is_complete: bool
