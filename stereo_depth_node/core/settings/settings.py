# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The settings as everybody uses them: immutable and checked.

They are validated as a whole when they are made, so that settings in hand are possible. What
depends on the images as well is checked by :func:`.constraints.check_image_size`.
"""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from functools import lru_cache
import math

from stereo_depth_node.core.errors import SettingsError
from stereo_depth_node.core.settings.algorithms.table import ALGORITHMS
from stereo_depth_node.core.settings.constraints import check_together
from stereo_depth_node.core.settings.fields import DISPARITY_STEP, MATCHING, SettingFields
from stereo_depth_node.core.settings.names import advice_on_name
from stereo_depth_node.core.settings.parameter import Parameter, parameter, parameters_of, Value
from stereo_depth_node.core.settings.text_files import printable

__all__ = ['Settings', 'known_parameters']

# Names that do not exist, in one error: a file for another program can have thousands.
_MOST_NAMED = 10


@dataclasses.dataclass(frozen=True)
class Settings(SettingFields):
    """All settings of the matcher, the filters, the depth and the input.

    :class:`.fields.SettingFields` lists them.

    Raises
    ------
    SettingsError
        If a value or a combination of values is impossible. The text names the setting, the
        value that came and what to set instead.
    """

    algorithm: str = parameter(
        'bm',
        'Matching algorithm: block matching (bm) is the fastest; the semi-global ones find more '
        'in weakly textured scenes (sgbm 5 paths, 3way 3, hh 8, hh4 4). OpenCV gives other '
        'results of hh4 from run to run, very rarely.',
        group=MATCHING,
        choices=tuple(ALGORITHMS),
    )

    def __post_init__(self) -> None:
        for known in known_parameters().values():
            object.__setattr__(self, known.name, known.parse(getattr(self, known.name)))
        check_together(self)

    def replace(self, **changes: Value) -> Settings:
        """Return a copy with `changes`, validated as a whole.

        Raises
        ------
        SettingsError
            If a name is unknown or the result is impossible; `self` is as it was.
        """
        return self.merged(changes)

    def merged(self, changes: Mapping[str, object]) -> Settings:
        """Return a copy with the items of `changes`, validated as a whole.

        Raises
        ------
        SettingsError
            As for :meth:`replace`.
        """
        unknown = sorted(set(changes) - set(known_parameters()))
        if unknown:
            problems = [
                advice_on_name(printable(name, 60), known_parameters())
                for name in unknown[:_MOST_NAMED]
            ]
            if len(unknown) > _MOST_NAMED:
                problems.append(f'{len(unknown) - _MOST_NAMED} more names are unknown')
            raise SettingsError('; '.join(problems))
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    def for_rectified_pair(self) -> Settings:
        """Return the settings for one rectified pair: no raw images, no pair before it."""
        return self.replace(rectify=False, temporal_max_diff=0)

    def for_downscaled_images(self) -> Settings:
        """Return the settings of the matcher that works on the reduced images.

        The range of disparities is divided by `downscale`, outwards to whole pixels and to a
        multiple of 16 (what OpenCV takes); the region of interest inwards to whole pixels.
        """
        factor = self.downscale
        if factor == 1:
            return self
        low = math.floor(self.min_disparity / factor)
        high = math.ceil((self.min_disparity + self.num_disparities) / factor)
        count = math.ceil((high - low) / DISPARITY_STEP) * DISPARITY_STEP
        left, top = (math.ceil(start / factor) for start in (self.roi_x, self.roi_y))
        return self.replace(
            min_disparity=low,
            num_disparities=count,
            downscale=1,
            roi_x=left,
            roi_y=top,
            roi_width=_reduced_length(self.roi_x, self.roi_width, factor),
            roi_height=_reduced_length(self.roi_y, self.roi_height, factor),
            temporal_max_diff=math.ceil(self.temporal_max_diff / factor),
        )


def _reduced_length(start: int, length: int, factor: int) -> int:
    """Whole reduced pixels between `start` and `start + length`; 0 stays "to the border"."""
    if length == 0:
        return 0
    return max((start + length) // factor - math.ceil(start / factor), 1)


@lru_cache(maxsize=1)
def known_parameters() -> dict[str, Parameter]:
    """Return the parameters of :class:`Settings` by name, in declared order."""
    return {known.name: known for known in parameters_of(Settings)}
