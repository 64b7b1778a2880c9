"""Which archived scans may go: in the order in which they were taken, a share of the archive a day.

On no day does the archive lose more than a twentieth of its scans, so that a clock that is wrong by years costs a
twentieth before people see it. Only where the kernel calls the clock synchronised, as many as came in may go beside
them, so that a steady line keeps as many days as are configured, also few. What makes way on a full disk goes by no
date at all.

Scans go in the order of their numbers, up to the one that parts the sequence best into those dated before the cutoff
and those dated after it. So some that a wrong clock has dated into the past or the future go with their neighbours.
"""

import json
import math
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from station.core.moments import moment, stamp

DAILY_SHARE = 0.05
DAY = timedelta(days=1)
BEGUN = "pruning_begun"

LAST_OLD = """SELECT number FROM (
        SELECT number, sum(CASE WHEN judged_at < :cutoff THEN 1 ELSE -1 END) OVER (ORDER BY number) AS older_than_not
        FROM scans JOIN inspections ON inspection = number WHERE scans.state = 'archived' AND judged_at <= :now
    ) WHERE older_than_not > 0 ORDER BY older_than_not DESC, number LIMIT 1"""
EXPIRED = """SELECT number, file FROM scans JOIN inspections ON inspection = number
    WHERE scans.state = 'archived' AND verdict = :verdict AND number <= :last_old"""
OLDEST = """SELECT file FROM scans JOIN inspections ON inspection = number
    WHERE scans.state = 'archived' AND verdict IN (SELECT value FROM json_each(?)) ORDER BY number LIMIT ?"""
CAME_IN = """SELECT count(*) FROM inspections JOIN scans ON inspection = number
    WHERE entered_at > :yesterday AND entered_at <= :now AND scans.state = 'archived'"""
ARCHIVED = "SELECT count(*) FROM scans WHERE state = 'archived'"
LAST_BEGUN = "SELECT at FROM events WHERE event = ? ORDER BY event_id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Due:
    """The scans whose time is over.

    Attributes:
        files: Where they lie in the data folder, those that were taken first at the beginning.
        archived: How many scans there are in all.
        share: How many of them may go on one day.
        came_in: How many may go beside them where the date is a time server's: as many as came in within a day.
        last_begun: When scans were removed last, or None.
    """

    files: tuple[str, ...]
    archived: int
    share: int
    came_in: int
    last_begun: datetime | None

    def begun_today(self, now: datetime) -> bool:
        """Whether scans were removed within a day of this moment; a date far in the future is one of a wrong clock."""
        return self.last_begun is not None and abs(now - self.last_begun) < DAY


def due(connection: sqlite3.Connection, keep_days: Mapping[str, int], now: datetime) -> Due:
    """What is due, by verdict and days."""
    found = [row for verdict, days in keep_days.items() for row in _expired(connection, verdict, now, days)]
    (archived,) = connection.execute(ARCHIVED).fetchone()
    moments = {"yesterday": stamp(now - DAY), "now": stamp(now)}
    (came_in,) = connection.execute(CAME_IN, moments).fetchone()
    last = connection.execute(LAST_BEGUN, (BEGUN,)).fetchone()
    files = tuple(file for _number, file in sorted(found))
    return Due(files, archived, math.ceil(DAILY_SHARE * archived), came_in, last and moment(last[0]))


def oldest(connection: sqlite3.Connection, verdicts: Collection[str], most: int) -> list[str]:
    """Where the scans of these verdicts lie that were taken first, at most so many."""
    return [row[0] for row in connection.execute(OLDEST, (json.dumps(list(verdicts)), most))]


def _expired(connection: sqlite3.Connection, verdict: str, now: datetime, days: int) -> list[tuple[int, str]]:
    last = connection.execute(LAST_OLD, {"cutoff": stamp(now - timedelta(days=days)), "now": stamp(now)}).fetchone()
    asked = {"verdict": verdict, "last_old": last and last[0]}
    return [(row[0], row[1]) for row in connection.execute(EXPIRED, asked)]
