# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files of disparities, depths and points, and that they are whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
import subprocess
import sys

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.errors import ImageError, InputError
from stereo_depth_node.offline.files.formats import (
    described_os_error,
    kitti_png,
    millimetre_png,
    npy,
    pfm,
    ply,
    read_pfm,
    tiff,
    write_file,
)

DISPARITY = np.array(
    [[0.0, 1.5, np.nan], [255.99, 256.5, -1.0], [63.9375, 1 / 512, np.nan]], np.float32
)


def decoded(content: bytes) -> np.ndarray:
    """Return the pixels of an image file."""
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_pfm_has_the_bottom_row_first_and_infinity_where_unknown(tmp_path: Path) -> None:
    content = pfm(DISPARITY)
    assert content.startswith(b'Pf\n3 3\n-1\n')
    first = np.frombuffer(content[-36:], '<f4')[:3]
    np.testing.assert_array_equal(first, [63.9375, 1 / 512, np.inf])
    path = tmp_path / 'd.pfm'
    path.write_bytes(content)
    np.testing.assert_array_equal(read_pfm(path), np.where(np.isnan(DISPARITY), np.inf, DISPARITY))


def test_kitti_png_holds_256_times_the_disparity_and_counts_what_it_cannot_hold() -> None:
    content, lost = kitti_png(DISPARITY)
    pixels = decoded(content)
    assert pixels.dtype == np.uint16
    # 0 means unknown: a disparity of 0 becomes the smallest other value.
    np.testing.assert_array_equal(pixels, [[1, 384, 0], [65533, 0, 0], [16368, 1, 0]])
    assert lost == 2


def test_millimetre_png_is_0_where_unknown_or_too_far() -> None:
    depth = np.array([[1.2344, np.nan], [65.535, 65.54]], np.float32)
    content, lost = millimetre_png(depth)
    np.testing.assert_array_equal(decoded(content), [[1234, 0], [65535, 0]])
    assert lost == 1


def test_tiff_and_npy_keep_every_bit() -> None:
    np.testing.assert_array_equal(decoded(tiff(DISPARITY)), DISPARITY)
    import io

    np.testing.assert_array_equal(np.load(io.BytesIO(npy(DISPARITY))), DISPARITY)


def test_ply_is_binary_with_a_colour_for_each_point() -> None:
    xyz = np.array([[0.5, -1.25, 2.0], [3.0, 4.0, 5.0]], np.float32)
    rgb = np.array([[255, 0, 7], [1, 2, 3]], np.uint8)
    content = ply(xyz, rgb, ['unit: metres'])
    head, _, body = content.partition(b'end_header\n')
    lines = head.decode().splitlines()
    assert lines[:3] == ['ply', 'format binary_little_endian 1.0', 'comment unit: metres']
    assert 'element vertex 2' in lines
    properties = [line.split()[1:] for line in lines if line.startswith('property')]
    kinds = {'float': '<f4', 'uchar': 'u1'}
    vertices = np.frombuffer(body, [(name, kinds[kind]) for kind, name in properties])
    np.testing.assert_array_equal(np.stack([vertices[a] for a in 'xyz'], axis=1), xyz)
    np.testing.assert_array_equal(
        np.stack([vertices[c] for c in ('red', 'green', 'blue')], axis=1), rgb
    )


def test_points_without_a_colour_each_are_refused() -> None:
    with pytest.raises(ImageError, match=r'\(2, 3\).*\(1, 3\)'):
        ply(np.zeros((2, 3), np.float32), np.zeros((1, 3), np.uint8))


def test_a_file_that_exists_is_replaced_only_when_asked_to(tmp_path: Path) -> None:
    path = tmp_path / 'result'
    write_file(path, b'old')
    with pytest.raises(InputError, match=r'exists.*--overwrite'):
        write_file(path, b'new')
    assert path.read_bytes() == b'old'
    write_file(path, b'new', overwrite=True)
    assert path.read_bytes() == b'new'
    assert [file.name for file in tmp_path.iterdir()] == ['result']


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write_file(tmp_path / 'a' / 'b' / 'c', b'x')
    assert (tmp_path / 'a' / 'b' / 'c').read_bytes() == b'x'


def test_a_path_through_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / 'file').write_bytes(b'')
    with pytest.raises(InputError) as caught:
        write_file(tmp_path / 'file' / 'result', b'x')
    assert str(tmp_path / 'file' / 'result') in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='is a folder'):
        write_file(tmp_path, b'x', overwrite=True)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='limits of file sizes are a matter of POSIX')
def test_a_write_that_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / 'result'
    path.write_bytes(b'old')
    program = (
        'import resource, sys\n'
        'from pathlib import Path\n'
        'from stereo_depth_node.core.errors import InputError\n'
        'from stereo_depth_node.offline.files.formats import write_file\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n'
        'try:\n'
        '    write_file(Path(sys.argv[1]), bytes(5000), overwrite=True)\n'
        'except InputError as error:\n'
        '    print(error)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program, str(path)], capture_output=True, text=True, check=True
    )
    assert 'larger than this system or its limits allow' in done.stdout
    assert path.read_bytes() == b'old'
    assert [file.name for file in tmp_path.iterdir()] == ['result']


def test_a_full_disk_is_called_one() -> None:
    error = described_os_error('write', 'depth.png', OSError(errno.ENOSPC, 'No space left'))
    assert (
        str(error) == 'cannot write depth.png: No space left (the disk is full, free some space)'
    )


def test_a_file_is_written_through_no_link_that_waits_at_its_partial_name(tmp_path: Path) -> None:
    victim = tmp_path / 'victim'
    victim.write_bytes(b'precious')
    (tmp_path / 'x.npy.partial').symlink_to(victim)
    (tmp_path / 'x.npy').symlink_to(victim)
    write_file(tmp_path / 'x.npy', b'new', overwrite=True)
    assert victim.read_bytes() == b'precious'
    assert (tmp_path / 'x.npy').read_bytes() == b'new'
    assert not (tmp_path / 'x.npy').is_symlink()


def test_of_two_runs_that_write_one_file_the_second_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / 'x.npy'
    fsync = os.fsync

    def other_run_first(descriptor: int) -> None:
        fsync(descriptor)
        file.write_bytes(b'other')

    monkeypatch.setattr(os, 'fsync', other_run_first)
    with pytest.raises(InputError, match='by another run'):
        write_file(file, b'mine')
    assert file.read_bytes() == b'other'
    assert [path.name for path in tmp_path.iterdir()] == ['x.npy']
