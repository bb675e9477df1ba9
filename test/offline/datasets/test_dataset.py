# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes are read in every layout, with truth, mask and calibration in our units."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stereo_depth_node.core.errors import InputError, PairSizeError
from stereo_depth_node.offline.datasets.loading import load_scene
from stereo_depth_node.offline.files.formats import pfm, read_pfm

HEIGHT, WIDTH = 30, 40


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8) for _ in range(2)]


@pytest.fixture
def truth() -> np.ndarray:
    """Disparities of 3 to 12.75 px in quarters, the upper left corner unknown."""
    disparity = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 40 / 4 + 3
    disparity[:5, :6] = np.nan
    return disparity.astype(np.float32)


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def scaled(disparity: np.ndarray, scale: float, dtype: type) -> np.ndarray:
    return np.where(np.isfinite(disparity), disparity * scale, 0).astype(dtype)


def test_middlebury_2014_has_a_pfm_truth_and_a_calibration(tmp_path, images, truth):
    write(tmp_path / 'im0.png', images[0])
    write(tmp_path / 'im1.png', images[1])
    (tmp_path / 'disp0.pfm').write_bytes(pfm(truth))
    (tmp_path / 'calib.txt').write_text(
        'cam0=[3979.911 0 1244.772; 0 3979.911 1019.507; 0 0 1]\n'
        'cam1=[3979.911 0 1369.115; 0 3979.911 1019.507; 0 0 1]\n'
        'doffs=124.343\nbaseline=193.001\nwidth=40\nheight=30\nndisp=280\n'
    )
    scene = load_scene(str(tmp_path))
    np.testing.assert_array_equal(scene.left, grey(images[0]))
    np.testing.assert_array_equal(scene.right, grey(images[1]))
    np.testing.assert_array_equal(scene.truth, truth)
    assert scene.visible is None
    geometry = scene.geometry
    assert (geometry.f, geometry.cy) == (3979.911, 1019.507)
    assert geometry.offset == pytest.approx(-124.343)
    assert geometry.baseline == pytest.approx(0.193001)
    # The data set's formula: Z = baseline * f / (d + doffs), in mm.
    assert geometry.depth_at(100.0) == pytest.approx(0.193001 * 3979.911 / (100.0 + 124.343))


def test_middeval3_also_has_a_mask_of_what_both_cameras_see(tmp_path, images, truth):
    write(tmp_path / 'im0.png', images[0])
    write(tmp_path / 'im1.png', images[1])
    (tmp_path / 'disp0GT.pfm').write_bytes(pfm(truth))
    mask = np.full((HEIGHT, WIDTH), 255, np.uint8)
    mask[:, :10], mask[:3] = 128, 0
    write(tmp_path / 'mask0nocc.png', mask)
    scene = load_scene(str(tmp_path))
    np.testing.assert_array_equal(scene.visible, mask == 255)
    assert scene.geometry is None


def test_middlebury_2006_disparities_are_scaled_by_the_reduction(tmp_path, truth):
    """A third-size image of 413 px width: values are 3 times the disparity, f is a third."""
    rng = np.random.default_rng(0)
    for name in ('view1', 'view5'):
        write(tmp_path / f'{name}.png', rng.integers(0, 255, (30, 413, 3)).astype(np.uint8))
    disparity = np.full((30, 413), 20.0, np.float32)
    disparity[:4] = np.nan
    write(tmp_path / 'disp1.png', scaled(disparity, 3, np.uint8))
    (tmp_path / 'dmin.txt').write_text('270\n')
    scene = load_scene(str(tmp_path))
    np.testing.assert_array_equal(scene.truth, disparity)
    assert scene.geometry.f == pytest.approx(3740 / 3)
    assert scene.geometry.offset == pytest.approx(-90.0)
    assert scene.geometry.depth_at(20.0) == pytest.approx(3740 / 3 * 0.16 / 110.0)


@pytest.mark.parametrize(('name', 'scale'), [('cones', 4), ('venus', 8)])
def test_middlebury_2003_and_2001_disparities_are_scaled(tmp_path, images, truth, name, scale):
    folder = tmp_path / name
    write(folder / 'im2.ppm', images[0])
    write(folder / 'im6.ppm', images[1])
    write(folder / 'disp2.pgm', scaled(truth, scale, np.uint8))
    scene = load_scene(str(folder))
    np.testing.assert_array_equal(scene.truth, truth)
    assert scene.geometry is None


def test_the_samples_of_opencv_have_whole_disparities(tmp_path, images, truth):
    write(tmp_path / 'aloeL.jpg', images[0])
    write(tmp_path / 'aloeR.jpg', images[1])
    whole = np.floor(truth)
    write(tmp_path / 'aloeGT.png', scaled(whole, 1, np.uint8))
    scene = load_scene(str(tmp_path))
    assert scene.name == 'aloe'
    np.testing.assert_array_equal(scene.truth, whole)


