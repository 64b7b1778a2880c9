"""What the parts of a type showed and came to, as a restart needs it, in SQL."""

import json
import sqlite3
from pathlib import Path

from station.core.drift.course import Drift, Watched
from station.core.drift.limits import LAST_PARTS
from station.records.reading import reading

OF_TYPE = """FROM judgements j JOIN inspections i ON i.number = j.inspection
    WHERE i.part_type = :part_type AND j.drift IS NOT NULL ORDER BY i.number DESC"""
PARTS = f"SELECT json_extract(j.drift, '$.parts') {OF_TYPE} LIMIT 1"
NEWEST = f"SELECT j.drift {OF_TYPE} LIMIT 1"
TYPES = "SELECT DISTINCT part_type FROM inspections"
HISTORY = f"SELECT j.conditions, j.drift {OF_TYPE} LIMIT :parts"


def history(connection: sqlite3.Connection, part_type: str) -> tuple[Watched, ...]:
    """The parts of a type that its bets and its last figures rest on, oldest first; none where none was watched."""
    newest = connection.execute(PARTS, {"part_type": part_type}).fetchone()
    if newest is None:
        return ()
    asked = {"part_type": part_type, "parts": int(newest[0]) + LAST_PARTS}
    rows = connection.execute(HISTORY, asked).fetchall()
    return tuple(Watched.of(json.loads(conditions), json.loads(drift)) for conditions, drift in reversed(rows))


def newest(folder: Path) -> dict[str, Drift]:
    """What the parts of each type have come to, by its name; of one that was never watched nothing.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        names = [row[0] for row in connection.execute(TYPES)]
        rows = ((name, connection.execute(NEWEST, {"part_type": name}).fetchone()) for name in names)
        return {name: Drift.of(json.loads(row[0])) for name, row in rows if row is not None}
