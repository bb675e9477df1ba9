# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Typed decorators around numba's compiler, for the kernels alone.

numba is an optional dependency and slow to import, so only the modules that
hold compiled code import this one. Compiled functions release the GIL, check
no bounds (their callers guarantee them), divide as C does, and are cached in
:func:`.cache.folder_in_use`.
"""

from __future__ import annotations

from collections.abc import Callable
import importlib
from typing import Any, TypeVar

from stereo_depth_node.core.matching.kernel.cache import folder_in_use

__all__ = ['compiled', 'inlined']

_Function = TypeVar('_Function', bound=Callable[..., Any])

# Untyped, and not needed to check the types of the rest.
numba: Any = importlib.import_module('numba')

if numba.config.DISABLE_JIT:
    # As plain Python they take a thousand times as long as OpenCV.
    raise ImportError('NUMBA_DISABLE_JIT keeps numba from compiling: unset it')

# The kernels allocate nothing: without numba's run time (nrt) they count no references,
# which costs an atomic operation for every array passed on.
_OPTIONS = {'nogil': True, 'error_model': 'numpy', 'boundscheck': False, '_nrt': False}


def compiled(function: _Function) -> _Function:
    """Compile `function` on its first call with each set of argument types."""
    folder = folder_in_use()
    if folder is None:
        result: _Function = numba.njit(**_OPTIONS)(function)
        return result
    # numba reads its setting when a function is decorated; others have theirs back.
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        result = numba.njit(cache=True, **_OPTIONS)(function)
    finally:
        numba.config.CACHE_DIR = before
    return result


def inlined(function: _Function) -> _Function:
    """Compile `function` into the compiled functions that call it."""
    result: _Function = numba.njit(inline='always', **_OPTIONS)(function)
    return result
