# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Loads stereo pairs with ground truth from the layouts that the data sets come in.

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

A scene is the folder that holds the images; of KITTI, an image of the left camera. The name
``motorcycle`` stands for "Motorcycle" of Middlebury 2014 (Scharstein et al., GCPR 2014) at a
quarter of its size, which the wheels of scikit-image carry. Its principal points differ by
31 px: a program that takes Z = f * B / (x_l - x_r) is wrong there by 1.5 to 5.3 times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import importlib.util
from pathlib import Path

import numpy as np

from stereo_depth_node.core.arrays import Float
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError
from stereo_depth_node.core.images.files import read_grey
from stereo_depth_node.offline.datasets.calibration import (
    kitti_geometry,
    middlebury_2006_geometry,
    middlebury_2006_reduction,
    middlebury_2014_geometry,
)
from stereo_depth_node.offline.datasets.scenes import load_pair, Scene
from stereo_depth_node.offline.files.formats import KITTI_SCALE, read_pfm

__all__ = ['KITTI_PAIRS', 'MOTORCYCLE', 'load_motorcycle', 'load_scene']

MOTORCYCLE = 'motorcycle'
"""Name of the scene that needs no file."""
KITTI_PAIRS = {'image_0': 'image_1', 'image_2': 'image_3', 'colored_0': 'colored_1'}
"""The folders of KITTI's left images, and those of their right ones."""

# calib.txt of the data set has 3979.911 px, 1244.772, 1019.507, doffs 124.343, 193.001 mm.
_MOTORCYCLE = StereoGeometry(
    width=741,
    height=500,
    f=994.978,
    cx=311.193,
    cy=254.877,
    cx_right=311.193 + 31.086,
    baseline=0.193001,
)
_LAYOUTS = (
    'im0.png and im1.png (Middlebury 2014, MiddEval3), view1.png and view5.png (2005, 2006), '
    'im2 and im6 (2003), NAMEL.jpg and NAMER.jpg (OpenCV), '
    'or name an image in image_0 or image_2 (KITTI)'
)
# Grey values of reduced images are disparities times the reduction, which follows from the width.
_REDUCTION_2003 = ((600, 4.0), (1200, 2.0))
_FIRST_SCENES = ('barn1', 'barn2', 'bull', 'poster', 'sawtooth', 'venus')
_FIRST_SCALE = 8.0
_MASK_VISIBLE = 255


def load_scene(text: str) -> Scene:
    """Load a scene.

    Parameters
    ----------
    text : str
        ``motorcycle``, a folder or, for KITTI, an image of the left camera.

    Raises
    ------
    InputError
        If there is no such scene, its layout is not known, or a file of it cannot be read.
    ImageError
        If its images do not make a pair.
    """
    path = Path(text)
    if text == MOTORCYCLE and not path.exists():
        return replace(load_motorcycle(), name=MOTORCYCLE)
    if path.is_file():
        return _checked(_load_kitti(path))
    if not path.is_dir():
        raise InputError(f'{text} is neither a folder nor a file, nor the name {MOTORCYCLE}')
    for is_layout, load in _FOLDERS:
        if is_layout(path):
            return _checked(load(path))
    raise InputError(f'{text} is no scene that is known: a folder has {_LAYOUTS}')


def load_motorcycle() -> Scene:
    """Load the pair inside the installed scikit-image, with truth, calibration and colours.

    Its files are read without importing it: beside the NumPy of a ROS 2 distribution a newer
    scikit-image cannot always be imported.

    Raises
    ------
    InputError
        scikit-image is missing, or is too old to have the files.
    """
    found = importlib.util.find_spec('skimage')
    if found is None or not found.submodule_search_locations:
        raise InputError(
            'the demo pair is inside scikit-image, which is missing: install the extra "demo", in '
            "the folder of this repository: pip install '.[demo]'"
        )
    folder = Path(found.submodule_search_locations[0], 'data')
    try:
        pair = load_pair(folder / 'motorcycle_left.png', folder / 'motorcycle_right.png')
    except InputError as error:
        raise InputError(f'{error}: scikit-image 0.25 or later has it inside') from error
    with np.load(folder / 'motorcycle_disp.npz') as archive:
        truth = archive['arr_0'].astype(np.float32)
    return replace(
        pair, name='Middlebury 2014 Motorcycle', truth=_known(truth), geometry=_MOTORCYCLE
    )


