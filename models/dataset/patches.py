"""Patches as the running station cuts them, and what each of them shows of the defects that a mask marks.

A patch is labelled with a defect when it shows at least 40 px of it and at least a fifth of all that the part shows of
it. A patch that shows less of a defect is a sliver: nobody could tell its class, so it is neither trained on nor
counted. What is one defect: pieces of a class that lie within 52 px of each other as the network sees them, so that the
pits of a cluster and the bars of one print of a roll belong together, and the roll's next print is another.
"""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.dataset.manifest import SLIVER
from station.core.geometry import Geometry
from station.core.part import Pixels
from station.core.verdicts import UNKNOWN_MARK

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


def cut(image: NDArray[Any], left: int, right: int, geometry: Geometry) -> NDArray[Any]:
    """The patches (patches, height, width) of a scan's columns: each block resized to a strip, then cut side by side.

    Args:
        image: (lines of a turn, width) of any type that OpenCV resizes.
        left: First column of the part.
        right: Column after the last.
        geometry: How a turn becomes patches.
    """
    strips = _strips(image, left, right, geometry)
    return np.stack([patch for strip in strips for patch in np.split(strip, geometry.patches_per_strip, axis=1)])


def label_patches(mask: Pixels, left: int, right: int, geometry: Geometry) -> NDArray[np.int8]:
    """Labels (patches,) of a scan's patches from its mask.

    0 where no defect shows, the number of a class as the mask has it, or `SLIVER` where too little of a defect
    shows, or something of none of the classes.
    """
    counts = cv2.calcHist([mask], [0], None, [256], [0, 256]).ravel()
    numbers = (int(value) for value in np.flatnonzero(counts) if value)
    marked = ((number, np.asarray(mask == number, np.uint8)) for number in numbers)
    return label_marked(marked, left, right, geometry)


def label_marked(marked: Iterable[tuple[int, Pixels]], left: int, right: int, geometry: Geometry) -> NDArray[np.int8]:
    """Labels (patches,) of a scan's patches, as `label_patches`, from each class's marks apart, which may overlap.

    Args:
        marked: The number of a class, and (lines of a turn, width) 1 where it is marked, else 0.
        left: First column of the part.
        right: Column after the last.
        geometry: How a turn becomes patches.
    """
    labels = np.zeros(geometry.patches_per_part, np.int16)
    most = np.zeros(geometry.patches_per_part)
    for number, pixels in marked:
        each = cover(pixels, left, right, geometry)
        shown_by_each = shows(each) & (number != UNKNOWN_MARK)
        for covered, shown in zip(each, shown_by_each, strict=True):
            labels = np.where((covered > 0) & (labels == 0), SLIVER, labels)
            labels = np.where(shown & (covered > most), number, labels)
            most = np.where(shown, np.maximum(most, covered), most)
    return labels.astype(np.int8)


def cover(pixels: Pixels, left: int, right: int, geometry: Geometry) -> NDArray[np.float64]:
    """How many px of each patch every defect covers (defects, patches).

    Args:
        pixels: (lines of a turn, width), 1 where a class of defects lies, else 0.
        left: First column of the part.
        right: Column after the last.
        geometry: How a turn becomes patches.
    """
    return _covered_by_each(np.concatenate(_strips(pixels.astype(np.float32), left, right, geometry)), geometry)


def shows(covered: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which patch shows which defect (defects, patches), by how many px of it each defect covers: the rule above."""
    whole = covered.sum(axis=1, keepdims=True)
    return np.asarray((covered >= MIN_DEFECT_PX) & (covered >= MIN_DEFECT_SHARE * whole), np.bool_)


def _strips(image: NDArray[Any], left: int, right: int, geometry: Geometry) -> list[NDArray[Any]]:
    rows, columns = geometry.strip_shape
    blocks = np.split(image[:, left:right], geometry.blocks_per_turn)
    return [cv2.resize(block, (columns, rows), interpolation=cv2.INTER_AREA) for block in blocks]


def _covered_by_each(covered: NDArray[np.float32], geometry: Geometry) -> NDArray[np.float64]:
    """How many px of each patch every defect covers (defects, patches), from one class's coverage of all strips."""
    patches, side = geometry.patches_per_part, geometry.patch_px
    rows, columns = np.nonzero(covered)
    if not len(rows):
        return np.zeros((0, patches))
    start = _row_without(np.bincount(rows, minlength=len(covered)) > 0)
    turned = np.roll((covered > 0).astype(np.uint8), -start, axis=0)
    kernel = np.ones((JOINED_PX + 1, JOINED_PX + 1), np.uint8)
    count, defects = cv2.connectedComponents(cv2.dilate(turned, kernel))
    patch = rows // side * geometry.patches_per_strip + columns // side
    defect = defects[(rows - start) % len(covered), columns] - 1
    sums = np.bincount(defect * patches + patch, covered[rows, columns], minlength=(count - 1) * patches)
    return np.asarray(sums, np.float64).reshape(count - 1, patches)


def _row_without(taken: NDArray[np.bool_]) -> int:
    """The middle of the longest run of rows without a defect, around the turn; there the turn may be opened."""
    if taken.all():
        return 0
    first = int(np.flatnonzero(taken)[0])
    turned = np.append(np.roll(taken, -first), True)
    edges = np.flatnonzero(turned)
    longest = int(np.diff(edges).argmax())
    return int(first + (edges[longest] + edges[longest + 1]) // 2) % len(taken)
