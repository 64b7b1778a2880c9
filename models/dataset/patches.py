"""Patches as the running station cuts them, and what each of them shows of the defects that a mask marks.

A patch is labelled with a defect when it shows at least 40 px of it and at least a fifth of all that the part shows of
it. A patch that shows less of a defect is a sliver: nobody could tell its class, so it is neither trained on nor
counted. What is one defect: pieces of a class that lie within 52 px of each other as the network sees them, so that the
pits of a cluster and the bars of one print of a roll belong together, and the roll's next print is another.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.dataset.store import SLIVER
from station.core.classes import SurfaceClass
from station.core.geometry import BLOCKS_PER_TURN, PATCH_PX, PATCHES_PER_PART, PATCHES_PER_STRIP, STRIP_SHAPE
from station.core.part import Pixels

MIN_DEFECT_PX = 40.0
"""A patch shows a defect when the defect covers at least so many of its pixels …"""
MIN_DEFECT_SHARE = 0.2
"""… and at least this share of what all patches of the part show of it."""
JOINED_PX = 52
"""Pieces of a class so near to each other, in px of the patches, are one defect."""
RULE = (
    f"a patch shows a defect from {MIN_DEFECT_PX:g} px and {MIN_DEFECT_SHARE:.0%} of it; pieces within {JOINED_PX} px "
    "are one defect; less is a sliver, left out"
)


def cut(image: NDArray[Any], left: int, right: int) -> NDArray[Any]:
    """The 16 patches (16, 256, 256) of a scan's columns: block by block to 256x512, then a left and a right half.

    Args:
        image: (3584, width) of any type that OpenCV resizes.
        left: First column of the part.
        right: Column after the last.
    """
    strips = _strips(image, left, right)
    halves = [
        strip[:, half * PATCH_PX : (half + 1) * PATCH_PX] for strip in strips for half in range(PATCHES_PER_STRIP)
    ]
    return np.stack(halves)


def label_patches(mask: Pixels, left: int, right: int) -> NDArray[np.int8]:
    """Labels (16,) of a scan's patches from its mask: a class, or `SLIVER` where too little of a defect shows."""
    labels = np.zeros(PATCHES_PER_PART, np.int8)
    most = np.zeros(PATCHES_PER_PART)
    counts = cv2.calcHist([mask], [0], None, [256], [0, 256]).ravel()
    for surface in (SurfaceClass(int(number)) for number in np.flatnonzero(counts) if number):
        each = cover(np.asarray(mask == surface, np.uint8), left, right)
        for covered, shown in zip(each, shows(each), strict=True):
            labels = np.where((covered > 0) & (labels == SurfaceClass.DEFECT_FREE), SLIVER, labels)
            labels = np.where(shown & (covered > most), surface, labels)
            most = np.where(shown, np.maximum(most, covered), most)
    return labels.astype(np.int8)


def cover(pixels: Pixels, left: int, right: int) -> NDArray[np.float64]:
    """How many px of each patch every defect covers (defects, 16).

    Args:
        pixels: (3584, width), 1 where a class of defects lies, else 0.
        left: First column of the part.
        right: Column after the last.
    """
    return _covered_by_each(np.concatenate(_strips(pixels.astype(np.float32), left, right)))


def shows(covered: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which patch shows which defect (defects, 16), by how many px of it each defect covers: the rule above."""
    whole = covered.sum(axis=1, keepdims=True)
    return np.asarray((covered >= MIN_DEFECT_PX) & (covered >= MIN_DEFECT_SHARE * whole), np.bool_)


def _strips(image: NDArray[Any], left: int, right: int) -> list[NDArray[Any]]:
    rows, columns = STRIP_SHAPE
    blocks = np.split(image[:, left:right], BLOCKS_PER_TURN)
    return [cv2.resize(block, (columns, rows), interpolation=cv2.INTER_AREA) for block in blocks]


def _covered_by_each(covered: NDArray[np.float32]) -> NDArray[np.float64]:
    """How many px of each patch every defect covers (defects, 16), from one class's coverage (2048, 512)."""
    rows, columns = np.nonzero(covered)
    if not len(rows):
        return np.zeros((0, PATCHES_PER_PART))
    start = _row_without(np.bincount(rows, minlength=len(covered)) > 0)
    turned = np.roll((covered > 0).astype(np.uint8), -start, axis=0)
    kernel = np.ones((JOINED_PX + 1, JOINED_PX + 1), np.uint8)
    count, defects = cv2.connectedComponents(cv2.dilate(turned, kernel))
    patch = rows // PATCH_PX * PATCHES_PER_STRIP + columns // PATCH_PX
    defect = defects[(rows - start) % len(covered), columns] - 1
    sums = np.bincount(
        defect * PATCHES_PER_PART + patch, covered[rows, columns], minlength=(count - 1) * PATCHES_PER_PART
    )
    return np.asarray(sums, np.float64).reshape(count - 1, PATCHES_PER_PART)


def _row_without(taken: NDArray[np.bool_]) -> int:
    """The middle of the longest run of rows without a defect, around the turn; there the turn may be opened."""
    if taken.all():
        return 0
    first = int(np.flatnonzero(taken)[0])
    turned = np.append(np.roll(taken, -first), True)
    edges = np.flatnonzero(turned)
    longest = int(np.diff(edges).argmax())
    return int(first + (edges[longest] + edges[longest + 1]) // 2) % len(taken)
