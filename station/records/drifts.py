"""What the parts of a type showed and came to, as a restart needs it, in SQL."""

import json
import sqlite3

from station.core.drift.course import Watched
from station.core.drift.limits import LAST_PARTS

OF_TYPE = """FROM judgements j JOIN inspections i ON i.number = j.inspection
    WHERE i.part_type = :part_type AND j.drift IS NOT NULL ORDER BY i.number DESC"""
PARTS = f"SELECT json_extract(j.drift, '$.parts') {OF_TYPE} LIMIT 1"
HISTORY = f"SELECT j.conditions, j.drift {OF_TYPE} LIMIT :parts"


def history(connection: sqlite3.Connection, part_type: str) -> tuple[Watched, ...]:
    """The parts of a type that its bets and its last figures rest on, oldest first; none where none was watched."""
    newest = connection.execute(PARTS, {"part_type": part_type}).fetchone()
    if newest is None:
        return ()
    asked = {"part_type": part_type, "parts": int(newest[0]) + LAST_PARTS}
    rows = connection.execute(HISTORY, asked).fetchall()
    return tuple(Watched.of(json.loads(conditions), json.loads(drift)) for conditions, drift in reversed(rows))
