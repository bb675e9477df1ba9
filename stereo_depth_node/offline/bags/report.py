# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The report of computed recordings: what came out, over time, and what did not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import NS_PER_S
from stereo_depth_node.core.camera.rectification import Rectifier
from stereo_depth_node.core.errors import StereoDepthError
from stereo_depth_node.core.images.pair_decoder import PairDecoder
from stereo_depth_node.core.images.raw import RawImage
from stereo_depth_node.core.messages.serialized_image import SerializedImage
from stereo_depth_node.core.pairing.reasons import Side
from stereo_depth_node.core.settings.params_file import yaml_value
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.bags.messages import calibration_from
from stereo_depth_node.offline.bags.part import FIGURES
from stereo_depth_node.offline.bags.reader import Bag, serialized_stamp_ns
from stereo_depth_node.offline.bags.summary import JobSummary
from stereo_depth_node.offline.files.formats import MM_PER_M
from stereo_depth_node.offline.reports.html import COLOURS, new_figure, Report
from stereo_depth_node.offline.reports.picture import Panel, png_of_panel, shown_range

__all__ = ['bags_report']

Columns = dict[str, npt.NDArray[np.float64]]

# A plot is no wider than this many pixels; more points would only make it slow to show.
_POINTS = 800
_SAMPLES = 3
# An image waits for its partner no longer than this.
_LONGEST_WAIT_NS = 60 * NS_PER_S


def bags_report(
    summaries: Sequence[JobSummary], settings: Settings, *, namespace: str, seconds: float
) -> Report:
    """Return the report of the recordings computed in one run.

    Parameters
    ----------
    summaries : sequence of JobSummary
        One for each recording, complete.
    settings : Settings
        They were computed with.
    namespace : str
        Of the results' topics.
    seconds : float
        The run took.
    """
    names = ', '.join(summary.source.name for summary in summaries)
    computed = sum(summary.computed for summary in summaries)
    resumed = sum(summary.resumed for summary in summaries)
    report = Report(
        f'Stereo depth of {names}',
        f'{computed} pairs computed in {seconds:.1f} s'
        + (f', {resumed} of them in an earlier run' if resumed else ''),
    )
    for summary in summaries:
        if len(summaries) > 1:
            report.add_heading(str(summary.source))
        # Several are in work at once: how long each took is not known.
        own_seconds = seconds if len(summaries) == 1 else None
        _add_recording(report, summary, settings, namespace, own_seconds)
    report.add_heading('Settings')
    _add_settings(report, settings)
    report.add_versions()
    return report


def _add_recording(
    report: Report,
    summary: JobSummary,
    settings: Settings,
    namespace: str,
    seconds: float | None,
) -> None:
    columns = _columns(summary)
    unused = sum(summary.dropped.values())
    tiles = {
        'pairs computed': f'{summary.computed} of {summary.pairs}',
        'images not used': f'{unused} of {sum(summary.received.values())}',
    }
    if columns['density'].size:
        tiles['pixels with depth, median'] = f'{100 * np.median(columns["density"]):.1f} %'
        if np.isfinite(columns['median']).any():
            tiles['depth, median'] = f'{np.nanmedian(columns["median"]):.2f} m'
        tiles['computation per pair, median'] = f'{np.median(columns["milliseconds"]):.1f} ms'
    new = summary.computed - summary.resumed
    if new and seconds:
        tiles['pairs per second'] = f'{new / seconds:.1f}'
    report.add_tiles(tiles)
    remarks = [*summary.finding_lines, *summary.notes]
    if remarks:
        report.add_heading('To be noted')
        report.add_list(remarks)
    if columns['density'].size:
        report.add_heading('Sample frames')
        _add_samples(report, summary, settings, namespace, columns['stamp_ns'])
        report.add_heading('Over time')
        _add_plots(report, columns)
    report.add_heading('Images not used')
    if unused:
        rows = [(reason.value, count) for reason, count in summary.dropped.items() if count]
        report.add_table(('reason', 'images'), rows)
    else:
        report.add_paragraph('All images found their partner and were computed.')
    if summary.first_error:
        report.add_paragraph(f'The first pair that could not be computed: {summary.first_error}')


def _columns(summary: JobSummary) -> Columns:
    """Return the figures of all pairs by their names."""
    rows = [row for index in sorted(summary.figures) for row in summary.figures[index]]
    table = np.array(rows, np.float64).reshape(len(rows), len(FIGURES))
    return {name: table[:, index] for index, name in enumerate(FIGURES)}


def _add_plots(report: Report, columns: Columns) -> None:
    # Left stamps may begin again; the axis goes on.
    steps = np.diff(columns['stamp_ns'], prepend=columns['stamp_ns'][:1])
    usual = float(np.median(steps[1:])) if steps.size > 1 else 0.0
    elapsed = np.cumsum(np.where(steps < 0, usual, steps)) / NS_PER_S
    times, density = _thinned(elapsed, 100 * columns['density'])
    figure, (densities, depths, times_spent) = new_figure(3)
    densities.plot(times, density, color=COLOURS[2], linewidth=1.6)
    densities.set_ylabel('pixels with depth, %')
    densities.set_ylim(0, 100)
    _, near = _thinned(elapsed, columns['near'])
    _, middle = _thinned(elapsed, columns['median'])
    _, far = _thinned(elapsed, columns['far'])
    depths.fill_between(
        times, near, far, color=COLOURS[0], alpha=0.2, linewidth=0, label='5 to 95 %'
    )
    depths.plot(times, middle, color=COLOURS[0], linewidth=1.6, label='median')
    depths.set_ylabel('depth, m')
    depths.set_ylim(bottom=0)
    depths.legend(frameon=False, ncols=2, fontsize=9)
    _, spent = _thinned(elapsed, columns['milliseconds'])
    times_spent.plot(times, spent, color=COLOURS[1], linewidth=1.2)
    times_spent.set_ylabel('computation, ms')
    times_spent.set_ylim(bottom=0)
    times_spent.set_xlabel('time by the stamps, s')
    times_spent.margins(x=0)
    caption = 'Pixels with depth, depth, and the time that each pair took to compute'
    if columns['density'].size > _POINTS:
        caption += f'; medians of {-(-columns["density"].size // _POINTS)} pairs each'
    report.add_plot(figure, f'{caption}.')


