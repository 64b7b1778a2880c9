"""Whether the plant's database says what the cell's records say: each inspection by its hash, all else by its number.

What differs is told in words, and can be written again from the records, which are the cell's own and count.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg

from station.core.moments import stamp
from station.core.ports.feed import BEGINNING, RecordFeed
from station.core.records import JsonObject, LastTold
from station.labels.feed import count_labels
from station.plant.central.connection import one
from station.plant.central.rows import (
    DECISIONS,
    DEFECTS,
    INSPECTIONS,
    Values,
    decision_row,
    defect_rows,
    inspection_row,
)
from station.plant.central.scans import ScanStore
from station.plant.central.sending import AT_ONCE, Sending
from station.plant.central.version_1 import SCHEMA

HASHED = "encode(sha256(convert_to(record::text, 'UTF8')), 'hex')"
"""The digest of the record's text as it lies there, in the column's place."""
COMPARED = {
    "inspections": (*INSPECTIONS[:-2], HASHED, "digest"),
    "decisions": DECISIONS,
    "defects": DEFECTS,
}
RECORD = INSPECTIONS.index("record")
THERE = "SELECT {columns} FROM {schema}.{table} WHERE cell = %s AND inspection_id = ANY(%s) AND entered_at = ANY(%s)"
MONTHS = "SELECT to_char({at} AT TIME ZONE 'UTC', 'YYYY-MM'), count(*) FROM {schema}.{table} WHERE cell = %s GROUP BY 1"
COUNT_LABELS = f"SELECT count(*) FROM {SCHEMA}.labels WHERE cell = %s"  # noqa: S608  # constants
LOST_SCANS = f"""SELECT inspection_id, state FROM {SCHEMA}.scans WHERE cell = %s AND state IN ('missing', 'altered')
    ORDER BY entered_at"""  # noqa: S608  # constants
STORED = f"SELECT inspection_id, object, sha256 FROM {SCHEMA}.scans WHERE cell = %s AND state = 'stored' ORDER BY 1"  # noqa: S608
KEY = {"inspections": 3, "decisions": 3, "defects": 4}
"""So many columns tell a row from every other."""


@dataclass(slots=True)
class Verified:
    """What was found.

    Attributes:
        compared: So many inspections were compared.
        waiting: So many more are not told yet.
        objects: So many scans in the store were read.
        findings: What differs, in words.
        wrong: The inspections that differ, by their ids.
        written: So many of them were written again.
    """

    compared: int = 0
    waiting: int = 0
    objects: int = 0
    findings: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    written: int = 0


class Verifying:
    """Compares one cell's records with what the plant's database has of them. Every method blocks.

    Args:
        connection: To a database of the newest version, in autocommit.
        cell: The cell's name.
        feed: Its records.
        folder: The data folder, with the labels.

    Raises:
        psycopg.Error: From every method: the database cannot be asked.
        StationError: From every method: records or labels cannot be read.
    """

    def __init__(self, connection: psycopg.Connection, cell: str, feed: RecordFeed, folder: Path) -> None:
        self._connection = connection
        self._cell = cell
        self._feed = feed
        self._folder = folder

    def verify(self, told: LastTold, store: ScanStore | None) -> Verified:
        """Compare everything that is told.

        Args:
            told: The last inspection that is told.
            store: Whose objects are read as well; None for no object.

        Raises:
            PlantError: The store cannot be reached.
        """
        found = Verified(waiting=self._feed.waiting(told)[0])
        for records in self._told(found.waiting):
            found.compared += len(records)
            for inspection, words in self._differing(records):
                found.findings.append(words)
                found.wrong.append(inspection)
        found.findings += self._miscounted(found.waiting)
        found.findings += [
            f"{inspection}: its scan was {state} when it was to be copied"
            for inspection, state in self._connection.execute(LOST_SCANS, (self._cell,))
        ]
        if store is not None:
            self._read_objects(store, found)
        return found

    def repair(self, found: Verified, sending: Sending) -> None:
        """Write again, from the cell's records, what differs."""
        for begin in range(0, len(found.wrong), AT_ONCE):
            records = self._feed.named(found.wrong[begin : begin + AT_ONCE])
            sending.write_parts(records)
            found.written += len(records)

    def _told(self, waiting: int) -> Iterator[list[JsonObject]]:
        """What is told already, in batches."""
        left = sum(self._feed.months().values()) - waiting
        after = BEGINNING
        while left > 0 and (records := self._feed.closed(after, min(AT_ONCE, left))):
            yield records
            left -= len(records)
            after = LastTold.of(records[-1])

    def _differing(self, records: list[JsonObject]) -> Iterator[tuple[str, str]]:
        """The inspections that differ, each with what that is."""
        cell = self._cell
        wanted: dict[str, list[Values]] = {
            "inspections": [_hashed(inspection_row(cell, record)) for record in records],
            "decisions": [row for record in records if (row := decision_row(cell, record)) is not None],
            "defects": [row for record in records for row in defect_rows(cell, record)],
        }
        ids = [record["inspection_id"] for record in records]
        moments = sorted({record["entered_at"] for record in records})
        words: dict[str, list[str]] = {inspection: [] for inspection in ids}
        for table, rows in wanted.items():
            for inspection, said in _unlike(table, rows, self._there(table, ids, moments)):
                words[inspection].append(said)
        for inspection, said_of_it in words.items():
            if said_of_it:
                yield inspection, f"{inspection}: {'; '.join(said_of_it)}"

    def _there(self, table: str, ids: list[str], moments: list[str]) -> list[Values]:
        question = THERE.format(columns=", ".join(COMPARED[table]), schema=SCHEMA, table=table)
        rows = self._connection.execute(question, (self._cell, ids, moments))
        return [tuple(stamp(value) if isinstance(value, datetime) else value for value in row) for row in rows]

    def _miscounted(self, waiting: int) -> Iterator[str]:
        """Months in which the plant's database has another number of rows than the cell's records."""
        here, there = self._feed.months(), self._months("inspections", "entered_at")
        for month, more in _more(there, here):
            yield f"{month}: {more} inspections more there than in the cell's records, as after a backup was put back"
        events, told = self._feed.events_by_month(), self._months("journal", "at")
        for month, more in _more(told, events):
            yield f"{month}: {more} events more there than in the cell's records, as after a backup was put back"
        if waiting == 0:
            for month, more in _more(events, told):
                yield f"{month}: {more} events of the cell's records are not there, or not yet"
        labels, said = count_labels(self._folder), one(self._connection, COUNT_LABELS, (self._cell,))
        if labels != said:
            yield f"{labels} labels in the cell's data folder, {said} there"

    def _months(self, table: str, at: str) -> dict[str, int]:
        question = MONTHS.format(at=at, schema=SCHEMA, table=table)
        return {str(row[0]): int(row[1]) for row in self._connection.execute(question, (self._cell,))}

    def _read_objects(self, store: ScanStore, found: Verified) -> None:
        for inspection, key, sha256 in self._connection.execute(STORED, (self._cell,)).fetchall():
            found.objects += 1
            digest = store.digest(key)
            if digest != sha256:
                what = "is not in the store" if digest is None else "is not what was put there"
                found.findings.append(f"{inspection}: its scan {key} {what}")


def _hashed(row: Values) -> Values:
    """An inspection's row as it is compared: in place of the record its digest, which is the last column."""
    return (*row[:RECORD], row[-1], row[-1])


def _unlike(table: str, wanted: Iterable[Values], there: Iterable[Values]) -> Iterator[tuple[str, str]]:
    """Rows that are not as they should be: of which inspection, and what that is."""
    names, key = COMPARED[table], KEY[table]
    found = {row[:key]: row for row in there}
    for row in wanted:
        seen = found.pop(row[:key], None)
        if seen is None:
            yield str(row[1]), f"not in {table}"
            continue
        changed = [name for name, mine, theirs in zip(names, row, seen, strict=True) if mine != theirs]
        if changed:
            yield str(row[1]), f"{table}: {', '.join(_named(name) for name in changed)} differ"
    for extra in found.values():
        yield str(extra[1]), f"a row too many in {table}"


def _named(column: str) -> str:
    return "record" if column == HASHED else column


def _more(many: Mapping[str, int], few: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Months in which there are more, and by how many."""
    for month, count in sorted(many.items()):
        if count > (other := few.get(month, 0)):
            yield month, count - other
