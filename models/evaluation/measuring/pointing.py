"""The pointing game: does the network's evidence lie on the defect that it calls?

Played for every patch that is labelled with a defect and called that class: the point of most evidence either hits the
defect's mask, widened by a few pixels, or it does not.
Source: J. Zhang et al., Top-down neural attention by excitation backprop, IJCV 2018.
"""

from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.dataset.named import NamedScan, read_image
from models.dataset.patches import cut
from models.dataset.scans import read_mask
from models.evaluation.figures.rates import Rate, rate
from models.evaluation.measuring.parts import JudgedPart, Rule
from station.core.part import Pixels
from station.core.section import Section

TOLERANCE_PX = 8
"""By how much a mask is widened: half of what one cell of the evidence covers of a patch of 256 pixels."""

EvidenceMap = Callable[[Pixels, int], NDArray[np.float32]]
"""Evidence (height, width) of an image (height, width) uint8 for a class; higher is more."""


class ClassPointing(Section):
    """How often the evidence for one class lies on the defect."""

    name: str = Field(..., description="The class.")
    hits: Rate = Field(..., description="Of the patches of this class that were called so, those whose peak hits.")
    by_chance: float = Field(..., ge=0, le=1, description="Mean share of the patch that counts as a hit.")


class Pointing(Section):
    """The pointing game over all classes."""

    source: str = Field(..., description="Where the masks are from.")
    tolerance_px: int = Field(TOLERANCE_PX, description="By how much masks were widened.")
    hits: Rate = Field(..., description="Over all classes.")
    classes: tuple[ClassPointing, ...] = Field(..., description="Class by class.")


class Played(Section):
    """One patch of the game."""

    name: str
    hit: bool
    by_chance: float


def point(evidence: NDArray[np.floating], mask: Pixels, name: str) -> Played:
    """Play one patch: evidence and mask (height, width) of the same size, 0 where there is no defect."""
    reach = 2 * TOLERANCE_PX + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    target = cv2.dilate((mask > 0).astype(np.uint8), disc)
    peak = np.unravel_index(int(evidence.argmax()), evidence.shape)
    return Played(name=name, hit=bool(target[peak]), by_chance=float(target.mean()))


def play_part(part: JudgedPart, rule: Rule, evidence_map: EvidenceMap) -> list[Played]:
    """Play every patch of a part that shows a defect and was called its class; none of a part without a mask.

    Raises:
        RecordingError: The scan or its mask cannot be used.
        ModelError: The network fails.
    """
    if part.outcome is None or isinstance(part.scan, NamedScan):
        return []
    chosen = np.flatnonzero(part.shows & (part.meaning.called(part.probabilities) == part.labels)).tolist()
    if not chosen:
        return []
    scan, mask = part.scan, read_mask(part.scan)
    patches = rule.cutter(read_image(scan), scan)
    played = []
    for patch in chosen:
        column = int(part.labels[patch])
        surface = part.meaning.surfaces[column]
        own = (mask == scan.marks.index(surface)).astype(np.float32)
        covered = cut(own, scan.left, scan.right, rule.geometry)[patch] >= 0.25
        evidence = evidence_map(patches[patch], column)
        played.append(point(evidence, covered.astype(np.uint8), surface.name))
    return played


def sum_up(played: Iterable[Played], source: str, classes: Sequence[str]) -> Pointing | None:
    """The game's result; None where nothing was played."""
    games = list(played)
    if not games:
        return None
    return Pointing(
        source=source,
        hits=rate(sum(game.hit for game in games), len(games)),
        classes=tuple(_of_class(name, [game for game in games if game.name == name]) for name in classes),
    )


def _of_class(name: str, games: Sequence[Played]) -> ClassPointing:
    return ClassPointing(
        name=name,
        hits=rate(sum(game.hit for game in games), len(games)),
        by_chance=float(np.mean([game.by_chance for game in games])) if games else 0.0,
    )
