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

A scene is the folder that holds the images; of KITTI, an image of the left camera. The name
``motorcycle`` stands for "Motorcycle" of Middlebury 2014 (Scharstein et al., GCPR 2014) at a
quarter of its size, which the wheels of scikit-image carry. Its principal points differ by
31 px: a program that takes Z = f * B / (x_l - x_r) is wrong there by 1.5 to 5.3 times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import importlib.util
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stereo_depth_node.core.arrays import Colour, Float, Grey, Mask
from stereo_depth_node.core.camera.geometry import StereoGeometry
from stereo_depth_node.core.errors import InputError, SettingsError
from stereo_depth_node.core.images.files import read_grey
from stereo_depth_node.core.settings import DISPARITY_STEP
from stereo_depth_node.offline.datasets.calibration import (
    kitti_geometry,
    middlebury_2006_geometry,
    middlebury_2006_reduction,
    middlebury_2014_geometry,
)
from stereo_depth_node.offline.files.formats import read_pfm
from stereo_depth_node.offline.files.pairs import PairSource

__all__ = ['ENCODINGS', 'MOTORCYCLE', 'Scene', 'load_motorcycle', 'load_pair', 'load_scene']

ENCODINGS = ('bgr8', 'mono8')
"""Encodings that :meth:`Scene.encoded` gives the images in."""

MOTORCYCLE = 'motorcycle'
"""Name of the scene that needs no file."""

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
_KITTI_SCALE = 256.0


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
        The pixels that both cameras see, where the data set has them.
    geometry : StereoGeometry or None
        The stereo camera, where the data set has its calibration.
    colours : tuple of two (H, W, 3) uint8 ndarrays or None
        The images in RGB, left and right.
    """

    name: str
    left: Grey
    right: Grey
    truth: Float | None = None
    visible: Mask | None = None
    geometry: StereoGeometry | None = None
    colours: tuple[Colour, Colour] | None = None

    def encoded(self, encoding: str) -> tuple[Colour, Colour]:
        """Return left and right image in one of `ENCODINGS`."""
        if encoding == 'mono8':
            return self.left, self.right
        images, code = self.colours, cv2.COLOR_RGB2BGR
        if images is None:
            images, code = (self.left, self.right), cv2.COLOR_GRAY2BGR
        return _converted(images, code)

    def known_truth(self) -> Float:
        """Return the truth.

        Raises
        ------
        InputError
            The scene has none.
        """
        if self.truth is None:
            raise InputError(f'{self.name} has no ground truth')
        return self.truth

    def known_geometry(self) -> StereoGeometry:
        """Return the stereo camera.

        Raises
        ------
        InputError
            The scene has no calibration.
        """
        if self.geometry is None:
            raise InputError(f'{self.name} has no calibration')
        return self.geometry

    @property
    def true_disparity(self) -> Float:
        """The truth as DisparityImage defines it, (H, W): x_l - x_r - (cx_l - cx_r), pixels."""
        return self.known_truth() - np.float32(self.known_geometry().offset)

    @property
    def true_depth(self) -> Float:
        """The truth as Z = f * B / d, (H, W), metres, NaN where unknown."""
        geometry, disparity = self.known_geometry(), self.true_disparity
        with np.errstate(divide='ignore', invalid='ignore'):
            depth = np.float32(geometry.f * geometry.baseline) / disparity
        depth[~(disparity > 0)] = np.nan
        return depth

    @property
    def num_disparities(self) -> int:
        """The smallest search range from 0 that a matcher takes and that holds the truth."""
        largest = float(np.nanmax(self.known_truth()))
        return DISPARITY_STEP * math.floor(largest / DISPARITY_STEP + 1)

    def resized(self, width: int, height: int) -> Scene:
        """Return the scene as a camera of another resolution sees it.

        Scaled to cover `width` x `height`, then cut to it around the centre.

        Raises
        ------
        SettingsError
            The size is too small for any matcher.
        """
        if width < DISPARITY_STEP or height < DISPARITY_STEP:
            raise SettingsError(
                f'a size of {width}x{height} is too small, at least '
                f'{DISPARITY_STEP}x{DISPARITY_STEP} is needed'
            )
        old_height, old_width = self.left.shape
        scale: float = max(width / old_width, height / old_height)
        full = max(width, round(old_width * scale)), max(height, round(old_height * scale))
        x, y = (full[0] - width) // 2, (full[1] - height) // 2
        smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR

        def cut(image: npt.NDArray[Any], interpolation: int) -> npt.NDArray[Any]:
            resized = cv2.resize(image, full, interpolation=interpolation)
            return np.ascontiguousarray(resized[y : y + height, x : x + width])

        def moved(centre: float, start: int) -> float:
            # The centre of the first pixel is 0, its edge -0.5: edges scale.
            return (centre + 0.5) * scale - 0.5 - start

        if self.colours is not None:
            colours = cut(self.colours[0], smooth), cut(self.colours[1], smooth)
            grey = _converted(colours, cv2.COLOR_RGB2GRAY)
        else:
            colours, grey = None, (cut(self.left, smooth), cut(self.right, smooth))
        truth, visible, seen = self.truth, self.visible, self.geometry
        if truth is not None:
            truth = np.float32(scale) * cut(truth, cv2.INTER_NEAREST)
        if visible is not None:
            visible = cut(visible.view(np.uint8), cv2.INTER_NEAREST).view(np.bool_)
        if seen is not None:
            seen = StereoGeometry(
                width=width,
                height=height,
                f=seen.f * scale,
                cx=moved(seen.cx, x),
                cy=moved(seen.cy, y),
                cx_right=moved(seen.cx_right, x),
                baseline=seen.baseline,
            )
        return Scene(self.name, *grey, truth, visible, seen, colours)


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


def load_pair(left: Path, right: Path | None, name: str = '', *, layout: str = '') -> Scene:
    """Load two images of which nothing more is known.

    Parameters
    ----------
    left : Path
        The left image, or the file that holds both.
    right : Path or None
        The right image; None where one file holds both.
    name : str
        Of the scene; that of the files by default.
    layout : str
        One of :data:`.layouts.LAYOUTS`, of a file that holds both.

    Raises
    ------
    InputError
        If a file cannot be read.
    ImageError
        If the images do not make a pair.
    """
    images = PairSource(name, left, right, layout).read()
    name = name or (left.name if right is None else f'{left.name} and {right.name}')
    return Scene(name, images.left, images.right, colours=images.colours)


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
            'the demo pair is inside scikit-image, which is missing: install it, or the extra '
            '"demo" of this package with pip'
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
    pairs = {'image_0': 'image_1', 'image_2': 'image_3', 'colored_0': 'colored_1'}
    right_folder = pairs.get(image.parent.name)
    if right_folder is None:
        raise InputError(
            f'{image} is not in one of {", ".join(pairs)}, as a left image of KITTI is: '
            'name a folder for other data sets, the right image, too, or the --layout of a file '
            'that holds both'
        )
    root = image.parent.parent
    pair = load_pair(image, root / right_folder / image.name, f'{root.name}/{image.stem}')
    height, width = pair.left.shape
    # All pixels with a truth, and those of them that the right camera sees too.
    truth, visible = (
        next(
            (
                _scaled(file, _KITTI_SCALE)
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


def _converted(images: tuple[Colour, Colour], code: int) -> tuple[Colour, Colour]:
    """Convert both images with a code of ``cv2.cvtColor``."""
    left, right = (np.asarray(cv2.cvtColor(image, code), np.uint8) for image in images)
    return left, right


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
