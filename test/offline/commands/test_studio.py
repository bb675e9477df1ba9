# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth studio`` before there is a page: what is missing or cannot be used."""

from __future__ import annotations

import importlib.util
import socket
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip('matplotlib')
pytest.importorskip('rosbags')

from stereo_depth_node.offline.cli import main

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
