# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth studio`` before there is a page: what is missing or cannot be used."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip('matplotlib')
pytest.importorskip('rosbags')

from bags import write_bag
from scenes import scene_of, step

from stereo_depth_node.core import Settings
from stereo_depth_node.core.settings.params_file import render_params_file
from stereo_depth_node.offline.cli import main

WIDTH, HEIGHT = 160, 90

needs_nicegui = pytest.mark.skipif(
    importlib.util.find_spec('nicegui') is None, reason='the studio needs NiceGUI'
)


def refused(capsys, *arguments):
    """Return the only line that is printed when a studio cannot start."""
    assert main(['studio', '--no-browser', *map(str, arguments)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ''
    (line,) = printed.err.splitlines()
    assert line.startswith('stereo_depth studio: ')
    return line


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'left.png'
    cv2.imwrite(str(path), np.zeros((40, 60), np.uint8))
    return path


@needs_nicegui
def test_a_source_that_cannot_be_used_gives_one_line(capsys, tmp_path, image):
    assert 'nowhere' in refused(capsys, 'nowhere')
    assert 'no scene that is known' in refused(capsys, tmp_path)
    assert 'right.png' in refused(capsys, image, tmp_path / 'right.png')
    small = tmp_path / 'small.png'
    cv2.imwrite(str(small), np.zeros((20, 60), np.uint8))
    assert '60x20' in refused(capsys, image, small)
    broken = tmp_path / 'broken.png'
    broken.write_bytes(b'\x89PNG\r\n\x1a\n' + bytes(100))
    assert 'broken.png' in refused(capsys, image, broken)
    assert '3 inputs' in refused(capsys, image, image, image)


@pytest.fixture
def started(monkeypatch):
    """Give a function that starts a studio without its server and returns it."""
    server = pytest.importorskip('stereo_depth_node.studio.server', reason='needs NiceGUI')

    def start(*arguments):
        found = []
        monkeypatch.setattr(server, 'serve', lambda studio, **_: found.append(studio))
        assert main(['studio', '--no-browser', *map(str, arguments)]) == 0
        return found[0]

    return start


def test_one_file_holds_both_images_and_another_their_truth(started, tmp_path):
    pair = scene_of(step(WIDTH, HEIGHT, 4, 12))
    both, truth, mask = (tmp_path / name for name in ('both.png', 'truth.png', 'mask.png'))
    cv2.imwrite(str(both), np.vstack((pair.left, pair.right)))
    cv2.imwrite(str(truth), np.nan_to_num(4 * pair.truth).astype(np.uint8))
    counts = np.full((HEIGHT, WIDTH), 255, np.uint8)
    counts[:, :60] = 0
    cv2.imwrite(str(mask), counts)
    camera = ['--focal', 500, '--baseline', 0.1]
    known = ['--truth', truth, '--truth-scale', 4, '--mask', mask]
    studio = started(both, '--layout', 'top-bottom', *known, *camera)
    assert studio.start.stereo_layout == 'top_bottom'
    frame = studio.source.frame(0, studio.start)
    np.testing.assert_array_equal(frame.scene.left, pair.left)
    np.testing.assert_array_equal(frame.scene.right, pair.right)
    np.testing.assert_array_equal(frame.scene.truth[:, 60:], pair.truth[:, 60:])
    assert np.isnan(frame.scene.truth[:, :60]).all()
    assert frame.scene.geometry.f == 500
    # As the file of settings says that the studio gives away.
    params = tmp_path / 'params.yaml'
    params.write_text(render_params_file(studio.start, changed=True))
    again = started(both, '--params', params)
    np.testing.assert_array_equal(again.source.frame(0, again.start).scene.right, pair.right)


def test_of_a_damaged_recording_what_is_legible_is_shown(monkeypatch, capsys, tmp_path):
    server = pytest.importorskip('stereo_depth_node.studio.server', reason='needs NiceGUI')
    file = write_bag(tmp_path / 'bag', 8) / 'bag.mcap'
    os.truncate(file, file.stat().st_size * 3 // 4)
    seen = []

    def look(studio, **_):
        source = studio.source
        seen.append((source.name, source.count, source.frame(1, studio.start).scene.left.shape))

    monkeypatch.setattr(server, 'serve', look)
    assert main(['studio', '--no-browser', str(file)]) == 0
    ((name, count, shape),) = seen
    assert (name, shape) == ('bag', (120, 160))
    assert 0 < count < 8
    assert 'messages could be read' in capsys.readouterr().err


@needs_nicegui
@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['{image}', '{image}', '--layout', 'top-bottom'], 'give the one image that holds both'),
        (['motorcycle', '--layout', 'top-bottom'], '--layout goes with images'),
        (['motorcycle', '--truth', '{image}'], '--truth goes with images'),
        (['{image}', '{image}', '--mask', '{image}'], '--mask goes with --truth'),
        (['{image}', '{image}', '--truth', '{image}'], '--truth-scale 4'),
        (['{image}', '{image}', '--left', '/left'], '--left goes with a recording'),
        (['--node', 'depth', '--truth', '{image}'], '--truth goes with images'),
        (['{image}', '{image}', '--output', '{image}'], 'is a file: name a folder'),
        (['{image}', '{image}', '--overwrite'], '--overwrite goes with --output'),
        (
            ['{image}', '{image}', '--params', '{folder}/params.yaml', '--output', '{folder}'],
            'params.yaml is what is read',
        ),
    ],
)
def test_options_that_do_not_go_together_give_one_line(capsys, image, arguments, reason):
    (image.parent / 'params.yaml').write_text(render_params_file(Settings()))
    given = (each.format(image=image, folder=image.parent) for each in arguments)
    assert reason in refused(capsys, *given)


@needs_nicegui
def test_a_port_that_is_taken_gives_one_line(capsys):
    pytest.importorskip('skimage')
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f'cannot listen at 127.0.0.1, port {port}' in refused(capsys, '--port', port)


def test_a_missing_library_is_named_with_its_extra(capsys, monkeypatch, image):
    for name in [name for name in sys.modules if name.partition('.')[0] == 'nicegui']:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith('stereo_depth_node.studio')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'nicegui', None)
    line = refused(capsys, image, image)
    assert 'needs the library nicegui' in line
    assert "pip install '.[studio]'" in line