@pytest.mark.parametrize(
    ('folders', 'truths', 'calibration', 'name'),
    [
        (('image_0', 'image_1'), ('disp_occ', 'disp_noc'), 'P0: {}\nP1: {}\n', '000007_10'),
        (
            ('image_2', 'image_3'),
            ('disp_occ_0', 'disp_noc_0'),
            'P_rect_02: {}\nP_rect_03: {}\n',
            '000007_10',
        ),
    ],
    ids=['2012', '2015'],
)
def test_kitti_has_16_bit_truths_with_and_without_what_is_hidden(
    tmp_path, images, truth, folders, truths, calibration, name
):
    for folder, image in zip(folders, images, strict=True):
        write(tmp_path / folder / f'{name}.png', image)
    visible = truth.copy()
    visible[10:] = np.nan
    for folder, disparity in zip(truths, (truth, visible), strict=True):
        write(tmp_path / folder / f'{name}.png', scaled(disparity, 256, np.uint16))
    left, right = (
        '721.5 0 609.5 44.8 0 721.5 172.8 0 0 0 1 0',
        ('721.5 0 609.5 -339.5 0 721.5 172.8 2 0 0 1 0'),
    )
    (tmp_path / 'calib').mkdir()
    (tmp_path / 'calib' / '000007.txt').write_text(calibration.format(left, right))
    scene = load_scene(str(tmp_path / folders[0] / f'{name}.png'))
    np.testing.assert_array_equal(scene.truth, truth)
    np.testing.assert_array_equal(scene.visible, np.isfinite(visible))
    assert scene.geometry.baseline == pytest.approx((44.8 + 339.5) / 721.5)
    assert scene.geometry.f == 721.5


def test_motorcycle_is_the_scene_of_scikit_image(motorcycle, motorcycle_geometry):
    scene = load_scene('motorcycle')
    np.testing.assert_array_equal(scene.left, motorcycle.left)
    np.testing.assert_array_equal(scene.right, motorcycle.right)
    np.testing.assert_array_equal(scene.truth, motorcycle.disparity.astype(np.float32))
    assert scene.geometry == motorcycle_geometry


def test_what_is_no_scene_is_refused_with_the_layouts_that_are_known(tmp_path, images):
    with pytest.raises(InputError, match='neither a folder nor a file'):
        load_scene(str(tmp_path / 'nothing'))
    with pytest.raises(InputError, match=r'im0\.png and im1\.png'):
        load_scene(str(tmp_path))
    write(tmp_path / 'left.png', images[0])
    with pytest.raises(InputError, match='image_0, image_2'):
        load_scene(str(tmp_path / 'left.png'))
    write(tmp_path / 'im0.png', images[0])
    with pytest.raises(InputError, match=r'im1\.png is missing'):
        load_scene(str(tmp_path))
    write(tmp_path / 'im1.png', images[1][:-1])
    with pytest.raises(PairSizeError, match=r'im0\.png is 40x30, .*im1\.png is 40x29'):
        load_scene(str(tmp_path))
    write(tmp_path / 'im1.png', images[1])
    (tmp_path / 'disp0.pfm').write_bytes(pfm(np.zeros((HEIGHT - 1, WIDTH), np.float32)))
    with pytest.raises(InputError, match='40x30, the ground truth 40x29'):
        load_scene(str(tmp_path))


@pytest.mark.parametrize('order', ['<', '>'])
def test_a_pfm_is_read_upright_in_both_byte_orders(tmp_path, order):
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    image[0, 0] = np.inf
    scale = b'-1.0' if order == '<' else b'1.0'
    content = b'Pf\n4 3\n' + scale + b'\n' + image[::-1].astype(f'{order}f4').tobytes()
    (tmp_path / 'a.pfm').write_bytes(content)
    np.testing.assert_array_equal(read_pfm(tmp_path / 'a.pfm'), image)


def test_the_size_of_the_scale_of_a_pfm_is_no_factor(tmp_path):
    """Middlebury 2014 has -0.003922 there; its program looks at the sign alone."""
    image = np.arange(12, dtype='<f4').reshape(3, 4)
    (tmp_path / 'a.pfm').write_bytes(b'Pf\n4 3\n-0.003922\n' + image[::-1].tobytes())
    np.testing.assert_array_equal(read_pfm(tmp_path / 'a.pfm'), image)


def test_a_pfm_that_is_written_is_read_again(tmp_path, truth):
    (tmp_path / 'a.pfm').write_bytes(pfm(truth))
    again = read_pfm(tmp_path / 'a.pfm')
    np.testing.assert_array_equal(np.isfinite(again), np.isfinite(truth))
    np.testing.assert_array_equal(again[np.isfinite(truth)], truth[np.isfinite(truth)])


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'', 'is no PFM file'),
        (b'P5\n4 3\n255\n', 'is no PFM file'),
        (b'PF\n4 3\n-1\n', 'is a colour PFM file'),
        (b'Pf\n4 3\n-1\n' + bytes(47), 'holds 47'),
        (b'Pf\n0 3\n-1\n', '0x3'),
        (b'Pf\n999999 999999\n-1\n' + bytes(8), '999999x999999'),
        (b'Pf\n4 3\n-1.2.3\n' + bytes(48), 'scale'),
        (b'Pf\n4 3\n0.0\n' + bytes(48), 'scale 0.0: expected'),
        (b'Pf\n# by hand\n4 3\n-1\n' + bytes(48), 'width, height and scale'),
    ],
)
def test_a_damaged_pfm_is_refused_with_the_reason(tmp_path, content, words):
    (tmp_path / 'a.pfm').write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_pfm(tmp_path / 'a.pfm')
