"""What of its training comes nearest to a patch, as a picture: people see at once whether it is anything like it."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from station.core.part import Pixels
from station.core.ports.network import PatchClassifier

SHOWN = 4
SIDE_PX, CAPTION_PX, BORDER_PX = 128, 22, 8
TITLE_PX = 48
DARK, BRIGHT = 24, (200, 200, 200)
ACROSS_PX = SIDE_PX + 2 * BORDER_PX


class Neighbour(NamedTuple):
    """A patch of the training.

    Attributes:
        picture: (px, px) uint8, made small.
        surface: Name of its class; empty where nobody knows it.
    """

    picture: Pixels
    surface: str


def nearest_known(network: PatchClassifier, strip: Pixels, column: int) -> tuple[Neighbour, ...]:
    """The patches of a network's training that one of a strip comes nearest to; none where the network does not tell.

    Args:
        network: Who saw the training.
        strip: (patches, height, width) uint8.
        column: Which of its patches.

    Raises:
        ModelError: The network fails.
    """
    known = network.known
    features = None if known is None else network.in_full(strip).features
    if known is None or features is None:
        return ()
    prototypes = known.prototypes
    return tuple(
        Neighbour(prototypes.pictures[index], prototypes.classes[index])
        for index in known.nearest(strip[column], features[column], SHOWN)
    )


def with_neighbours(sheet: Pixels, neighbours: Sequence[Neighbour], patch: int) -> Pixels:
    """A picture (H, W, 3) with a column beside it of what comes nearest to a patch; as it is where nothing does.

    Args:
        sheet: The picture.
        neighbours: The nearest first.
        patch: Which patch they are near to, from 0.
    """
    if not neighbours:
        return sheet
    height = max(sheet.shape[0], TITLE_PX + len(neighbours) * (SIDE_PX + CAPTION_PX))
    wide = np.full((height, sheet.shape[1] + ACROSS_PX, 3), DARK, np.uint8)
    wide[: sheet.shape[0], : sheet.shape[1]] = sheet
    left = sheet.shape[1] + BORDER_PX
    _write(wide, f"like patch {patch + 1}", (left, TITLE_PX - 10))
    for place, neighbour in enumerate(neighbours):
        top = TITLE_PX + place * (SIDE_PX + CAPTION_PX)
        larger = cv2.resize(neighbour.picture, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_LINEAR)
        wide[top : top + SIDE_PX, left : left + SIDE_PX] = larger[..., None]
        _write(wide, neighbour.surface or "of no class", (left, top + SIDE_PX + 14))
    return wide


def _write(sheet: Pixels, text: str, at: tuple[int, int]) -> None:
    cv2.putText(sheet, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, BRIGHT, 1, cv2.LINE_AA)
