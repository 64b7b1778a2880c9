"""The time of a shift by the states that the cell was in, and every stop, from the changes of state in the records.

Where a change does not follow the one before it, the station ended without a word in between: the time from when it was
heard last to that change counts as of no state, and so does the time after it was heard last, unless it is heard now.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from station.core.moments import moment
from station.core.period import Period, StateChange

EXECUTE, NOT_KNOWN = "EXECUTE", ""
"""The state in which parts are inspected; the one that nobody knows, for the station did not run."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time in one state.

    Attributes:
        begin: When it began.
        end: When it ended.
        state: Which; `NOT_KNOWN` where no station ran.
        reason: Why the cell came to it, a fault's code or nothing.
    """

    begin: datetime
    end: datetime
    state: str
    reason: str = ""

    @property
    def length(self) -> timedelta:
        """How long."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Stop:
    """Time in which the cell was not in Execute, in one piece.

    Attributes:
        begin: When it began, or the shift.
        end: When it ended, or the shift.
        state: The first that the cell stood still in; `NOT_KNOWN` where no station ran.
        reason: Why, a fault's code; empty where it was told to, or nobody knows.
    """

    begin: datetime
    end: datetime
    state: str
    reason: str

    @property
    def length(self) -> timedelta:
        """How long."""
        return self.end - self.begin


def stretches(period: Period, begin: datetime, end: datetime, *, live: bool) -> list[Stretch]:
    """The time between two moments by states, without a gap.

    Args:
        period: What is recorded of it.
        begin: Of the time.
        end: Of the time; not later than now.
        live: Whether the station is heard now.
    """
    return [
        Stretch(max(one.begin, begin), min(one.end, end), one.state, one.reason)
        for one in _whole(period, begin, end, live=live)
        if max(one.begin, begin) < min(one.end, end)
    ]  # fmt: skip


def by_state(time: list[Stretch]) -> dict[str, timedelta]:
    """How long the cell was in each state, the longest first."""
    total: Counter[str] = Counter()
    for one in time:
        total[one.state] += one.length // timedelta(milliseconds=1)
    return {state: timedelta(milliseconds=ms) for state, ms in total.most_common()}


def stops(time: list[Stretch], left: StateChange | None) -> list[Stop]:
    """Every stop, in order.

    Args:
        time: As `stretches` gives it.
        left: Why the cell had stopped that stood as the time began.
    """
    found: list[Stop] = []
    ran = True
    for place, one in enumerate(time):
        if one.state == EXECUTE:
            ran = True
        elif ran:
            known = left.reason if place == 0 and left is not None and one.state != NOT_KNOWN else ""
            found.append(Stop(one.begin, one.end, one.state, one.reason or known))
            ran = False
        else:
            found[-1] = _longer(found[-1], one)
    return found


def _longer(stop: Stop, one: Stretch) -> Stop:
    """The stop goes on in another state: what it came to tells more than what it went through."""
    passing = stop.state.endswith("ING")
    return Stop(
        stop.begin, one.end, one.state if passing else stop.state, stop.reason or (one.reason if passing else "")
    )


def _whole(period: Period, begin: datetime, end: datetime, *, live: bool) -> Iterator[Stretch]:
    """The states between all changes, and what is before the first and after the last."""
    changes = period.changes
    if not changes:
        yield Stretch(begin, end, NOT_KNOWN)
        return
    yield Stretch(min(begin, moment(changes[0].at)), moment(changes[0].at), NOT_KNOWN)
    for one, following in pairwise(changes):
        yield from _until(one, moment(following.at), following.heard)
    yield from _until(changes[-1], max(end, moment(changes[-1].at)), None if live else period.heard)


def _until(change: StateChange, end: datetime, heard: str | None) -> Iterator[Stretch]:
    """The state that a change came to; of no state from when the station was heard last."""
    begin = moment(change.at)
    known = end if heard is None else min(end, max(begin, moment(heard)))
    yield Stretch(begin, known, change.after, change.reason)
    yield Stretch(known, end, NOT_KNOWN)
