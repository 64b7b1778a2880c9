"""Between which numbers the inspections of a time lie, without a look at each of them.

Of every 256 numbers in a row the earliest and the latest moment are kept in memory. Numbers go on and on, and moments
nearly so: where a clock was set back, a row of numbers has moments of before, and is looked at for them as well.
"""

import sqlite3
from dataclasses import dataclass
from threading import Lock

SPAN = 256
"""So many numbers have their moments kept together: for a million inspections four thousand times two."""
FROM_NUMBER = """SELECT number / :span AS span, min(entered_at) AS earliest, max(entered_at) AS latest
    FROM inspections WHERE number > :last GROUP BY span"""
FROM_THE_FIRST = """SELECT number / :span AS span, min(entered_at) AS earliest, max(entered_at) AS latest
    FROM inspections INDEXED BY inspections_entered GROUP BY span"""
"""By the index alone, which is a small part of the table."""
NEWEST = "SELECT number, inspection_id FROM inspections ORDER BY number DESC LIMIT 1"
SAME = "SELECT 1 FROM inspections WHERE number = ? AND inspection_id = ?"


@dataclass(frozen=True, slots=True)
class Moments:
    """The earliest and the latest moment of some inspections."""

    earliest: str
    latest: str


class Spans:
    """The moments of one data folder's inspections; for any thread. Every method blocks."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[int, Moments] = {}
        self._newest: tuple[int, str] | None = None

    def between(self, connection: sqlite3.Connection, since: str, until: str) -> tuple[int, int] | None:
        """The lowest and the highest number that may be of this time, and no more of others than rows of numbers hold.

        Args:
            connection: To the database; its rows have names.
            since: From this moment on.
            until: Before this moment.

        Returns:
            None where nothing is of this time.

        Raises:
            sqlite3.Error: The database cannot be read.
        """
        with self._lock:
            self._catch_up(connection)
            begin = [span for span, moments in self._known.items() if moments.latest >= since]
            end = [span for span, moments in self._known.items() if moments.earliest < until]
        if not begin or not end:
            return None
        return SPAN * min(begin), SPAN * max(end) + SPAN - 1

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        """Take in what is new; everything, where it is another database than before, as one from a backup."""
        if self._newest is not None and connection.execute(SAME, self._newest).fetchone() is None:
            self._known, self._newest = {}, None
        last = self._newest[0] if self._newest else None
        question = FROM_THE_FIRST if last is None else FROM_NUMBER
        for row in connection.execute(question, {"span": SPAN, "last": last}).fetchall():
            known = self._known.get(row["span"])
            self._known[row["span"]] = Moments(
                min(row["earliest"], known.earliest) if known else row["earliest"],
                max(row["latest"], known.latest) if known else row["latest"],
            )
        newest = connection.execute(NEWEST).fetchone()
        self._newest = (newest["number"], newest["inspection_id"]) if newest else None
