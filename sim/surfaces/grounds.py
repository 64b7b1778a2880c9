"""Real metal as the ground of rendered housings: pictures of good surface, quilted round a turn.

Each picture is divided by its own slow light, so that what is left is its finish. Windows of chosen pictures, mirrored
or not, are laid over each other with weights whose squares add up to 1: sums of unrelated textures keep their contrast
so. The quilt closes: what is laid over the turn's last line goes on at its first.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from sim.surfaces.canvas import LINES_PER_TURN, Plane
from station.core.errors import RecordingError
from station.core.part import Pixels

WINDOW_PX = 128
"""Side of the windows that are laid; smaller pictures are left out."""
STEP_PX = WINDOW_PX // 2
LIGHT_BLUR_PX = 24.0
"""Standard deviation of what counts as slow light; `likeness` takes the same."""
STRONGEST = 0.6
"""Contrasts beyond are no finish, and are cut."""
_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}


def check_ground(folder: Path) -> int:
    """How many pictures of the folder can be a ground.

    Raises:
        RecordingError: None can: there are no pictures of at least 128 x 128 px.
    """
    usable = len(pictures_of(folder))
    if usable == 0:
        raise RecordingError(
            "recording.not_found",
            f"{folder}: no picture of at least {WINDOW_PX} x {WINDOW_PX} px, marks from top to bottom",
        )
    return usable


def real_finish(rng: np.random.Generator, width_px: int, folder: Path) -> Plane:
    """Gain (3584, width) of a surface made of a folder's pictures, whose marks run from top to bottom.

    Args:
        rng: Source of chance.
        width_px: Columns.
        folder: Pictures of good surface alone: whatever is seen on them becomes part of what is called good.

    Raises:
        RecordingError: No picture can be used.
    """
    check_ground(folder)
    finishes = _finishes(folder)
    columns = STEP_PX * (-(-width_px // STEP_PX) + 1)
    quilt = np.zeros((LINES_PER_TURN, columns + STEP_PX), np.float32)
    weight = _weight()
    for line in range(0, LINES_PER_TURN, STEP_PX):
        lines = np.arange(line, line + WINDOW_PX) % LINES_PER_TURN
        for column in range(0, columns, STEP_PX):
            quilt[lines, column : column + WINDOW_PX] += weight * _window(rng, finishes)
    return np.asarray(1 + quilt[:, STEP_PX : STEP_PX + width_px], np.float32)


def _window(rng: np.random.Generator, finishes: tuple[Plane, ...]) -> Plane:
    finish = finishes[int(rng.integers(len(finishes)))]
    line, column = (int(rng.integers(length - WINDOW_PX + 1)) for length in finish.shape)
    window = finish[line : line + WINDOW_PX, column : column + WINDOW_PX]
    upright, sideways = rng.random(2) < 0.5
    return window[:: -1 if upright else 1, :: -1 if sideways else 1]


def _weight() -> Plane:
    """(128, 128): the squares of what four windows, half a window apart, have at one place add up to 1."""
    along = np.sin(np.pi * (np.arange(WINDOW_PX) + 0.5) / WINDOW_PX)
    return np.asarray(np.outer(along, along), np.float32)


@lru_cache(maxsize=4)
def pictures_of(folder: Path) -> tuple[Pixels, ...]:
    """Every picture of a folder, and of those in it, that is large enough, grey, in the order of their names."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    images = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths)
    return tuple(np.asarray(image, np.uint8) for image in images if image is not None and _large(image.shape))


@lru_cache(maxsize=4)
def _finishes(folder: Path) -> tuple[Plane, ...]:
    """The contrasts of every picture."""
    return tuple(_finish(np.asarray(picture, np.float32)) for picture in pictures_of(folder))


def _large(shape: tuple[int, ...]) -> bool:
    return min(shape[:2]) >= WINDOW_PX


def _finish(grey: Plane) -> Plane:
    light = cv2.GaussianBlur(grey, (0, 0), LIGHT_BLUR_PX, borderType=cv2.BORDER_REFLECT)
    contrast = grey / np.maximum(light, 1.0) - 1
    return np.asarray(np.clip(contrast, -STRONGEST, STRONGEST), np.float32)
