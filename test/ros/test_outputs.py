# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes for a pair, against OpenCV and against the truth."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')

from harness import Graph
from rclpy.publisher import Publisher
from rig import (
    camera_infos,
    FRAME,
    messages_of,
    next_stamp_ns,
    pixels_of,
    Rig,
    run_once,
    stamp_of,
)
from scenes import plane, scene_of, step, StereoScene

from stereo_depth_node.core.camera.geometry import StereoGeometry

OFFSETS = (-12.25, 0.0, 9.5)  # cx_l - cx_r, px: binary fractions, exact in float32
MIN_DISPARITIES = (-16, 0, 8)
ODD_SIZE = (321, 203)


def block_matching(scene: StereoScene, min_disparity: int, count: int, block: int) -> np.ndarray:
    """Return OpenCV's disparities in px, (H, W) float32."""
    matcher = cv2.StereoBM.create(count, block)
    matcher.setMinDisparity(min_disparity)
    matcher.setUniquenessRatio(15)
    return matcher.compute(scene.left, scene.right).astype(np.float32) / np.float32(16)


def valid_mask(disparity: Any) -> np.ndarray:
    """Return where a DisparityImage has a disparity, by the rule of its definition."""
    return pixels_of(disparity.image) >= np.float32(disparity.min_disparity)


def test_disparity_of_a_real_pair_is_bit_for_bit_that_of_opencv(
    graph: Graph, motorcycle: StereoScene, motorcycle_geometry: StereoGeometry
) -> None:
    camera = motorcycle_geometry
    infos = camera_infos(
        *motorcycle.size, f=camera.f, baseline=camera.baseline, offset=camera.offset
    )

    disparity = run_once(graph, motorcycle, infos)['disparity']

    offset = np.float32(infos[0].p[2] - infos[1].p[2])
    expected = block_matching(motorcycle, 0, 64, 15) - offset
    np.testing.assert_array_equal(pixels_of(disparity.image), expected)


@pytest.mark.parametrize('offset', OFFSETS)
@pytest.mark.parametrize('min_disparity', MIN_DISPARITIES)
def test_every_field_of_the_disparity_image_fits_its_pixels(
    graph: Graph, min_disparity: int, offset: float
) -> None:
    """With offsets of both signs, disparities below 0, and odd sizes."""
    width, height = ODD_SIZE
    scene = scene_of(step(width, height, min_disparity + 3, min_disparity + 20))
    infos = camera_infos(width, height, f=450.0, baseline=0.12, offset=offset)

    disparity = run_once(
        graph, scene, infos, min_disparity=min_disparity, num_disparities=32, block_size=9
    )['disparity']

    assert disparity.header == disparity.image.header
    assert disparity.header.frame_id == FRAME
    image = disparity.image
    assert (image.width, image.height, image.encoding) == (width, height, '32FC1')
    assert (image.step, image.is_bigendian) == (4 * width, int(sys.byteorder == 'big'))
    assert disparity.f == pytest.approx(450.0)
    assert disparity.t == pytest.approx(0.12, rel=1e-6)  # a float32
    assert disparity.delta_d == 1 / 16
    assert disparity.min_disparity == min_disparity - offset
    assert disparity.max_disparity == min_disparity + 31 - offset
    valid = valid_mask(disparity)
    window = disparity.valid_window
    x0, y0 = window.x_offset, window.y_offset
    inside = np.zeros_like(valid)
    inside[y0 : y0 + window.height, x0 : x0 + window.width] = True
    assert not valid[~inside].any()
    # The texture is matched nearly everywhere that it can be (98 % and more seen).
    assert valid[inside].mean() > 0.9
    assert (pixels_of(image)[valid] <= disparity.max_disparity).all()
    expected = block_matching(scene, min_disparity, 32, 9) - np.float32(offset)
    np.testing.assert_array_equal(pixels_of(image)[valid], expected[valid])


