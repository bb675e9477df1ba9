# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stereo pairs with ground truth, in the layouts that the data sets come in.

===================== ============================== ============================ ============
layout                images                         truth                        calibration
===================== ============================== ============================ ============
Middlebury 2001/2003  im2, im6 (.ppm, .png)          disp2 (.pgm, .png), scaled   none
Middlebury 2005/2006  view1.png, view5.png           disp1.png, scaled            dmin.txt
Middlebury 2014       im0.png, im1.png               disp0.pfm                    calib.txt
MiddEval3             im0.png, im1.png               disp0GT.pfm, mask0nocc.png   calib.txt
OpenCV samples        NAMEL.jpg, NAMER.jpg           NAMEGT.png                   none
KITTI 2012, 2015      FOLDER with image_0, image_1   disp_occ, disp_noc (_0)      calib
                      or image_2, image_3
===================== ============================== ============================ ============

A scene is the folder that holds the images; of KITTI, an image of the left eye. The name
``motorcycle`` stands for the Middlebury 2014 pair inside scikit-image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Float, Grey, Mask
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.datasets.calibration import (
    kitti_geometry,
    middlebury_2006_geometry,
    middlebury_2006_reduction,
    middlebury_2014_geometry,
)
from stereo_depth_node.offline.files.pfm import read_pfm

__all__ = ['Scene', 'load_scene']


MOTORCYCLE = 'motorcycle'

_LAYOUTS = (
    'im0.png and im1.png (Middlebury 2014, MiddEval3), view1.png and view5.png (2005, 2006), '
    'im2 and im6 (2003), NAMEL.jpg and NAMER.jpg (OpenCV), '
    'or name an image in image_0 or image_2 (KITTI)'
)
# Grey values of reduced images are disparities times the reduction: the width tells it.
_REDUCTION_2003 = ((600, 4.0), (1200, 2.0))
_FIRST_SCENES = ('barn1', 'barn2', 'bull', 'poster', 'sawtooth', 'venus')
_FIRST_SCALE = 8.0
_MASK_VISIBLE = 255
_KITTI_SCALE = 1.0 / 256.0


@dataclass(frozen=True, eq=False)
class Scene:
    """A rectified pair with what is known of it.

    Attributes
    ----------
    name : str
        For people.
    left, right : (H, W) uint8 ndarray
        Grey images.
    truth : (H, W) float32 ndarray or None
        x_l - x_r at each left pixel, pixels, NaN where unknown.
    visible : (H, W) bool ndarray or None
        The pixels that both eyes see, where the data set tells.
    geometry : StereoGeometry or None
        The stereo camera, where the data set tells.
    """

    name: str
    left: Grey
    right: Grey
    truth: Float | None
    visible: Mask | None = None
    geometry: StereoGeometry | None = None


def load_scene(text: str) -> Scene:
    """Load a scene.

    Parameters
    ----------
    text : str
        ``motorcycle``, a folder or, for KITTI, an image of the left eye.

    Raises
    ------
    InputError
        If there is no such scene, its layout is not known, or a file of it cannot be read.
    """
    path = Path(text)
    if text == MOTORCYCLE and not path.exists():
        return _load_motorcycle()
    if path.is_file():
        return _checked(_load_kitti(path))
    if not path.is_dir():
        raise InputError(f'{text} is neither a folder nor a file, nor the name {MOTORCYCLE}')
    for is_layout, load in _FOLDERS:
        if is_layout(path):
            return _checked(load(path))
    raise InputError(f'{text} is no scene that is known: a folder has {_LAYOUTS}')


def _load_motorcycle() -> Scene:
    from stereo_depth_node.offline.datasets.motorcycle import load_motorcycle

    scene = load_motorcycle()
    left, right = (
        np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        for image in (scene.left, scene.right)
    )
    return Scene(MOTORCYCLE, left, right, scene.truth, None, scene.geometry)


def _load_2014(folder: Path) -> Scene:
    left, right = _grey(folder / 'im0.png'), _grey(folder / 'im1.png')
    truth = next(
        (folder / name for name in ('disp0GT.pfm', 'disp0.pfm') if (folder / name).is_file()),
        None,
    )
    mask, calibration = folder / 'mask0nocc.png', folder / 'calib.txt'
    height, width = left.shape
    return Scene(
        folder.name,
        left,
        right,
        _known(read_pfm(truth)) if truth is not None else None,
        _read(mask, cv2.IMREAD_GRAYSCALE) == _MASK_VISIBLE if mask.is_file() else None,
        middlebury_2014_geometry(calibration, width, height) if calibration.is_file() else None,
    )


def _load_2006(folder: Path) -> Scene:
    left, right = _grey(folder / 'view1.png'), _grey(folder / 'view5.png')
    height, width = left.shape
    truth = folder / 'disp1.png'
    offset = folder / 'dmin.txt'
    return Scene(
        folder.name,
        left,
        right,
        _scaled(truth, middlebury_2006_reduction(width)) if truth.is_file() else None,
        None,
        middlebury_2006_geometry(offset, width, height) if offset.is_file() else None,
    )


