"""What the events tell when they are read: why the cell stopped, for how long and what ended that; what happened when.

Events are only added, each with the next number, so that the first of a time is found by halving.
"""

import sqlite3
from pathlib import Path

from station.core.errors import FAULTS
from station.core.moments import moment
from station.core.records import JsonObject
from station.records.reading import reading

LEFT_EXECUTE = """SELECT event_id, at, detail FROM events WHERE event = 'state_changed' AND detail GLOB 'EXECUTE *'
    ORDER BY event_id DESC LIMIT ?"""
RAN_AGAIN = """SELECT event_id, at FROM events WHERE event_id > ? AND event = 'state_changed'
    AND detail IN ('STARTING EXECUTE', 'UNHOLDING EXECUTE', 'UNSUSPENDING EXECUTE') ORDER BY event_id LIMIT 1"""
COMMANDED = """SELECT detail FROM events WHERE event_id > ? AND event_id < ? AND event = 'command_taken'
    AND (detail GLOB 'start *' OR detail GLOB 'unhold *' OR detail GLOB 'unsuspend *') ORDER BY event_id DESC LIMIT 1"""
BETWEEN = """SELECT at, event, detail FROM events WHERE event_id >= ? AND at >= ? AND at <= ?
    ORDER BY event_id LIMIT ?"""


def read_stops(folder: Path, limit: int) -> list[JsonObject]:
    """Every time that the cell left Execute, the newest first: when, for which state, why, how long, what ended it.

    `back_at`, `lasted_s` are None while it does not run again; `ended_by` is None where no command had to end it.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        return [_stop(connection, *row) for row in connection.execute(LEFT_EXECUTE, (limit,)).fetchall()]


def read_events(folder: Path, since: str, until: str, limit: int) -> list[JsonObject]:
    """What happened from a moment to another, both included, the oldest first.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        first = _first_since(connection, since)
        return [dict(row) for row in connection.execute(BETWEEN, (first, since, until, limit))]


def _stop(connection: sqlite3.Connection, number: int, at: str, event: str) -> JsonObject:
    """The event `EXECUTE AFTER CODE DETAIL` in its parts, and its end; a cell that completes needs no reason."""
    _execute, after, code, detail = [*event.split(" ", 3), "", ""][:4]
    text = FAULTS[code].text if code in FAULTS else ""
    stop = {"at": at, "state": after, "reason": code or None, "text": text, "detail": detail}
    again = connection.execute(RAN_AGAIN, (number,)).fetchone()
    if again is None:
        return {**stop, "back_at": None, "lasted_s": None, "ended_by": None}
    command = connection.execute(COMMANDED, (number, again["event_id"])).fetchone()
    lasted_s = (moment(again["at"]) - moment(at)).total_seconds()
    return {**stop, "back_at": again["at"], "lasted_s": lasted_s, "ended_by": command and command["detail"]}


def _first_since(connection: sqlite3.Connection, since: str) -> int:
    """The number of the first event at this moment or later, by halving."""
    low, high = 1, connection.execute("SELECT coalesce(max(event_id), 0) + 1 FROM events").fetchone()[0]
    while low < high:
        middle = (low + high) // 2
        at = connection.execute("SELECT at FROM events WHERE event_id >= ? LIMIT 1", (middle,)).fetchone()["at"]
        low, high = (middle + 1, high) if at < since else (low, middle)
    return int(low)
