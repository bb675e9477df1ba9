# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every setting of the package, written once: type, default, description and range.

These are plain values. :class:`.settings.Settings` checks them, and is what everybody uses but
the rules themselves (:mod:`.constraints`, :mod:`.algorithms`).
"""

from __future__ import annotations

import dataclasses

from stereo_depth_node.core.settings.parameter import parameter

__all__ = ['DISPARITY_STEP', 'MATCHING', 'SMALLEST_BASELINE_M', 'SettingFields']

MATCHING = 'Matching'
_FILTERS = 'Filters'
_DEPTH = 'Depth'
_OUTPUTS = 'Outputs'
_INPUT = 'Input'

# OpenCV searches disparities in multiples of this.
DISPARITY_STEP = 16
# No two cameras are nearer to each other.
SMALLEST_BASELINE_M = 1e-6
# StereoSGBM adds the cost of a block and p2 in int16, and each gets half of that. Above, the sums
# overflow without an error and most disparities are wrong.
_MAX_PENALTY = 16384


@dataclasses.dataclass(frozen=True)
class SettingFields:
    """All settings of the matcher, the filters, the depth and the input, unchecked.

    Names are OpenCV's in snake_case. min_disparity and num_disparities are in pixels of the
    images that come in, all other sizes in pixels of those that are matched: `downscale` lies
    between.
    """

    # Settings adds the default, the description and the choices: the algorithms that there are.
    algorithm: str
    matcher_backend: str = parameter(
        'auto',
        'Who computes bm: numba (our kernel, the same result bit for bit in less than half the '
        'time), opencv, or auto (numba as soon as it is compiled, opencv until then and without '
        'it).',
        group=MATCHING,
        choices=('auto', 'opencv', 'numba'),
    )
    min_disparity: int = parameter(
        0,
        'Smallest disparity searched. Negative when the principal points of the two images differ '
        'or the cameras converge.',
        group=MATCHING,
        minimum=-2048,
        maximum=2048,
        unit='px',
    )
    num_disparities: int = parameter(
        64,
        'Number of disparities searched, a multiple of 16. The nearest visible depth is '
        'f * baseline / (min_disparity + num_disparities); time grows in proportion.',
        group=MATCHING,
        minimum=DISPARITY_STEP,
        maximum=4096,
        step=DISPARITY_STEP,
        unit='px',
    )
    block_size: int = parameter(
        15,
        'Side of the square block that is compared, odd. Larger is smoother and denser, smaller '
        'keeps detail. bm takes 5 and more; sgbm works best with 3 to 11.',
        group=MATCHING,
        minimum=1,
        maximum=255,
        step=2,
        unit='px',
    )
    pre_filter_type: str = parameter(
        'xsobel',
        'Filter that makes bm insensitive to brightness: horizontal gradient (xsobel) or '
        'normalized_response.',
        group=MATCHING,
        choices=('xsobel', 'normalized_response'),
    )
    pre_filter_size: int = parameter(
        9,
        'Window of the normalized_response filter, odd.',
        group=MATCHING,
        minimum=5,
        maximum=255,
        step=2,
        unit='px',
    )
    pre_filter_cap: int = parameter(
        31,
        'Filtered values are cut at plus and minus this. bm is fastest up to 31.',
        group=MATCHING,
        minimum=1,
        maximum=63,
    )
    texture_threshold: int = parameter(
        10,
        'bm leaves out blocks whose sum of filtered gradients is below this: there is nothing '
        'to match there.',
        group=MATCHING,
        minimum=0,
        maximum=100000,
    )
    uniqueness_ratio: int = parameter(
        15,
        'The best match must be better than any other by this margin, or the pixel is left out.',
        group=MATCHING,
        minimum=0,
        maximum=100,
        unit='%',
    )
    disp12_max_diff: int = parameter(
        -1,
        'Left-right check: largest difference between the disparities seen from the left and from '
        'the right camera; -1 switches the check off for bm (sgbm always checks: below 1 means '
        '1).',
        group=MATCHING,
        minimum=-1,
        maximum=4096,
        unit='px',
    )
    p1: int = parameter(
        0,
        'sgbm: penalty for a disparity change of 1 between neighbours; 0 takes 8 * block_size^2.',
        group=MATCHING,
        minimum=0,
        maximum=_MAX_PENALTY,
    )
    p2: int = parameter(
        0,
        'sgbm: penalty for a larger change, more than p1; 0 takes 32 * block_size^2.',
        group=MATCHING,
        minimum=0,
        maximum=_MAX_PENALTY,
    )
    speckle_window_size: int = parameter(
        0,
        'Islands of similar disparity of up to this many pixels are removed; 0 keeps all.',
        group=_FILTERS,
        minimum=0,
        maximum=100000,
        unit='px',
    )
    speckle_range: int = parameter(
        2,
        'Neighbours belong to the same island when their disparities differ by this or less.',
        group=_FILTERS,
        minimum=0,
        maximum=2048,
        unit='px',
    )
    fill_left_band: bool = parameter(
        False,
        'Also match the left border of the image, which the right camera sees only in part; '
        'pixels elsewhere stay as they are.',
        group=_FILTERS,
    )
    median_size: int = parameter(
        0,
        'Median of the disparities in a square of 3 or 5 pixels, against single outliers; 0 is '
        'off. Pixels without a disparity get none and take none from others.',
        group=_FILTERS,
        minimum=0,
        maximum=5,
        unit='px',
    )
    wls_lambda: float = parameter(
        0.0,
        'Edge-preserving smoothing of the disparities along the edges of the left image (weighted '
        'least squares), for instance 8000; 0 is off. Needs an OpenCV with ximgproc. It fills no '
        'hole, but draws depths across edges that cannot be seen in the image.',
        group=_FILTERS,
        minimum=0.0,
        maximum=1000000.0,
    )
    wls_sigma: float = parameter(
        1.5,
        'How much contrast an edge must have to stop the smoothing of wls_lambda: smaller values '
        'stop at weaker edges.',
        group=_FILTERS,
        minimum=0.1,
        maximum=10.0,
    )
    temporal_max_diff: int = parameter(
        0,
        'Keep only disparities that differ by this or less from those found at the same pixel in '
        'the pair before; 0 is off. It only removes: what moved is unknown for one frame, old '
        'depth is never shown.',
        group=_FILTERS,
        minimum=0,
        maximum=4096,
        unit='px',
    )
    roi_x: int = parameter(
        0,
        'Left border of the region of interest; outside of it nothing has a disparity.',
        group=_FILTERS,
        minimum=0,
        maximum=100000,
        unit='px',
    )
    roi_y: int = parameter(
        0,
        'Upper border of the region of interest.',
        group=_FILTERS,
        minimum=0,
        maximum=100000,
        unit='px',
    )
    roi_width: int = parameter(
        0,
        'Width of the region of interest; 0 reaches to the right border of the image.',
        group=_FILTERS,
        minimum=0,
        maximum=100000,
        unit='px',
    )
    roi_height: int = parameter(
        0,
        'Height of the region of interest; 0 reaches to the lower border of the image.',
        group=_FILTERS,
        minimum=0,
        maximum=100000,
        unit='px',
    )
    min_depth: float = parameter(
        0.0,
        'Depths nearer than this are unknown.',
        group=_DEPTH,
        minimum=0.0,
        maximum=100000.0,
        unit='m',
    )
    max_depth: float = parameter(
        0.0,
        'Depths farther than this are unknown; 0 sets no limit.',
        group=_DEPTH,
        minimum=0.0,
        maximum=100000.0,
        unit='m',
    )
    max_uncertainty: float = parameter(
        0.0,
        'Depths whose standard deviation (depth/uncertainty) is larger than this are unknown, in '
        'every output; 0 sets no limit. Needs a calibration.',
        group=_DEPTH,
        minimum=0.0,
        maximum=100000.0,
        unit='m',
    )
    max_relative_uncertainty: float = parameter(
        0.0,
        'The same limit as a share of the depth: 0.03 leaves depths that are certain to 3 %, 1 '
        'sigma; 0 sets no limit.',
        group=_DEPTH,
        minimum=0.0,
        maximum=10.0,
    )
    rectification_sigma: float = parameter(
        0.3,
        'Standard deviation of the rows of both images from each other, which makes depths '
        'uncertain: 0.1 to 0.4 for well calibrated cameras, 0 for images that line up perfectly, '
        '-1 takes what is measured while the node runs, and the default until then.',
        group=_DEPTH,
        minimum=-1.0,
        maximum=100.0,
        unit='px',
    )
    depth_encoding: str = parameter(
        '32FC1',
        'Depth image: 32FC1 (metres, NaN where unknown) or 16UC1 (millimetres, 0 where unknown '
        'and beyond 65.535 m).',
        group=_DEPTH,
        choices=('32FC1', '16UC1'),
    )
    points_color: str = parameter(
        'none',
        'What the points of points2 carry besides x, y and z: nothing, the grey value of the left '
        'image (intensity) or its colour (rgb).',
        group=_OUTPUTS,
        choices=('none', 'intensity', 'rgb'),
    )
    points_step: int = parameter(
        1,
        'points2 takes every so many pixels of every so many rows; 1 takes all. The cost of '
        'a cloud falls with the square.',
        group=_OUTPUTS,
        minimum=1,
        maximum=64,
        unit='px',
    )
    points_voxel: float = parameter(
        0.0,
        'Of the points in each cube of this side points2 has one, the first in the order of the '
        'rows; 0.001 at least, 0 takes all.',
        group=_OUTPUTS,
        minimum=0.0,
        maximum=1000.0,
        unit='m',
    )
    points_organized: bool = parameter(
        False,
        'points2 is an image of points, NaN where the depth is unknown, for consumers that want '
        'neighbours or rays; else it is one row of known points.',
        group=_OUTPUTS,
    )
    disparity_color_range: str = parameter(
        'searched',
        'The ends of the colours of disparity/image_color: the range searched (searched, the same '
        'colour always means the same), or what the pair has (automatic).',
        group=_OUTPUTS,
        choices=('searched', 'automatic'),
    )
    baseline: float = parameter(
        0.0,
        'Distance of the cameras, in place of the one in the calibration; 0 takes that of the '
        'calibration.',
        group=_INPUT,
        minimum=0.0,
        maximum=1000.0,
        unit='m',
    )
    left_camera_info_url: str = parameter(
        '',
        'Calibration file of the left camera, for cameras that publish none: what '
        'camera_calibration writes (YAML or INI), as a path or as a URL of camera_info_manager '
        '(file://, package://, ${ROS_HOME}).',
        group=_INPUT,
    )
    right_camera_info_url: str = parameter(
        '',
        'Calibration file of the right camera, for cameras that publish none: what '
        'camera_calibration writes (YAML or INI), as a path or as a URL of camera_info_manager '
        '(file://, package://, ${ROS_HOME}).',
        group=_INPUT,
    )
    frame_id: str = parameter(
        '',
        'Frame of the outputs (header.frame_id), in place of that of the left images; empty takes '
        'theirs, or that of the left camera_info where they have none.',
        group=_INPUT,
    )
    rectify: bool = parameter(
        False,
        'The images are raw: rectify them here, from K, D, R and P of their camera_info.',
        group=_INPUT,
    )
    downscale: int = parameter(
        1,
        'Images are reduced by this factor (1, 2 or 4) before they are matched: rate instead of '
        'resolution. min_disparity and num_disparities stay in pixels of the images that come in; '
        'all other sizes are in pixels of the reduced ones.',
        group=_INPUT,
        minimum=1,
        maximum=4,
    )
    image_transport: str = parameter(
        'raw',
        'raw subscribes to sensor_msgs/Image, compressed to sensor_msgs/CompressedImage on the '
        'same topic with /compressed behind it.',
        group=_INPUT,
        choices=('raw', 'compressed'),
    )
    stereo_layout: str = parameter(
        'separate',
        'separate takes the images of the two cameras from a topic each; side_by_side (left image '
        'on the left) and top_bottom (left image on top) take both from one, stereo/image_raw, as '
        'USB and Raspberry Pi stereo cameras send them. The calibrations are for one half each.',
        group=_INPUT,
        choices=('separate', 'side_by_side', 'top_bottom'),
    )
    sync_tolerance: float = parameter(
        0.01,
        'Largest difference of the stamps of a left and a right image that make a pair; 0 asks '
        'for equal stamps.',
        group=_INPUT,
        minimum=0.0,
        maximum=10.0,
        unit='s',
    )
    queue_size: int = parameter(
        10,
        'Images kept per camera while they wait for their partner.',
        group=_INPUT,
        minimum=1,
        maximum=1000,
    )
    frame_policy: str = parameter(
        'latest',
        'latest computes the newest pair and counts the ones it skips (live robots); every '
        'computes each pair in order (recordings and tests).',
        group=_INPUT,
        choices=('latest', 'every'),
    )

    @property
    def penalties(self) -> tuple[int, int]:
        """P1 and P2 of the semi-global matcher, OpenCV's rule filled in where they are 0."""
        area = self.block_size * self.block_size
        return self.p1 or 8 * area, self.p2 or 32 * area
