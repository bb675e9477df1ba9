# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The algorithms by the names that the parameter `algorithm` can have."""

from __future__ import annotations

from collections.abc import Mapping

import cv2

from stereo_depth_node.core.settings.algorithms.algorithm import Algorithm
from stereo_depth_node.core.settings.algorithms.block_matching import BlockMatching
from stereo_depth_node.core.settings.algorithms.semi_global import SemiGlobal
from stereo_depth_node.core.settings.fields import SettingFields

__all__ = ['ALGORITHMS', 'FASTEST_ALGORITHM', 'algorithm_families', 'algorithm_of']

ALGORITHMS: Mapping[str, Algorithm] = {
    'bm': BlockMatching(),
    'sgbm': SemiGlobal(cv2.STEREO_SGBM_MODE_SGBM, relative_time=4.1),
    'sgbm_3way': SemiGlobal(cv2.STEREO_SGBM_MODE_SGBM_3WAY, relative_time=2.5),
    'sgbm_hh': SemiGlobal(cv2.STEREO_SGBM_MODE_HH, relative_time=9.5),
    'sgbm_hh4': SemiGlobal(cv2.STEREO_SGBM_MODE_HH4, relative_time=7.5),
}
FASTEST_ALGORITHM = min(ALGORITHMS, key=lambda name: ALGORITHMS[name].relative_time)


def algorithm_of(settings: SettingFields) -> Algorithm:
    """Return the algorithm that the settings name."""
    return ALGORITHMS[settings.algorithm]


def algorithm_families() -> list[list[str]]:
    """Return the names of the algorithms by family, families and members from fast to slow."""
    families: dict[str, list[str]] = {}
    for name in sorted(ALGORITHMS, key=lambda name: ALGORITHMS[name].relative_time):
        families.setdefault(ALGORITHMS[name].family, []).append(name)
    return list(families.values())