@pytest.mark.parametrize('min_disparity', [0, 8])
def test_the_valid_window_is_the_one_of_opencv(graph: Graph, min_disparity: int) -> None:
    width, height = ODD_SIZE
    scene = scene_of(plane(width, height, min_disparity + 5))

    window = run_once(
        graph,
        scene,
        camera_infos(width, height),
        min_disparity=min_disparity,
        num_disparities=48,
        block_size=11,
    )['disparity'].valid_window

    whole = (0, 0, width, height)
    expected = cv2.getValidDisparityROI(whole, whole, min_disparity, 48, 11)
    assert (window.x_offset, window.y_offset, window.width, window.height) == expected
    assert window.do_rectify is False


@pytest.mark.parametrize('offset', OFFSETS)
def test_depth_is_f_times_baseline_by_disparity_and_nan_elsewhere(
    graph: Graph, offset: float
) -> None:
    width, height = ODD_SIZE
    scene = scene_of(step(width, height, 12, 30))
    outputs = run_once(graph, scene, camera_infos(width, height, offset=offset))

    disparity, depth = outputs['disparity'], outputs['depth/image_rect']

    assert depth.header == disparity.header
    assert depth.encoding == '32FC1'
    pixels, metres = pixels_of(disparity.image), pixels_of(depth)
    known = valid_mask(disparity) & (pixels > 0)
    np.testing.assert_allclose(
        metres[known], disparity.f * disparity.t / pixels[known].astype(np.float64), rtol=1e-5
    )
    assert np.isnan(metres[~known]).all()
    # The planes lie where they are known to be. A disparity is good to 1/8 px here: block
    # matching interpolates in steps of 1/16 px.
    for columns, true in ((np.s_[90:150], 12 - offset), (np.s_[200:], 30 - offset)):
        median = np.nanmedian(metres[:, columns])
        assert median == pytest.approx(500.0 * 0.1 / true, rel=0.125 / true)


def test_depth_in_millimetres_is_the_rounded_depth_and_0_where_unknown(graph: Graph) -> None:
    scene = scene_of(step(320, 240, 4, 25))
    graph.node()
    rig = Rig(graph, infos=camera_infos(320, 240))
    pair = messages_of(scene)
    rig.connect(*pair)
    metres = pixels_of(rig.exchange(*pair)['depth/image_rect'])

    assert rig.set_parameter('depth_encoding', '16UC1').successful
    depth = rig.exchange(*pair)['depth/image_rect']

    assert (depth.encoding, depth.step) == ('16UC1', 2 * 320)
    expected = np.nan_to_num(np.rint(metres * np.float32(1000)))
    np.testing.assert_array_equal(pixels_of(depth), expected.astype(np.uint16))
    assert (pixels_of(depth) == 0).any()


def test_millimetres_beyond_16_bit_are_unknown_and_never_wrap(graph: Graph) -> None:
    """The far plane is 100 m away, the near one 16 m."""
    scene = scene_of(step(320, 240, 4, 25))
    infos = camera_infos(320, 240, baseline=0.8)

    outputs = run_once(graph, scene, infos, depth_encoding='16UC1')

    millimetres = pixels_of(outputs['depth/image_rect'])
    known = valid_mask(outputs['disparity'])
    assert known[:, 80:150].any()
    assert not millimetres[:, 80:150].any()
    assert np.median(millimetres[:, 200:300][known[:, 200:300]]) == pytest.approx(16000, rel=0.01)


def test_depths_beyond_the_limits_are_unknown(graph: Graph) -> None:
    """Of planes at 6.25 m and 2 m, one is nearer than allowed, later one farther."""
    scene = scene_of(step(320, 240, 8, 25))
    graph.node(min_depth=3.0)
    rig = Rig(graph, infos=camera_infos(320, 240))
    pair = messages_of(scene)
    rig.connect(*pair)

    far = pixels_of(rig.exchange(*pair)['depth/image_rect'])
    assert rig.set_atomically(min_depth=0.0, max_depth=3.0).successful
    near = pixels_of(rig.exchange(*pair)['depth/image_rect'])

    assert np.nanmedian(far) == pytest.approx(6.25, rel=0.02)
    assert np.nanmin(far) >= 3.0
    assert np.nanmedian(near) == pytest.approx(2.0, rel=0.02)
    assert np.nanmax(near) <= 3.0


