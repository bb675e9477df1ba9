# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a pair is found by every command, and said with its cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='recordings are read with rosbags, the extra "offline"')
pytest.importorskip('matplotlib', reason='pictures are drawn with matplotlib')

from bags import run_bag, write_bag
from scenes import plane, scene_of, StereoScene

from stereo_depth_node.core.health.causes import CAUSES, Level
from stereo_depth_node.core.pipeline import StereoPipeline
from stereo_depth_node.core.settings.settings import Settings
from stereo_depth_node.offline.cli import main
from stereo_depth_node.offline.findings import (
    findings_of_pair,
    findings_of_rectified_pair,
    lines_of_findings,
    PairFindings,
)

SIZE = (320, 240)


@pytest.fixture(scope='module')
def scene() -> StereoScene:
    """Return a plane at 20 px."""
    return scene_of(plane(*SIZE, 20.0), seed=3, finest_px=9.0)


def _turned(image: np.ndarray, degrees: float) -> np.ndarray:
    width, height = SIZE
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(image, matrix, SIZE, borderMode=cv2.BORDER_REFLECT)


def _broken(kind: str, scene: StereoScene) -> tuple[np.ndarray, np.ndarray]:
    left, right = scene.left, scene.right
    return {
        'rows': (left, np.roll(right, 4, axis=0)),
        'rotation': (left, _turned(right, 2.0)),
        'swapped': (right, left),
        'identical': (left, left.copy()),
        'black': (left, np.zeros_like(right)),
        'flipped': (left, np.ascontiguousarray(right[::-1, ::-1])),
    }[kind]


BROKEN = [
    ('rows', 'rows_apart'),
    ('rotation', 'rows_apart'),
    ('swapped', 'cameras_swapped'),
    ('identical', 'identical_images'),
    ('black', 'uniform_image'),
    ('flipped', 'few_points'),
]


@pytest.mark.parametrize(('kind', 'cause'), BROKEN, ids=[kind for kind, _ in BROKEN])
def test_a_broken_pair_is_known_by_its_cause(scene: StereoScene, kind: str, cause: str) -> None:
    seen = findings_of_rectified_pair(*_broken(kind, scene), Settings())
    assert cause in [finding.cause.name for finding in seen.findings]
    assert seen.is_broken or cause == 'few_points'


def test_a_good_pair_gives_nothing_but_its_density(scene: StereoScene) -> None:
    seen = findings_of_rectified_pair(scene.left, scene.right, Settings())
    assert seen.findings == ()
    assert not seen.is_broken
    assert seen.density > 0.6


def test_next_to_nothing_is_not_passed_over_in_silence(scene: StereoScene) -> None:
    """The right camera sees a thirtieth of the light: corners are found, and no block."""
    dark = np.rint(scene.right * 0.03).astype(np.uint8)
    seen = findings_of_rectified_pair(scene.left, dark, Settings())
    assert seen.density < 0.05
    assert [finding.level for finding in seen.findings] == [Level.WARN]
    # Of a small region all pixels are known.
    region = Settings(roi_x=150, roi_y=50, roi_width=40, roi_height=40)
    seen = findings_of_rectified_pair(scene.left, scene.right, region)
    assert seen.density < 0.05
    assert seen.findings == ()


def test_the_image_turned_as_the_advice_says_is_good(scene: StereoScene) -> None:
    left, flipped = _broken('flipped', scene)
    (finding,) = findings_of_rectified_pair(left, flipped, Settings()).findings
    assert 'the same way up' in finding.text
    turned = np.ascontiguousarray(flipped[::-1, ::-1])
    assert findings_of_rectified_pair(left, turned, Settings()).findings == ()


@pytest.mark.parametrize(
    ('numbers', 'words'),
    [
        ({'baseline': 120.0}, 'the calibration is in millimetres'),
        ({'f': 4.0}, 'in pixels of these'),
    ],
)
def test_a_number_in_millimetres_is_named(
    scene: StereoScene, numbers: dict[str, float], words: str
) -> None:
    from scenes import geometry_of

    geometry = geometry_of(*SIZE, **numbers)
    pipeline = StereoPipeline(Settings(), *SIZE, geometry)
    pipeline.match(scene.left, scene.right)
    found = findings_of_pair(pipeline, scene.left, scene.right).findings
    assert [words in finding.text for finding in found] == [True]


def test_each_cause_is_printed_once_the_worst_first_with_how_many_pairs_have_it(
    scene: StereoScene,
) -> None:
    pairs = [
        findings_of_rectified_pair(*_broken(kind, scene), Settings())
        for kind in ('rows', 'rows', 'black')
    ]
    lines = lines_of_findings([PairFindings.of_json(pair.as_json()) for pair in pairs])
    assert [line.split()[0] for line in lines] == [Level.ERROR.name, Level.WARN.name]
    assert lines[0].endswith('(1 of 3 pairs)')
    assert lines[1].endswith('(2 of 3 pairs)')
    assert 'a shift of' in lines[1]


def test_everything_that_is_implausible_in_a_calibration_is_printed() -> None:
    notes = ('P is of another size', 'the baseline is 100 m')
    cause = CAUSES['implausible_calibration']
    pair = PairFindings(0.5, tuple(cause.found(note=note) for note in notes), is_broken=False)
    lines = lines_of_findings([pair, pair])
    assert [note in line for note, line in zip(notes, lines, strict=True)] == [True, True]
    assert all(line.endswith('(2 of 2 pairs)') for line in lines)


