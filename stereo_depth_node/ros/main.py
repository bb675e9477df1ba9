# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The program ``stereo_depth_node``: starts the node and ends it whenever it is told to.

SIGINT and SIGTERM end it in any state with exit code 0: until ROS listens to them by leaving at
once, as there is nothing to clean up; from then on by the shutdown of the ROS context, which ends
the spinning between two callbacks. No KeyboardInterrupt is raised at whatever line runs just
then. So signals are looked after before anything large is imported.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

__all__ = ['main']

_WRONG_USAGE = 2


class _Signals:
    """Says what SIGINT and SIGTERM do.

    Attributes
    ----------
    are_left_to_ros : bool
        rclpy's own handlers are in place, which call this one after they have done their work.
    """

    def __init__(self) -> None:
        self.are_left_to_ros = False
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if not self.are_left_to_ros:
            os._exit(0)


def main(arguments: list[str] | None = None) -> int:
    """Run the node until it is told to stop; return the exit code, 2 for wrong ROS arguments.

    Parameters
    ----------
    arguments : list of str, optional
        The command line; that of the process by default.
    """
    signals = _Signals()
    import rclpy
    from rclpy.executors import ExternalShutdownException

    from stereo_depth_node.ros.node import spin, StereoDepthNode

    try:
        rclpy.init(args=[*(sys.argv if arguments is None else arguments), *_log_arguments()])
    except Exception as error:  # noqa: BLE001 (its types belong to the compiled part of rclpy)
        print(f'stereo_depth_node cannot start: {_reason_of(error)}', file=sys.stderr)
        return _WRONG_USAGE
    signals.are_left_to_ros = True
    try:
        node = StereoDepthNode()
        try:
            spin(node)
        finally:
            node.destroy_node()
    except ExternalShutdownException:
        pass
    except Exception:
        if rclpy.ok():  # otherwise ROS was shut down under the hands of what ran just then
            raise
    finally:
        rclpy.try_shutdown()
    return 0


def _reason_of(error: Exception) -> str:
    """Return why ROS refuses to start, without the places in its source, and what to do."""
    reason = str(error).partition(', at /')[0].strip()
    if not reason.startswith('failed to initialize rcl'):
        reason = f'unknown ROS arguments {reason}'
    return f'{reason}. Check what follows --ros-args'


def _log_arguments() -> list[str]:
    """Return what keeps ROS from a log file where none can be: it would not start otherwise.

    The folder is the one that rcl_logging takes.
    """
    home = os.environ.get('ROS_HOME') or os.path.join('~', '.ros')
    folder = os.path.expanduser(os.environ.get('ROS_LOG_DIR') or os.path.join(home, 'log'))
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        reason = str(error)
    else:
        if os.access(folder, os.W_OK | os.X_OK):
            return []
        reason = f'{folder} is not writable'
    print(f'no log file is written: {reason}; set ROS_LOG_DIR', file=sys.stderr)
    return ['--ros-args', '--disable-external-lib-logs']


if __name__ == '__main__':
    sys.exit(main())
