# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The program ``stereo_depth_node``: starts the node, and ends it on SIGINT, SIGTERM and SIGHUP.

They end it in any state with exit code 0. Until ROS handles them the process exits at once, as
there is nothing to clean up; from then on the ROS context shuts down, which ends the spinning
between two callbacks. No KeyboardInterrupt is raised at whatever line runs just then. So handlers
are installed before anything large is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import dataclasses
import itertools
import os
import signal
import sys
import tempfile
import threading
import time
from types import FrameType
from typing import Any, TYPE_CHECKING
import warnings

from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.settings.fields import SettingFields

if TYPE_CHECKING:
    from stereo_depth_node.ros.node import StereoDepthNode

__all__ = ['main']

_WRONG_USAGE = 2
_MANAGED = '--managed'
_FULL_S = 0.5

# Those of ROS that come with a value.
_ROS_OPTIONS = ('--params-file', '-p', '--param', '-r', '--remap', '--log-level')

_HELP = """\
usage: stereo_depth_node [--help] [--managed] [--ros-args [ARG ...]]

Depth from the images of a stereo camera. With --managed it is a lifecycle node, to be configured
and activated. Everything else is given as ROS arguments:

  stereo_depth_node --ros-args --params-file depth.yaml   parameters from a file
  stereo_depth_node --ros-args -p num_disparities:=128    a parameter
  stereo_depth_node --ros-args -r left/image_rect:=/cam0/image_rect
                                                          another topic
  stereo_depth_node --ros-args -r __ns:=/front            a namespace

With a Fast DDS profile for large images, and shorter: ros2 launch stereo_depth_node
depth.launch.py --show-args

Parameters:                 docs/parameters.md, or ros2 param describe while it runs
Why there is no depth:      ros2 service call /stereo_depth_node/explain std_srvs/srv/Trigger
"""


# What the node needs beside ROS -> the package of Debian and Ubuntu that has it.
_LIBRARIES = {'cv2': 'python3-opencv', 'numpy': 'python3-numpy', 'yaml': 'python3-yaml'}


