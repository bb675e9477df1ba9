# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings: each written once, checked as a whole.

`Settings` needs OpenCV and is imported on first use: a program in which OpenCV is missing can
still say so.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from stereo_depth_node.core.settings.fields import DISPARITY_STEP

if TYPE_CHECKING:
    from stereo_depth_node.core.settings.settings import known_parameters, Settings
else:

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        return getattr(import_module('stereo_depth_node.core.settings.settings'), name)


__all__ = ['DISPARITY_STEP', 'Settings', 'known_parameters']
