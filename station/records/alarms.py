"""The alarms in the database: written as they change, listed, and looked up later.

What writes works inside the caller's transaction; what answers `station alarms` reads a data folder by itself.
"""

import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

from station.core.alarms import Alarm, alarm_row
from station.core.errors import FAULTS
from station.core.moments import moment, stamp
from station.core.records import AlarmFilter, JsonObject
from station.records.reading import reading

CHANGE = """UPDATE alarms SET detail = :detail, latched = :latched, count = :count, raised_at = :raised_at,
    last_at = :last_at, cleared_at = :cleared_at, acknowledged_at = :acknowledged_at,
    acknowledged_by = :acknowledged_by WHERE code = :code AND (cleared_at IS NULL OR acknowledged_at IS NULL)"""
ADD = """INSERT INTO alarms (code, detail, latched, count, raised_at, last_at, cleared_at, acknowledged_at,
    acknowledged_by) SELECT :code, :detail, :latched, :count, :raised_at, :last_at, :cleared_at, :acknowledged_at,
    :acknowledged_by WHERE NOT EXISTS (SELECT 1 FROM alarms WHERE code = :code AND raised_at = :raised_at
    AND last_at = :last_at AND cleared_at = :cleared_at AND acknowledged_at = :acknowledged_at)"""
ALARMS = """SELECT code, detail, latched, count, raised_at, last_at, cleared_at, acknowledged_at, acknowledged_by
    FROM alarms"""
ON_THE_LIST = f"{ALARMS} WHERE cleared_at IS NULL OR acknowledged_at IS NULL ORDER BY last_at, alarm_id"
NEWEST = f"""{ALARMS} WHERE (:text IS NULL OR instr(code, :text))
    AND (:since IS NULL OR last_at >= :since) AND (:until IS NULL OR raised_at < :until)
    ORDER BY last_at DESC, alarm_id DESC LIMIT :limit"""


def keep(connection: sqlite3.Connection, alarm: Alarm) -> None:
    """Write an alarm as it stands; harmless when that is written already."""
    row = {
        "code": alarm.fault.code,
        "detail": alarm.detail,
        "latched": alarm.latched,
        "count": alarm.count,
        "raised_at": stamp(alarm.raised_at),
        "last_at": stamp(alarm.last_at),
        "cleared_at": alarm.cleared_at and stamp(alarm.cleared_at),
        "acknowledged_at": alarm.acknowledged_at and stamp(alarm.acknowledged_at),
        "acknowledged_by": alarm.acknowledged_by,
    }
    if connection.execute(CHANGE, row).rowcount == 0:
        connection.execute(ADD, row)


def listed(connection: sqlite3.Connection) -> list[Alarm]:
    """The alarms on the list, the one raised last at the end; of faults that this version still knows."""
    return [_alarm(row) for row in connection.execute(ON_THE_LIST) if row[0] in FAULTS]


def read_listed(folder: Path) -> list[JsonObject]:
    """The alarms on the list of a data folder, the newest first.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        return [alarm_row(alarm) for alarm in reversed(listed(connection))]


def read_history(folder: Path, limit: int, chosen: AlarmFilter) -> list[JsonObject]:
    """The alarms that there ever were, the newest first.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        rows = connection.execute(NEWEST, {**asdict(chosen), "limit": limit})
        return [alarm_row(_alarm(row)) for row in rows if row[0] in FAULTS]


def _alarm(row: tuple[Any, ...]) -> Alarm:
    code, detail, latched, count, raised_at, last_at, cleared_at, acknowledged_at, by = row
    return Alarm(
        fault=FAULTS[code],
        detail=detail,
        latched=bool(latched),
        count=count,
        raised_at=moment(raised_at),
        last_at=moment(last_at),
        cleared_at=cleared_at and moment(cleared_at),
        acknowledged_at=acknowledged_at and moment(acknowledged_at),
        acknowledged_by=by,
    )