def _load_2014(folder: Path) -> Scene:
    pair = load_pair(folder / 'im0.png', folder / 'im1.png', folder.name)
    truth = next(
        (folder / name for name in ('disp0GT.pfm', 'disp0.pfm') if (folder / name).is_file()),
        None,
    )
    mask, calibration = folder / 'mask0nocc.png', folder / 'calib.txt'
    height, width = pair.left.shape
    return replace(
        pair,
        truth=_known(read_pfm(truth)) if truth else None,
        visible=read_grey(mask) == _MASK_VISIBLE if mask.is_file() else None,
        geometry=(
            middlebury_2014_geometry(calibration, width, height) if calibration.is_file() else None
        ),
    )


def _load_2006(folder: Path) -> Scene:
    pair = load_pair(folder / 'view1.png', folder / 'view5.png', folder.name)
    height, width = pair.left.shape
    offset = folder / 'dmin.txt'
    return replace(
        pair,
        truth=_scaled(folder / 'disp1.png', middlebury_2006_reduction(width)),
        geometry=middlebury_2006_geometry(offset, width, height) if offset.is_file() else None,
    )


def _load_2003(folder: Path) -> Scene:
    pair = load_pair(_either(folder, 'im2'), _either(folder, 'im6'), folder.name)
    width = pair.left.shape[1]
    reduction = next((scale for limit, scale in _REDUCTION_2003 if width < limit), 1.0)
    scale = _FIRST_SCALE if folder.name.lower() in _FIRST_SCENES else reduction
    return replace(pair, truth=_scaled(_either(folder, 'disp2'), scale))


def _load_opencv(folder: Path) -> Scene:
    left = next(folder.glob('*L.jpg'))
    name = left.name[: -len('L.jpg')]
    pair = load_pair(left, folder / f'{name}R.jpg', name or folder.name)
    return replace(pair, truth=_scaled(folder / f'{name}GT.png', 1.0))


def _load_kitti(image: Path) -> Scene:
    right_folder = KITTI_PAIRS.get(image.parent.name)
    if right_folder is None:
        raise InputError(
            f'{image} alone is no scene: name the right image, too, and to evaluate its --truth, '
            'or the --layout of a file that holds both. Only a left image of KITTI, in a folder '
            f'{", ".join(KITTI_PAIRS)}, finds its partner itself'
        )
    root = image.parent.parent
    pair = load_pair(image, root / right_folder / image.name, f'{root.name}/{image.stem}')
    height, width = pair.left.shape
    # All pixels with a truth, and those of them that the right camera sees too.
    truth, visible = (
        next(
            (
                _scaled(file, KITTI_SCALE)
                for file in (root / f'{kind}{end}' / image.name for end in ('', '_0'))
                if file.is_file()
            ),
            None,
        )
        for kind in ('disp_occ', 'disp_noc')
    )
    calibrations = [
        root / folder / f'{image.stem.split("_")[0]}.txt'
        for folder in ('calib', 'calib_cam_to_cam')
    ]
    calibration = next((file for file in calibrations if file.is_file()), None)
    is_colour = image.parent.name != 'image_0'
    return replace(
        pair,
        truth=truth,
        visible=np.isfinite(visible) if visible is not None else None,
        geometry=(
            kitti_geometry(calibration, width, height, is_colour=is_colour)
            if calibration
            else None
        ),
    )


_FOLDERS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Scene]], ...] = (
    (lambda folder: (folder / 'im0.png').is_file(), _load_2014),
    (lambda folder: (folder / 'view1.png').is_file(), _load_2006),
    (lambda folder: _either(folder, 'im2').is_file(), _load_2003),
    (lambda folder: any(folder.glob('*L.jpg')), _load_opencv),
)


def _checked(scene: Scene) -> Scene:
    """Return the scene if truth and mask are of the size of its images."""
    for name, image in (('ground truth', scene.truth), ('mask', scene.visible)):
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


def _known(disparity: Float) -> Float:
    """Return disparities with NaN where they are infinite (Middlebury: unknown)."""
    return np.where(np.isfinite(disparity), disparity, np.float32(np.nan))


def _scaled(path: Path, scale: float) -> Float | None:
    """Read an image of disparities times `scale`, 0 where unknown; None if there is no file."""
    if not path.is_file():
        return None
    grey = read_grey(path)
    known = np.where(grey > 0, grey, np.nan).astype(np.float32)
    return known / np.float32(scale)