def _load_2003(folder: Path) -> Scene:
    left, right = (_grey(_either(folder, name)) for name in ('im2', 'im6'))
    truth = _either(folder, 'disp2')
    width = left.shape[1]
    reduction = next((scale for limit, scale in _REDUCTION_2003 if width < limit), 1.0)
    scale = _FIRST_SCALE if folder.name.lower() in _FIRST_SCENES else reduction
    disparity = _scaled(truth, scale) if truth.is_file() else None
    return Scene(folder.name, left, right, disparity)


def _load_opencv(folder: Path) -> Scene:
    left = next(folder.glob('*L.jpg'))
    name = left.name[: -len('L.jpg')]
    truth = folder / f'{name}GT.png'
    disparity = _scaled(truth, 1.0) if truth.is_file() else None
    return Scene(name or folder.name, _grey(left), _grey(folder / f'{name}R.jpg'), disparity)


def _load_kitti(image: Path) -> Scene:
    pairs = {'image_0': 'image_1', 'image_2': 'image_3', 'colored_0': 'colored_1'}
    right_folder = pairs.get(image.parent.name)
    if right_folder is None:
        raise InputError(
            f'{image} is not in one of {", ".join(pairs)}, as a left image of KITTI is: '
            'name a folder for other data sets'
        )
    root = image.parent.parent
    found = {}
    for kind in ('disp_occ', 'disp_noc'):
        files = [root / f'{kind}{end}' / image.name for end in ('', '_0')]
        found[kind] = next((file for file in files if file.is_file()), None)
    truth, visible = found['disp_occ'], found['disp_noc']
    left = _grey(image)
    height, width = left.shape
    calibrations = [
        root / folder / f'{image.stem.split("_")[0]}.txt'
        for folder in ('calib', 'calib_cam_to_cam')
    ]
    calibration = next((file for file in calibrations if file.is_file()), None)
    is_colour = image.parent.name != 'image_0'
    return Scene(
        f'{root.name}/{image.stem}',
        left,
        _grey(root / right_folder / image.name),
        _kitti_disparity(truth) if truth is not None else None,
        np.isfinite(_kitti_disparity(visible)) if visible is not None else None,
        kitti_geometry(calibration, width, height, is_colour=is_colour) if calibration else None,
    )


_FOLDERS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Scene]], ...] = (
    (lambda folder: (folder / 'im0.png').is_file(), _load_2014),
    (lambda folder: (folder / 'view1.png').is_file(), _load_2006),
    (lambda folder: _either(folder, 'im2').is_file(), _load_2003),
    (lambda folder: any(folder.glob('*L.jpg')), _load_opencv),
)


def _checked(scene: Scene) -> Scene:
    """Return the scene if its images are of one size."""
    images = {'right image': scene.right, 'ground truth': scene.truth, 'mask': scene.visible}
    for name, image in images.items():
        if image is not None and image.shape != scene.left.shape:
            raise InputError(
                f'{scene.name}: the left image is {scene.left.shape[1]}x{scene.left.shape[0]}, '
                f'the {name} {image.shape[1]}x{image.shape[0]}: take files of one size'
            )
    return scene


def _either(folder: Path, name: str) -> Path:
    """Return the file of this name that exists, with any ending in use."""
    files = [folder / f'{name}{end}' for end in ('.ppm', '.png', '.pgm')]
    return next((file for file in files if file.is_file()), files[0])


def _grey(path: Path) -> Grey:
    """Read an image as grey, by the weights that the node uses."""
    image = _read(path, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _read(path: Path, flags: int) -> npt.NDArray[np.uint8]:
    # imread says nothing but None, and on some systems cannot open names beyond ASCII.
    image = cv2.imread(str(path), flags)
    if image is None:
        reason = 'is no image that OpenCV can read' if path.is_file() else 'is missing'
        raise InputError(f'{path} {reason}')
    return np.asarray(image)


def _known(disparity: Float) -> Float:
    """Return disparities with NaN where they are infinite (Middlebury: unknown)."""
    return np.where(np.isfinite(disparity), disparity, np.float32(np.nan)).astype(np.float32)


def _scaled(path: Path, scale: float) -> Float:
    """Read a grey image of disparities times `scale`."""
    return _positive(_read(path, cv2.IMREAD_GRAYSCALE)) / np.float32(scale)


def _positive(disparity: npt.NDArray[np.integer]) -> Float:
    """Return disparities with NaN where they are 0 (unknown)."""
    return np.where(disparity > 0, disparity, np.nan).astype(np.float32)


def _kitti_disparity(path: Path) -> Float:
    return _positive(_read(path, cv2.IMREAD_UNCHANGED)) * np.float32(_KITTI_SCALE)
