# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What of the causes goes into the log, and how often: a log that is full is not read."""

from __future__ import annotations

from collections.abc import Sequence
import math
from typing import Any

from stereo_depth_node.core.health.causes import CAUSES, Finding, Level, listed

__all__ = ['CauseLog']

# No cause is logged again before so many seconds, whatever it does meanwhile.
_REPEAT_S = 30.0
# Of these there can be several at a time, and no number in their texts changes all the time.
_ONE_PER_TEXT = (
    'implausible_calibration',
    'parameter_ignored',
    'parameter_refused',
    'several_publishers',
    'shared_output',
)


class CauseLog:
    """Logs that a cause has come, and that it is over; what blocks the output also meanwhile.

    Parameters
    ----------
    logger : rclpy.impl.rcutils_logger.RcutilsLogger
        Of the node.
    """

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._logged: dict[str, float] = {}
        self._open: dict[str, str] = {}
        self._shown_state = CAUSES['starting'].name

    def update(self, findings: Sequence[Finding], now: float) -> None:
        """Log what is new in the findings of a look, the state of the output first.

        Parameters
        ----------
        findings : sequence of Finding
            As :func:`.diagnose` returns them.
        now : float
            Seconds of any steady clock.
        """
        present = {_key(finding): finding for finding in findings}
        ended = dict.fromkeys(name for key, name in self._open.items() if key not in present)
        self._open = {key: name for key, name in self._open.items() if key in present}
        state = findings[0]
        recovers = state.level is Level.OK and self._is_new_state(state, now)
        if ended:
            self._logger.info(
                f'no longer: {listed(ended)}' + (f'; {state.text}' if recovers else '')
            )
        elif recovers:
            self._logger.info(state.text)
        if recovers:
            self._shown_state = state.cause.name
            self._logged[state.cause.name] = now
        for key, finding in present.items():
            if finding.level is not Level.OK:
                self._log_cause(key, finding, now, goes_on=finding is state)
            elif finding is not state and key not in self._logged:
                self._logged[key] = now
                self._logger.info(finding.text)
        # Texts are many, where they name what comes and goes.
        self._logged = {
            key: at for key, at in self._logged.items() if key in CAUSES or now - at < _REPEAT_S
        }

    def _is_new_state(self, state: Finding, now: float) -> bool:
        """Tell whether it is news that the output is as it should be."""
        name, shown = state.cause.name, CAUSES[self._shown_state]
        if name in (shown.name, 'starting'):
            return False
        return shown.level is not Level.OK or self._is_due(name, now)

    def _log_cause(self, key: str, finding: Finding, now: float, *, goes_on: bool) -> None:
        if (key in self._open and not goes_on) or not self._is_due(key, now):
            return
        self._logged[key] = now
        self._open[key] = finding.cause.name
        self._logger.warning(finding.text)
        if goes_on:
            self._shown_state = finding.cause.name

    def _is_due(self, key: str, now: float) -> bool:
        return now - self._logged.get(key, -math.inf) >= _REPEAT_S


def _key(finding: Finding) -> str:
    """Return what makes a finding another one."""
    return finding.text if finding.cause.name in _ONE_PER_TEXT else finding.cause.name
