# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""``stereo_depth images``: every format of images, files that hold both, videos, patterns."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import re
import shutil
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('matplotlib', reason='pictures are drawn with matplotlib')

from scenes import plane, scene_of

from stereo_depth_node.offline.cli import main

SCENE = scene_of(plane(160, 120, 12.0))


def run(folder: Path, *arguments: object) -> int:
    """Run the tool in this process, with disparities as the result."""
    options = ['--write', 'disparity.npy', '--output', str(folder / 'out'), '--quiet']
    return main(['images', *map(str, arguments), *options, '--processes', '1'])


def found(folder: Path) -> list[float]:
    """Return the median disparity of each result, and check that most pixels have one."""
    medians = []
    for path in sorted((folder / 'out').glob('*.npy')):
        disparity = np.load(path)
        # Within blocks from the border, and beyond the 64 disparities on the left.
        assert np.isfinite(disparity).mean() > 0.4
        medians.append(float(np.nanmedian(disparity)))
    return medians


def coloured(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)


def exif(image: np.ndarray) -> bytes:
    """Return a JPEG whose tag says to turn it by 90 degrees."""
    tag = b'Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0'
    jpeg = cv2.imencode('.jpg', image)[1].tobytes()
    return jpeg[:2] + b'\xff\xe1' + (len(tag) + 2).to_bytes(2, 'big') + tag + jpeg[2:]


FORMATS: dict[str, Callable[[Path, np.ndarray], object]] = {
    'grey.png': lambda path, image: cv2.imwrite(str(path), image),
    'deep.png': lambda path, image: cv2.imwrite(str(path), image.astype(np.uint16) * 16),
    'colour.png': lambda path, image: cv2.imwrite(str(path), coloured(image)),
    'alpha.png': lambda path, image: cv2.imwrite(
        str(path), np.dstack([coloured(image), np.full_like(image, 255)])
    ),
    'grey.jpg': lambda path, image: cv2.imwrite(str(path), image),
    'turned.jpg': lambda path, image: path.write_bytes(exif(image)),
    'grey.bmp': lambda path, image: cv2.imwrite(str(path), image),
    'grey.pgm': lambda path, image: cv2.imwrite(str(path), image),
    'colour.ppm': lambda path, image: cv2.imwrite(str(path), coloured(image)),
    'colour.webp': lambda path, image: cv2.imwrite(str(path), coloured(image)),
    'grey.tiff': lambda path, image: cv2.imwrite(str(path), image),
    'deep.tiff': lambda path, image: cv2.imwrite(str(path), image.astype(np.uint16) * 200),
    'float.tiff': lambda path, image: cv2.imwrite(str(path), image.astype(np.float32) / 255),
    'grey.jp2': lambda path, image: cv2.imwrite(str(path), image),
    'grey.npy': np.save,
    'float.npy': lambda path, image: np.save(path, image.astype(float) - 100),
    'colour.npy': lambda path, image: np.save(path, coloured(image)),
}


@pytest.mark.parametrize('name', FORMATS)
def test_every_format_gives_the_disparity_of_its_pixels(tmp_path: Path, name: str) -> None:
    for side, image in (('l', SCENE.left), ('r', SCENE.right)):
        path = tmp_path / f'{side}_{name}'
        if FORMATS[name](path, image) is False:
            pytest.skip(f'this OpenCV does not write {path.suffix}')
    assert run(tmp_path, tmp_path / f'l_{name}', tmp_path / f'r_{name}') == 0
    assert found(tmp_path) == [pytest.approx(12.0, abs=1 / 8)]


def test_one_image_that_holds_both_is_divided(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'wide.png'), np.hstack([SCENE.left, SCENE.right]))
    cv2.imwrite(str(tmp_path / 'high.png'), coloured(np.vstack([SCENE.left, SCENE.right])))
    assert run(tmp_path, tmp_path / 'wide.png', '--layout', 'side-by-side') == 0
    assert run(tmp_path, tmp_path / 'high.png', '--layout', 'top-bottom') == 0
    assert found(tmp_path) == [12.0, 12.0]


