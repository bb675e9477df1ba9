# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Typed decorators around numba's compiler, for the kernels alone.

numba is an optional dependency and slow to import, so only the modules that
hold compiled code import this one. Compiled functions release the GIL, check
no bounds (their callers guarantee them), divide as C does, and are cached on
disk where numba finds a folder that it can write to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

__all__ = ['compiled', 'inlined']

_Function = TypeVar('_Function', bound=Callable[..., Any])

_OPTIONS = {'nogil': True, 'error_model': 'numpy', 'boundscheck': False}


def compiled(function: _Function) -> _Function:
    """Compile `function` on its first call with each set of argument types."""
    try:
        dispatcher = numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        # "cannot cache function: no locator available": no folder is writable.
        dispatcher = numba.njit(**_OPTIONS)(function)
    result: _Function = dispatcher
    return result


def inlined(function: _Function) -> _Function:
    """Compile `function` into the compiled functions that call it."""
    result: _Function = numba.njit(inline='always', **_OPTIONS)(function)
    return result
