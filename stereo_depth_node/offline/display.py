# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Windows on the display of this machine, where there is one."""

from __future__ import annotations

import os
from pathlib import Path
import sys

__all__ = ['can_show_pictures', 'has_display', 'show_picture']


def has_display() -> bool:
    """Tell whether a window can be seen: on Linux some display has to be named."""
    names = ('DISPLAY', 'WAYLAND_DISPLAY')
    return sys.platform != 'linux' or any(os.environ.get(name) for name in names)


def can_show_pictures() -> bool:
    """Tell whether there is a display that matplotlib can draw on."""
    import matplotlib.pyplot as plt  # slow, and looks for a display

    return has_display() and plt.get_backend().lower() != 'agg'


def show_picture(picture: Path) -> None:
    """Show an image file in a window of its size, until that is closed."""
    import matplotlib.pyplot as plt  # slow, and looks for a display

    pixels = plt.imread(picture)
    figure = plt.figure(figsize=(pixels.shape[1] / 100, pixels.shape[0] / 100))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.imshow(pixels)
    plt.show()