@pytest.mark.parametrize(
    ('shape', 'said'),
    [
        ((120, 320), 'is 320x120, as wide as two images.*--layout side-by-side'),
        ((240, 160), 'is 160x240, as high as two images.*--layout top-bottom'),
        ((120, 160), 'only one image is given.*name the right one'),
    ],
)
@pytest.mark.parametrize('times', [1, 2])
def test_a_single_file_is_asked_for_its_layout(
    tmp_path: Path, capsys: Any, shape: tuple[int, int], said: str, times: int
) -> None:
    path = tmp_path / 'one.png'
    cv2.imwrite(str(path), np.zeros(shape, np.uint8))
    assert run(tmp_path, *[path] * times) == 2
    error = capsys.readouterr().err
    assert re.search(said, error)
    assert error.count('\n') == 1


def test_a_folder_is_no_image_and_its_images_are_asked_for(tmp_path: Path, capsys: Any) -> None:
    assert run(tmp_path, tmp_path) == 2
    assert re.search('is a folder: name its images, as in .*/\\*.png', capsys.readouterr().err)
    (tmp_path / 'right').mkdir()
    assert run(tmp_path, tmp_path, tmp_path / 'right') == 2
    assert re.search('is a folder: name its images, as in .*/\\*.png', capsys.readouterr().err)


def test_an_odd_width_is_not_two_images(tmp_path: Path, capsys: Any) -> None:
    cv2.imwrite(str(tmp_path / 'odd.png'), np.zeros((100, 301), np.uint8))
    assert run(tmp_path, tmp_path / 'odd.png', '--layout', 'side-by-side') == 2
    assert 'its width of 301 px is odd' in capsys.readouterr().err


# Container -> the codec that OpenCV's writer has for it.
VIDEOS = {
    'AVI': 'MJPG', 'MP4': 'mp4v', 'MKV': 'mp4v', 'MOV': 'mp4v', 'WebM': 'VP80', 'MPEG': 'MPG1'
}  # fmt: skip


def write_video(path: Path, images: list[np.ndarray], codec: str = 'MJPG') -> None:
    height, width = images[0].shape
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, (width, height))
    if not video.isOpened():
        pytest.skip('this OpenCV writes no video')
    for image in images:
        video.write(coloured(image))
    video.release()


def test_a_video_is_computed_frame_by_frame(tmp_path: Path) -> None:
    scenes = [scene_of(plane(160, 120, disparity), finest_px=8.0) for disparity in (6.0, 12.0)]
    write_video(tmp_path / 'both.avi', [np.hstack([each.left, each.right]) for each in scenes])
    assert run(tmp_path, tmp_path / 'both.avi', '--layout', 'side-by-side') == 0
    assert found(tmp_path) == [pytest.approx(6.0, abs=0.2), pytest.approx(12.0, abs=0.2)]
    names = [path.name for path in sorted((tmp_path / 'out').iterdir())]
    assert names == ['both_000000_disparity.npy', 'both_000001_disparity.npy']


@pytest.mark.parametrize('container', VIDEOS)
def test_every_container_of_videos_is_read(tmp_path: Path, container: str) -> None:
    path = tmp_path / f'both.{container.lower()}'
    write_video(path, [np.hstack([SCENE.left, SCENE.right])] * 2, VIDEOS[container])
    assert run(tmp_path, path, '--layout', 'side-by-side') == 0
    assert found(tmp_path) == [pytest.approx(12.0, abs=0.5)] * 2


@pytest.mark.parametrize(
    ('ending', 'codec'), [('mp4', 'mp4v'), ('wmv', 'WMV2'), ('mjpeg', 'MJPG')]
)
def test_a_video_is_known_whatever_it_is_called(tmp_path: Path, ending: str, codec: str) -> None:
    path = tmp_path / f'both.{ending}'
    write_video(path, [np.hstack([SCENE.left, SCENE.right])] * 2, codec)
    if ending != 'mjpeg':  # which begins as an image does
        path = path.rename(tmp_path / 'both.dat')
    assert run(tmp_path, path, '--layout', 'side-by-side') == 0
    assert found(tmp_path) == [pytest.approx(12.0, abs=0.5)] * 2


def test_the_page_lists_the_formats_that_are_read_here(
    listed_formats: Callable[[str], list[str]],
) -> None:
    images, floating, arrays, videos = listed_formats('Images')
    read = {name.rpartition('.')[2] for name in FORMATS}
    endings = {'JPEG': 'jpg', 'JPEG 2000': 'jp2'}
    assert {endings.get(name, name.lower()) for name in images.split(', ')} | {'npy'} == read
    assert (floating, arrays) == ('TIFF of floating point', 'NPY')
    assert {'float.tiff', 'float.npy', 'colour.npy'} < set(FORMATS)
    assert videos.removesuffix(' and others').split(', ') == list(VIDEOS)


