# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where work is done: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
import ctypes
from dataclasses import dataclass
from itertools import islice
import multiprocessing
from multiprocessing import resource_tracker
import os
import signal
import sys
from typing import Any, TypeVar

from stereo_depth_node.core.errors import InputError, StereoDepthError

__all__ = [
    'Workers',
    'available_processors',
    'completed',
    'dask_workers',
    'local_workers',
    'result_of',
]

Item = TypeVar('Item')
Result = TypeVar('Result')

_PR_SET_PDEATHSIG = 1
# Tasks of each worker that are given out before the first is done.
_AHEAD = 2


@dataclass(frozen=True)
class Workers:
    """Those who do the work.

    Attributes
    ----------
    submit : callable
        Takes a function and its arguments, which go to another process; gives a Future.
    window : int
        Tasks worth giving out at a time.
    threads : int or None
        OpenCV's threads in each worker; None leaves them as they are.
    """

    submit: Callable[..., Future[Any]]
    window: int
    threads: int | None


def available_processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def local_workers(processes: int) -> Iterator[Workers]:
    """Work in `processes` processes of one thread each; 1 works in this one.

    Parameters
    ----------
    processes : int
        Processes, 1 or more.
    """
    if processes == 1:
        yield Workers(_at_once, 1, None)
        return
    # Not forked: a copy of a process that has threads may hang.
    context = multiprocessing.get_context('spawn')
    others = set(multiprocessing.active_children())

    def submit(*work: Any) -> Future[Any]:
        with _processes_without_interrupts():
            return pool.submit(*work)

    with ProcessPoolExecutor(
        processes, context, initializer=_begin_worker, initargs=(os.getpid(),)
    ) as pool:
        try:
            yield Workers(submit, _AHEAD * processes, 1)
        except BaseException:
            # At once: what a worker has begun is of no use, what is complete is on the disk.
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@contextmanager
def dask_workers(address: str) -> Iterator[Workers]:
    """Work on a Dask cluster that runs already.

    What a worker was doing when it died is done again by another. Who controls the scheduler runs
    code in this process: results are pickles. docs/files.md says how to secure it.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    InputError
        If there is no such cluster, or it has no workers.
    """
    import distributed  # slow, and of an extra of its own

    try:
        client = distributed.Client(address, timeout='30s')
    except (OSError, ValueError) as error:
        raise InputError(
            f'no Dask scheduler answers at {address} ({error}): start one with "dask scheduler"'
        ) from error
    with client:
        count = sum(client.nthreads().values())
        if not count:
            raise InputError(
                f'the Dask scheduler at {address} has no workers: start some with "dask worker '
                f'{address}"'
            )
        with client.get_executor(pure=False) as pool:
            yield Workers(pool.submit, _AHEAD * count, 1)


def completed(
    items: Iterable[Item], submit: Callable[[Item], Future[Result]], window: int
) -> Iterator[tuple[Item, Future[Result]]]:
    """Have all items worked on, a few at a time; yield each when it is done, in any order.

    Parameters
    ----------
    items : iterable
        What is to be worked on. An error that it raises is raised here when all that came before
        it is done.
    submit : callable
        Gives an item to a worker.
    window : int
        Items that are given out at a time.
    """
    remaining = iter(items)
    error: StereoDepthError | None = None
    waiting: dict[Future[Result], Item] = {}
    while True:
        try:
            for item in islice(remaining, window - len(waiting)):
                waiting[submit(item)] = item
        except StereoDepthError as raised:
            error = raised
        if not waiting:
            break
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield waiting.pop(future), future
    if error is not None:
        raise error


def result_of(future: Future[Result]) -> Result:
    """Return the result of finished work.

    Raises
    ------
    InputError
        If the worker died.
    """
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise InputError(
            'a worker process was killed or ran out of memory: run again, with fewer '
            '--processes if memory is short (bag goes on where it was with --resume)'
        ) from error
    except Exception as error:
        if type(error).__name__ == 'KilledWorker':
            raise InputError(
                f'several Dask workers died over one part of the work ({error}): look at their '
                'logs, then run again with --resume'
            ) from error
        raise


def _at_once(function: Callable[..., Result], *arguments: Any) -> Future[Result]:
    """Do the work now."""
    future: Future[Result] = Future()
    try:
        future.set_result(function(*arguments))
    except Exception as error:  # noqa: BLE001 (raised again where the result is asked for)
        future.set_exception(error)
    return future


@contextmanager
def _processes_without_interrupts() -> Iterator[None]:
    """Have processes that are started meanwhile never receive Ctrl-C, from their first moment.

    It goes to all processes of the terminal; the first of them decides for all.
    """
    # Would be started with the first process, and lift the mask then.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker(parent: int) -> None:
    """Have this process end with the one that started it, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that
        os._exit(1)
