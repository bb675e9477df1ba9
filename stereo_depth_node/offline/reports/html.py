# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reports as one HTML page that needs nothing else: no script, no network, no second file.

Plots are SVG inside the page, photographs PNG. The page and what is in it follow the reader's
light or dark theme, and a phone shows it in one column of readable size.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
import io
from pathlib import Path
import platform
import re
from typing import Any

import cv2
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib import rc_context
from matplotlib.figure import Figure

from stereo_depth_node.core.settings.params_file import yaml_value
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.files.writing import write_file
from stereo_depth_node.offline.versions import version_of

__all__ = ['COLOURS', 'Report', 'new_figure']

# Colours that people who are blind to red or green can tell apart (Wong, Nature Methods 2011).
COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00')
# Stands for the colour of lines that the page has for its theme.
_LINE = '#d9dfe6'
_TEMPLATE = 'report.html.jinja'
_IDS = re.compile(r'(id="|url\(#|href="#)')


class Report:
    """A page that is put together from top to bottom.

    Parameters
    ----------
    title : str
        What the page is about.
    lead : str
        One sentence below the title.
    """

    def __init__(self, title: str, lead: str = '') -> None:
        self._title, self._lead = title, lead
        self._blocks: list[dict[str, Any]] = []
        self._plots = 0

    def add_tiles(self, tiles: Mapping[str, str]) -> None:
        """Add the few figures that matter most, each with its name."""
        self._add('tiles', tiles=tiles)

    def add_heading(self, text: str) -> None:
        """Begin a section."""
        self._add('heading', text=text)

    def add_paragraph(self, text: str) -> None:
        """Add some sentences."""
        self._add('paragraph', text=text)

    def add_list(self, items: Sequence[str]) -> None:
        """Add a list."""
        self._add('list', entries=items)

    def add_table(
        self, head: Sequence[str], rows: Sequence[Sequence[Any]], *, folded: str = ''
    ) -> None:
        """Add a table; numbers stand to the right.

        Parameters
        ----------
        head : sequence of str
            Names of the columns.
        rows : sequence of sequences
            Texts, whole numbers, or others, which are written with 4 digits.
        folded : str
            What to click on to see the table; shown at once without.
        """
        self._add('table', head=head, rows=rows, folded=folded)

    def add_plot(self, figure: Figure, caption: str) -> None:
        """Add a figure of matplotlib as SVG.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
            For instance of :func:`new_figure`.
        caption : str
            Says what is to be seen; screen readers read it.
        """
        stream = io.StringIO()
        # Without the date, and with fixed names, the same data give the same page.
        with rc_context({'svg.hashsalt': 'report', 'svg.fonttype': 'none'}):
            figure.savefig(stream, format='svg', metadata={'Date': None, 'Creator': None})
        # The theme of the page chooses the colour of lines; its style sheet that of texts.
        text = stream.getvalue().replace(_LINE, 'var(--line)')
        self._plots += 1
        # Names in the page must differ from plot to plot.
        svg = _IDS.sub(rf'\g<1>p{self._plots}-', text[text.index('<svg') + len('<svg') :])
        self._add('plot', svg=svg, caption=caption)

    def add_settings(self, settings: Settings, title: str) -> None:
        """Add a table of all settings, to be seen with a click on the title."""
        rows = [(name, yaml_value(value)) for name, value in vars(settings).items()]
        self.add_table(('setting', 'value'), rows, folded=title)

    def add_versions(self) -> None:
        """Add the versions that a result may depend on."""
        self.add_heading('Versions')
        self.add_table(('what', 'version'), _versions())

    def add_gallery(self, pictures: Sequence[tuple[bytes, str]], caption: str = '') -> None:
        """Add PNG files, each with its caption, side by side where there is room.

        Parameters
        ----------
        pictures : sequence of tuple of bytes and str
            Their contents and captions.
        caption : str
            Of all of them.
        """
        encoded = [(base64.b64encode(content).decode(), text) for content, text in pictures]
        self._add('gallery', pictures=encoded, caption=caption)

    def render(self) -> str:
        """Return the page."""
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=StrictUndefined,
        )
        template = environment.get_template(_TEMPLATE)
        return template.render(title=self._title, lead=self._lead, blocks=self._blocks)

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the page to a file.

        Raises
        ------
        InputError
            If it exists and may not be overwritten, or cannot be written.
        """
        write_file(path, self.render().encode(), overwrite=overwrite)

    def _add(self, kind: str, **content: Any) -> None:
        self._blocks.append({'kind': kind, **content})


def new_figure(rows: int = 1, *, height: float = 2.6) -> tuple[Figure, Any]:
    """Return a figure for a page, and an array of the axes of its plots.

    Parameters
    ----------
    rows : int
        Plots, one below the other; they share their x axis.
    height : float
        Of each row, inches.
    """
    # As narrow as a phone can show with readable texts.
    figure = Figure(figsize=(4.8, height * rows), layout='constrained')
    figure.patch.set_visible(False)
    axes = figure.subplots(rows, squeeze=False, sharex=True)[:, 0]
    for place in axes:
        place.patch.set_visible(False)
        place.grid(visible=True, color=_LINE, linewidth=0.8)
        place.set_axisbelow(True)
        place.tick_params(length=0)
        for side, spine in place.spines.items():
            spine.set_visible(side == 'bottom')
            spine.set_color(_LINE)
    return figure, axes


def _versions() -> list[tuple[str, str]]:
    libraries = ('stereo_depth_node', 'numpy', 'numba', 'rosbags', 'matplotlib')
    found = [(library, version) for library in libraries if (version := version_of(library))]
    return [
        *found,
        ('OpenCV', cv2.__version__),
        ('Python', platform.python_version()),
        ('system', f'{platform.system()} {platform.machine()}'),
    ]
