"""Whether the plant's database says what the cell's records say: each row by its columns, each record by its hash.

What differs is told in words, and can be written again from the records, which are the cell's own and count. However
much there is, only a batch of it is looked at at a time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import psycopg

from station.core.moments import stamp
from station.core.ports.feed import BEGINNING, NO_ALARM, NO_EVENT, KeptScan, LastAlarm, LastEvent, RecordFeed
from station.core.records import JsonObject, LastTold
from station.labels.feed import count_labels, read_labels
from station.plant.central.connection import one
from station.plant.central.rows import (
    INSPECTIONS,
    LOST,
    SCAN_STATE,
    SCANS,
    Values,
    alarm_row,
    decision_row,
    defect_rows,
    event_row,
    inspection_row,
    label_row,
    scan_row,
)
from station.plant.central.scans import Copying, ScanStore
from station.plant.central.sending import AT_ONCE, COLUMNS, FINAL, Sending, labels_reached
from station.plant.central.version_1 import SCHEMA
from station.plant.central.version_2 import KEYS

IS_THERE = "SELECT to_regclass(%s)"
T = TypeVar("T")
L = TypeVar("L", LastTold, LastEvent, LastAlarm)

HASHED = "encode(sha256(convert_to(record::text, 'UTF8')), 'hex')"
"""The digest of the record's text as it lies there, in the column's place."""
COMPARED: Mapping[str, tuple[str, ...]] = {**COLUMNS, "inspections": (*INSPECTIONS[:-2], HASHED, "digest")}
RECORD = INSPECTIONS.index("record")
WHOLE = frozenset({"inspections", "decisions", "defects"})
"""Where a part has no row but those that its record makes."""
THERE = "SELECT {columns} FROM {schema}.{table} WHERE cell = %s AND {key} = ANY(%s) AND {at} = ANY(%s)"
COUNTED = """SELECT to_char({at} AT TIME ZONE 'UTC', 'YYYY-MM'), count(*) FROM {schema}.{table} WHERE cell = %s
    GROUP BY 1"""
COUNT_LABELS = f"SELECT count(*) FROM {SCHEMA}.labels WHERE cell = %s"  # noqa: S608  # constants
STORED = f"""SELECT entered_at, inspection_id, object, sha256 FROM {SCHEMA}.scans
    WHERE cell = %s AND state = 'stored' AND (entered_at, inspection_id) > (%s, %s)
    ORDER BY entered_at, inspection_id LIMIT %s"""  # noqa: S608  # constants
FIRST_MOMENT = "-infinity"
MOST_TOLD = 20
"""So many differences are told one by one; the others are counted."""
ONE = {"journal": "event", "alarms": "alarm", "labels": "label"}
MISSING = "not in"
MORE_THERE = "more there than in the cell's records, as after a backup was put back"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done beside the comparison.

    Attributes:
        since: Nothing is compared that is older than this month, as `2026-05`; empty for all.
        objects: Whether every scan in the store is read as well.
        repair: Whether what differs is written again. Labels and events can only be added again: who may write them
            may not change them.
    """

    since: str = ""
    objects: bool = False
    repair: bool = False


EVERYTHING = Asked()
"""Compared, and nothing beside."""


@dataclass(slots=True)
class Verified:
    """What was found.

    Attributes:
        compared: So many inspections were compared.
        waiting: So many more are not told yet.
        objects: So many scans in the store were read.
        differences: So much differs.
        findings: What differs, in words, as far as `MOST_TOLD`.
        written: So many rows, or inspections with all of theirs, were written again.
        gone: How many rows the cell's records have for partitions that are not there any more, by their names.
    """

    compared: int = 0
    waiting: int = 0
    objects: int = 0
    differences: int = 0
    findings: list[str] = field(default_factory=list)
    written: int = 0
    gone: Counter[str] = field(default_factory=Counter)

    def tell(self, words: str) -> None:
        """One more difference."""
        self.differences += 1
        if len(self.findings) < MOST_TOLD:
            self.findings.append(words)


