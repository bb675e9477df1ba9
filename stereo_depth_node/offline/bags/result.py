# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The recording that is being written: it gets its name when it is complete.

It grows in ``NAME.partial``. Each part there has a mark beside it that says that it is whole, so
that a job that is resumed computes only what has none. One run at a time does this; a result that
is replaced stays, as ``NAME.replaced``, until the new one has its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
import os
from pathlib import Path
import re
import shutil
from typing import Any

from stereo_depth_node.core.errors import InputError
from stereo_depth_node.offline.bags.files import METADATA
from stereo_depth_node.offline.bags.marks import checksum_of, read_mark, write_mark
from stereo_depth_node.offline.bags.part import PartResult, PartTask
from stereo_depth_node.offline.bags.writer import joined_metadata, part_name
from stereo_depth_node.offline.files.lock import OutputLock
from stereo_depth_node.offline.files.writing import described_os_error, sync, write_file

__all__ = ['ResultFolder']

_JOB = 'job.json'
_COPY = 'recording'
_SALVAGED = 'salvaged'
_MARK = re.compile(r'stereo_depth_\d+\.\w+\.json')
# Of job.json: the run was allowed to replace what is there.
_REPLACES = 'replaces'


class ResultFolder:
    """Where the result of a recording is put together; no other run can until it is closed.

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
        If something is there that may not be replaced, or another run writes it.
    """

    def __init__(self, source: Path, target: Path, *, overwrite: bool, resume: bool) -> None:
        if target.name in ('', '..'):
            raise InputError(
                f'{target} has no name of its own: name the result, as in {source.name}_depth'
            )
        self._target, self._resume, self._overwrite = target, resume, overwrite
        self._partial = target.with_name(f'{target.name}.partial')
        self._replaced = target.with_name(f'{target.name}.replaced')
        self.path = self._partial
        self.is_done = False
        if target.resolve() in (source.resolve(), source.resolve().parent):
            raise InputError(f'{target} is what is read: choose another name for the result')
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise described_os_error('write', target, error) from error
        self._lock = OutputLock(target)
        try:
            self._tidy()
            self._check()
        except BaseException as error:
            self._lock.release()
            if isinstance(error, OSError) and not isinstance(error, InputError):
                raise described_os_error('write', target, error) from error
            raise

    def close(self) -> None:
        """Let other runs write the result."""
        self._lock.release()

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
        if self._resume and self._partial.is_symlink():
            raise InputError(f'{self._partial} is a link and is not written to: remove it')
        try:
            if not self._resume:
                _remove(self._partial)
            self._partial.mkdir(exist_ok=self._resume)
            # What a run that was killed had open: of no use, and of any size.
            for path in self._partial.iterdir():
                if path.is_dir() and path.name != _SALVAGED:
                    _remove(path)
        except OSError as error:
            raise described_os_error('write', self._partial, error) from error

    def begin_anew(self) -> None:
        """Use another folder from now on; parts in work elsewhere no longer count.

        Raises
        ------
        InputError
            If it cannot be made.
        """
        self.path = self._partial / _SALVAGED
        try:
            self.path.mkdir(exist_ok=True)
            _remove(self.copy)
        except OSError as error:
            raise described_os_error('write', self.path, error) from error

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
        begun = read_mark(file)
        if begun is not None:
            differing = [name for name in identity if begun.get(name) != identity[name]]
            if differing:
                raise InputError(
                    f'{self._partial} was begun with other {", ".join(differing)}: run as then, '
                    'or begin anew with --overwrite'
                )
        replaces = self._overwrite or (begun is not None and begun.get(_REPLACES) is True)
        write_mark(file, {**identity, _REPLACES: replaces})

    def earlier_result(self, task: PartTask) -> PartResult | None:
        """Return the result of an earlier run, None if there is none that fits and is whole."""
        name = part_name(task.plan.index, task.recording_format)
        content = read_mark(self.path / f'{name}.json')
        if content is None:
            return None
        try:
            result = PartResult(**content)
            if result.key == task.key and (self.path / name).lstat().st_size == result.size:
                return result if checksum_of(self.path / name) == result.checksum else None
        except (OSError, TypeError):  # of another version, or not legible: it is computed again
            pass
        return None

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
            # The marks stay until the result has its name: a run that is killed before goes on
            # from them.
            for path in self.path.iterdir():
                if path.name not in names and not _is_mark(path):
                    _remove(path)
            if self.path != self._partial:
                for path in self._partial.iterdir():
                    if path != self.path:
                        _remove(path)
            sync(self.path)
            self._take_name()
            self._tidy()
        except OSError as error:
            raise described_os_error('write', self._target, error) from error

    def abandon(self) -> None:
        """Remove what was begun, unless there is a part of the result in it to go on with."""
        with suppress(OSError):
            marks = [read_mark(path) for path in self._partial.rglob('*') if _is_mark(path)]
            if not any(mark is not None and mark.get('computed') for mark in marks):
                _remove(self._partial)

    def _check(self) -> None:
        """Refuse what may not be replaced."""
        target, partial = self._target, self._partial
        is_begun = partial.is_dir() and any(_is_mark(path) for path in partial.iterdir())
        if not os.path.lexists(target):
            if os.path.lexists(partial) and not (self._resume or self._overwrite):
                raise InputError(
                    f'{partial} is there from an earlier run: go on with --resume, or begin '
                    'anew with --overwrite'
                )
            return
        if self._resume and not is_begun and (target / METADATA).exists():
            self.is_done = True
            return
        if self._resume and is_begun and not self._overwrite:
            job = read_mark(partial / _JOB)
            if job is None or job.get(_REPLACES) is not True:
                raise InputError(
                    f'{target} exists, and so does {partial} of a run that was stopped: give '
                    '--resume --overwrite to complete that one and replace the other, or remove '
                    f'{partial}'
                )
        elif not self._overwrite:
            raise InputError(f'{target} exists: give another name, or --overwrite to replace it')
        if not _is_recording(target):
            raise InputError(f'{target} is no recording and is not overwritten: remove it')

    def _take_name(self) -> None:
        """Rename the folder; at every moment the old or the new result is whole."""
        replaces = os.path.lexists(self._target)
        if replaces:
            self._target.rename(self._replaced)
        try:
            self.path.rename(self._target)
        except BaseException:
            if replaces:
                self._replaced.rename(self._target)
            raise
        sync(self._target.parent)

    def _tidy(self) -> None:
        """Remove what a result that has its name no longer needs; undo half a replacement."""
        if os.path.lexists(self._replaced) and _is_recording(self._replaced):
            if os.path.lexists(self._target):
                _remove(self._replaced)
            else:
                self._replaced.rename(self._target)
        if (self._target / METADATA).is_file():
            for path in self._target.iterdir():
                if _is_mark(path):
                    _remove(path)
            if self._partial.is_dir() and not any(
                _is_mark(path) for path in self._partial.iterdir()
            ):
                _remove(self._partial)


def _is_mark(path: Path) -> bool:
    """Tell whether a file is one of those that say what is complete."""
    return path.name == _JOB or _MARK.fullmatch(path.name) is not None


def _is_recording(path: Path) -> bool:
    """Tell whether a folder holds a recording and nothing else."""
    return path.is_dir() and all(
        each.name == METADATA
        or '.mcap' in each.suffixes
        or '.db3' in each.suffixes
        or _is_mark(each)
        for each in path.iterdir()
    )


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
