"""Whether any part was judged late while the station learnt: the station's own records tell it."""

import csv
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from station.core.clock import Clock
from station.core.errors import RecordError
from station.core.moments import stamp
from station.core.ports.records import RecordReader
from station.core.records import RecordFilter
from station.core.section import Section

LATE = "scan.late"
"""Reason of a part whose judgement came after its deadline."""
UNSETTLED = timedelta(minutes=2)
"""What was entered within the last two minutes is looked at again: it may not have been judged yet."""


class Judged(Section):
    """Parts that were judged.

    Attributes:
        parts: How many.
        late: How many of them after their deadline.
        slowest_ms: Longest time from a last line to its decision, or None.
    """

    parts: Annotated[int, Field(ge=0)] = 0
    late: Annotated[int, Field(ge=0)] = 0
    slowest_ms: float | None = None

    def __str__(self) -> str:
        """As people read it."""
        if not self.parts:
            return "no part was judged meanwhile"
        slowest = "" if self.slowest_ms is None else f", the slowest in {self.slowest_ms:.1f} ms after its last line"
        return f"{self.parts} parts judged meanwhile, {self.late} late{slowest}"


def together(judged: list[Judged]) -> Judged:
    """What several steps saw, as one."""
    slowest = [one.slowest_ms for one in judged if one.slowest_ms is not None]
    return Judged(
        parts=sum(one.parts for one in judged),
        late=sum(one.late for one in judged),
        slowest_ms=max(slowest, default=None),
    )


class DeadlineLedger:
    """The parts that came in since this was made. Blocking.

    Args:
        records: The station's.
        clock: The time of day.
    """

    def __init__(self, records: RecordReader, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._begun = self._looked = clock.now()
        self._reasons: dict[str, str] = {}
        self._times_ms: dict[str, float] = {}

    def look(self) -> Judged:
        """What was judged up to now.

        Raises:
            RecordError: The records are there and cannot be read.
        """
        now = self._clock.now()
        for row in self._rows(max(self._begun, self._looked - UNSETTLED)):
            if row["judged_at"]:
                self._reasons[row["inspection_id"]] = row["reason"]
            if row["ms_after_last_line"]:
                self._times_ms[row["inspection_id"]] = float(row["ms_after_last_line"])
        self._looked = now
        late = sum(reason == LATE for reason in self._reasons.values())
        return Judged(parts=len(self._reasons), late=late, slowest_ms=max(self._times_ms.values(), default=None))

    def _rows(self, since: datetime) -> list[dict[str, str]]:
        try:
            return list(csv.DictReader(self._records.export(RecordFilter(since=stamp(since)), "csv")))
        except RecordError as error:
            if error.code != "record.unknown":  # where nothing was ever inspected, nothing was late
                raise
            return []