def _thinned(
    times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return medians of so many values that a plot can show them."""
    size = -(-times.size // _POINTS)
    if size <= 1:
        return times, values
    groups = [np.s_[start : start + size] for start in range(0, times.size, size)]
    medians = [
        np.nanmedian(values[group]) if np.isfinite(values[group]).any() else np.nan
        for group in groups
    ]
    return np.array([times[group].mean() for group in groups]), np.array(medians)


def _add_samples(
    report: Report,
    summary: JobSummary,
    settings: Settings,
    namespace: str,
    stamps: npt.NDArray[np.float64],
) -> None:
    """Add pictures of frames from the beginning, the middle and the end."""
    count = min(_SAMPLES, stamps.size)
    indices = [(2 * number + 1) * stamps.size // (2 * count) for number in range(count)]
    frames = _sample_frames(summary, settings, namespace, indices)
    if not frames:
        return
    known = [depth[np.isfinite(depth)] for _, depth, _ in frames]
    limits = shown_range(np.concatenate(known))
    start = int(stamps[0])
    for left, depth, stamp in frames:
        panels = [Panel('Depth', depth, 'm', limits, 'turbo_r')]
        if left is not None:
            panels.insert(0, Panel('Left image', left))
        when = f'{(stamp - start) / NS_PER_S:.2f} s'
        report.add_gallery(
            [(png_of_panel(panel), f'{panel.title}, {when}') for panel in panels],
            f'{when}, stamp {stamp / NS_PER_S:.3f}',
        )


def _sample_frames(
    summary: JobSummary, settings: Settings, namespace: str, indices: Sequence[int]
) -> list[tuple[npt.NDArray[Any] | None, npt.NDArray[np.float32], int]]:
    """Return left image, depth in metres and stamp of some of the results."""
    topic = f'{namespace}/depth/image_rect'
    frames = []
    with closing(Bag(summary.target)) as recording:
        for index, (_, bag_ns, data) in enumerate(recording.messages([topic])):
            if index in indices:
                image = SerializedImage(data)
                depth = image.content()
                assert isinstance(depth, RawImage)  # results are not compressed
                left = _left_image(summary, settings, image.stamp_ns, bag_ns)
                frames.append((left, _metres(depth), image.stamp_ns))
            if index >= max(indices):
                break
    return frames


def _metres(image: RawImage) -> npt.NDArray[np.float32]:
    """Return the depth in an image of ours, (H, W), NaN where unknown."""
    shape = (image.height, image.width)
    if image.encoding == '32FC1':
        return np.frombuffer(image.data, np.float32).reshape(shape)
    depth = np.frombuffer(image.data, np.uint16).reshape(shape).astype(np.float32)
    return np.where(depth > 0, depth / np.float32(MM_PER_M), np.float32(np.nan))


def _left_image(
    summary: JobSummary, settings: Settings, stamp: int, result_ns: int
) -> npt.NDArray[np.uint8] | None:
    """Return the left image of a pair, grey and rectified; None where it cannot be had again.

    Parameters
    ----------
    summary : JobSummary
        Of the recording.
    settings : Settings
        With which it was computed.
    stamp : int
        Of the image, ns.
    result_ns : int
        Time of the pair's result in the recording, ns.
    """
    topics = summary.topics
    if topics is None:
        return None
    try:
        with closing(Bag(summary.source)) as recording:
            data = next(
                data
                for _, _, data in recording.messages(
                    [topics.left], result_ns - _LONGEST_WAIT_NS, result_ns + 1
                )
                if serialized_stamp_ns(data) == stamp
            )
            infos = [
                next((info for _, _, info in recording.messages([name])), None) if name else None
                for name in (topics.left_info, topics.right_info)
            ]
        image = topics.image(Side.LEFT, data).content()
        grey, _ = PairDecoder().decode(image, image)
        if not settings.rectify:
            return grey
        calibration = calibration_from((infos[0], infos[1]), settings)
        rectified = np.empty_like(grey)
        Rectifier(calibration.left).rectify(np.ascontiguousarray(grey), rectified)
    except (StereoDepthError, StopIteration):
        return None
    return rectified


def _add_settings(report: Report, settings: Settings) -> None:
    defaults = vars(Settings())
    changed = [
        (name, yaml_value(value))
        for name, value in vars(settings).items()
        if value != defaults[name]
    ]
    if changed:
        report.add_table(('other than by default', 'value'), changed)
    else:
        report.add_paragraph('All settings were at their defaults.')
    report.add_settings(settings, 'all settings')