def _written(folder: Path, left: np.ndarray, right: np.ndarray) -> tuple[str, str]:
    names = str(folder / 'left.png'), str(folder / 'right.png')
    for name, image in zip(names, (left, right), strict=True):
        cv2.imwrite(name, image)
    return names


@pytest.mark.parametrize(('kind', 'cause'), BROKEN[:2], ids=['rows', 'rotation'])
def test_images_says_it_and_the_density(
    tmp_path: Path, scene: StereoScene, capsys: Any, kind: str, cause: str
) -> None:
    names = _written(tmp_path, *_broken(kind, scene))
    write = ('--write', 'disparity.npy', '--output', str(tmp_path))
    assert main(['images', *names, *write]) == 0
    out = capsys.readouterr().out
    assert 'calibrate the cameras anew' in out
    assert 'disparity for' in out


def test_the_command_of_the_tutorial_says_how_many_disparities_the_scene_needs(
    tmp_path: Path, motorcycle: StereoScene, capsys: Any
) -> None:
    """Of disparities up to 60 px 16 are searched."""
    names = _written(tmp_path, motorcycle.left, motorcycle.right)
    tutorial = ('--num-disparities', '16', '--block-size', '15')
    write = ('--write', 'disparity.npy', '--output', str(tmp_path))
    assert main(['images', *names, *tutorial, *write]) == 0
    assert 'num_disparities to 64' in capsys.readouterr().out


def test_bag_and_its_report_say_it(tmp_path: Path, scene: StereoScene, capsys: Any) -> None:
    broken = StereoScene(*_broken('rows', scene), scene.disparity)
    source = write_bag(tmp_path / 'in', 3, scenes=[broken])
    report = tmp_path / 'report.html'
    assert run_bag(source, tmp_path / 'out', '--report', report) == 0
    out = capsys.readouterr().out
    assert 'WARN  rows are' in out
    assert 'depth for' in out
    assert 'calibrate the cameras anew' in report.read_text()


@pytest.mark.parametrize('pairs', [9, 240])
def test_bag_looks_at_pairs_all_over_a_recording(
    tmp_path: Path, scene: StereoScene, capsys: Any, pairs: int
) -> None:
    """From the middle on both cameras have one image; three pairs are looked at."""
    small = scene_of(plane(128, 96, 12.0), seed=2)
    broken = StereoScene(*_broken('identical', small), small.disparity)
    half = pairs // 2
    source = write_bag(tmp_path / 'in', pairs, scenes=[small] * half + [broken] * (pairs - half))
    assert run_bag(source, tmp_path / 'out', '--num-disparities', '16') == 0
    assert '(2 of 3 pairs)' in capsys.readouterr().out


@pytest.mark.parametrize('kind', ['rows', 'swapped', 'identical', 'black', 'flipped'])
def test_tune_proposes_nothing_from_a_broken_pair(
    tmp_path: Path, scene: StereoScene, capsys: Any, kind: str
) -> None:
    names = _written(tmp_path, *_broken(kind, scene))
    output = tmp_path / 'params.yaml'
    assert main(['tune', *names, '--quiet', '--output', str(output)]) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith(('WARN', 'ERROR'))
    assert '--force' in captured.err
    assert not output.exists()


def test_tune_writes_what_is_mostly_wrong_only_by_force(
    tmp_path: Path, scene: StereoScene, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from stereo_depth_node.offline.commands import tune

    # Most of what is found on a good pair is right: the limit moves instead.
    monkeypatch.setattr(tune, '_MOST', -1.0)
    names = _written(tmp_path, scene.left, scene.right)
    output = tmp_path / 'params.yaml'
    command = ['tune', *names, '--quiet', '--budget', '1e-9', '--output', str(output)]
    assert main(command) == 2
    assert '--force writes the file' in capsys.readouterr().err
    assert not output.exists()
    assert main([*command, '--force']) == 0
    assert output.exists()


def test_evaluate_says_it_beside_its_table(
    tmp_path: Path, scene: StereoScene, capsys: Any
) -> None:
    names = _written(tmp_path, *_broken('rows', scene))
    truth = tmp_path / 'truth.npy'
    np.save(truth, scene.truth)
    assert main(['evaluate', *names, '--truth', str(truth)]) == 0
    assert 'calibrate the cameras anew' in capsys.readouterr().err


def test_inspect_and_tune_propose_one_range(tmp_path: Path, capsys: Any) -> None:
    import yaml

    scenes = [scene_of(plane(160, 100, disparity), finest_px=6.0) for disparity in (8.0, 20.0)]
    source = write_bag(tmp_path / 'in', 4, scenes=scenes)
    assert main(['inspect', str(source)]) == 0
    suggested = capsys.readouterr().out.partition('suggested: ')[2].split('\n')[0]
    output = tmp_path / 'params.yaml'
    command = ['tune', str(source), '--quiet', '--budget', '1000', '--output', str(output)]
    assert main(command) == 0
    found = yaml.safe_load(output.read_text())['/**']['ros__parameters']
    assert f'num_disparities={found["num_disparities"]}' in suggested
    assert 'min_disparity' not in suggested
    assert found.get('min_disparity', 0) == 0
