# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every error this package raises on purpose.

::

    StereoDepthError
    ├── SettingsError       a setting, or a combination of settings, is impossible
    ├── CalibrationError    the two camera calibrations do not make a stereo camera
    ├── ImageError          an image cannot be used
    │   ├── EncodingError   its pixel encoding is not supported
    │   └── SizeError       its size, or the size of its data, is not what it must be
    └── InputError          a file or a recording cannot be read or written

A message says what came, what was expected and what to do about it.
"""

from __future__ import annotations

__all__ = [
    'CalibrationError',
    'EncodingError',
    'ImageError',
    'InputError',
    'SettingsError',
    'SizeError',
    'StereoDepthError',
]


class StereoDepthError(Exception):
    """Base of all errors of this package."""


class SettingsError(StereoDepthError, ValueError):
    """A setting, or a combination of settings, is impossible."""


class CalibrationError(StereoDepthError, ValueError):
    """The two camera calibrations do not make a stereo camera."""


class ImageError(StereoDepthError, ValueError):
    """An image cannot be used."""


class EncodingError(ImageError):
    """The pixel encoding of an image is not supported."""


class SizeError(ImageError):
    """The size of an image, or of its data, is not what it must be."""


class InputError(StereoDepthError, OSError):
    """A file or a recording cannot be read or written."""
