"""How brightly the parts were lit, one after the other, when the records are read: a lamp that fades is seen in it."""

from pathlib import Path

from station.core.records import JsonObject
from station.records.reading import reading

LIGHT = """SELECT i.entered_at, i.part_type, j.light_level AS level, j.light_gain AS gain
    FROM judgements j JOIN inspections i ON i.number = j.inspection
    WHERE j.light_level IS NOT NULL ORDER BY j.inspection DESC LIMIT ?"""


def read_light(folder: Path, limit: int) -> list[JsonObject]:
    """The newest parts whose light was seen, the newest first: `entered_at`, `part_type`, `level`, `gain`.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        return [dict(row) for row in connection.execute(LIGHT, (limit,))]
