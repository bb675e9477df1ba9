# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a chessboard by two cameras that are known, for the page on calibration."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = (640, 480)
K = np.array([[700.0, 0, 320], [0, 700.0, 240], [0, 0, 1]])
BASELINE = 0.12
# Of the right camera: turned inwards by a degree, tilted by a third of one.
TURN = cv2.Rodrigues(np.radians([0.33, 1.0, 0.0]))[0]
SQUARE, SQUARE_PX = 0.030, 40


def draw_board() -> NDArray[np.uint8]:
    """Return a board of 10 x 7 squares, 9 x 6 inner corners, with a margin of one square."""
    rows, columns = np.indices((9 * SQUARE_PX, 12 * SQUARE_PX)) // SQUARE_PX
    inside = (rows >= 1) & (rows <= 7) & (columns >= 1) & (columns <= 10)
    return np.where(inside & ((rows + columns) % 2 == 0), 20, 230).astype(np.uint8)


def write_pairs(folder: Path, count: int = 12) -> None:
    """Write left00.png, right00.png and so on: boards at 0.5 to 0.8 m, tilted to all sides."""
    folder.mkdir()
    random = np.random.default_rng(5)
    board = draw_board()
    # From pixels of the board to metres, with the origin in its middle.
    metres = np.diag([SQUARE / SQUARE_PX, SQUARE / SQUARE_PX, 1.0])
    metres[:2, 2] = -6 * SQUARE, -4.5 * SQUARE
    offset = -TURN @ [BASELINE, 0.0, 0.0]
    for index in range(count):
        turn = cv2.Rodrigues(np.radians(random.uniform(-25, 25, 3)))[0]
        place = np.array([*random.uniform(-0.06, 0.06, 2), random.uniform(0.5, 0.8)])
        place[0] += BASELINE / 2
        left = np.column_stack([turn[:, :2], place])
        right = np.column_stack([TURN @ turn[:, :2], TURN @ place + offset])
        for name, pose in (('left', left), ('right', right)):
            image = cv2.warpPerspective(
                board, K @ pose @ metres, SIZE, flags=cv2.INTER_AREA, borderValue=120
            )
            cv2.imwrite(str(folder / f'{name}{index:02}.png'), cv2.GaussianBlur(image, (3, 3), 0))
