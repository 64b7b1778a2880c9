"""The parts that were drawn by lot and labelled, each with what it stands for.

A draw counts as far as it was labelled in the order of the lots, so that it does not matter which parts were easy to
tell. Where a later draw reached further among older parts than among newer ones, their weights say so.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from station.core.lot import lot_of
from station.core.verdicts import REVIEW
from station.labels.picking.candidate import Candidate
from station.labels.picking.lot import Draw
from station.labels.picking.truth import Truth, Truths


class Way(StrEnum):
    """Which way a part went."""

    PASSED = "passed"
    STOPPED = "stopped"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A part of the sample.

    Attributes:
        way: Which way it went.
        truth: What it is.
        weight: For how many of the archive it stands.
    """

    way: Way
    truth: Truth
    weight: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of the parts that were drawn.

    Attributes:
        drawn: Those that count.
        waiting: How many were drawn, and nothing is said of them yet.
        archived: How many parts lie in the archive, by the way that they went.
    """

    drawn: tuple[Drawn, ...]
    waiting: int
    archived: dict[Way, int]


def sample(archived: Sequence[Candidate], truths: Truths, draws: Sequence[Draw], passing: str) -> Sample:
    """The parts that were drawn, with what is said of them.

    Args:
        archived: All parts in the archive.
        truths: What is known of parts.
        draws: All that were drawn.
        passing: The class of good parts.
    """
    unknown = [one for one in archived if truths.of(one) is None]
    reached = [_reached(draw, unknown) for draw in draws]
    drawn = []
    for one in archived:
        truth, chance = truths.of(one), _chance(one, reached)
        if truth is not None and any(each.has(one) for each in reached):
            drawn.append(Drawn(way_of(one, passing), truth, 1 / chance))
    counts = {way: sum(way_of(one, passing) is way for one in archived) for way in Way}
    return Sample(tuple(drawn), sum(any(draw.drew(one) for draw in draws) for one in unknown), counts)


def way_of(candidate: Candidate, passing: str) -> Way:
    """Which way a part went, by its verdict."""
    if candidate.verdict == passing:
        return Way.PASSED
    return Way.REVIEW if candidate.verdict == REVIEW else Way.STOPPED


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far a draw was labelled.

    Attributes:
        draw: The draw.
        below: Of all parts that it had and whose lot is below this something is said; from 0.
    """

    draw: Draw
    below: float

    def has(self, one: Candidate) -> bool:
        return self.draw.had(one) and lot_of(one.part_id, self.draw.seed) < self.below


def _reached(draw: Draw, unknown: Iterable[Candidate]) -> _Reached:
    lots = (lot_of(one.part_id, draw.seed) for one in unknown if draw.had(one))
    return _Reached(draw, min(draw.below, min(lots, default=1.0)))


def _chance(one: Candidate, reached: Iterable[_Reached]) -> float:
    """With which chance a part came into the sample: the lots of one seed are independent of another's."""
    furthest: dict[int, float] = {}
    for each in reached:
        if each.draw.had(one):
            furthest[each.draw.seed] = max(furthest.get(each.draw.seed, 0.0), each.below)
    return 1 - math.prod(1 - below for below in furthest.values())
