# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every state of the node that has a name, with the text that says it and its cure.

The texts are written once, here: the node says them in /diagnostics, in the log and in answer to
``~/explain``, and docs/troubleshooting.md is made from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import enum

from stereo_depth_node.core.settings.text_files import printable

__all__ = ['CAUSES', 'Cause', 'Finding', 'Level', 'listed']

# Letters of a cause with its numbers and its cure. What comes from outside is shortened before.
_MOST_PRINTED = 1000


class Level(enum.IntEnum):
    """How bad it is, in the numbers of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Cause:
    """A state of the node that has a name.

    Attributes
    ----------
    name : str
        Key ``cause`` of the diagnostics.
    level : Level
        ERROR for what blocks the output, WARN for what makes it worse.
    text : str
        What the node says, a template of `str.format`: the cause and its cure.
    remedy : str
        What else helps, for the page on troubleshooting.
    """

    name: str
    level: Level
    text: str
    remedy: str

    def found(self, *, level: Level | None = None, **values: object) -> Finding:
        """Fill the template; the level is the cause's own unless given."""
        text = printable(self.text.format_map(values), _MOST_PRINTED)
        return Finding(self, self.level if level is None else level, text)


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that is present now, with its numbers."""

    cause: Cause
    level: Level
    text: str


def listed(items: Iterable[str], last: str = 'and') -> str:
    """Return ``a, b and c``."""
    *others, final = tuple(items) or ('',)
    return f'{", ".join(others)} {last} {final}' if others else final


#: All causes by name, those that block the output in the order in which one hides another.
CAUSES: dict[str, Cause] = {
    cause.name: cause
    for cause in (
        Cause(
            'flowing',
            Level.OK,
            'depth flows at {rate:.1f} pairs per second',
            'All is well.',
        ),
        Cause(
            'inactive',
            Level.OK,
            'the node is {state}, so that it neither subscribes nor publishes: {cure}',
            'A node started with `managed:=true` (`--managed`) waits until it is configured and '
            'activated, by the lifecycle manager of Nav2 or by hand.',
        ),
        Cause(
            'nobody_subscribes',
            Level.OK,
            'nobody subscribes to {topics}: nothing is computed until somebody does{hint}',
            'This is health, not a fault. Subscribe: `ros2 topic hz /depth/image_rect`. In rviz '
            'check that the display is on and its topic is the one named here.',
        ),
        Cause(
            'starting',
            Level.OK,
            'the outputs were asked for {age:.1f} s ago: waiting for the first pair',
            'Wait: within two seconds there is output or a cause.',
        ),
        Cause(
            'incompatible_subscriber',
            Level.ERROR,
            '{node} subscribes to {topic} and gets nothing, for {reason}: {cure}',
            'The outputs are reliable and volatile. A subscriber that asks for transient local '
            'durability, or for a deadline, gets nothing, and neither does one of another type. '
            'The parameters qos_overrides take reliability, durability, history and depth, at '
            'the start of the node alone.',
        ),
        Cause(
            'no_publisher',
            Level.ERROR,
            'nobody publishes {topics} ({type}): start the camera or the playback, or remap the '
            'topics{hint}',
            'Compare with `ros2 topic list -t`. Camera and node must be on one ROS_DOMAIN_ID and '
            'allowed to discover each other (ROS_AUTOMATIC_DISCOVERY_RANGE, firewalls, containers '
            'without host network). Remap with `left_image:=/cam0/image_rect` on the launch file.',
        ),
        Cause(
            'wrong_type',
            Level.ERROR,
            '{topic} carries {came}, not {type}: {cure}',
            '`image_transport: compressed` takes sensor_msgs/msg/CompressedImage from the topic '
            'with /compressed behind its name.',
        ),
        Cause(
            'incompatible_qos',
            Level.ERROR,
            '{topic} is published with a QoS that does not reach this node ({reason}): {cure}',
            'The node asks for best effort and volatile, which every publisher satisfies, unless '
            'qos_overrides say otherwise. They are read at the start of the node alone.',
        ),
        Cause(
            'one_side_only',
            Level.ERROR,
            '{other} images come at {rate:.1f} Hz, but there was none on {topic} for '
            '{silence:.1f} s although it has a publisher ({publishers}): {cure}',
            'Compare `ros2 topic hz` of both topics. A camera that was unplugged often leaves its '
            'publisher behind.',
        ),
        Cause(
            'no_messages',
            Level.ERROR,
            'no image came on {topics} for {silence:.1f} s although there are publishers '
            '({publishers}): resume the playback or check the cameras; if they send, {transport}',
            'A paused recording looks the same as a dead camera. Images from 300 KiB on, two at '
            'once, need room in the shared memory of Fast DDS: set FASTDDS_DEFAULT_PROFILES_FILE '
            '(FASTRTPS_DEFAULT_PROFILES_FILE up to Jazzy) to config/fastdds_shm.xml for every '
            'process that sends or receives images, as the launch file does.',
        ),
        Cause(
            'stamps_zero',
            Level.ERROR,
            'all {side} images are stamped 0: have the driver stamp each image with the time of '
            'capture',
            'Images are paired by header.stamp; without one nothing belongs together.',
        ),
        Cause(
            'stamps_repeat',
            Level.ERROR,
            '{count} of the last {received} images repeat a stamp of their camera: have the '
            'driver stamp each image with its own time of capture, start it anew if it hangs, '
            'and look for a second publisher ({publishers})',
            'A repeated stamp is taken for the same image sent twice, which is computed once. '
            'Recordings that are played in a loop are no such case.',
        ),
        Cause(
            'stamps_backward',
            Level.ERROR,
            '{count} of the last {received} images are stamped earlier than the image before '
            '({publishers}): look for a second publisher, or for a clock that is set again and '
            'again',
            'One step back is a recording that begins again, and no fault.',
        ),
        Cause(
            'clocks_differ',
            Level.ERROR,
            'the stamps of the right images are {offset:.3f} s {direction} those of the left '
            'ones, far beyond sync_tolerance ({tolerance:.4g} s): set both cameras to one clock',
            'Synchronise the computers of the cameras (chrony, PTP), or have one driver stamp '
            'both images. A recording whose sides were recorded at different times cannot be '
            'paired.',
        ),
        Cause(
            'stamps_apart',
            Level.ERROR,
            'left and right stamps are {offset_ms:.1f} ms apart (median of {samples}), '
            'sync_tolerance is {tolerance_ms:.1f} ms: set sync_tolerance to {proposal:.4g} or '
            'synchronise the cameras',
            'What moves is measured wrongly unless both cameras see it at the same time: prefer '
            'a hardware trigger to a large tolerance.',
        ),
        Cause(
            'queue_too_short',
            Level.ERROR,
            'the {side} images come {lag:.2f} s after those of the other side, queue_size '
            '{queue_size} holds {span:.2f} s: set queue_size to {proposal}',
            'A side that goes through more processing, or over a slower network, comes later.',
        ),
        Cause(
            'no_pairs',
            Level.ERROR,
            '{received} images came in the last {window:.1f} s and none found its partner '
            '({reasons}): {cure}',
            '`ros2 topic echo --field header.stamp` shows the stamps.',
        ),
        Cause(
            'no_camera_info',
            Level.ERROR,
            'no calibration: {details}; start the driver with a calibration, remap the topics, or '
            'set left_camera_info_url and right_camera_info_url',
            'The stamp of a CameraInfo does not matter, and one is enough. Calibrate with `ros2 '
            'run camera_calibration cameracalibrator`.',
        ),
        Cause(
            'uncalibrated',
            Level.ERROR,
            'uncalibrated camera: {error}',
            'Drivers publish zeros until they are given a calibration file.',
        ),
        Cause(
            'cameras_vertical',
            Level.ERROR,
            '{error}',
            'The parameter baseline is no way out: matches would be looked for in the wrong '
            'direction. image_rotate turns images, many drivers do it themselves; the turned '
            'images need a calibration of their own.',
        ),
        Cause(
            'no_baseline',
            Level.ERROR,
            'no usable baseline: {error}',
            'P[3] of the right camera is -f * baseline, in pixels times metres; that of the left '
            'is 0. Some drivers leave P[3] at 0: set the parameter baseline then.',
        ),
        Cause(
            'calibrations_differ',
            Level.ERROR,
            'the calibrations do not belong together: {error}',
            'Two cameras that were calibrated one by one do not make a stereo camera.',
        ),
        Cause(
            'calibration_file',
            Level.ERROR,
            'calibration file: {error}',
            'The files are those that camera_calibration writes (ROS camera_info YAML).',
        ),
        Cause(
            'wrong_layout',
            Level.ERROR,
            'stereo_layout does not fit the images: {error}',
            'Cameras that send both images in one are taken with `stereo_layout: side_by_side` or '
            '`top_bottom`, from the topic stereo/image_raw; left/camera_info and '
            'right/camera_info are then for one half each. docs/cameras.md has examples.',
        ),
        Cause(
            'calibration_size',
            Level.ERROR,
            'calibration of another size: {error}',
            'After a change of the resolution the calibration has to follow.',
        ),
        Cause(
            'sizes_differ',
            Level.ERROR,
            'left and right differ in size: {error}',
            'Both cameras must have the same resolution, crop and binning.',
        ),
        Cause(
            'unsupported_encoding',
            Level.ERROR,
            'encoding not supported: {error}',
            'mono8 is best: it is used as it is, without conversion.',
        ),
        Cause(
            'data_length',
            Level.ERROR,
            'header and data of an image disagree: {error}',
            'The driver, or a program between it and this node, fills the message wrongly.',
        ),
        Cause(
            'unusable_image',
            Level.ERROR,
            'image cannot be used: {error}',
            'Look at the image itself, for instance in rqt_image_view.',
        ),
        Cause(
            'impossible_settings',
            Level.ERROR,
            'settings impossible for these images: {error}',
            'See docs/parameters.md. They were possible for the images that came before.',
        ),
        Cause(
            'out_of_memory',
            Level.ERROR,
            'there is no memory to compute these images with ({error}): set downscale to 2 or '
            'algorithm to bm, end other programs, or allow the node more (docker run --memory, '
            'ulimit -v)',
            'Semi-global matching needs most: width * height * num_disparities * 2 bytes with '
            'sgbm_hh. OpenCV 4.5.4, that of Humble, ends the process instead; `respawn:=true` '
            'starts it again.',
        ),
        Cause(
            'internal_error',
            Level.ERROR,
            'internal error: {error!r}. Please report it, with the traceback in the log',
            'The node goes on with the next pair.',
        ),
        Cause(
            'unexplained',
            Level.ERROR,
            'images come, but no depth goes out for {silence:.1f} s, and none of the known causes '
            'is present. Please report it, with this whole text',
            'This is a fault of the node.',
        ),
        Cause(
            'same_topic',
            Level.ERROR,
            'the left and the right {kind} both come from {topic}: remap one of them',
            'Compare the remappings of left/image_rect, right/image_rect, left/camera_info and '
            'right/camera_info, for instance in what `ros2 node info` lists.',
        ),
        Cause(
            'identical_images',
            Level.ERROR,
            'the left and the right image are the same, pixel for pixel: both topics carry one '
            'camera; remap one of them, or have the driver publish the other camera',
            'Two cameras never see the same. A driver that finds one camera only, or a launch '
            'file with one device twice, publishes it on both topics.',
        ),
        Cause(
            'uniform_image',
            Level.ERROR,
            'the {sides} image shows nothing ({figures}): take off the lens cap, check exposure '
            'and light, and look at the image itself',
            'Depth comes from texture, and here there is none. `ros2 run rqt_image_view '
            'rqt_image_view` shows the image.',
        ),
        Cause(
            'range_misses_scene',
            Level.ERROR,
            'most of the scene is outside of the range, and what is found there is little or '
            'wrong: {reason}',
            'The nearest depth that can be seen is f * baseline / (min_disparity + '
            'num_disparities), in pixels and metres.',
        ),
        Cause(
            'empty_depth',
            Level.WARN,
            'pairs are computed, but {share:.1f} % of the pixels have a depth: light and focus '
            'the scene, check that both cameras see it and that the images are rectified, and '
            'that num_disparities reaches its nearest point',
            'A wall without texture has no depth, nor has the dark. Where the scene has texture, '
            'compare both images row by row: what is in a row of the left one must be in the same '
            'row of the right one (`rectify: true` for raw images).',
        ),
        Cause(
            'pair_repeats',
            Level.WARN,
            'the same pair comes again and again, with the same stamp: unless it is a recording '
            'of one pair in a loop, a camera hangs ({publishers}); start its driver anew',
            'Depth is computed each time, of the same moment.',
        ),
        Cause(
            'image_frozen',
            Level.WARN,
            'the {side} image is the same again and again, pixel for pixel and under new stamps, '
            'while that of the other camera is not: its camera or driver hangs; start it anew',
            'What moves is matched with what was there when the camera stopped.',
        ),
        Cause(
            'several_publishers',
            Level.WARN,
            'several publishers of {topics} ({publishers}): what they send comes mixed, and depth '
            'jumps between them; stop all but one, or remap the topics',
            'Two drivers, or a driver and a recording, on one topic. `ros2 topic info -v` lists '
            'them. A driver that was killed stays in the list for some seconds.',
        ),
        Cause(
            'shared_output',
            Level.WARN,
            'outputs of this node are also published by {publishers} ({topics}): whoever '
            'subscribes gets both mixed; start each node in a namespace of its own, or remap its '
            'outputs',
            'With the launch file: `namespace:=front`. For a second camera not only the inputs '
            'need topics of their own, but the outputs, too. A node that was killed stays in the '
            'list for some seconds.',
        ),
        Cause(
            'overloaded',
            Level.WARN,
            'images come at {input_rate:.1f} Hz, pairs are computed at {output_rate:.1f} Hz, '
            '{skipped} were skipped in {window:.1f} s; one takes {total_ms:.1f} ms ({stages}): '
            '{cure}',
            'Time grows with width * height * num_disparities. downscale: 2 makes it about an '
            'eighth; algorithm: bm is the fastest. Under `frame_policy: latest` the newest pair '
            'is always the one computed, so that latency stays low.',
        ),
        Cause(
            'moments_differ',
            Level.WARN,
            'stamps agree, but the {late} images come {lag_ms:.0f} ms ({periods:.1f} frame '
            'periods, median of {samples} pairs) after the {early} ones of the same stamp: unless '
            'only the network delays them, depth is wrong wherever something moves; synchronise '
            'the clocks of both cameras, and look for a driver that keeps images back',
            'A clock that is off by whole frame periods, or a driver that stamps an image when it '
            'hands it on, makes pairs of different moments. Move a hand before the cameras: in '
            'one image it lags behind. Prefer one trigger and one clock (PTP) for both cameras.',
        ),
        Cause(
            'clock_foreign',
            Level.WARN,
            'the images are stamped {offset} {direction} the clock of this node: {candidates}',
            'tf2 finds no transform for such stamps, and whoever looks it up drops the depth. '
            'Have the driver stamp with the time of the system, and synchronise the computers '
            '(chrony, PTP). Recordings are played with `use_sim_time: true` and --clock.',
        ),
        Cause(
            'images_lost',
            Level.WARN,
            '{missing} of {expected} images are missing, by the gaps in their stamps ({details}): '
            'if the cameras deliver them all, {cure}',
            'FASTDDS_DEFAULT_PROFILES_FILE (FASTRTPS_DEFAULT_PROFILES_FILE up to Jazzy) names the '
            'profile, config/fastdds_shm.xml. Over a network, use compressed images or raise '
            'net.core.rmem_max.',
        ),
        Cause(
            'images_unpaired',
            Level.WARN,
            '{count} of {received} images found no partner in {window:.1f} s (left comes at '
            '{left_rate:.1f} Hz, right at {right_rate:.1f} Hz): {cure}',
            'Cameras need one rate, and better one trigger. Where the stamps wander, raise '
            'sync_tolerance.',
        ),
        Cause(
            'shared_memory',
            Level.WARN,
            'shared memory: {problem}',
            'Images between processes of one machine go through /dev/shm. Its size is looked at '
            'when the node starts: start it anew after a change. Docker gives 64 MB; a Fast DDS '
            'profile with a smaller segment_size is another way.',
        ),
        Cause(
            'no_clock',
            Level.WARN,
            'use_sim_time is true, but /clock has said nothing: start the simulator, play with '
            '--clock, or set use_sim_time to false',
            'Depth is computed all the same; only its latency cannot be measured.',
        ),
        Cause(
            'parameter_refused',
            Level.WARN,
            'start value refused, the default is in force: {reason}',
            'Correct the parameter file. Setting the parameter while the node runs ends this '
            'message.',
        ),
        Cause(
            'parameter_ignored',
            Level.WARN,
            'given at the start and not used: {reason}',
            'Correct the parameter file or the command line and start the node again. Sections of '
            'a parameter file are for a node by its name and namespace: `/**:` is for all.',
        ),
        Cause(
            'implausible_calibration',
            Level.WARN,
            'implausible calibration: {note}',
            'Depths are only as good as f * baseline.',
        ),
        Cause(
            'rows_apart',
            Level.WARN,
            'rows are {rows} px apart: expect about {loss:.0f} % fewer matches; it is {parts}: '
            '{cure}',
            'The mount has moved since the calibration, or the images are not rectified '
            '(`rectify: true` does it here). A shift comes from a camera that was moved or tilted '
            'up or down, a rotation from one that was turned about its optical axis, a zoom from '
            'another focal length or a lens that was focused anew, a keystone from a camera that '
            'was turned sideways (toe-in). The last moves all disparities as well, by f * '
            'tan(angle): depths are wrong even where matches are found.',
        ),
        Cause(
            'few_points',
            Level.WARN,
            'hardly a point of the left image is found in the right one: check that both show '
            'one scene at one time, the same way up and in focus',
            'Images of different things have matches, too, by chance. So look at both images side '
            'by side: one may be turned, mirrored or inverted, exposed quite otherwise, or of a '
            'scene without texture: a wall needs a projector.',
        ),
        Cause(
            'cameras_swapped',
            Level.WARN,
            '{share:.0f} % of {points} points have a negative disparity: the cameras are swapped '
            'in the images, not in their calibrations: exchange the left and right image topics '
            '(or files) and leave their calibrations as they are',
            'What is near lies further left in the right image than in the left one. Images that '
            'are turned upside down without their calibration look the same; to exchange them '
            'gives depth, to turn the calibration too gives it at the right place. Where one '
            'message has both (`stereo_layout`) the driver has to exchange them.',
        ),
        Cause(
            'scene_too_near',
            Level.WARN,
            'the scene comes as near as {need:.0f} px of disparity, the search ends at {end} px: '
            'set num_disparities to {proposal} to see it',
            'The nearest depth that can be seen is f * baseline / disparity. Or raise '
            'min_disparity, which costs the farthest depths.',
        ),
        Cause(
            'scene_too_far',
            Level.WARN,
            'the scene goes down to {need:.0f} px of disparity, the search begins at {start} px: '
            'set min_disparity to {proposal} to see it',
            'Infinity is at cx_left - cx_right; min_disparity is 0 for most cameras.',
        ),
        Cause(
            'disparity_reduced',
            Level.WARN,
            "{subscribers} to disparity while downscale is {factor}: stereo_image_proc's "
            'point_cloud_node takes the focal length from the full-size camera_info, and its '
            'depths come out {factor} times too large; use points2, or depth/image_rect with '
            'depth/camera_info, or set downscale to 1',
            'A consumer that takes f and t from the DisparityImage itself is right, such as this '
            "package's own tools. docs/interfaces.md says for every consumer what to use.",
        ),
        Cause(
            'frame_id_empty',
            Level.WARN,
            'neither the images nor the camera_info of the left camera have a frame_id: set the '
            'parameter frame_id to its optical frame',
            'tf2 and rviz drop messages without a frame.',
        ),
        Cause(
            'frame_id_slash',
            Level.WARN,
            'frame_id is {frame_id!r}: tf2 takes no frame that begins with a slash, so the '
            'outputs have {output!r}; drop the slash in the driver, or set the parameter frame_id',
            'Recordings of ROS 1 and drivers that were ported from it have such frames.',
        ),
        Cause(
            'frame_ids_differ',
            Level.OK,
            'frame_id is {left!r} (left) and {right!r} (right): outputs use the left one',
            'Harmless. One optical frame in both drivers ends this message.',
        ),
        Cause(
            'search_too_wide',
            Level.OK,
            'the scene needs disparities from {low:.0f} to {high:.0f} px, {start} to {end} px are '
            'searched: num_disparities {proposal} would do, in {share:.0f} % of the time',
            'Only if the scene never comes nearer than now.',
        ),
    )
}
