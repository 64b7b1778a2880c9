"""`station records`: lists, shows and exports what the database of a data folder holds, as plain data.

Verdicts, places and fault codes have the names they have everywhere; moments are UTC; what is not known is None (an
empty text in a list or in CSV).
"""

import csv
import io
import json
import math
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import numpy as np

from station.core.classes import Destination, SurfaceClass, Verdict
from station.core.errors import ConfigError, RecordError
from station.core.timeline import MoveTimes
from station.records.moments import moment, stamp
from station.records.reading import reading

JsonObject = dict[str, Any]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With one of these begins what spreadsheets compute, or send somewhere, when they open a CSV file."""

JOINED = """FROM inspections i
    LEFT JOIN judgements j ON j.inspection = i.number
    LEFT JOIN scans s ON s.inspection = i.number
    LEFT JOIN settlements t ON t.inspection = i.number
    WHERE (:since IS NULL OR i.entered_at >= :since)
    AND (:until IS NULL OR i.entered_at < :until)
    AND (:part_id IS NULL OR i.part_id = :part_id)
    AND (:verdicts IS NULL OR instr(:verdicts, ',' || i.verdict || ','))"""
LISTED = f"""SELECT i.inspection_id, i.entered_at, i.part_id, i.part_type, i.verdict, j.confidence, i.reason,
    i.confirmed_bin {JOINED} ORDER BY i.number DESC LIMIT :limit"""
FLAT = """i.inspection_id, i.number, i.part_id, i.part_type, i.part_sequence, i.state, i.verdict, j.algorithm1,
    i.reason, i.detail, j.confidence, j.deciding_patch, j.defect_patches, i.destination, i.confirmed_bin,
    j.inspection IS NOT NULL AND j.scan_fault IS NULL AS scan_valid,
    i.entered_at, i.judged_at, i.interrupted_at, i.sorted_at, i.lost_at, i.withdrawn_at, j.ms_after_last_line,
    j.model, j.model_sha256, j.config_sha256,
    j.lines_expected, j.lines_delivered, j.blocks, j.frame_ids, j.discarded_blocks, j.scan_fault, j.scan_detail,
    j.roi_left, j.roi_right, s.state AS scan_state, CASE s.state WHEN 'archived' THEN s.file END AS scan_file,
    s.sha256 AS scan_sha256, s.left_column AS scan_left, s.detail AS scan_archive_detail"""
DEEP = """i.part_type_settings, j.probabilities, j.times_ns, j.features, j.verdict AS judged_verdict,
    j.reason AS judged_reason, j.detail AS judged_detail, t.plc_sent_ns, t.plc_acknowledged_ns, t.committed_ns"""
EXPORTED_FLAT = f"SELECT {FLAT} {JOINED} ORDER BY i.number"
EXPORTED = f"SELECT {FLAT}, {DEEP} {JOINED} ORDER BY i.number"
BEGINS_WITH = f"SELECT {FLAT}, {DEEP} {JOINED} AND substr(i.inspection_id, 1, length(:prefix)) = :prefix LIMIT 2"
ORDERS = """SELECT device, number, verb, argument, issued_at, acknowledged_at, done_at, confirmed, result
    FROM orders WHERE inspection = ? ORDER BY order_id"""
LAST_MOVE = """SELECT issued_ns, done_ns FROM orders WHERE inspection = ? AND device = ? AND verb = ?
    ORDER BY order_id DESC LIMIT 1"""
SETTLED = ("plc_sent", "plc_acknowledged", "committed")
LINES = {
    "expected": "lines_expected",
    "delivered": "lines_delivered",
    "blocks": "blocks",
    "frame_ids": "frame_ids",
    "discarded_blocks": "discarded_blocks",
    "fault": "scan_fault",
    "detail": "scan_detail",
}


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which inspections are asked for; None or nothing for all.

    Attributes:
        since: Entered at this moment or later, as `station.records.moments` writes it.
        until: Entered before this moment.
        verdicts: With one of these final verdicts, by name.
        part_id: Of this part.
    """

    since: str | None = None
    until: str | None = None
    verdicts: tuple[str, ...] = ()
    part_id: str | None = None

    @classmethod
    def parse(cls, since: str | None, until: str | None, verdicts: Iterable[str], part_id: str | None) -> Self:
        """The filter that a command line asks for; a time without a zone is UTC.

        Raises:
            ConfigError: No time, or no verdict.
        """
        known = [verdict.label for verdict in Verdict]
        asked = tuple(verdicts)
        if unknown := [name for name in asked if name not in known]:
            raise ConfigError("config.bad_option", f"no verdict: {', '.join(unknown)}; verdicts are {', '.join(known)}")
        return cls(_time(since), _time(until), asked, part_id)

    def as_parameters(self) -> dict[str, str | int | None]:
        """The filter as the questions to the database have it."""
        verdicts = f",{','.join(self.verdicts)}," if self.verdicts else None
        return {"since": self.since, "until": self.until, "verdicts": verdicts, "part_id": self.part_id}


class ListedRecord(NamedTuple):
    """One line of the list, all of it text."""

    inspection_id: str
    entered_at: str
    part_id: str
    part_type: str
    verdict: str
    confidence: str
    reason: str
    confirmed_bin: str


