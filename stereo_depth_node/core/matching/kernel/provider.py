# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the block-matching kernel is ready, and the way to make it so.

Compiling takes LLVM some ten seconds, and much of that it holds the GIL: too long for a
process that handles images. So a child process compiles at low priority and fills a
cache on disk; then a thread of this process loads the result, a matter of tenths of a
second. Until then, and wherever this fails, OpenCV does the work.

::

    UNAVAILABLE (not requested) --request--> COMPILING --> READY
                                                 |
                                                 +-------> UNAVAILABLE (with the reason)
"""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import threading
from typing import Any

import numpy.typing as npt

from stereo_depth_node.core.matching.kernel.cache import (
    cache_folder,
    compiling_alone,
    is_complete,
    is_damaged,
    numba_version,
)

__all__ = [
    'KernelProvider',
    'KernelState',
    'compile_ahead',
    'compiled_code_takes',
    'kernel_state',
    'request_kernel',
    'wait_for_kernel',
]

_PACKAGE_ROOT = Path(__file__).resolve().parents[4]
_COMMAND = ('-m', 'stereo_depth_node.core.matching.kernel.compiler')


class KernelState(Enum):
    """How far the kernel is."""

    UNAVAILABLE = 'unavailable'
    COMPILING = 'compiling'
    READY = 'ready'


class KernelProvider:
    """Gets the kernel ready in the background.

    Parameters
    ----------
    command : sequence of str, optional
        The program that fills the cache; by default this Python and
        :mod:`.compiler`.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = command
        self._state = (KernelState.UNAVAILABLE, 'the kernel was not requested')
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._done = threading.Event()

    def state(self) -> tuple[KernelState, str]:
        """Return the state and, for people, what is going on or why there is no kernel."""
        return self._state

    def request(self) -> None:
        """Start to get the kernel ready; later calls do nothing. Returns at once."""
        with self._lock:
            if self._thread is not None:
                return
            self._state = (KernelState.COMPILING, 'looking for the compiled kernel')
            # A daemon: it must not keep a program from ending.
            self._thread = threading.Thread(target=self._run, name='kernel', daemon=True)
            self._thread.start()

    def wait(self, timeout: float) -> KernelState:
        """Request the kernel and wait until it is ready or known to be unavailable.

        Parameters
        ----------
        timeout : float
            Seconds to wait at most.

        Returns
        -------
        KernelState
            COMPILING if the time was too short.
        """
        self.request()
        self._done.wait(timeout)
        return self._state[0]

    def close(self) -> None:
        """End a compiler that is still at work."""
        child = self._child
        if child is not None and child.poll() is None:
            child.kill()
            child.wait()

    def _run(self) -> None:
        try:
            self._state = (KernelState.READY, self._prepare())
        except Exception as error:  # noqa: BLE001 - whatever numba or LLVM raise, OpenCV goes on
            self._state = (KernelState.UNAVAILABLE, f'{type(error).__name__}: {error}')
        finally:
            self._done.set()

    def _prepare(self) -> str:
        """Make the kernel callable; the text says how that went."""
        version = numba_version()
        if version is None:
            raise ImportError(
                'numba is not installed: sudo apt install python3-numba, or pip install numba '
                'in a virtual environment (docs/install.md)'
            )
        folder = cache_folder()
        origin = f'numba {version}, from the cache'
        if folder is None:
            self._state = (KernelState.COMPILING, 'compiling here: no folder for a cache')
            origin = f'numba {version}, compiled in this process: no folder for a cache'
        elif not is_complete(folder):
            why = ': the cache was damaged' if is_damaged(folder) else ''
            self._state = (KernelState.COMPILING, f'compiling in a child process{why}')
            self._compile_in_child()
            origin = f'numba {version}, compiled now{why}'
            if not is_complete(folder):
                raise RuntimeError(f'what was compiled cannot be read back from {folder}')
        # For colours in errors, which it raises and catches while it compiles, numba exchanges
        # sys.stdout: in this thread, under whoever prints or captures in another.
        os.environ.setdefault('NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING', '1')
        from stereo_depth_node.core.matching.kernel.compiler import compile_kernels

        compile_kernels()
        return origin

    def _compile_in_child(self) -> None:
        command = self._command or (sys.executable, *_COMMAND)
        atexit.register(self.close)
        try:
            with tempfile.TemporaryFile() as errors:
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,  # stays open: its end ends the child
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    cwd=_PACKAGE_ROOT,
                )
                self._child = child
                with child:
                    code = child.wait()
                errors.seek(0)
                lines = errors.read().decode(errors='replace').strip().splitlines()
        finally:
            atexit.unregister(self.close)
        if code != 0:
            reason = lines[-1] if lines else 'without a message'
            raise RuntimeError(f'the compiler ended with code {code}: {reason}')


_provider = KernelProvider()
_ahead: list[subprocess.Popen[bytes]] = []


def kernel_state() -> tuple[KernelState, str]:
    """Return the state of this process's kernel, and a text about it."""
    return _provider.state()


def compiled_code_takes(*arrays: npt.NDArray[Any]) -> bool:
    """Say whether the kernel is ready, and was compiled for arrays like these: contiguous ones.

    For others numba would compile again, in the middle of a frame.
    """
    return kernel_state()[0] is KernelState.READY and all(each.flags.carray for each in arrays)


def request_kernel() -> None:
    """Start to get the kernel ready in the background; later calls do nothing."""
    _provider.request()


def compile_ahead() -> None:
    """Have the kernel compiled, if it is not, by a process that goes on when this one ends.

    For programs that may end before: without it, each of their runs would begin anew.
    """
    folder = cache_folder()
    if numba_version() is None or folder is None or is_complete(folder):
        return
    nothing = subprocess.DEVNULL
    # Another process may be at it already. Where none can be started, OpenCV does the work.
    with suppress(OSError), compiling_alone(wait=False):
        _ahead.append(
            subprocess.Popen(
                (sys.executable, *_COMMAND, '--stay'),
                stdin=nothing,
                stdout=nothing,
                stderr=nothing,
                cwd=_PACKAGE_ROOT,
                start_new_session=True,
            )
        )


def wait_for_kernel(timeout: float) -> KernelState:
    """Request the kernel and wait for it, `timeout` seconds at most.

    For offline tools and tests; a node goes on with OpenCV meanwhile.
    """
    return _provider.wait(timeout)
