"""Pictures side by side: what a camera took, and what was made of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import DatasetError
from station.core.durable import write_whole
from station.core.part import Pixels

GAP_PX = 6
TILE_PX = 160
GROUND = 255
TEXT_PX = 22


def draw_sheet(path: Path, rows: Mapping[str, tuple[Sequence[Pixels], Sequence[Pixels]]]) -> None:
    """Write a picture with a row a class: taken ones on the left, made ones on the right, as many of each.

    Args:
        path: A PNG.
        rows: By class, images (height, width) uint8 that were taken, and that were made.

    Raises:
        DatasetError: It cannot be written.
    """
    wide = max(max(len(taken), len(made)) for taken, made in rows.values())
    lines = [_line(name, taken, made, wide) for name, (taken, made) in rows.items()]
    _written, encoded = cv2.imencode(".png", np.concatenate(lines))
    try:
        write_whole(path, encoded.tobytes())
    except OSError as error:
        raise DatasetError("dataset.disk_failed", f"{path}: {error.strerror}") from error


def _line(name: str, taken: Sequence[Pixels], made: Sequence[Pixels], wide: int) -> Pixels:
    between = np.full((TILE_PX + GAP_PX, 4 * GAP_PX), GROUND, np.uint8)
    halves = np.concatenate([_tiles(taken, wide), between, _tiles(made, wide)], 1)
    head = np.full((TEXT_PX, halves.shape[1]), GROUND, np.uint8)
    font, baseline = cv2.FONT_HERSHEY_SIMPLEX, TEXT_PX - 6
    cv2.putText(head, f"{name}: taken", (GAP_PX, baseline), font, 0.5, 0, 1, cv2.LINE_AA)
    cv2.putText(head, "made", (halves.shape[1] // 2 + 2 * GAP_PX, baseline), font, 0.5, 0, 1, cv2.LINE_AA)
    return np.concatenate([head, halves])


def _tiles(images: Sequence[Pixels], wide: int) -> Pixels:
    ground = np.full((TILE_PX + GAP_PX, wide * (TILE_PX + GAP_PX)), GROUND, np.uint8)
    for number, image in enumerate(images):
        left = number * (TILE_PX + GAP_PX)
        ground[:TILE_PX, left : left + TILE_PX] = cv2.resize(image, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
    return ground


def write_masks(folder: Path, masks: Mapping[str, NDArray[np.bool_]]) -> None:
    """Write masks, 255 where a defect lies, by their paths below a folder.

    Raises:
        DatasetError: They cannot be written.
    """
    for name, mask in masks.items():
        path = folder / name
        _done, encoded = cv2.imencode(".png", mask.astype(np.uint8) * 255)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded.tobytes())
        except OSError as error:
            raise DatasetError("dataset.disk_failed", f"{path}: {error.strerror}") from error
