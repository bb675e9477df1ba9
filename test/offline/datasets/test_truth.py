# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth for two images, in every format that such files come in."""

from __future__ import annotations

from collections.abc import Callable
import io
import json
from pathlib import Path
import re
from typing import Any
import zipfile

import cv2
import numpy as np
import pytest

pytest.importorskip('tabulate')

from scenes import scene_of, step

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.datasets.truth import read_mask, read_truth

# A whole number of 1/4 px, so that every format holds it exactly.
TRUTH = np.round(4 * step(160, 120, 12.0, 20.25)).astype(np.float32) / 4
TRUTH[:10] = np.nan


def infinite() -> np.ndarray:
    """Return the truth as Middlebury has it."""
    return np.where(np.isnan(TRUTH), np.float32(np.inf), TRUTH)


def write_pfm(path: Path, order: str = '<', kind: str = 'Pf') -> None:
    scale = '-1' if order == '<' else '1'
    data = infinite()[::-1].astype(f'{order}f4').tobytes()
    path.write_bytes(f'{kind}\n160 120\n{scale}\n'.encode() + data)


def write_image(path: Path, scale: float, kind: type) -> None:
    assert cv2.imwrite(str(path), np.nan_to_num(scale * TRUTH).astype(kind))


FORMATS: dict[str, tuple[Callable[[Path], Any], float | None]] = {
    'truth.pfm': (write_pfm, None),
    'big.pfm': (lambda path: write_pfm(path, '>'), None),
    'kitti.png': (lambda path: write_image(path, 256, np.uint16), None),
    'scaled16.png': (lambda path: write_image(path, 100, np.uint16), 100),
    'scaled8.png': (lambda path: write_image(path, 4, np.uint8), 4),
    'truth.npy': (lambda path: np.save(path, TRUTH), None),
    'double.npy': (lambda path: np.save(path, np.asfortranarray(infinite(), float)), None),
    'whole.npy': (lambda path: np.save(path, np.nan_to_num(4 * TRUTH).astype(int)), 4),
    'truth.npz': (lambda path: np.savez_compressed(path, truth=TRUTH), None),
    'truth.tiff': (lambda path: cv2.imwrite(str(path), TRUTH), None),
    'whole.tiff': (lambda path: write_image(path, 4, np.uint16), 4),
}


@pytest.mark.parametrize('name', FORMATS)
def test_every_format_holds_the_same_truth(tmp_path: Path, name: str) -> None:
    write, scale = FORMATS[name]
    write(tmp_path / name)
    np.testing.assert_array_equal(read_truth(tmp_path / name, scale), TRUTH)


def test_the_page_lists_the_formats_that_are_read_here(
    listed_formats: Callable[[str], list[str]],
) -> None:
    listed = {
        'PFM, grey, both byte orders': {'truth.pfm', 'big.pfm'},
        'NPY, NPZ with one array, TIFF; floating point': {
            'truth.npy', 'double.npy', 'truth.npz', 'truth.tiff'
        },
        'PNG of 16 bits': {'kitti.png'},
        'PNG, TIFF, NPY of other whole numbers': {
            'scaled8.png', 'scaled16.png', 'whole.tiff', 'whole.npy'
        },
    }  # fmt: skip
    assert listed_formats('Ground truth') == list(listed)
    assert set().union(*listed.values()) == set(FORMATS)


