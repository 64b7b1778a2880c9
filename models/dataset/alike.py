"""Which pictures show one object: the same piece taken several times, at other exposures or cut out a little otherwise.

Each picture's middle is brought to 48x48, its light and its marks along the lines are taken out, and what is left is
compared with that of every other picture, at shifts of up to 3 px. On the 1,344 pictures of magnet tiles the largest
correlations fall in two heaps with next to nothing from 0.3 to 0.5 between them; 195 of the 228 groups that 0.4 makes
have six pictures: each tile was taken at six exposures.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import DatasetError
from station.core.part import Pixels

ALIKE = 0.4
"""Correlation from which two pictures show one object."""
MOST = 8000
"""Pictures that are compared, each with each."""
_SIDE, _BORDER, _SHIFT, _LIGHT_PX, _MARKS = 48, 0.15, 3, 3.0, 0.7


def alike_pictures(images: Sequence[Pixels]) -> list[list[int]]:
    """Pairs of pictures (as indices) that show one object.

    Raises:
        DatasetError: There are too many to be compared, each with each.
    """
    if len(images) > MOST:
        raise DatasetError("dataset.bad_choice", f"{len(images)} pictures; at most {MOST} are compared with each other")
    details = np.stack([_detail(image) for image in images])
    first, second = np.nonzero(np.triu(_correlations(details) >= ALIKE, 1))
    return [[int(one), int(other)] for one, other in zip(first, second, strict=True)]


def _detail(image: Pixels) -> NDArray[np.float32]:
    rows, columns = (int(_BORDER * length) for length in image.shape)
    middle = image[rows : image.shape[0] - rows, columns : image.shape[1] - columns].astype(np.float32)
    small = np.log1p(cv2.resize(middle, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    small -= cv2.GaussianBlur(small, (0, 0), _LIGHT_PX)
    small -= _MARKS * small.mean(axis=0, keepdims=True)
    limit = 3 * float(small.std())
    return np.asarray(small.clip(-limit, limit), np.float32)


def _correlations(details: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest correlation of each picture with each other one at any shift."""
    middle = slice(_SHIFT, _SIDE - _SHIFT)
    fixed = _normalised(details[:, middle, middle])
    best = np.full((len(details), len(details)), -1, np.float32)
    for down in range(-_SHIFT, _SHIFT + 1):
        for right in range(-_SHIFT, _SHIFT + 1):
            rows, columns = (slice(_SHIFT + by, _SIDE - _SHIFT + by) for by in (down, right))
            np.maximum(best, fixed @ _normalised(details[:, rows, columns]).T, out=best)
    return np.maximum(best, best.T)


def _normalised(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = windows.reshape(len(windows), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), np.float32)
