"""The records of a data folder for whoever copies them elsewhere: whole inspections, events, alarms, scans, in order.

number  17 closed   18 closed   19 in work   20 closed        after 17: 18 alone, until 19 is closed
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from station.core.ports.feed import KeptScan, LastAlarm, LastEvent
from station.core.records import JsonObject, LastTold
from station.records.ended import FROM, IN_WORK, IS_THERE
from station.records.reading import reading
from station.records.rows import DEEP, FLAT, whole

WHOLE = f"SELECT {FLAT}, {DEEP} {FROM} LEFT JOIN settlements t ON t.inspection = i.number"
FIRST_IN_WORK = f"""coalesce((SELECT min(number) FROM inspections WHERE {IN_WORK} AND number > :after),
    i.number + 1)"""  # noqa: S608  # constants
BEHIND = f"i.number > :after AND i.number < {FIRST_IN_WORK}"
CLOSED = f"{WHOLE} WHERE {BEHIND} ORDER BY i.number LIMIT :limit"
THESE = f"NOT i.{IN_WORK} AND i.inspection_id IN (SELECT value FROM json_each(:ids))"  # noqa: S608  # constants
NAMED = f"{WHOLE} WHERE {THESE} ORDER BY i.number"
KEPT = """SELECT i.number, i.inspection_id, i.entered_at, i.verdict, s.state, s.file, s.sha256, s.left_column
    FROM scans s JOIN inspections i ON i.number = s.inspection"""
SCANS = f"""{KEPT} WHERE {BEHIND} AND i.number < coalesce(
        (SELECT min(inspection) FROM scans WHERE state = 'pending' AND inspection > :after), i.number + 1)
    ORDER BY i.number LIMIT :limit"""  # noqa: S608  # constants
SCANS_NAMED = f"{KEPT} WHERE {THESE} AND s.state <> 'pending' ORDER BY i.number"
WAITING = f"SELECT count(*), min(i.entered_at) FROM inspections i WHERE {BEHIND}"  # noqa: S608  # constants
WAITING_SCANS = """SELECT count(*), min(i.entered_at) FROM scans s JOIN inspections i ON i.number = s.inspection
    WHERE s.state IN ('pending', 'archived') AND s.inspection > :after"""
MONTHS = f"SELECT substr(entered_at, 1, 7), count(*) FROM inspections WHERE NOT {IN_WORK} GROUP BY 1 ORDER BY 1"  # noqa: S608
EVENTS = """SELECT event_id AS number, at, event, detail FROM events WHERE event_id > :after
    ORDER BY event_id LIMIT :limit"""
EVENT_IS_THERE = "SELECT 1 FROM events WHERE event_id = ? AND at = ?"
EVENT_MONTHS = "SELECT substr(at, 1, 7), count(*) FROM events GROUP BY 1 ORDER BY 1"
ALARMS = """SELECT alarm_id AS number, code, detail, latched, count, raised_at, last_at, cleared_at, acknowledged_at,
    acknowledged_by FROM alarms"""
RAISED = f"{ALARMS} WHERE alarm_id > :after ORDER BY alarm_id LIMIT :limit"
NUMBERED = f"{ALARMS} WHERE alarm_id IN (SELECT value FROM json_each(:numbers)) ORDER BY alarm_id"  # noqa: S608  # constants
ALARM_IS_THERE = "SELECT 1 FROM alarms WHERE alarm_id = ? AND raised_at = ?"
OF_THE_ARCHIVE = ("scan_state", "scan_file", "scan_sha256", "scan_archive_detail")
"""What the archive makes of a scan after its inspection is closed."""


class SqliteFeed:
    """The records of a data folder; see `RecordFeed`.

    Args:
        folder: The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def closed(self, after: LastTold, limit: int) -> list[JsonObject]:
        """The inspections that ended after this one, whole, in the order of their numbers."""
        with self._behind(IS_THERE, after[:2]) as (connection, number):
            return [_told(connection, row) for row in connection.execute(CLOSED, {"after": number, "limit": limit})]

    def named(self, inspection_ids: Sequence[str]) -> list[JsonObject]:
        """The closed inspections with these ids, whole."""
        with reading(self._folder) as connection:
            rows = connection.execute(NAMED, {"ids": json.dumps(list(inspection_ids))})
            return [_told(connection, row) for row in rows]

    def events(self, after: LastEvent, limit: int) -> list[JsonObject]:
        """What happened after this event, in order."""
        with self._behind(EVENT_IS_THERE, after) as (connection, number):
            return [dict(row) for row in connection.execute(EVENTS, {"after": number, "limit": limit})]

    def alarms(self, after: LastAlarm, limit: int) -> list[JsonObject]:
        """The alarms that were raised after this one, as they stand, in order."""
        with self._behind(ALARM_IS_THERE, after) as (connection, number):
            return [_alarm(row) for row in connection.execute(RAISED, {"after": number, "limit": limit})]

    def alarms_numbered(self, numbers: Sequence[int]) -> list[JsonObject]:
        """The alarms with these numbers, as they stand now."""
        with reading(self._folder) as connection:
            return [_alarm(row) for row in connection.execute(NUMBERED, {"numbers": json.dumps(list(numbers))})]

    def scans(self, after: LastTold, limit: int) -> list[KeptScan]:
        """The scans of closed inspections after this one, in order."""
        with self._behind(IS_THERE, after[:2]) as (connection, number):
            return [_scan(row) for row in connection.execute(SCANS, {"after": number, "limit": limit})]

    def scans_named(self, inspection_ids: Sequence[str]) -> list[KeptScan]:
        """The scans of the closed inspections with these ids, as far as they are written."""
        with reading(self._folder) as connection:
            return [_scan(row) for row in connection.execute(SCANS_NAMED, {"ids": json.dumps(list(inspection_ids))})]

    def waiting(self, after: LastTold) -> tuple[int, str | None]:
        """How many closed inspections come after this one, and when the first of them was entered."""
        with self._behind(IS_THERE, after[:2]) as (connection, number):
            row = connection.execute(WAITING, {"after": number}).fetchone()
            return int(row[0]), row[1]

    def waiting_scans(self, after: LastTold) -> tuple[int, str | None]:
        """How many scans on the disk come after this inspection's, and when the first of their parts was entered."""
        with self._behind(IS_THERE, after[:2]) as (connection, number):
            row = connection.execute(WAITING_SCANS, {"after": number}).fetchone()
            return int(row[0]), row[1]

    def months(self) -> dict[str, int]:
        """How many closed inspections were entered in each month."""
        with reading(self._folder) as connection:
            return {str(row[0]): int(row[1]) for row in connection.execute(MONTHS)}

    def events_by_month(self) -> dict[str, int]:
        """How many events there were in each month."""
        with reading(self._folder) as connection:
            return {str(row[0]): int(row[1]) for row in connection.execute(EVENT_MONTHS)}

    def reached(self, told: LastTold) -> int:
        """The number of this inspection; 0 where the records do not have it."""
        with self._behind(IS_THERE, told[:2]) as (_connection, number):
            return number

    def reached_event(self, told: LastEvent) -> int:
        """The number of this event; 0 where the records do not have it."""
        with self._behind(EVENT_IS_THERE, told) as (_connection, number):
            return number

    def reached_alarm(self, told: LastAlarm) -> int:
        """The number of this alarm; 0 where the records do not have it."""
        with self._behind(ALARM_IS_THERE, told) as (_connection, number):
            return number

    @contextmanager
    def _behind(self, is_there: str, told: tuple[int, str]) -> Iterator[tuple[sqlite3.Connection, int]]:
        """The records, and the number behind which what is told begins; 0, thus all, where they do not have it."""
        with reading(self._folder) as connection:
            known = connection.execute(is_there, told).fetchone() is not None
            yield connection, told[0] if known else 0


def _told(connection: sqlite3.Connection, row: sqlite3.Row) -> JsonObject:
    record = whole(connection, row)
    for name in OF_THE_ARCHIVE:
        del record[name]
    return record


def _scan(row: sqlite3.Row) -> KeptScan:
    told = LastTold(row["number"], row["inspection_id"], row["entered_at"])
    return KeptScan(told, row["verdict"] or "", row["state"], row["file"], row["sha256"], row["left_column"])


def _alarm(row: sqlite3.Row) -> JsonObject:
    return {**dict(row), "latched": bool(row["latched"])}
