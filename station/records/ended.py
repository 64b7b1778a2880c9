"""What ended since somebody was told last: the records as an outbox, from which nothing is missing and nothing is lost.

number  17 ended   18 ended   19 in work   20 withdrawn        after 17: 18 alone, until 19 has ended
"""

import sqlite3
from pathlib import Path

from station.core.records import JsonObject, LastTold
from station.records.reading import reading
from station.records.rows import FLAT, flat

FROM = """FROM inspections i
    LEFT JOIN judgements j ON j.inspection = i.number
    LEFT JOIN scans s ON s.inspection = i.number
    LEFT JOIN promises p ON p.sha256 = j.promise_sha256"""
IN_WORK = "state IN ('open', 'judged')"
NEWEST = f"SELECT {FLAT} {FROM} WHERE NOT i.{IN_WORK} ORDER BY i.number DESC LIMIT 1"
AFTER = f"""SELECT {FLAT} {FROM} WHERE i.number > :after
    AND i.number < coalesce((SELECT min(number) FROM inspections WHERE {IN_WORK} AND number > :after), i.number + 1)
    ORDER BY i.number LIMIT :limit"""  # noqa: S608  # constants
IS_THERE = "SELECT 1 FROM inspections WHERE number = ? AND inspection_id = ?"
ENTERED_BY_THEN = "SELECT coalesce(max(number), 0) FROM inspections WHERE entered_at <= ?"


def read_ended(folder: Path, after: LastTold | None, limit: int) -> list[JsonObject]:
    """The inspections that ended after this one, oldest first: the flat columns; after None the newest one alone.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        if after is None:
            return [flat(row) for row in connection.execute(NEWEST)]
        asked = {"after": number_after(connection, after), "limit": limit}
        return [flat(row) for row in connection.execute(AFTER, asked)]


def number_after(connection: sqlite3.Connection, told: LastTold) -> int:
    """Behind which number what is told begins."""
    if connection.execute(IS_THERE, (told.number, told.inspection_id)).fetchone():
        return told.number
    return int(connection.execute(ENTERED_BY_THEN, (told.entered_at,)).fetchone()[0])