def test_depth_camera_info_is_the_left_one_with_stamp_and_frame_of_the_image(
    graph: Graph,
) -> None:
    infos = camera_infos(320, 240, f=412.5, offset=3.0)
    infos[0].header.frame_id = infos[1].header.frame_id = 'frame_of_the_calibration'
    outputs = run_once(graph, scene_of(plane(320, 240, 10)), infos)

    info, depth = outputs['depth/camera_info'], outputs['depth/image_rect']

    assert info.header == depth.header
    assert info.header.frame_id == FRAME
    assert (info.width, info.height) == (depth.width, depth.height) == (320, 240)
    for field in ('distortion_model', 'd', 'k', 'r', 'p', 'binning_x', 'binning_y', 'roi'):
        np.testing.assert_equal(getattr(info, field), getattr(infos[0], field))


def test_reduced_images_keep_depth_and_have_camera_info_to_match(graph: Graph) -> None:
    """The plane at 2.5 m stays there; f, P and size are half, the baseline is the same."""
    width, height = 401, 301
    scene = scene_of(plane(width, height, 20), finest_px=8)
    infos = camera_infos(width, height, offset=4.0)

    outputs = run_once(graph, scene, infos, downscale=2)

    disparity, depth = outputs['disparity'], outputs['depth/image_rect']
    info = outputs['depth/camera_info']
    assert (depth.width, depth.height) == (200, 150)
    assert (info.width, info.height) == (200, 150)
    assert (disparity.image.width, disparity.image.height) == (200, 150)
    assert info.p[0] == info.p[5] == info.k[0] == disparity.f == 250.0
    # The centre of the image before, (401 - 1) / 2, between pixels of twice the size.
    assert info.p[2] == pytest.approx((200.0 - 0.5) / 2)
    assert info.p[6] == pytest.approx((150.0 - 0.5) / 2)
    assert disparity.t == pytest.approx(0.1, rel=1e-6)
    assert disparity.min_disparity == -2.0  # 0 less half of the offset
    metres, pixels = pixels_of(depth), pixels_of(disparity.image)
    known = np.isfinite(metres)
    np.testing.assert_allclose(
        metres[known], info.p[0] * disparity.t / pixels[known].astype(np.float64), rtol=1e-5
    )
    assert np.median(metres[known]) == pytest.approx(500.0 * 0.1 / (20 - 4.0), rel=0.02)


def test_uncertainty_is_known_where_depth_is_and_no_less_than_the_sub_pixel_step(
    graph: Graph,
) -> None:
    outputs = run_once(graph, scene_of(step(320, 240, 12, 30)), camera_infos(320, 240))

    uncertainty, depth = outputs['depth/uncertainty'], outputs['depth/image_rect']

    assert uncertainty.header == depth.header
    assert uncertainty.encoding == '32FC1'
    sigma, metres = pixels_of(uncertainty), pixels_of(depth)
    np.testing.assert_array_equal(np.isnan(sigma), np.isnan(metres))
    known = np.isfinite(metres)
    # Uniformly distributed over a step of 1/16 px: its standard deviation, in depth.
    least = metres[known] ** 2 / (500.0 * 0.1) / 16 / np.sqrt(12)
    assert (sigma[known] >= 0.999 * least).all()


