# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every error this package raises on purpose.

::

    StereoDepthError
    ├── SettingsError                 a setting, or a combination of them, is impossible
    ├── CalibrationError              the calibrations do not make a stereo camera
    │   ├── MissingCalibrationError   a camera has none
    │   ├── UncalibratedError         a camera's is empty, or its numbers are impossible
    │   └── BaselineError             the distance of the cameras is not positive
    │       ├── SwappedError          it is negative: left and right are swapped
    │       └── VerticalCamerasError  they are one above the other
    ├── ImageError                    an image cannot be used
    │   ├── EncodingError             its pixel encoding is not supported
    │   └── SizeError                 its size is not what it must be
    │       ├── DataLengthError       its data is not of the size that its header says
    │       ├── PairSizeError         it is not of the size of its partner
    │       ├── LayoutError           it does not hold the images that its layout says
    │       └── CalibrationSizeError  it is not of the size that was calibrated
    └── InputError                    a file or a recording cannot be read or written

A message says what came, what was expected and what to do about it.
"""

from __future__ import annotations

__all__ = [
    'BaselineError',
    'CalibrationError',
    'CalibrationSizeError',
    'DataLengthError',
    'EncodingError',
    'ImageError',
    'InputError',
    'LayoutError',
    'MissingCalibrationError',
    'PairSizeError',
    'SettingsError',
    'SizeError',
    'StereoDepthError',
    'SwappedError',
    'UncalibratedError',
    'VerticalCamerasError',
]


class StereoDepthError(Exception):
    """Base of all errors of this package."""


class SettingsError(StereoDepthError, ValueError):
    """A setting, or a combination of settings, is impossible."""


class CalibrationError(StereoDepthError, ValueError):
    """The two camera calibrations do not make a stereo camera."""


class MissingCalibrationError(CalibrationError):
    """A camera has no calibration."""


class UncalibratedError(CalibrationError):
    """The calibration of a camera is empty, or its numbers are impossible."""


class BaselineError(CalibrationError):
    """The distance of the cameras is not positive."""


class SwappedError(BaselineError):
    """The distance of the cameras is negative: left and right are swapped somewhere."""


class VerticalCamerasError(BaselineError):
    """The cameras are one above the other."""


class ImageError(StereoDepthError, ValueError):
    """An image cannot be used."""


class EncodingError(ImageError):
    """The pixel encoding of an image is not supported."""


class SizeError(ImageError):
    """The size of an image, or of its data, is not what it must be."""


class DataLengthError(SizeError):
    """The data of an image is not of the size that its header says."""


class PairSizeError(SizeError):
    """The images of a pair differ in size."""


class LayoutError(SizeError):
    """An image does not hold one image, or two, as its layout says."""


class CalibrationSizeError(SizeError):
    """An image has not the size that was calibrated."""


class InputError(StereoDepthError, OSError):
    """A file or a recording cannot be read or written."""
