# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stereo depth without ROS: settings, cameras, matching, depth, and what the node is made of.

These names are enough to compute depth in a program of your own. They are imported on first use,
so that importing a small module such as :mod:`.errors` does not import OpenCV.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from stereo_depth_node.core.errors import (
    BaselineError,
    CalibrationError,
    CalibrationSizeError,
    DataLengthError,
    EncodingError,
    ImageError,
    InputError,
    LayoutError,
    MissingCalibrationError,
    PairSizeError,
    SettingsError,
    SizeError,
    StereoDepthError,
    SwappedError,
    UncalibratedError,
    VerticalCamerasError,
)

if TYPE_CHECKING:
    from stereo_depth_node.core.camera.calibration import CameraCalibration
    from stereo_depth_node.core.camera.geometry import StereoGeometry
    from stereo_depth_node.core.pipeline import StereoPipeline
    from stereo_depth_node.core.settings import Settings
else:
    _MODULES = {
        'CameraCalibration': 'stereo_depth_node.core.camera.calibration',
        'Settings': 'stereo_depth_node.core.settings',
        'StereoGeometry': 'stereo_depth_node.core.camera.geometry',
        'StereoPipeline': 'stereo_depth_node.core.pipeline',
    }

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        return getattr(import_module(_MODULES[name]), name)


__all__ = [
    'BaselineError',
    'CalibrationError',
    'CalibrationSizeError',
    'CameraCalibration',
    'DataLengthError',
    'EncodingError',
    'ImageError',
    'InputError',
    'LayoutError',
    'MissingCalibrationError',
    'PairSizeError',
    'Settings',
    'SettingsError',
    'SizeError',
    'StereoDepthError',
    'StereoGeometry',
    'StereoPipeline',
    'SwappedError',
    'UncalibratedError',
    'VerticalCamerasError',
]
