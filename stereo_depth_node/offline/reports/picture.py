# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of images, disparities and depths for people, as files.

No window is opened and no display is needed, and the state of matplotlib that a program may
have set up is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import io
import math
from pathlib import Path
from typing import Any
import warnings

from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray

from stereo_depth_node.core.errors import ImageError
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.files.writing import write_file

__all__ = [
    'GREY_INK',
    'UNKNOWN_COLOUR',
    'Panel',
    'draw_panels',
    'png_of_panel',
    'png_of_panels',
    'shown_range',
]

UNKNOWN_COLOUR = '#4d4d4d'
"""Grey that is on none of the colour maps in use: where there is no value."""

_PANEL_WIDTH = 6.0  # inches
_DPI = 110
# In a page: as wide as a phone, with enough pixels for a screen that has more of them.
_PAGE_WIDTH, _PAGE_DPI = 4.6, 150
# It has a contrast of 4.3 to white and of 4.2 to the dark ground of the pages.
GREY_INK = '#74808c'
_PAGE_STYLE: Any = {
    f'{place}color': GREY_INK for place in ('text.', 'axes.label', 'axes.edge', 'xtick.', 'ytick.')
}
# Room for title and margins of one row of panels, inches.
_ROW_EXTRA = 0.45


@dataclass(frozen=True)
class Panel:
    """One image of a picture.

    Parameters
    ----------
    title : str
        Stands above the image.
    image : (H, W) or (H, W, 3) array
        A photograph, grey or RGB uint8, when `unit` is None; else values, NaN where unknown.
    unit : str, optional
        Of the values; written beside the colour bar.
    limits : tuple of float, optional
        Values of the two ends of the colour bar; those of `shown_range` by default.
    colours : str
        Name of a colour map of matplotlib.
    """

    title: str
    image: NDArray[Any]
    unit: str | None = None
    limits: tuple[float, float] | None = None
    colours: str = 'turbo'

    @property
    def is_photograph(self) -> bool:
        """Whether the image is shown as it is, without a colour bar."""
        return self.unit is None


def shown_range(values: NDArray[np.floating], percent: float = 96.0) -> tuple[float, float]:
    """Return the range that holds the middle `percent` of the known values: the 2nd to the 98th.

    A few wrong values would otherwise take up most of the colours. Where nothing is known the
    range is 0 to 1; it is never empty.
    """
    known = values[np.isfinite(values)]
    if known.size == 0:
        return 0.0, 1.0
    tail = (100.0 - percent) / 2
    lowest, highest = (float(end) for end in np.percentile(known, (tail, 100.0 - tail)))
    if lowest == highest:
        return lowest - 0.5, highest + 0.5
    return lowest, highest


def draw_panels(
    path: Path, panels: Sequence[Panel], *, caption: str = '', columns: int = 2
) -> None:
    """Write a picture of several images of one size to a file.

    Parameters
    ----------
    path : Path
        The PNG file; it is replaced if it exists.
    panels : sequence of Panel
        In reading order.
    caption : str
        Stands above all panels.
    columns : int
        Panels side by side.

    Raises
    ------
    ImageError
        There is no panel, or an image is not an image.
    InputError
        The file cannot be written.
    """
    write_file(path, png_of_panels(panels, caption=caption, columns=columns), overwrite=True)


def png_of_panels(panels: Sequence[Panel], *, caption: str = '', columns: int = 2) -> bytes:
    """Return the picture that `draw_panels` writes as the content of a PNG file."""
    content = io.BytesIO()
    figure = _figure_of(panels, caption, columns)
    with warnings.catch_warnings():
        # A name may have letters that the font has not: a box stands for each.
        warnings.filterwarnings('ignore', 'Glyph .* missing')
        figure.savefig(content, format='png')
    return content.getvalue()


def png_of_panel(panel: Panel) -> bytes:
    """Return one image for a page, whose caption has its title, as the content of a PNG file.

    Its ground is transparent and its texts are grey, so that they can be read on light and dark.
    """
    _check_image(panel)
    height, width = panel.image.shape[:2]
    with rc_context(_PAGE_STYLE):
        figure = Figure(
            figsize=(_PAGE_WIDTH, _PAGE_WIDTH * 0.9 * height / width + 0.3),
            dpi=_PAGE_DPI,
            layout='constrained',
        )
        _draw(figure, figure.subplots(), replace(panel, title=''))
    content = io.BytesIO()
    figure.savefig(content, format='png', transparent=True)
    return content.getvalue()


def _figure_of(panels: Sequence[Panel], caption: str, columns: int) -> Figure:
    if not panels:
        raise ImageError('a picture needs at least one panel')
    for panel in panels:
        _check_image(panel)
    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    height, width = panels[0].image.shape[:2]
    row_height = _PANEL_WIDTH * 0.88 * height / width + _ROW_EXTRA
    figure = Figure(
        figsize=(_PANEL_WIDTH * columns, row_height * rows + (0.4 if caption else 0.0)),
        dpi=_DPI,
        layout='constrained',
    )
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, panel in zip(axes, panels, strict=False):
        _draw(figure, place, panel)
    for place in axes[len(panels) :]:
        place.set_axis_off()
    if caption:
        figure.suptitle(printable(caption), fontsize=12, parse_math=False)
    return figure


def _draw(figure: Figure, place: Axes, panel: Panel) -> None:
    place.set_title(printable(panel.title), fontsize=11, parse_math=False)
    place.set_xticks([])
    place.set_yticks([])
    if panel.is_photograph:
        # The limits keep a dark grey image dark; they do not apply to RGB.
        place.imshow(panel.image, cmap='gray', vmin=0, vmax=255, interpolation='nearest')
        return
    colours = colormaps[panel.colours].with_extremes(bad=UNKNOWN_COLOUR)
    lowest, highest = panel.limits or shown_range(panel.image)
    known = panel.image[np.isfinite(panel.image)]
    shown = place.imshow(
        np.where(np.isfinite(panel.image), panel.image, np.nan),
        cmap=colours,
        vmin=lowest,
        vmax=highest,
        interpolation='nearest',
    )
    figure.colorbar(
        shown,
        ax=place,
        label=panel.unit,
        extend=_beyond(known, lowest, highest),
        shrink=0.92,
        pad=0.015,
    )
    notes = []
    missing = 100.0 * (1.0 - known.size / panel.image.size)
    if missing > 0:
        notes.append(f'grey: unknown ({missing:.1f} % of the pixels)')
    if panel.limits is None and known.size:
        notes.append('colours: 2nd to 98th percentile')
    if notes:
        place.set_xlabel('; '.join(notes), fontsize=9)


def _beyond(known: NDArray[Any], lowest: float, highest: float) -> str:
    """Name the ends of a colour bar that stand for values beyond them too."""
    below = bool(known.size and known.min() < lowest)
    above = bool(known.size and known.max() > highest)
    return {(False, False): 'neither', (True, False): 'min', (False, True): 'max'}.get(
        (below, above), 'both'
    )


def _check_image(panel: Panel) -> None:
    shape = panel.image.shape
    is_grey = len(shape) == 2
    is_rgb = len(shape) == 3 and shape[2] == 3 and panel.is_photograph
    if not (is_grey or is_rgb) or 0 in shape:
        raise ImageError(
            f'the image of panel "{panel.title}" has shape {shape}, expected (H, W)'
            + (' or (H, W, 3)' if panel.is_photograph else '')
        )
    if panel.is_photograph and panel.image.dtype != np.uint8:
        raise ImageError(
            f'the image of panel "{panel.title}" is {panel.image.dtype}, expected uint8: '
            'give values a unit, so that they get colours'
        )