def test_the_cloud_of_a_node_is_its_depth_image_in_space(graph: Graph) -> None:
    """The node is a process of its own; principal points differ, and the cloud changes."""
    graph.node_process(points_color='intensity')
    rig = Rig(graph, infos=camera_infos(320, 240, offset=5.0))
    scene = scene_of(step(320, 240, 12, 30))
    rig.connect(*messages_of(scene))
    for scale in (1.0, 0.5):
        dark = StereoScene((scene.left * scale).astype(np.uint8), scene.right, scene.disparity)

        outputs = rig.exchange(*messages_of(dark))

        cloud, info = outputs['points2'], outputs['depth/camera_info']
        metres = pixels_of(outputs['depth/image_rect'])
        rows, columns = np.nonzero(np.isfinite(metres))
        assert cloud.header == outputs['depth/image_rect'].header
        assert (cloud.height, cloud.width, cloud.point_step) == (1, len(rows), 16)
        x, y, z, intensity = np.frombuffer(bytes(cloud.data), np.float32).reshape(-1, 4).T
        np.testing.assert_array_equal(z, metres[rows, columns])
        np.testing.assert_allclose(x, (columns - info.p[2]) / info.p[0] * z, atol=1e-5)
        np.testing.assert_allclose(y, (rows - info.p[6]) / info.p[0] * z, atol=1e-5)
        np.testing.assert_array_equal(intensity, dark.left[rows, columns])


def test_outputs_carry_the_stamp_of_the_left_image(graph: Graph) -> None:
    graph.node()
    rig = Rig(graph, infos=camera_infos(320, 240))
    pair = messages_of(scene_of(plane(320, 240, 10)))
    rig.connect(*pair)

    stamp_ns = rig.send(*pair, right_later_ns=3_000_000)
    outputs = graph.wait_until(lambda: rig.outputs(stamp_ns), 'outputs of the left stamp')

    assert all(each.header.stamp == stamp_of(stamp_ns) for each in outputs.values())


def test_outputs_are_in_the_frame_of_the_left_image(graph: Graph) -> None:
    graph.node()
    rig = Rig(graph, infos=camera_infos(320, 240))
    pair = messages_of(scene_of(plane(320, 240, 10)))
    rig.connect(*pair)
    stamp_ns = next_stamp_ns()

    for side, frame_id in enumerate(('left_eye', 'right_eye')):
        rig.send_image(side, pair[side], stamp_ns, frame_id)
    graph.wait_until(lambda: len(rig.outputs(stamp_ns)) == len(rig.heard), 'all outputs')

    frames = {each.header.frame_id for each in rig.outputs(stamp_ns).values()}
    assert frames == {'left_eye'}


def test_what_nobody_listens_to_is_not_computed(graph: Graph) -> None:
    node = graph.node().node
    rig = Rig(graph, ['disparity'], infos=camera_infos(320, 240))
    pair = messages_of(scene_of(plane(320, 240, 10)))
    rig.connect(*pair)
    rig.exchange(*pair)

    published = node.outputs.published

    assert published['disparity'] > 0
    assert published['depth/image_rect'] == published['depth/camera_info'] == 0


class OldHandle:
    """The handle of a publisher, as with a pybind11 that takes no bytearray for a string."""

    refused: ClassVar[list[Any]] = []

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def __enter__(self) -> Any:
        return self._handle.__enter__()

    def __exit__(self, *error: object) -> Any:
        return self._handle.__exit__(*error)

    def publish_raw(self, serialized: Any) -> None:
        """Refuse what is no bytes."""
        self.refused.append(serialized)
        raise TypeError(f'incompatible function arguments: {type(serialized)}')


def test_an_rclpy_that_publishes_only_bytes_will_do(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle_of = Publisher.handle.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Publisher, 'handle', property(lambda self: OldHandle(handle_of(self))))
    monkeypatch.setattr(OldHandle, 'refused', [])
    true_px = 20

    outputs = run_once(graph, scene_of(plane(*ODD_SIZE, true_px)), camera_infos(*ODD_SIZE))

    disparity, depth = outputs['disparity'], outputs['depth/image_rect']
    assert {type(each) for each in OldHandle.refused} == {bytearray}
    assert np.median(pixels_of(disparity.image)[valid_mask(disparity)]) == true_px
    assert np.nanmedian(pixels_of(depth)) == pytest.approx(disparity.f * disparity.t / true_px)
