"""`station records`: lists, shows and exports what the database of a data folder holds, as plain data.

Verdicts, places and fault codes have the names they have everywhere; moments are UTC; what is not known is None (an
empty text in a list or in CSV).
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from station.core.errors import RecordError
from station.core.records import JsonObject, ListedRecord, RecordFilter
from station.core.spreadsheet import csv_line
from station.records.reading import reading
from station.records.rows import DEEP, FLAT, SCORES, TRIED, flat, listed, scored, whole

END = "\U0010ffff"
"""Behind whatever begins alike."""
JOINED = """FROM inspections i
    LEFT JOIN judgements j ON j.inspection = i.number
    LEFT JOIN scans s ON s.inspection = i.number
    LEFT JOIN settlements t ON t.inspection = i.number
    LEFT JOIN promises p ON p.sha256 = j.promise_sha256
    WHERE (:since IS NULL OR i.entered_at >= :since)
    AND (:until IS NULL OR i.entered_at < :until)
    AND (:part_id IS NULL OR i.part_id = :part_id)
    AND (:before IS NULL OR i.number < (SELECT number FROM inspections WHERE inspection_id = :before))
    AND (:verdicts IS NULL OR i.verdict IN (SELECT value FROM json_each(:verdicts)))"""
LISTED = f"""SELECT i.inspection_id, i.entered_at, i.part_id, i.part_type, i.verdict, j.confidence, i.reason,
    i.confirmed_bin {JOINED} ORDER BY i.number DESC LIMIT :limit"""
EXPORTED_FLAT = f"SELECT {FLAT} {JOINED} ORDER BY i.number"
EXPORTED = f"SELECT {FLAT}, {DEEP} {JOINED} ORDER BY i.number"
JUDGED = f"SELECT {FLAT}, {SCORES} {JOINED} AND i.verdict IS NOT NULL ORDER BY i.number"
ARCHIVED = f"SELECT {FLAT}, {SCORES} {JOINED} AND s.state = 'archived' AND {TRIED} IS NULL ORDER BY i.number"
SPOT_CHECKED = f"SELECT {FLAT} {JOINED} AND j.reason = 'part.spot_check' ORDER BY i.number"
BEGINS_WITH = f"SELECT {FLAT}, {DEEP} {JOINED} AND i.inspection_id >= :prefix AND i.inspection_id < :end LIMIT 2"
ON_DISK = "SELECT file FROM scans WHERE state IN ('pending', 'archived') AND state = 'archived' AND sha256 = ?"
"""By the index of the scans that are on the disk."""
RECORDED_VERDICTS = "SELECT DISTINCT verdict FROM inspections WHERE verdict IS NOT NULL ORDER BY verdict"


def list_records(folder: Path, chosen: RecordFilter, limit: int) -> list[ListedRecord]:
    """The newest inspections, newest first; with neither verdict nor reason they are still in work.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        rows = connection.execute(LISTED, {**_parameters(chosen), "limit": limit}).fetchall()
    return [listed(row) for row in rows]


def show_record(folder: Path, inspection_id: str) -> JsonObject:
    """Everything that is recorded of one inspection, with the type and the configuration that it was judged by.

    Args:
        folder: The data folder.
        inspection_id: The id, or a beginning that only one id has.

    Raises:
        RecordError: `record.unknown` when no id, or more than one, begins so; or the database cannot be read.
    """
    begin = inspection_id.upper()
    with reading(folder) as connection:
        asked = {**_parameters(RecordFilter()), "prefix": begin, "end": f"{begin}{END}"}
        rows = connection.execute(BEGINS_WITH, asked).fetchall()
        if len(rows) != 1:
            found = "more than one inspection's id begins" if rows else "no inspection's id begins"
            raise RecordError("record.unknown", f"{found} with {inspection_id!r}")
        question = "SELECT settings FROM configurations WHERE sha256 = ?"
        settings = connection.execute(question, (rows[0]["config_sha256"],)).fetchone()
        return {
            **whole(connection, rows[0]),
            "part_type_settings": json.loads(rows[0]["part_type_settings"]),
            "configuration": settings and json.loads(settings[0]),
        }


def export_records(folder: Path, chosen: RecordFilter, form: Literal["csv", "json"]) -> Iterator[str]:
    """The inspections, oldest first, as pieces of one text: CSV of the flat columns, or a JSON list of whole records.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        yield from (_csv if form == "csv" else _json)(connection, chosen)


def archived_records(folder: Path) -> Iterator[JsonObject]:
    """The inspections of production whose scan is archived, oldest first: as `judged_records`.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        yield from map(scored, connection.execute(ARCHIVED, _parameters(RecordFilter())))


def judged_records(folder: Path, chosen: RecordFilter) -> Iterator[JsonObject]:
    """The inspections that have a verdict, oldest first: the flat columns, `classes` and `probabilities`.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        yield from map(scored, connection.execute(JUDGED, _parameters(chosen)))


def spot_checked_records(folder: Path, chosen: RecordFilter) -> Iterator[JsonObject]:
    """The inspections whose part would have passed and was drawn to be looked at, oldest first: the flat columns.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        yield from map(flat, connection.execute(SPOT_CHECKED, _parameters(chosen)))


def find_scan(folder: Path, sha256: str) -> str:
    """Where in the data folder the archived scan of this hash lies.

    Raises:
        RecordError: `record.unknown` when there is none; or the database cannot be read.
    """
    with reading(folder) as connection:
        row = connection.execute(ON_DISK, (sha256,)).fetchone()
    if row is None:
        raise RecordError("record.unknown", f"the archive has no scan with the hash {sha256!r}")
    return str(row["file"])


def recorded_verdicts(folder: Path) -> list[str]:
    """The names of all verdicts that any inspection has, in the order of the alphabet.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        return [row[0] for row in connection.execute(RECORDED_VERDICTS)]


def _parameters(chosen: RecordFilter) -> dict[str, str | int | None]:
    """The filter as the questions to the database have it."""
    verdicts = json.dumps(chosen.verdicts) if chosen.verdicts else None
    return {
        "since": chosen.since, "until": chosen.until, "verdicts": verdicts, "part_id": chosen.part_id,
        "before": chosen.before,
    }  # fmt: skip


def _csv(connection: sqlite3.Connection, chosen: RecordFilter) -> Iterator[str]:
    rows = connection.execute(EXPORTED_FLAT, _parameters(chosen))
    yield csv_line(column[0] for column in rows.description)
    for row in rows:
        yield csv_line(flat(row).values())


def _json(connection: sqlite3.Connection, chosen: RecordFilter) -> Iterator[str]:
    separator = "[\n"
    for row in connection.execute(EXPORTED, _parameters(chosen)):
        yield separator + json.dumps(whole(connection, row), allow_nan=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"