class _Signals:
    """Says what SIGINT, SIGTERM and SIGHUP do; SIGHUP not where it is ignored (nohup).

    Attributes
    ----------
    are_left_to_ros : bool
        rclpy's own handlers are in place, which call this one after they have done their work.
    """

    def __init__(self) -> None:
        self.are_left_to_ros = False
        self._numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self._numbers.append(signal.SIGHUP)
        self._set(self._handle)

    def ignore(self) -> None:
        """Ignore further signals: at its end Python would have them kill the process."""
        self._set(signal.SIG_IGN)

    def _set(self, handler: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in self._numbers:
                signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if not self.are_left_to_ros:
            os._exit(0)
        if number == signal.SIGHUP:  # ROS does not know it
            signal.raise_signal(signal.SIGTERM)


def main(arguments: list[str] | None = None) -> int:
    """Run the node until a signal ends it; return the exit code, 2 for wrong arguments.

    Parameters
    ----------
    arguments : list of str, optional
        The command line; that of the process by default.
    """
    signals = _Signals()
    given = sys.argv if arguments is None else arguments
    own, for_ros = _divided(given[1:])
    is_managed = _MANAGED in own
    if is_managed:
        own.remove(_MANAGED)
    if {'-h', '--help'} & {*own}:
        print(_HELP, end='')
        return 0
    if own:
        return _refuse_to_start(_reason_of_unknown(own))
    _set_home()
    _survive_warnings()
    with _fitting_shared_memory() as problem:
        return _run(signals, given, _params_files(for_ros), problem, is_managed=is_managed)


def _run(
    signals: _Signals,
    given: list[str],
    params_files: list[str],
    problem: str,
    *,
    is_managed: bool,
) -> int:
    try:
        import rclpy
    except ImportError as error:
        return _refuse_to_start(
            f'{error}. Source ROS 2 first (source /opt/ros/$ROS_DISTRO/setup.bash), with the '
            'Python that it was made for; without ROS 2 the program stereo_depth works on files'
        )
    from rclpy.executors import ExternalShutdownException

    try:
        from stereo_depth_node.ros.node import spin
    except ImportError as error:
        if error.name not in _LIBRARIES:
            raise
        return _refuse_to_start(f'{error}: sudo apt install {_LIBRARIES[error.name]}')

    try:
        rclpy.init(args=[*given, *_log_arguments()])
    except Exception as error:  # noqa: BLE001 (its types belong to the compiled part of rclpy)
        return _refuse_to_start(_reason_of(error, params_files))
    signals.are_left_to_ros = True
    try:
        node = _node_class(is_managed=is_managed)(params_files, shared_memory=problem)
        try:
            spin(node)
        finally:
            node.destroy_node()
    except ExternalShutdownException:
        pass
    except StereoDepthError as error:
        return _refuse_to_start(str(error))
    except MemoryError as error:
        return _refuse_to_start(f'there is not enough memory ({error}): allow it more')
    except Exception:
        if rclpy.ok():  # otherwise ROS was shut down under the hands of what ran just then
            raise
    finally:
        rclpy.try_shutdown()
        signals.ignore()
    return 0


def _node_class(*, is_managed: bool) -> type[StereoDepthNode]:
    if is_managed:
        from stereo_depth_node.ros.managed_node import ManagedStereoDepthNode

        return ManagedStereoDepthNode
    from stereo_depth_node.ros.node import StereoDepthNode

    return StereoDepthNode


def _refuse_to_start(reason: str) -> int:
    print(f'stereo_depth_node cannot start: {reason}', file=sys.stderr)
    return _WRONG_USAGE


def _divided(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments that are not for ROS, and those that are.

    Those between ``--ros-args`` and the end, or ``--``, are for ROS.
    """
    own: list[str] = []
    for_ros: list[str] = []
    is_for_ros = False
    for argument in arguments:
        if argument in ('--ros-args', '--'):
            is_for_ros = argument == '--ros-args'
        else:
            (for_ros if is_for_ros else own).append(argument)
    return own, for_ros


def _params_files(for_ros: list[str]) -> list[str]:
    return [path for option, path in itertools.pairwise(for_ros) if option == '--params-file']


def _reason_of_unknown(own: list[str]) -> str:
    arguments = ' '.join(own)
    reason = f'unknown arguments {arguments}. '
    if any(each in _ROS_OPTIONS or ':=' in each for each in own):
        whole = ' '.join(_with_options(own))
        return f'{reason}Write: stereo_depth_node --ros-args {whole}'
    return f'{reason}stereo_depth_node --help lists what it takes'


def _with_options(arguments: list[str]) -> Iterator[str]:
    """Yield the arguments with what has to stand before each NAME:=VALUE."""
    parameters = {field.name for field in dataclasses.fields(SettingFields)}
    for before, argument in itertools.pairwise(('', *arguments)):
        name, is_rule, _ = argument.partition(':=')
        if is_rule and before not in _ROS_OPTIONS:
            yield '-p' if name in parameters else '-r'
        yield argument


def _reason_of(error: Exception, params_files: list[str]) -> str:
    """Return why ROS refuses to start, without the places in its source, and what to do."""
    from stereo_depth_node.core.settings.params_file import why_ros_refuses

    reason = str(error).partition(', at /')[0].strip()
    if not reason.startswith('failed to initialize rcl'):
        reason = f'unknown ROS arguments {reason}'
    refused = [path for path in params_files if path in reason]
    causes = [cause for path in refused if (cause := why_ros_refuses(path))]
    check = 'Check what follows --ros-args: -p NAME:=VALUE, -r FROM:=TO, --params-file FILE'
    return '. '.join([reason, *causes, check])


@contextlib.contextmanager
def _fitting_shared_memory() -> Iterator[str]:
    """Have Fast DDS ask for no more shared memory than there is; give what is wrong with it.

    It reads its profile when the node is made, from a file.
    """
    from stereo_depth_node.shared_memory import (
        is_shared_memory_full,
        REMEDY,
        shared_memory,
        SHM_FOLDER,
    )

    if is_shared_memory_full():
        print(f'waiting for room: {SHM_FOLDER} is full; {REMEDY}', file=sys.stderr, flush=True)
        while is_shared_memory_full():
            time.sleep(_FULL_S)
    there = shared_memory(os.environ)
    if there.problem:
        print(f'shared memory: {there.problem}', file=sys.stderr, flush=True)
    with contextlib.ExitStack() as stack:
        if there.variable:
            with contextlib.suppress(OSError):  # then Fast DDS finds out for itself
                file = stack.enter_context(tempfile.NamedTemporaryFile('w', suffix='.xml'))
                file.write(there.profile)
                file.flush()
                os.environ[there.variable] = file.name
        yield there.problem


def _set_home() -> None:
    """Set HOME where it is not, as under systemd: ROS does not start without."""
    if not os.environ.get('HOME'):
        os.environ.pop('HOME', None)
        home = os.path.expanduser('~')  # now from the list of users
        os.environ['HOME'] = home if os.path.isabs(home) else os.sep


def _survive_warnings() -> None:
    """Show warnings that Python was told to take for errors: what ROS imports has some."""
    if any('error' in option for option in sys.warnoptions):
        warnings.simplefilter('default')


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