def list_records(folder: Path, chosen: RecordFilter, limit: int) -> list[ListedRecord]:
    """The newest inspections, newest first; with neither verdict nor reason they are still in work.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    with reading(folder) as connection:
        rows = connection.execute(LISTED, {**chosen.as_parameters(), "limit": limit}).fetchall()
    return [_listed(row) for row in rows]


def show_record(folder: Path, inspection_id: str) -> JsonObject:
    """Everything that is recorded of one inspection, with the type and the configuration that it was judged by.

    Args:
        folder: The data folder.
        inspection_id: The id, or a beginning that only one id has.

    Raises:
        RecordError: `record.unknown` when no id, or more than one, begins so; or the database cannot be read.
    """
    with reading(folder) as connection:
        asked = {**RecordFilter().as_parameters(), "prefix": inspection_id.upper()}
        rows = connection.execute(BEGINS_WITH, asked).fetchall()
        if len(rows) != 1:
            found = "more than one inspection's id begins" if rows else "no inspection's id begins"
            raise RecordError("record.unknown", f"{found} with {inspection_id!r}")
        question = "SELECT settings FROM configurations WHERE sha256 = ?"
        settings = connection.execute(question, (rows[0]["config_sha256"],)).fetchone()
        return {
            **_record(connection, rows[0]),
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


def _csv(connection: sqlite3.Connection, chosen: RecordFilter) -> Iterator[str]:
    rows = connection.execute(EXPORTED_FLAT, chosen.as_parameters())
    yield _csv_line(column[0] for column in rows.description)
    for row in rows:
        yield _csv_line(_flat(row).values())


def _csv_line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(_harmless, values))
    return line.getvalue()


def _harmless(value: object) -> object:
    """A value for a table; a text that a spreadsheet would take for a formula stands behind an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _json(connection: sqlite3.Connection, chosen: RecordFilter) -> Iterator[str]:
    separator = "[\n"
    for row in connection.execute(EXPORTED, chosen.as_parameters()):
        yield separator + json.dumps(_record(connection, row), allow_nan=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _listed(row: sqlite3.Row) -> ListedRecord:
    texts: dict[str, str] = {name: "" if row[name] is None else str(row[name]) for name in ListedRecord._fields}
    if row["confidence"] is not None:
        texts["confidence"] = f"{row['confidence']:.4f}"
    return ListedRecord(**texts)


def _flat(row: sqlite3.Row) -> JsonObject:
    return {**{name: row[name] for name in row.keys()}, "scan_valid": bool(row["scan_valid"])}  # noqa: SIM118  # a Row


def _record(connection: sqlite3.Connection, row: sqlite3.Row) -> JsonObject:
    flat = _flat(row)
    deep = {name: flat.pop(name) for name in ("part_type_settings", "probabilities", "times_ns", "features")}
    judged = {name: flat.pop(f"judged_{name}") for name in ("verdict", "reason", "detail")}
    left, right = flat.pop("roi_left"), flat.pop("roi_right")
    lines = {name: flat.pop(column) for name, column in LINES.items()}
    settled = {name: flat.pop(f"{name}_ns") for name in SETTLED}
    seen = deep["probabilities"] is not None
    return {
        **flat,
        "judgement": judged if seen else None,
        "lines": {**lines, "frame_ids": json.loads(lines["frame_ids"])} if seen else None,
        "roi": None if left is None else {"left": left, "right": right},
        "classes": [surface.label for surface in SurfaceClass],
        "probabilities": _probabilities(deep["probabilities"]),
        "orders": [_order(order) for order in connection.execute(ORDERS, (row["number"],))],
        "features": json.loads(deep["features"]) if seen else None,
        "times_ns": _times(connection, row, json.loads(deep["times_ns"]), settled) if seen else None,
    }


def _times(
    connection: sqlite3.Connection, row: sqlite3.Row, until_decided: dict[str, int], settled: dict[str, int | None]
) -> dict[str, int]:
    """The whole deadline ledger by name, as far as it is known; see `station.core.timeline`."""
    after = {name: at for name, at in settled.items() if at is not None}
    stop = connection.execute(LAST_MOVE, (row["number"], "jig", "stop")).fetchone()
    unload = connection.execute(LAST_MOVE, (row["number"], "robot", "unload")).fetchone()
    moves = MoveTimes(*(stop or (None, None)), *(unload or (None, None)))
    return {**until_decided, **after, **moves.flat()}


def _order(row: sqlite3.Row) -> JsonObject:
    place = row["confirmed"]
    return {**dict(row), "confirmed": _place(place) if place else None}


def _place(code: int) -> str | int:
    """The place's name, or the number that the robot gave if no place has it."""
    return Destination(code).label if code in set(Destination) else code


def _probabilities(stored: bytes | None) -> list[list[float | None]]:
    rows = np.frombuffer(stored or b"", "<f4").reshape(-1, len(SurfaceClass)).tolist()
    return [[value if math.isfinite(value) else None for value in row] for row in rows]


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return stamp(moment(text))
    except ValueError as error:
        raise ConfigError("config.bad_option", f"{text!r} is no time; write it as 2026-05-01T06:00") from error
