"""A defect cut out of one patch and blended into another by Poisson's equation, so that its light becomes the other's.

The gradients within the mask are the defect's, the values around it the good patch's. Where a defect reaches the
patch's border nothing lies behind it that could be met: both patches are mirrored there, which leaves the border free,
and the defect stays on that border.

Source: Perez, Gangnet and Blake, Poisson image editing, 2003; `cv2.seamlessClone`.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import DatasetError
from station.core.part import Pixels

RIM_PX = 2
"""A mask so near to a border reaches it."""


@dataclass(frozen=True, slots=True)
class CutOut:
    """A defect on its patch.

    Attributes:
        patch: (height, width) uint8.
        mask: (height, width), where the defect lies.
    """

    patch: Pixels
    mask: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Refuse a mask that marks nothing, or lies on no such patch.

        Raises:
            DatasetError: It is so.
        """
        if self.mask.shape != self.patch.shape:
            told = f"a mask of {self.mask.shape} leaves its patch of {self.patch.shape}"
            raise DatasetError("dataset.bad_source", told)
        if not self.mask.any():
            raise DatasetError("dataset.bad_source", "a mask marks nothing")

    def read(self, down: int, right: int) -> "CutOut":
        """The same read with these steps of 1 or -1: upside down, mirrored, both or neither."""
        steps = slice(None, None, down), slice(None, None, right)
        return CutOut(np.ascontiguousarray(self.patch[steps]), np.ascontiguousarray(self.mask[steps]))

    def of_contrast(self, factor: float) -> "CutOut":
        """The same, standing out so many times as far from what surrounds it."""
        ground = float(np.median(self.patch[~self.mask])) if not self.mask.all() else float(np.median(self.patch))
        stretched = np.clip(np.rint(ground + factor * (self.patch.astype(np.float32) - ground)), 0, 255)
        return CutOut(stretched.astype(np.uint8), self.mask)

    @property
    def reach(self) -> tuple[range, range]:
        """By how many rows and columns it may be moved and lie within the patch; not away from a border it reaches."""
        x, y, width, height = cv2.boundingRect(self.mask.astype(np.uint8))
        return _reach(y, height, self.mask.shape[0]), _reach(x, width, self.mask.shape[1])


def _reach(start: int, length: int, size: int) -> range:
    before, after = start - RIM_PX, size - RIM_PX - start - length
    if before <= 0 or after <= 0:
        return range(1)
    return range(-before, after + 1)


def blend(defect: CutOut, good: Pixels, rows: int = 0, columns: int = 0) -> tuple[Pixels, NDArray[np.bool_]]:
    """A good patch with the defect on it (height, width) uint8, and where it lies there.

    Args:
        defect: What is blended in.
        good: A patch of the same size.
        rows: By how many it is moved down.
        columns: By how many it is moved to the right.

    Raises:
        DatasetError: The patches differ in size, or the defect would leave the patch.
    """
    if good.shape != defect.patch.shape:
        told = f"a defect on {defect.patch.shape} cannot be blended into a patch of {good.shape}"
        raise DatasetError("dataset.bad_source", told)
    reach = defect.reach
    if rows not in reach[0] or columns not in reach[1]:
        told = f"moved by {rows} rows and {columns} columns the defect would leave its patch, or the border it reaches"
        raise DatasetError("dataset.bad_source", told)
    patch, mask = (_moved(image, rows, columns) for image in (defect.patch, defect.mask.astype(np.uint8)))
    cloned = _cloned(patch, mask, good)
    inside = mask.astype(np.bool_)
    return np.where(inside, cloned, good), inside


def _moved(image: Pixels, rows: int, columns: int) -> Pixels:
    """The image moved; what comes in from outside repeats the border, and lies outside the mask."""
    step = np.array([[1, 0, columns], [0, 1, rows]], np.float32)
    size = (image.shape[1], image.shape[0])
    moved = cv2.warpAffine(image, step, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _cloned(patch: Pixels, mask: Pixels, good: Pixels) -> Pixels:
    """The good patch with all that lies within the mask cloned into it, and OpenCV's own rim around that.

    OpenCV shrinks the mask by three pixels before it clones, so it is given one that is wider by as many; and it writes
    into the mask, so it is given a copy.
    """
    wide = np.asarray(cv2.dilate(mask, np.ones((7, 7), np.uint8)), np.uint8)
    x, y, width, height = cv2.boundingRect(wide)
    rows, columns = mask.shape
    touches = min(x, y) <= RIM_PX or x + width >= columns - RIM_PX or y + height >= rows - RIM_PX
    pad_rows, pad_columns = (rows - 1, columns - 1) if touches else (RIM_PX, RIM_PX)
    pads = ((pad_rows, pad_rows), (pad_columns, pad_columns))
    source, target = (cv2.merge([np.pad(image, pads, "symmetric")] * 3) for image in (patch, good))
    marked = np.pad(wide, pads, "symmetric") * np.uint8(255)
    marked[[0, -1], :] = 0
    marked[:, [0, -1]] = 0
    x, y, width, height = cv2.boundingRect(marked)
    centre = (x + width // 2, y + height // 2)
    cloned = cv2.seamlessClone(source, target, marked, centre, cv2.NORMAL_CLONE)
    return np.asarray(cloned[pad_rows : pad_rows + rows, pad_columns : pad_columns + columns, 0], np.uint8)
