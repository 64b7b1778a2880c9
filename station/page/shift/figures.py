"""What a shift comes to: its parts, its time, OEE by what the records hold of both, and what people found since.

OEE is availability, performance and quality multiplied.

    availability  time in Execute, of all the shift's time up to now     state_changed in the records' events
    performance   page.ideal_cycle_s times parts laid away, of the time in Execute
    quality       parts that passed, of all that got a verdict           the final verdicts of inspections
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from models.evaluation.figures.rates import Rate, rate
from station.core.period import Group
from station.core.verdicts import REVIEW, Classes
from station.labels.picking.truth import Truth
from station.page.shift.account import EXECUTE, Stop

SORTED = "sorted"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that were entered in a shift.

    Attributes:
        verdicts: How many got each verdict, in the order of the table; those that are recorded only, behind it.
        reasons: Why parts went to review, the most frequent first.
        types: How many there were of each type.
        laid_away: How many were brought to a confirmed place.
        lost: How many were not.
        withdrawn: How many the line took back; of them nothing is said.
        in_work: How many have no verdict yet.
        tried: How many more tried the station, by `golden` and `study`; nothing else counts them.
    """

    verdicts: dict[str, int]
    reasons: dict[str, int]
    types: dict[str, int]
    laid_away: int
    lost: int
    withdrawn: int
    in_work: int
    tried: dict[str, int]

    @property
    def judged(self) -> int:
        """How many got a verdict."""
        return sum(self.verdicts.values())


@dataclass(frozen=True, slots=True)
class Oee:
    """The three parts of OEE, from 0 up; None where it cannot be said."""

    availability: float | None
    performance: float | None
    quality: float | None

    @property
    def oee(self) -> float | None:
        """All three multiplied."""
        if self.availability is None or self.performance is None or self.quality is None:
            return None
        return self.availability * self.performance * self.quality


@dataclass(frozen=True, slots=True)
class Found:
    """What people say of a shift's parts: each rate is of those that they have looked at, and are clear about.

    Attributes:
        escapes: Defective ones among those that passed.
        overkill: Good ones among those that were stopped as defective.
        reviews: Good ones among those that went to review.
        unclear: How many people differ on, or cannot tell.
    """

    escapes: Rate
    overkill: Rate
    reviews: Rate
    unclear: int


def count_parts(groups: Iterable[Group], table: Classes) -> Parts:
    """How many parts there were, and what became of them."""
    verdicts, reasons, types, states = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    tried = Counter[str]()
    for group in groups:
        if group.tried is not None:
            tried[group.tried] += group.parts
            continue
        states[group.state] += group.parts
        types[group.part_type] += group.parts
        if group.verdict is not None:
            verdicts[group.verdict] += group.parts
        if group.verdict == REVIEW and group.reason is not None:
            reasons[group.reason] += group.parts
    named = [verdict.name for verdict in table.verdicts]
    names = [*named, *sorted(set(verdicts) - set(named))]
    return Parts(
        {name: verdicts[name] for name in names}, dict(reasons.most_common()), dict(types.most_common()),
        states[SORTED], states["lost"], states["withdrawn"], states["open"], dict(tried),
    )  # fmt: skip


def oee_of(parts: Parts, states: Mapping[str, timedelta], passing: str, ideal_cycle_s: float) -> Oee:
    """OEE of a shift.

    Args:
        parts: Its parts.
        states: How long the cell was in each state.
        passing: The verdict with which a part is good.
        ideal_cycle_s: Shortest time from one part to the next; 0 where nobody says so.
    """
    whole, ran = sum(states.values(), timedelta()), states.get(EXECUTE, timedelta())
    return Oee(
        availability=ran / whole if whole else None,
        performance=ideal_cycle_s * parts.laid_away / ran.total_seconds() if ran and ideal_cycle_s else None,
        quality=parts.verdicts.get(passing, 0) / parts.judged if parts.judged else None,
    )


def found_by_people(judged: Iterable[tuple[str, Truth]], passing: str) -> Found:
    """What people found.

    Args:
        judged: The verdict of each part that they have labelled, and what it is.
        passing: The verdict with which a part is good.
    """
    counts = Counter((_way(verdict, passing), truth) for verdict, truth in judged)

    def of(way: str, wrong: Truth) -> Rate:
        return rate(counts[way, wrong], counts[way, Truth.GOOD] + counts[way, Truth.DEFECTIVE])

    return Found(
        escapes=of("passed", Truth.DEFECTIVE),
        overkill=of("stopped", Truth.GOOD),
        reviews=of(REVIEW, Truth.GOOD),
        unclear=sum(number for (_way, truth), number in counts.items() if truth is Truth.UNCLEAR),
    )


def stops_by_reason(stops: Iterable[Stop]) -> dict[tuple[str, str], timedelta]:
    """How long the cell stood for each reason, or in each state where none is known; the longest first."""
    total: dict[tuple[str, str], timedelta] = {}
    for stop in stops:
        key = (stop.reason, "" if stop.reason else stop.state)
        total[key] = total.get(key, timedelta()) + stop.length
    return dict(sorted(total.items(), key=lambda one: -one[1]))


def _way(verdict: str, passing: str) -> str:
    if verdict == passing:
        return "passed"
    return REVIEW if verdict == REVIEW else "stopped"
