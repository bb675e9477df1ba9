# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The recording that is being written: it gets its name when it is complete.

It grows in ``NAME.partial``. Each part there has a JSON file beside it that says that it is
complete, so that a job that is resumed computes only what has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
import json
from pathlib import Path
import shutil
from typing import Any

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.bags.compute import PartResult, PartTask
from stereo_depth_node.offline.bags.writer import joined_metadata, METADATA, part_name
from stereo_depth_node.offline.files.formats import described_os_error, partial_path, write_file

__all__ = ['ResultFolder']

_JOB = 'job.json'
_COPY = 'recording'
_SALVAGED = 'salvaged'


class ResultFolder:
    """Where the result of a recording is put together.

    Parameters
    ----------
    source, target : Path
        The recording that is read and the one that is written.
    overwrite, resume : bool
        What to do with what is there already.

    Attributes
    ----------
    path : Path
        Where the parts go.
    is_done : bool
        The result is there already.

    Raises
    ------
    InputError
        If something is there that may not be replaced.
    """

    def __init__(self, source: Path, target: Path, *, overwrite: bool, resume: bool) -> None:
        self._target, self._resume = target, resume
        self._partial = partial_path(target)
        self.path = self._partial
        self.is_done = False
        if target.resolve() in (source.resolve(), source.resolve().parent):
            raise InputError(f'{target} is what is read: choose another name for the result')
        if target.exists():
            if resume and (target / METADATA).exists():
                self.is_done = True
            elif not overwrite:
                raise InputError(
                    f'{target} exists: give another name, or --overwrite to replace it'
                )
            elif not _is_recording(target):
                raise InputError(f'{target} is no recording and is not overwritten: remove it')
        elif self._partial.exists() and not (resume or overwrite):
            raise InputError(
                f'{self._partial} is there from an earlier run: go on with --resume, or begin '
                'anew with --overwrite'
            )

    @property
    def copy(self) -> Path:
        """Where a copy of the recording can be, as long as the work goes on."""
        return self.path / _COPY

    def prepare(self) -> None:
        """Make the folder; what an earlier run left stays only if it is resumed.

        Raises
        ------
        InputError
            If it cannot be made.
        """
        try:
            if not self._resume:
                _remove(self._partial)
            self._partial.mkdir(parents=True, exist_ok=True)
            _remove(self.copy)
        except OSError as error:
            raise described_os_error('write', self._partial, error) from error

    def begin_anew(self) -> None:
        """Use another folder from now on; parts in work elsewhere no longer count."""
        self.path = self._partial / _SALVAGED
        _remove(self.copy)

    def check_identity(self, identity: Mapping[str, Any]) -> None:
        """Refuse to go on with what was begun otherwise, and remember how it is now.

        Parameters
        ----------
        identity : mapping
            What the result depends on, by its name for people.

        Raises
        ------
        InputError
            If something differs, or the folder cannot be written to.
        """
        file = self._partial / _JOB
        if file.exists():
            begun = json.loads(file.read_text(encoding='utf-8'))
            differing = [name for name in identity if begun.get(name) != identity[name]]
            if differing:
                raise InputError(
                    f'{self._partial} was begun with other {", ".join(differing)}: run as then, '
                    'or begin anew with --overwrite'
                )
        write_file(file, json.dumps(identity).encode(), overwrite=True)

    def earlier_result(self, task: PartTask) -> PartResult | None:
        """Return the result of an earlier run, None if there is none that fits."""
        name = part_name(task.plan.index, task.recording_format)
        marker = self.path / f'{name}.json'
        if not (marker.exists() and (self.path / name).exists()):
            return None
        result = PartResult(**json.loads(marker.read_text(encoding='utf-8')))
        return result if result.key == task.key else None

    def finish(self, parts: Iterable[dict[str, Any]]) -> None:
        """Put the parts together and give the result its name.

        Parameters
        ----------
        parts : iterable of dict
            What metadata.yaml says of each, in order.

        Raises
        ------
        InputError
            If that cannot be written.
        """
        parts = list(parts)
        write_file(self.path / METADATA, joined_metadata(parts).encode(), overwrite=True)
        names = {name for part in parts for name in part['relative_file_paths']} | {METADATA}
        try:
            for path in self.path.iterdir():
                if path.name not in names:
                    _remove(path)
            _remove(self._target)
            self.path.rename(self._target)
            _remove(self._partial)
        except OSError as error:
            raise described_os_error('write', self._target, error) from error

    def abandon(self) -> None:
        """Remove what was begun, unless there is a part of the result in it to go on with."""
        with suppress(OSError):
            markers = self._partial.rglob('stereo_depth_*.json')
            if not any(json.loads(marker.read_bytes())['computed'] for marker in markers):
                _remove(self._partial)


def _is_recording(path: Path) -> bool:
    """Tell whether a folder holds a recording and nothing else."""
    return path.is_dir() and all(
        each.name == METADATA or '.mcap' in each.suffixes or '.db3' in each.suffixes
        for each in path.iterdir()
    )


def _remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