class Verifying:
    """Compares one cell's records with what the plant's database has of them. Every method blocks.

    Args:
        connection: To a database whose tables this program may write, in autocommit.
        cell: The cell's name.
        feed: Its records.
        folder: The data folder, with the labels.
        sending: What knows how far the cell is told, and writes what is written again.
        store: The store for scans; None where nothing of it is read or copied.

    Raises:
        psycopg.Error: From every method: the database cannot be asked.
        StationError: From every method: records, labels or archive cannot be read, or the store cannot be reached.
    """

    def __init__(
        self, connection: psycopg.Connection, cell: str, feed: RecordFeed, folder: Path, sending: Sending,
        store: ScanStore | None = None,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._cell = cell
        self._feed = feed
        self._folder = folder
        self._sending = sending
        self._store = store
        self._asked = Asked()
        self._found = Verified()
        self._partitions: dict[str, bool] = {}

    def verify(self, asked: Asked = EVERYTHING) -> Verified:
        """Compare everything that is told."""
        told = self._sending.told
        self._asked, self._found = asked, Verified(waiting=self._feed.waiting(told.part)[0])
        self._compare_parts()
        for events in _batches(self._feed.events, NO_EVENT, _last_event, self._feed.reached_event(told.event)):
            self._compare("journal", [event_row(self._cell, event) for event in events])
        for alarms in _batches(self._feed.alarms, NO_ALARM, _last_alarm, self._feed.reached_alarm(told.alarm)):
            self._compare("alarms", [alarm_row(self._cell, alarm) for alarm in alarms])
        for labels in self._labels():
            self._compare("labels", labels)
        self._compare_scans()
        for partition, count in sorted(self._found.gone.items()):
            self._found.tell(f"{partition} is not there any more; the cell's records have {count} rows of it")
        self._count()
        if asked.objects and self._store is not None:
            self._read_objects(self._store)
        return self._found

    def _is_wanted(self, table: str, at: object) -> bool:
        """Whether a row is compared: not one of a month that is not asked for, or that somebody has removed there."""
        month = str(at)[: len("2026-05")]
        if month < self._asked.since:
            return False
        name = f"{table}_{month.replace('-', '_')}"
        if name not in self._partitions:
            self._partitions[name] = one(self._connection, IS_THERE, (f"{SCHEMA}.{name}",)) is not None
        self._found.gone.update([name] * (not self._partitions[name]))
        return self._partitions[name]

    # ------------------------------------------------------------------ inspections, with decisions and defects

    def _compare_parts(self) -> None:
        found = self._found
        for batch in _batches(
            self._feed.closed, BEGINNING, LastTold.of, self._feed.reached(self._sending.told.part)
        ):  # fmt: skip
            records = [record for record in batch if self._is_wanted("inspections", record["entered_at"])]
            found.compared += len(records)
            wrong = dict(self._differing(records))
            for inspection, words in wrong.items():
                found.tell(f"{inspection}: {words}")
            if wrong and self._asked.repair:
                self._sending.write_parts([record for record in records if record["inspection_id"] in wrong])
                found.written += len(wrong)

    def _differing(self, records: list[JsonObject]) -> Iterator[tuple[str, str]]:
        """The inspections that differ, each with what that is."""
        cell = self._cell
        wanted: dict[str, list[Values]] = {
            "inspections": [_hashed(inspection_row(cell, record)) for record in records],
            "decisions": [row for record in records if (row := decision_row(cell, record)) is not None],
            "defects": [row for record in records for row in defect_rows(cell, record)],
        }
        keys = [(record["inspection_id"], record["entered_at"]) for record in records]
        words: dict[str, list[str]] = {str(inspection): [] for inspection, _entered_at in keys}
        for table, rows in wanted.items():
            for row, said in _unlike(table, rows, self._there(table, keys)):
                words[str(row[1])].append(said)
        yield from ((inspection, "; ".join(said)) for inspection, said in words.items() if said)

    # ------------------------------------------------------------------ events, alarms, labels, scans

    def _compare(self, table: str, rows: Sequence[Values]) -> None:
        """Compare rows of one table, and write again what differs."""
        key, at = (COLUMNS[table].index(name) for name in KEYS[table][1:3])
        wanted = [row for row in rows if self._is_wanted(table, row[at])]
        wrong = list(_unlike(table, wanted, self._there(table, [(row[key], row[at]) for row in wanted])))
        for row, said in wrong:
            self._found.tell(f"{ONE[table]} {row[key]} of {row[at]}: {said}")
        if self._asked.repair and wrong:
            self._sending.write(table, [row for row, _said in wrong])
            self._found.written += sum(table not in FINAL or said.startswith(MISSING) for _row, said in wrong)

    def _labels(self) -> Iterator[list[Values]]:
        """The rows of the labels that are told, in batches."""
        reached, number = labels_reached(self._folder, self._sending.told), 0
        while number < reached and (labels := read_labels(self._folder, number, AT_ONCE)):
            yield [label_row(self._cell, row) for one_number, row in labels if one_number <= reached]
            number = labels[-1][0]

    def _compare_scans(self) -> None:
        """Every scan that is told has its row, and one that was lost on the way is said; it may be there again."""
        reached = self._feed.reached(self._sending.told.scan)
        for batch in _batches(self._feed.scans, BEGINNING, _last_scan, reached):
            scans = [scan for scan in batch if self._is_wanted("scans", scan.told.entered_at)]
            keys = [(scan.told.inspection_id, scan.told.entered_at) for scan in scans]
            there = {row[1]: dict(zip(SCANS, row, strict=True)) for row in self._there("scans", keys)}
            for scan in scans:
                if said := _wrong_scan(scan, there.get(scan.told.inspection_id)):
                    self._found.tell(f"{scan.told.inspection_id}: {said}")
                    if self._asked.repair:
                        self._copy_again(scan)

    def _copy_again(self, scan: KeptScan) -> None:
        """Copy a scan once more, if there is a store, and say what became of it."""
        if scan.state != "archived":
            self._sending.write("scans", [scan_row(self._cell, scan, scan.state, None, None)])
            self._found.written += 1
        elif self._store is not None:
            row = Copying(self._store, self._cell, self._folder).copied(scan)
            self._sending.write("scans", [row])
            self._found.written += row[SCAN_STATE] == "stored"

    # ------------------------------------------------------------------ what is there and not here, and the store

    def _count(self) -> None:
        """Months of which there is more there than here. It is counted there first: a cell at work only adds."""
        for what, table, at, count in (
            ("inspections", "inspections", "entered_at", self._feed.months),
            ("events", "journal", "at", self._feed.events_by_month),
        ):
            question = COUNTED.format(at=at, schema=SCHEMA, table=table)
            there = {str(month): int(rows) for month, rows in self._connection.execute(question, (self._cell,))}
            for month, more in _more(there, count()):
                if month >= self._asked.since:
                    self._found.tell(f"{month}: {more} {what} {MORE_THERE}")
        labels = int(one(self._connection, COUNT_LABELS, (self._cell,)))
        if (more := labels - count_labels(self._folder)) > 0:
            self._found.tell(f"{more} labels {MORE_THERE}")

    def _read_objects(self, store: ScanStore) -> None:
        """Read every object of the cell in the store."""
        since = self._asked.since
        after: tuple[object, str] = (f"{since}-01T00:00:00Z" if since else FIRST_MOMENT, "")
        while rows := self._connection.execute(STORED, (self._cell, *after, AT_ONCE)).fetchall():
            for _entered_at, inspection, key, sha256 in rows:
                self._found.objects += 1
                if (digest := store.digest(key)) != sha256:
                    what = "is not in the store" if digest is None else "is not what was put there"
                    self._found.tell(f"{inspection}: its scan {key} {what}")
                    if self._asked.repair:
                        self._put_again(str(inspection))
            after = (rows[-1][0], rows[-1][1])

    def _put_again(self, inspection: str) -> None:
        """Put a scan into the store again, where the archive has it still; else its row stays, as it was there once."""
        for scan in self._feed.scans_named([inspection]):
            if scan.state == "archived":
                self._copy_again(scan)

    def _there(self, table: str, keys: Sequence[tuple[object, object]]) -> list[Values]:
        """The rows of a table with these keys."""
        _cell, key, at = KEYS[table][:3]
        question = THERE.format(columns=", ".join(COMPARED[table]), schema=SCHEMA, table=table, key=key, at=at)
        ids, moments = [one_key for one_key, _at in keys], sorted({str(moment) for _key, moment in keys})
        rows = self._connection.execute(question, (self._cell, ids, moments))
        return [tuple(stamp(value) if isinstance(value, datetime) else value for value in row) for row in rows]


def _batches(read: Callable[[L, int], list[T]], after: L, last: Callable[[T], L], reached: int) -> Iterator[list[T]]:
    """What is told, in batches: up to the number that was reached."""
    while after[0] < reached and (batch := read(after, AT_ONCE)):
        if told := [one for one in batch if last(one)[0] <= reached]:
            yield told
        after = last(batch[-1])


def _last_event(event: JsonObject) -> LastEvent:
    return LastEvent(event["number"], event["at"])


def _last_alarm(alarm: JsonObject) -> LastAlarm:
    return LastAlarm(alarm["number"], alarm["raised_at"])


def _last_scan(scan: KeptScan) -> LastTold:
    return scan.told


def _hashed(row: Values) -> Values:
    """An inspection's row as it is compared: in place of the record its digest, which is the last column."""
    return (*row[:RECORD], row[-1], row[-1])


def _unlike(table: str, wanted: Iterable[Values], there: Iterable[Values]) -> Iterator[tuple[Values, str]]:
    """Rows that are not as they should be, each with what that is."""
    names = COMPARED[table]
    key = [names.index(name) for name in KEYS[table]]
    found = {tuple(row[place] for place in key): row for row in there}
    for row in wanted:
        seen = found.pop(tuple(row[place] for place in key), None)
        if seen is None:
            yield row, f"{MISSING} {table}"
            continue
        changed = [name for name, mine, theirs in zip(names, row, seen, strict=True) if mine != theirs]
        if changed:
            yield row, f"{table}: {', '.join(_named(name) for name in changed)} differ"
    if table in WHOLE:
        yield from ((extra, f"a row too many in {table}") for extra in found.values())


def _wrong_scan(scan: KeptScan, row: Mapping[str, object] | None) -> str:
    """What is wrong with the row of a scan; nothing where it is well. What is stored may be in the archive no more."""
    if row is None:
        return f"{MISSING} scans"
    if row["state"] in LOST:
        return f"its scan was {row['state']} when it was to be copied"
    wanted = {
        "class": scan.verdict, "left_column": scan.left_column,
        "sha256": scan.sha256, "state": "stored" if row["state"] == "stored" else scan.state,
    }  # fmt: skip
    changed = [name for name, value in wanted.items() if row[name] != value]
    return f"scans: {', '.join(changed)} differ" if changed else ""


def _named(column: str) -> str:
    return "record" if column == HASHED else column


def _more(many: Mapping[str, int], few: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Months in which there are more, and by how many."""
    for month, count in sorted(many.items()):
        if count > (other := few.get(month, 0)):
            yield month, count - other
