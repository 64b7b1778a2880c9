"""Lots: every part has one, always the same, and who draws takes those with the lowest.

So a sample is all parts whose lot is below a bound, whoever labelled them and why. One draw after the other goes on
where the last ended, and parts that came in since are drawn as readily as the others.
Source: permanent random numbers, E. Ohlsson, Coordination of samples using permanent random numbers, in Business
Survey Methods (1995).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from station.core.lot import lot_of
from station.core.moments import stamp
from station.labels.picking.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Draw:
    """That a sample was drawn: of what was inspected until then, every part whose lot is below the bound.

    Attributes:
        at: When; with its zone, kept to the millisecond.
        seed: Of the lots.
        below: The bound, above 0 and at most 1.
    """

    at: datetime
    seed: int
    below: float

    def __post_init__(self) -> None:
        if self.at.tzinfo is None or self.seed < 0 or not 0 < self.below <= 1:
            raise ValueError(f"no draw: {self}")

    def had(self, candidate: Candidate) -> bool:
        """Whether a part had been inspected then."""
        return candidate.entered_at < stamp(self.at)

    def drew(self, candidate: Candidate) -> bool:
        """Whether a part is in the sample."""
        return self.had(candidate) and lot_of(candidate.part_id, self.seed) < self.below


def draw_lots(waiting: Iterable[Candidate], count: int, seed: int, at: datetime) -> tuple[Sequence[Candidate], Draw]:
    """The parts with the lowest lots, lowest first, and the draw.

    The bound is the lot of the next one, so that what was labelled before for any other reason is in the sample with no
    more chance than the rest.
    Source: J. B. S. Haldane, On a method of estimating frequencies, Biometrika 33 (1945).

    Args:
        waiting: Parts of which nothing is known, inspected before `at`.
        count: How many, at least 1; fewer where there are fewer.
        seed: Of the lots.
        at: Now.
    """
    ordered = sorted(waiting, key=lambda one: lot_of(one.part_id, seed))
    below = lot_of(ordered[count].part_id, seed) if len(ordered) > count else 1.0
    return ordered[:count], Draw(at, seed, below)
