"""A stretch of time in the records: how many parts, with which verdicts, and which states the cell was in."""

import sqlite3
from pathlib import Path

from station.core.period import Group, Period, StateChange, linked
from station.records.reading import reading
from station.records.rows import TRIED

ENTERED = "entered_at >= :since AND entered_at < :until"
GROUPS = f"""SELECT i.state, i.verdict, i.reason, i.part_type, count(*), {TRIED}
    FROM inspections i LEFT JOIN judgements j ON j.inspection = i.number WHERE {ENTERED}
    GROUP BY i.state, i.verdict, i.reason, i.part_type, {TRIED}"""  # noqa: S608  # constants
DEFECTS = f"""SELECT d.class, count(DISTINCT d.inspection) FROM inspections i
    CROSS JOIN judgements j ON j.inspection = i.number CROSS JOIN defects d ON d.inspection = i.number
    WHERE {ENTERED} AND {TRIED} IS NULL GROUP BY d.class ORDER BY d.class"""  # noqa: S608  # constants
CHANGED = "SELECT event_id, at, detail FROM events WHERE event = 'state_changed'"
BEFORE = f"{CHANGED} AND at < :since ORDER BY at DESC, event_id DESC LIMIT 1"
WITHIN = f"{CHANGED} AND at >= :since AND at < :until ORDER BY event_id"
AFTER = f"{CHANGED} AND at >= :until ORDER BY at, event_id LIMIT 1"
LEFT = f"{CHANGED} AND at < :since AND detail GLOB 'EXECUTE *' ORDER BY event_id DESC LIMIT 1"
EVENT_BEFORE = "SELECT at FROM events WHERE event_id < ? ORDER BY event_id DESC LIMIT 1"
PART_BEFORE = """SELECT max(entered_at, coalesce(judged_at, ''), coalesce(sorted_at, ''), coalesce(lost_at, ''))
    FROM inspections WHERE entered_at < ? ORDER BY entered_at DESC LIMIT 1"""
LAST_EVENT, LAST = 2**62, "~"


def read_period(folder: Path, since: str, until: str) -> Period:
    """What is recorded of the time from one moment to before another.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    asked = {"since": since, "until": until}
    with reading(folder) as connection:
        rows = [row for question in (BEFORE, WITHIN, AFTER) for row in connection.execute(question, asked)]
        left = connection.execute(LEFT, asked).fetchone()
        return Period(
            groups=tuple(Group(*row) for row in connection.execute(GROUPS, asked)),
            defects=tuple((name, count) for name, count in connection.execute(DEFECTS, asked)),
            changes=tuple(
                linked(
                    ((_change(row), row["event_id"]) for row in rows),
                    lambda change, event: _heard_before(connection, event, change.at),
                )
            ),
            left=left and _change(left),
            heard=_heard_before(connection, LAST_EVENT, LAST),
        )


def _change(row: sqlite3.Row) -> StateChange:
    return StateChange.of(row["at"], row["detail"])


def _heard_before(connection: sqlite3.Connection, event: int, at: str) -> str | None:
    """When something was written last before an event: another one, or what became of the part before it."""
    found = (connection.execute(EVENT_BEFORE, (event,)).fetchone(), connection.execute(PART_BEFORE, (at,)).fetchone())
    return max((row[0] for row in found if row is not None), default=None)
