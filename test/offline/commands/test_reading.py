# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``images``, ``evaluate`` and ``tune`` read the same files alike."""

from __future__ import annotations

import json
from pathlib import Path
import struct

import cv2
import numpy as np
import pytest

pytest.importorskip('matplotlib', reason='the tool images draws with matplotlib')

from scenes import plane, scene_of

from stereo_depth_node.core.images.pair_decoder import CompressedImage, PairDecoder
from stereo_depth_node.core.images.raw import reduce_to_8bit
from stereo_depth_node.offline.cli import main

SCENE = scene_of(plane(160, 120, 12.0))


def png(image: np.ndarray) -> bytes:
    return cv2.imencode('.png', image)[1].tobytes()


def deep_pair() -> tuple[list[bytes], list[np.ndarray]]:
    """Return a pair of 12 bits in files of 16, and what the node makes of it."""
    deep = [image.astype(np.uint16) * 12 + 600 for image in (SCENE.left, SCENE.right)]
    return [png(image) for image in deep], list(reduce_to_8bit(*deep))


def turned_pair() -> tuple[list[bytes], list[np.ndarray]]:
    """Return a pair whose left file asks to be shown upside down, and its pixels as they are."""
    content = [cv2.imencode('.jpg', image)[1].tobytes() for image in (SCENE.left, SCENE.right)]
    pixels = [
        cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_UNCHANGED) for each in content
    ]
    tiff = b'II*\0' + struct.pack('<IHHHIHHI', 8, 1, 0x0112, 3, 1, 3, 0, 0)
    exif = b'\xff\xe1' + struct.pack('>H', len(tiff) + 8) + b'Exif\0\0' + tiff
    content[0] = content[0][:2] + exif + content[0][2:]
    return content, pixels


def colour_pair() -> tuple[list[bytes], list[np.ndarray]]:
    """Return a pair in colour, and its grey values by the weights of the node."""
    bgr = [np.dstack([image, image[::-1], 255 - image]) for image in (SCENE.left, SCENE.right)]
    return [png(image) for image in bgr], [cv2.cvtColor(each, cv2.COLOR_BGR2GRAY) for each in bgr]


def jpeg_pair() -> tuple[list[bytes], list[np.ndarray]]:
    """Return a pair of colour JPEGs, and the grey values that the node has of such messages."""
    bgr = [np.dstack([image, image[::-1], 255 - image]) for image in (SCENE.left, SCENE.right)]
    files = [cv2.imencode('.jpg', image)[1].tobytes() for image in bgr]
    messages = [CompressedImage('bgr8; jpeg compressed bgr8', data) for data in files]
    return files, list(PairDecoder().decode(*messages))


def results(folder: Path, files: list[bytes], capsys: pytest.CaptureFixture[str]) -> list[object]:
    """Return what each tool finds in a pair, laid out as a sample of OpenCV."""
    folder.mkdir()
    left, right = folder / 'sL.jpg', folder / 'sR.jpg'
    left.write_bytes(files[0])
    right.write_bytes(files[1])
    (folder / 'sGT.png').write_bytes(png(SCENE.disparity.astype(np.uint8)))
    report, params = folder / 'report.json', folder / 'params.yaml'
    write = ['--write', 'disparity.npy', '--output', str(folder)]
    assert main(['images', str(left), str(right), *write, '--processes', '1']) == 0
    assert main(['evaluate', str(folder), '--json', str(report)]) == 0
    capsys.readouterr()
    # Without time to search, the score of the start is what there is to see.
    budget = ['--budget', '1e-9', '--quiet', '--output', str(params)]
    assert main(['tune', str(left), str(right), *budget]) == 0
    score = next(line for line in capsys.readouterr().out.splitlines() if 'at the start' in line)
    figures = json.loads(report.read_text())[0]['all']
    return [np.load(folder / 'sL_disparity.npy').tobytes(), figures, score]


@pytest.mark.parametrize('make', [deep_pair, turned_pair, colour_pair, jpeg_pair])
def test_a_pair_gives_what_its_grey_values_give(tmp_path, capsys, make):
    files, grey = make()
    expected = results(tmp_path / 'grey', [png(image) for image in grey], capsys)
    assert expected[1]['density'] > 30.0
    assert results(tmp_path / 'files', files, capsys) == expected