def bomb() -> bytes:
    """Return an NPZ file that says it unpacks to 2 GB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('a.npy', bytes(1 << 20))
    content = stream.getvalue()
    return content.replace((1 << 20).to_bytes(4, 'little'), (1 << 31).to_bytes(4, 'little'))


def npy_that_says(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    header = {'descr': '<f4', 'fortran_order': False, 'shape': shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def damaged(place: int, save: Any = np.save) -> bytes:
    """Return a file of an array in which a few bytes are others."""
    stream = io.BytesIO()
    save(stream, np.arange(99.0))
    content = stream.getvalue()
    return content[:place] + b'((((' + content[place + 4 :]


def pickled() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([print], object), allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        (b'PF\n160 120\n-1\n' + bytes(230400), 'colour'),
        (b'Pf\n' + b'9' * 5000 + b' 1\n-1\n', 'no PFM'),
        (b'Pf\n99999999 99999999\n-1\n', 'cut short'),
        (cv2.imencode('.png', np.zeros((120, 160, 3), np.uint8))[1].tobytes(), 'colours'),
        (cv2.imencode('.png', np.ones((120, 160), np.uint8))[1].tobytes(), '--truth-scale 4'),
        (cv2.imencode('.png', np.zeros((120, 160), np.uint16))[1].tobytes(), 'no known pixel'),
        (npy_that_says((10**9, 10**9)), 'cut short'),
        (npy_that_says((-2, -2)) + bytes(16), 'no NumPy file'),
        (npy_that_says((0,) * 99), 'no NumPy file'),
        (npy_that_says((True, 2)) + bytes(16), 'no NumPy file'),
        (damaged(70), 'no NumPy file'),
        (damaged(90, np.savez_compressed), 'no NumPy file'),
        (pickled(), 'object, expected numbers'),
        (bomb(), 'unpacks to more than'),
        (b'', 'none of PFM, PNG'),
        (b'\x93NUMPY', 'no NumPy file'),
        (b'PK\x03\x04', 'no NumPy file'),
    ],
)
def test_what_is_no_truth_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / 'truth'
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(said)):
        read_truth(path)


def test_a_mask_says_what_counts_and_what_both_cameras_see(tmp_path: Path) -> None:
    mask = np.full((4, 6), 255, np.uint8)
    mask[0], mask[1] = 0, 128
    cv2.imwrite(str(tmp_path / 'mask.png'), mask)
    counts, visible = read_mask(tmp_path / 'mask.png')
    np.testing.assert_array_equal(counts, mask > 0)
    np.testing.assert_array_equal(visible, mask == 255)
    cv2.imwrite(str(tmp_path / 'plain.png'), np.minimum(mask, 1))
    assert read_mask(tmp_path / 'plain.png')[1] is None


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    """Write the pair that has the truth."""
    scene = scene_of(step(160, 120, 12.0, 20.25))
    paths = [tmp_path / 'left.png', tmp_path / 'right.png']
    for path, pixels in zip(paths, (scene.left, scene.right), strict=True):
        cv2.imwrite(str(path), pixels)
    return [str(path) for path in paths]


def test_two_images_are_evaluated_against_a_file(tmp_path: Path, images: list[str]) -> None:
    truth, mask, found = tmp_path / 't.npy', tmp_path / 'mask.png', tmp_path / 'found.json'
    wrong = TRUTH.copy()
    wrong[:, :80] += 5
    np.save(truth, wrong)
    # Only the right half counts, and there the truth is right.
    counts = np.zeros((120, 160), np.uint8)
    counts[10:, 90:] = 1
    cv2.imwrite(str(mask), counts)
    options = ['--set', 'num_disparities=32', '--json', str(found), '--truth', str(truth)]
    calibration = ['--focal', '500', '--baseline', '0.1']
    assert main(['evaluate', *images, *options, '--mask', str(mask), *calibration]) == 0
    figures = json.loads(found.read_text())[0]
    assert figures['all']['bad_2_estimated'] == pytest.approx(0.0, abs=0.5)
    assert figures['depth']['median_relative_error'] < 0.5
    assert main(['evaluate', *images, *options, '--overwrite']) == 0
    figures = json.loads(found.read_text())[0]
    assert figures['all']['bad_2_estimated'] > 25.0
    assert 'depth' not in figures


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['{left}', '--truth', '{left}'], 'give two images, LEFT RIGHT'),
        (['{left}', '{right}', '--truth', 'no.pfm'], 'no.pfm: cannot be read'),
        (['{left}', '{right}', '--truth', '{left}', '--truth-scale', '0'], 'above 0'),
        (['{left}', '--mask', '{left}'], '--mask goes with --truth'),
        (['{left}', '{right}', '--truth', '{small}'], 'small.npy is 6x4'),
    ],
)
def test_what_is_missing_for_a_comparison_is_said(
    tmp_path: Path, images: list[str], capsys: Any, arguments: list[str], said: str
) -> None:
    np.save(tmp_path / 'small.npy', np.ones((4, 6)))
    names = {'left': images[0], 'right': images[1], 'small': str(tmp_path / 'small.npy')}
    assert main(['evaluate', *(text.format(**names) for text in arguments)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count('\n') == 1


def test_a_scale_that_leaves_no_pixel_known_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / 'truth.png', 4, np.uint8)
    with pytest.raises(InputError, match='no known pixel'):
        read_truth(tmp_path / 'truth.png', 1e-300)


@pytest.mark.parametrize('unknown', [0.0, -1.0, 1e9])
def test_numbers_that_may_mean_unknown_are_named_with_what_leaves_them_out(
    tmp_path: Path, images: list[str], capsys: Any, unknown: float
) -> None:
    truth, mask = tmp_path / 't.npy', tmp_path / 'mask.png'
    values = np.where(np.isnan(TRUTH), np.float32(unknown), TRUTH)
    values[:, :40] = unknown
    np.save(truth, values)
    cv2.imwrite(str(mask), np.uint8(values != unknown))
    options = ['--truth', str(truth), '--set', 'num_disparities=32']
    assert main(['evaluate', *images, *options]) == 0
    assert 't.npy: 31.2 % of its known pixels' in capsys.readouterr().err
    assert main(['evaluate', *images, *options, '--mask', str(mask)]) == 0
    assert 'known pixels' not in capsys.readouterr().err


@pytest.mark.parametrize(
    ('option', 'name'),
    [('--json', '{truth}'), ('--report', '{left}'), ('--picture', '{left}')],
)
def test_what_is_read_is_never_replaced(
    tmp_path: Path, images: list[str], capsys: Any, option: str, name: str
) -> None:
    """A picture is named after the left image: beside it, it would take its place."""
    truth = tmp_path / 'truth.npy'
    np.save(truth, TRUTH)
    path = Path(name.format(left=images[0], truth=truth))
    before = path.read_bytes()
    given = path.parent if option == '--picture' else path
    options = ['--truth', str(truth), option, str(given), '--overwrite']
    assert main(['evaluate', *images, *options]) == 2
    assert 'is what is read' in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_scene_that_is_missing_does_not_end_the_others(
    tmp_path: Path, images: list[str], capsys: Any
) -> None:
    for name, image in zip(('im0.png', 'im1.png'), images, strict=True):
        (tmp_path / name).write_bytes(Path(image).read_bytes())
    write_pfm(tmp_path / 'disp0.pfm')
    assert main(['evaluate', 'nowhere', str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert 'nowhere is neither' in printed.err
    assert tmp_path.name in printed.out
