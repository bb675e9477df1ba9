# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth studio``: stereo depth in the browser, to see what each setting does."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing, ExitStack
from pathlib import Path
from typing import Any

from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.images.layouts import SEPARATE
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.core.settings.text_files import printable
from stereo_depth_node.offline.bags.files import storage_files
from stereo_depth_node.offline.bags.topics import TopicNames
from stereo_depth_node.offline.calibration_options import (
    add_calibration_options,
    calibration_from,
)
from stereo_depth_node.offline.datasets.loading import load_scene, MOTORCYCLE
from stereo_depth_node.offline.datasets.truth import add_truth_options, load_given_pair
from stereo_depth_node.offline.files.writing import check_is_no_input
from stereo_depth_node.offline.options import (
    add_layout_option,
    add_settings_options,
    settings_from,
)
from stereo_depth_node.offline.parser import ToolParser

__all__ = ['add_parser', 'run']

_DESCRIPTION = """\
Opens a page in the browser: the settings on the left, the pictures in the middle, the figures on
the right. What a slider changes is seen at once. A click shows how a pixel was matched, Tune
searches settings, Export takes them away as a file for the node.

Only this machine can connect, and nothing is written but what the browser downloads, and what
Export saves with --output. It ends with Ctrl-C."""
_EXAMPLES = """\
examples:
  stereo_depth studio
  stereo_depth studio left.png right.png --calib calib.txt
  stereo_depth studio both.png --layout side-by-side --truth disp.pfm
  stereo_depth studio scenes/Playroom
  stereo_depth studio recording.mcap
  stereo_depth studio --node /stereo_depth_node
"""
# Options that go with one kind of source.
_OF_IMAGES = ('truth', 'truth_scale', 'mask', 'calib', 'focal')
_OF_RECORDINGS = ('left', 'right')


def add_parser(subparsers: Any) -> None:
    """Add the tool's options."""
    parser: ToolParser = subparsers.add_parser(
        'studio',
        synopsis='[SCENE | LEFT RIGHT | BAG | --node NAME] [options]',
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        'inputs',
        nargs='*',
        metavar='SCENE | LEFT RIGHT | BAG',
        help='a scene as for evaluate, two images or, with --layout, one that holds both, or a '
        f'ROS 2 bag (default: the scene {MOTORCYCLE})',
    )
    parser.add_argument(
        '--node',
        metavar='NAME',
        help='a running node in place of files: its images and results over ROS, its parameters '
        'are what is changed (/stereo_depth_node)',
    )
    images = parser.add_argument_group('images')
    add_layout_option(images, 'one image holds both, the left one on the left or on top')
    add_truth_options(images)
    page = parser.add_argument_group('page')
    page.add_argument(
        '--no-browser', action='store_true', help='print the address of the page only'
    )
    page.add_argument('--port', type=int, default=0, metavar='N', help='default: any that is free')
    page.add_argument(
        '--host',
        default='',
        metavar='ADDRESS',
        help='let other machines connect, who know the token in the address; 0.0.0.0 is at all '
        'addresses of this one (default: this machine alone)',
    )
    page.add_argument(
        '--output',
        type=Path,
        metavar='FOLDER',
        help='Export can also save its files there, on this machine (default: it cannot)',
    )
    page.add_argument(
        '--overwrite', action='store_true', help='with --output: replace what is there'
    )
    bag = parser.add_argument_group('recording')
    bag.add_argument('--left', default='', metavar='TOPIC', help='left images (default: found)')
    bag.add_argument('--right', default='', metavar='TOPIC', help='right images')
    add_calibration_options(parser)
    add_settings_options(parser, 'algorithm', 'num_disparities', 'block_size')


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    # Late: not before it is known that all libraries are there.
    from stereo_depth_node.studio.server import serve, Studio

    settings = settings_from(arguments)
    if arguments.layout is not None:
        settings = settings.replace(stereo_layout=arguments.layout)
    output = _output(arguments)
    with ExitStack() as stack:
        source = _source(arguments, settings, stack)
        studio = stack.enter_context(closing(Studio(source, settings, output)))

        def ready(url: str) -> None:
            print(f'{studio.source.name}: {url}\nIt ends with Ctrl-C.', flush=True)

        serve(
            studio,
            host=arguments.host,
            port=arguments.port,
            on_ready=ready,
            opens_browser=not arguments.no_browser,
        )
    return 0


def _output(arguments: argparse.Namespace) -> Any:
    """Return the folder that --output names, None where it is not given."""
    from stereo_depth_node.studio.exports import EXPORTS, OutputFolder

    folder = arguments.output
    if folder is None:
        if arguments.overwrite:
            raise SettingsError('--overwrite goes with --output, which is missing')
        return None
    if folder.exists() and not folder.is_dir():
        raise InputError(f'--output is {printable(folder)}, which is a file: name a folder')
    others = [arguments.truth, arguments.mask, arguments.params, *(arguments.calib or ())]
    read = [*arguments.inputs, *filter(None, others)]
    check_is_no_input((folder / name for name in EXPORTS), map(Path, read))
    return OutputFolder(folder, overwrite=arguments.overwrite)


def _source(arguments: argparse.Namespace, settings: Settings, stack: ExitStack) -> Any:
    from stereo_depth_node.studio.frames import Frame, pair_source, SceneSource

    if arguments.node is not None:
        return _node(arguments, settings)
    inputs = arguments.inputs or [MOTORCYCLE]
    if len(inputs) > 2:
        raise SettingsError(f'{len(inputs)} inputs are given: give one scene, or two images')
    first = Path(inputs[0])
    if len(inputs) == 1 and storage_files(first):
        from stereo_depth_node.offline.bags.reader import DamagedBagError
        from stereo_depth_node.offline.bags.salvage import legible_copy
        from stereo_depth_node.studio.recordings import RecordingSource

        _refuse(arguments, _OF_IMAGES, 'images')
        names = TopicNames(arguments.left, arguments.right)
        try:
            return RecordingSource(first, settings, names)
        except DamagedBagError as error:
            copy = stack.enter_context(legible_copy(first, error))
            return RecordingSource(copy, settings, names)
    _refuse(arguments, _OF_RECORDINGS, 'a recording')
    layout = '' if settings.stereo_layout == SEPARATE else settings.stereo_layout
    if len(inputs) == 2 or (layout and first.is_file()):
        pair = load_given_pair(arguments, inputs, layout)
        return pair_source(pair, first.name, calibration_from(arguments, settings, first))
    _refuse(arguments, ('layout', *_OF_IMAGES), 'images')
    scene = load_scene(inputs[0])
    return SceneSource(Frame(scene, scene.name))


def _refuse(arguments: argparse.Namespace, names: Sequence[str], source: str) -> None:
    """Refuse options that go with another source than what is given."""
    for name in names:
        if getattr(arguments, name):
            option = name.replace('_', '-')
            raise SettingsError(f'--{option} goes with {source}: give {source}, or leave it out')


def _node(arguments: argparse.Namespace, settings: Settings) -> Any:
    """Return the source that --node names."""
    if arguments.inputs:
        raise SettingsError('--node is given with files: give one of them')
    _refuse(arguments, _OF_IMAGES, 'images')
    _refuse(arguments, _OF_RECORDINGS, 'a recording')
    if settings != Settings():
        raise SettingsError(
            '--node is given with settings: those of the node are shown, change them on the page'
        )
    from stereo_depth_node.studio.node_source import connected_node

    return connected_node(arguments.node)