def test_two_videos_pair_by_frame_and_the_rest_is_named(tmp_path: Path, capsys: Any) -> None:
    write_video(tmp_path / 'l.avi', [SCENE.left] * 3)
    write_video(tmp_path / 'r.avi', [SCENE.right] * 2)
    assert run(tmp_path, tmp_path / 'l.avi', tmp_path / 'r.avi') == 2
    assert len(found(tmp_path)) == 2
    error = capsys.readouterr().err
    assert 'l.avi has more than the 2 frames of the other' in error
    assert error.count('\n') == 1


def test_of_a_video_that_is_cut_short_it_is_said(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / 'both.avi'
    write_video(path, [np.hstack([SCENE.left, SCENE.right])] * 6)
    (tmp_path / 'whole').mkdir()
    assert run(tmp_path / 'whole', path, '--layout', 'side-by-side') == 0
    assert capsys.readouterr().err == ''
    os.truncate(path, path.stat().st_size * 2 // 3)
    assert run(tmp_path, path, '--layout', 'side-by-side') == 0
    count = len(found(tmp_path))
    assert 1 <= count < 6
    assert f'says that it has 6 frames, {count} could be read' in capsys.readouterr().err


def test_of_several_videos_one_at_a_time_is_taken(tmp_path: Path, capsys: Any) -> None:
    paths = [tmp_path / f'{name}.avi' for name in 'ab']
    for path in paths:
        write_video(path, [np.hstack([SCENE.left, SCENE.right])])
    assert run(tmp_path, *paths, '--layout', 'side-by-side') == 2
    assert 'videos: give one at a time' in capsys.readouterr().err


def test_what_is_called_a_video_and_is_none_is_refused(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / 'a.mp4').write_bytes(b'nothing')
    assert run(tmp_path, tmp_path / 'a.mp4', '--layout', 'top-bottom') == 2
    assert 'a.mp4 is no video that this OpenCV can read' in capsys.readouterr().err


def test_of_many_errors_the_first_are_printed(tmp_path: Path, capsys: Any) -> None:
    for side, image in (('l', SCENE.left), ('r', SCENE.right)):
        (tmp_path / side).mkdir()
        for number in range(13):
            cv2.imwrite(str(tmp_path / side / f'{number}.png'), image[:, : 100 + (side == 'r')])
    assert run(tmp_path, tmp_path / 'l/*.png', tmp_path / 'r/*.png', '--processes', '1') == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == 'stereo_depth images: 3 more failed'


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """Write three pairs into two folders."""
    for side, image in (('left', SCENE.left), ('right', SCENE.right)):
        (tmp_path / side).mkdir()
        for number in (1, 2, 10):
            cv2.imwrite(str(tmp_path / side / f'{number}.png'), image)
    return tmp_path


def test_patterns_that_the_shell_has_filled_in_are_divided(sequence: Path) -> None:
    names = [sequence / side / f'{n}.png' for side in ('left', 'right') for n in (1, 10, 2)]
    assert run(sequence, *names) == 0
    assert found(sequence) == [12.0] * 3


def test_names_that_cannot_be_divided_are_explained(sequence: Path, capsys: Any) -> None:
    shutil.copy(sequence / 'left' / '1.png', sequence / 'left' / 'right1.png')
    for names in (['left/1.png', 'left/2.png', 'right/1.png'], ['left/1.png'] * 4):
        assert run(sequence, *(sequence / name for name in names)) == 2
        error = capsys.readouterr().err
        assert f'{len(names)} names are given' in error
        assert "put patterns in quotes, as in 'left/*.png' 'right/*.png'" in error


def test_names_of_files_do_not_steer_the_terminal(tmp_path: Path, capsys: Any) -> None:
    names = [tmp_path / f'\x1b[31m{side}.png' for side in ('left', 'right')]
    for name, image in zip(names, (SCENE.left, SCENE.right), strict=True):
        name.write_bytes(cv2.imencode('.png', image)[1].tobytes())
    assert run(tmp_path, *names) == 0
    printed = capsys.readouterr()
    assert '?[31mleft_disparity.npy' in printed.out
    assert '\x1b' not in printed.out + printed.err
