"""Which parts to label next: most of them those of which a label teaches most, some by lot, so that rates stay true."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import itemgetter

from station.core.records import JsonObject
from station.core.verdicts import REVIEW
from station.labels.picking.candidate import Candidate
from station.labels.picking.lot import Draw, draw_lots

RANDOM_SHARE = 0.3
"""Of the picks. The most unsure teach a network most, and say nothing of how often anything happens."""


class Why(StrEnum):
    """Why a part was picked."""

    UNSURE = "unsure"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Pick:
    """A part to label.

    Attributes:
        candidate: The part.
        why: For what it was picked.
    """

    candidate: Candidate
    why: Why

    @property
    def told(self) -> str:
        """Why, in words."""
        one = self.candidate
        review = f"review, {one.reason}; " if one.verdict == REVIEW else ""
        if one.doubt is None:
            return f"{review}nothing was judged"
        strange = "" if one.doubt.novelty_p is None else f", novelty p {one.doubt.novelty_p:.3g}"
        return f"{review}margin {one.doubt.margin:.3f}, entropy {one.doubt.entropy:.3f}{strange}"

    def plain(self) -> JsonObject:
        """As plain data, for JSON."""
        one = self.candidate
        names = ("inspection_id", "part_id", "part_type", "entered_at", "verdict", "reason", "confidence", "patch")
        doubts = {name: one.doubt and getattr(one.doubt, name) for name in ("margin", "entropy", "novelty_p")}
        told = {name: getattr(one, name) for name in names}
        return {"why": self.why.value, **told, **doubts, "scan": str(one.scan)}


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes:
        picks: The unsure ones first, the most unsure at the head; then those by lot, in its order.
        draw: To be kept before anybody labels; None where nothing was drawn.
    """

    picks: tuple[Pick, ...]
    draw: Draw | None


def choose(waiting: Sequence[Candidate], count: int, seed: int, at: datetime) -> Choice:
    """Choose what to label next.

    Args:
        waiting: Parts of which nothing is known, inspected before `at`.
        count: How many; fewer where there are fewer.
        seed: Of the lots.
        at: Now.
    """
    drawn, draw = _drawn(waiting, round(count * RANDOM_SHARE), seed, at)
    taken = {one.part_id for one in drawn}
    others = _most_unsure(one for one in waiting if one.part_id not in taken)[: count - len(drawn)]
    picks = *(Pick(one, Why.UNSURE) for one in others), *(Pick(one, Why.RANDOM) for one in drawn)
    return Choice(picks, draw)


def _drawn(
    waiting: Sequence[Candidate], count: int, seed: int, at: datetime
) -> tuple[Sequence[Candidate], Draw | None]:
    return draw_lots(waiting, count, seed, at) if count and waiting else ((), None)


def _most_unsure(waiting: Iterable[Candidate]) -> list[Candidate]:
    """Those that were judged: what went to review for it first, then by doubt."""
    judged = [(one.verdict != REVIEW, -one.doubt.degree, one.inspection_id, one) for one in waiting if one.doubt]
    return [one for *_urgency, one in sorted(judged, key=itemgetter(0, 1, 2))]
