# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reports as one HTML page that needs nothing else: no script, no network, no second file.

Plots are SVG inside the page, photographs PNG. The page follows the reader's light or dark theme.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib import metadata
import io
from pathlib import Path
import platform
import re
from typing import Any

import cv2
import numpy as np

from stereo_depth_node.offline.files.formats import write_file
from stereo_depth_node.offline.libraries import optional_library

__all__ = ['Report', 'new_figure', 'versions']

_STYLE = """\
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6b7b; --paper: #ffffff;
  --band: #f4f6f8; --line: #d9dfe5; --mark: #0b6bcb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --soft: #9aa7b4; --paper: #14191f;
  --band: #1d242c; --line: #313b46; --mark: #6cb6ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .5rem; }
.lead { color: var(--soft); margin: 0 0 1.5rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .75rem; }
.tile { background: var(--band); border-radius: 10px; padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.5rem; font-weight: 650;
  font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .85rem; }
figure { margin: 0 0 1.25rem; }
figure svg, figure img { display: block; width: 100%; height: auto; border-radius: 8px; }
figure svg { background: #ffffff; }
figcaption { color: var(--soft); font-size: .88rem; margin-top: .4rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .38rem .7rem; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
ul { padding-left: 1.2rem; }
details { margin-top: .5rem; }
summary { cursor: pointer; color: var(--mark); }
"""

# Colours that are told apart by those who see red and green alike (Wong, Nature Methods 2011).
COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00')
_INK = '#3a4653'
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
        self._title = title
        self._body = [f'<h1>{escape(title)}</h1>', f'<p class="lead">{escape(lead)}</p>']
        self._figures = 0

    def add_tiles(self, tiles: Mapping[str, str]) -> None:
        """Add the few figures that matter most, each with its name."""
        cells = ''.join(
            f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
            for name, value in tiles.items()
        )
        self._body.append(f'<div class="tiles">{cells}</div>')

    def add_heading(self, text: str) -> None:
        """Begin a section."""
        self._body.append(f'<h2>{escape(text)}</h2>')

    def add_paragraph(self, text: str) -> None:
        """Add some sentences."""
        self._body.append(f'<p>{escape(text)}</p>')

    def add_list(self, items: Sequence[str]) -> None:
        """Add a list."""
        lines = ''.join(f'<li>{escape(item)}</li>' for item in items)
        self._body.append(f'<ul>{lines}</ul>')

    def add_table(
        self, head: Sequence[str], rows: Sequence[Sequence[Any]], *, folded: str = ''
    ) -> None:
        """Add a table; numbers stand to the right.

        Parameters
        ----------
        head : sequence of str
            Names of the columns.
        rows : sequence of sequences
            Texts, or numbers, which are written with 4 digits.
        folded : str
            What to click on to see the table; shown at once without.
        """
        names = ''.join(f'<th>{escape(name)}</th>' for name in head)
        lines = ''.join(f'<tr>{"".join(_cell(value) for value in row)}</tr>' for row in rows)
        table = (
            f'<div class="wide"><table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody>'
            '</table></div>'
        )
        if folded:
            table = f'<details><summary>{escape(folded)}</summary>{table}</details>'
        self._body.append(table)

    def add_plot(self, figure: Any, caption: str) -> None:
        """Add a figure of matplotlib as SVG.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
            For instance of :func:`new_figure`.
        caption : str
            Says what is to be seen; also read to those who do not see it.
        """
        stream = io.StringIO()
        # Without the date, and with fixed names, the same data give the same page.
        with optional_library('matplotlib', 'plots').rc_context({'svg.hashsalt': 'report'}):
            figure.savefig(stream, format='svg', metadata={'Date': None, 'Creator': None})
        text = stream.getvalue()
        self._figures += 1
        # Names in the page must differ from plot to plot.
        svg = _IDS.sub(rf'\g<1>p{self._figures}-', text[text.index('<svg') :])
        label = f'<svg role="img" aria-label="{escape(caption)}" '
        self._add_figure(svg.replace('<svg ', label, 1), caption)

    def add_picture(self, pixels: np.ndarray[Any, Any], caption: str) -> None:
        """Add an image, (H, W) grey or (H, W, 3) RGB uint8."""
        swapped = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        content = cv2.imencode('.png', swapped)[1].tobytes()
        self.add_png(content, caption)

    def add_png(self, content: bytes, caption: str) -> None:
        """Add a PNG file."""
        data = base64.b64encode(content).decode()
        image = f'<img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        self._add_figure(image, caption)

    def render(self) -> str:
        """Return the page."""
        body = '\n'.join(self._body)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            # Without an icon of its own a page makes browsers ask its server for one.
            '<link rel="icon" href="data:,">\n'
            f'<title>{escape(self._title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n'
            f'<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n'
        )

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the page to a file.

        Raises
        ------
        InputError
            If it exists and may not be overwritten, or cannot be written.
        """
        write_file(path, self.render().encode(), overwrite=overwrite)

    def _add_figure(self, content: str, caption: str) -> None:
        self._body.append(f'<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>')


def new_figure(rows: int = 1, columns: int = 1, *, height: float = 2.6) -> tuple[Any, Any]:
    """Return a figure of the width of the page, and its axes, (rows, columns).

    Parameters
    ----------
    rows, columns : int
        Of plots; those of one column share their x axis.
    height : float
        Of each row, inches.
    """
    figures = optional_library('matplotlib.figure', 'plots')
    figure = figures.Figure(figsize=(10.0, height * rows), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False, sharex='col')
    for place in axes.ravel():
        place.grid(visible=True, color='#e3e8ed', linewidth=0.8)
        place.set_axisbelow(True)
        place.tick_params(colors=_INK, length=0)
        for side, spine in place.spines.items():
            spine.set_visible(side == 'bottom')
            spine.set_color('#b8c2cc')
    return figure, axes


def versions() -> list[tuple[str, str]]:
    """Return the versions that a result may depend on."""
    libraries = ('stereo_depth_node', 'numpy', 'numba', 'rosbags', 'matplotlib')
    found = [(library, version) for library in libraries if (version := _version(library))]
    return [
        *found,
        ('OpenCV', cv2.__version__),
        ('Python', platform.python_version()),
        ('system', f'{platform.system()} {platform.machine()}'),
    ]


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ''


def _cell(value: Any) -> str:
    if isinstance(value, (bool, str)):
        return f'<td>{escape(str(value))}</td>'
    return f'<td class="number">{value:.4g}</td>'
