"""Batches of a cell's records into the plant's database: what is told and how far it is told, in one transaction.

So a batch is there whole or not at all, whatever breaks meanwhile; and one that comes twice, for somebody has put an
older database back, or the cell an older backup, finds its rows there by their keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from station.core.errors import PlantError
from station.core.ports.feed import BEGINNING, NO_EVENT, LastEvent, RecordFeed
from station.core.records import LastTold
from station.labels.feed import read_labels
from station.plant.central.rows import (
    DECISIONS,
    DEFECTS,
    INSPECTIONS,
    JOURNAL,
    LABELS,
    SCANS,
    Values,
    decision_row,
    defect_rows,
    event_row,
    inspection_row,
    label_digest,
    label_row,
    months_of,
)
from station.plant.central.version_1 import KEYS, SCHEMA

AT_ONCE = 200
"""So many inspections, events or labels go into one transaction."""

COLUMNS = {
    "inspections": INSPECTIONS,
    "decisions": DECISIONS,
    "defects": DEFECTS,
    "labels": LABELS,
    "journal": JOURNAL,
    "scans": SCANS,
}
FINAL = frozenset({"labels", "journal"})
"""What never changes, so that a cell's user may not change it either."""
ENTER = f"""INSERT INTO {SCHEMA}.cells (cell, station_id) VALUES (%(cell)s, %(station)s)
    ON CONFLICT (cell) DO NOTHING"""  # noqa: S608  # constants
TAKE_OVER = f"UPDATE {SCHEMA}.cells SET station_id = %(station)s WHERE cell = %(cell)s"  # noqa: S608  # constants
KNOWN = f"""SELECT station_id, part_number, part_id, part_entered_at, event_number, event_at, label_number,
    label_digest, scan_number, scan_id, scan_entered_at FROM {SCHEMA}.cells WHERE cell = %s"""  # noqa: S608  # constants
PARTS_TOLD = f"""UPDATE {SCHEMA}.cells SET part_number = %s, part_id = %s, part_entered_at = %s, told_at = now()
    WHERE cell = %s"""  # noqa: S608  # constants
EVENTS_TOLD = f"UPDATE {SCHEMA}.cells SET event_number = %s, event_at = %s, told_at = now() WHERE cell = %s"  # noqa: S608
LABELS_TOLD = f"UPDATE {SCHEMA}.cells SET label_number = %s, label_digest = %s, told_at = now() WHERE cell = %s"  # noqa: S608
SCANS_TOLD = f"""UPDATE {SCHEMA}.cells SET scan_number = %s, scan_id = %s, scan_entered_at = %s, told_at = now()
    WHERE cell = %s"""  # noqa: S608  # constants
MAKE_MONTH = f"SELECT {SCHEMA}.make_month(%s)"


def insertion(table: str) -> str:
    """The statement by which a row comes into a table, once however often it comes."""
    columns, key = COLUMNS[table], KEYS[table]
    named, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    changed = [f"{name} = excluded.{name}" for name in columns if name not in key]
    changed += ["replicated_at = now()"] * (table == "inspections")
    action = "NOTHING" if table in FINAL else f"UPDATE SET {', '.join(changed)}"
    return f"INSERT INTO {SCHEMA}.{table} ({named}) VALUES ({places}) ON CONFLICT ({', '.join(key)}) DO {action}"  # noqa: S608


INSERTIONS = {table: insertion(table) for table in COLUMNS}


@dataclass(frozen=True, slots=True)
class Told:
    """How far a cell is told in the plant's database.

    Attributes:
        part: The last inspection.
        event: The last event.
        label: Number of the last label.
        label_digest: Which one that is.
        scan: The inspection of the last scan.
    """

    part: LastTold = BEGINNING
    event: LastEvent = NO_EVENT
    label: int = 0
    label_digest: str = ""
    scan: LastTold = BEGINNING


def told_of(connection: psycopg.Connection, cell: str) -> tuple[str, Told] | None:
    """Whose records a cell's are, and how far they are told; None where it is not known.

    Raises:
        psycopg.Error: The database cannot be asked.
    """
    row = connection.execute(KNOWN, (cell,)).fetchone()
    if row is None:
        return None
    station, *rest = row
    return str(station), Told(LastTold(*rest[:3]), LastEvent(*rest[3:5]), rest[5], rest[6], LastTold(*rest[7:]))


class Sending:
    """One connection's deliveries for one cell. Every method blocks.

    Args:
        connection: To a database of the newest version, in autocommit.
        cell: The cell's name.
        feed: Its records.
        folder: The data folder, with the labels.
    """

    def __init__(self, connection: psycopg.Connection, cell: str, feed: RecordFeed, folder: Path) -> None:
        self._connection = connection
        self._cell = cell
        self._feed = feed
        self._folder = folder
        self._months: set[str] = set()
        self.told = Told()

    def begin(self, station_id: str, *, take_over: bool) -> None:
        """Find out how far the cell is told.

        Args:
            station_id: Whose records these are.
            take_over: Whether the name is taken over from another data folder.

        Raises:
            PlantError: `plant.cell_taken`.
            psycopg.Error: The database cannot be asked.
        """
        whose = {"cell": self._cell, "station": station_id}
        with self._connection.transaction():
            self._connection.execute(ENTER, whose)
            if take_over:
                self._connection.execute(TAKE_OVER, whose)
        known = told_of(self._connection, self._cell)
        if known is None or known[0] != station_id:
            raise PlantError("plant.cell_taken", f"{self._cell!r} belongs to another data folder")
        self.told = known[1]

    def send_parts(self) -> int:
        """Tell the next inspections with their decisions and defects; how many.

        Raises:
            RecordError: The records cannot be read.
            psycopg.Error: The database did not take them.
        """
        records = self._feed.closed(self.told.part, AT_ONCE)
        if records:
            last = LastTold.of(records[-1])
            self.write_parts(records, last)
            self.told = replace(self.told, part=last)
        return len(records)

    def write_parts(self, records: Sequence[dict[str, object]], last: LastTold | None = None) -> None:
        """Write these inspections, and that they are told up to the last one; None where that stays as it is.

        Raises:
            psycopg.Error: The database did not take them.
        """
        cell = self._cell
        decisions = (row for record in records if (row := decision_row(cell, record)) is not None)
        self._prepare(str(record["entered_at"]) for record in records)
        with self._connection.transaction():
            self._write("inspections", [inspection_row(cell, record) for record in records])
            self._write("decisions", list(decisions))
            self._write("defects", [row for record in records for row in defect_rows(cell, record)])
            if last is not None:
                self._connection.execute(PARTS_TOLD, (*last, cell))

    def send_events(self) -> int:
        """Tell the next events; how many.

        Raises:
            RecordError: The records cannot be read.
            psycopg.Error: The database did not take them.
        """
        events = self._feed.events(self.told.event, AT_ONCE)
        if events:
            last = LastEvent(events[-1]["number"], events[-1]["at"])
            self._prepare(event["at"] for event in events)
            with self._connection.transaction():
                self._write("journal", [event_row(self._cell, event) for event in events])
                self._connection.execute(EVENTS_TOLD, (*last, self._cell))
            self.told = replace(self.told, event=last)
        return len(events)

    def send_labels(self) -> int:
        """Tell the next labels; how many.

        Raises:
            LabelError: The labels cannot be read.
            psycopg.Error: The database did not take them.
        """
        labels = read_labels(self._folder, self._labels_after(), AT_ONCE)
        if labels:
            number, row = labels[-1]
            self._prepare(str(one[8]) for _number, one in labels)
            with self._connection.transaction():
                self._write("labels", [label_row(self._cell, one) for _number, one in labels])
                self._connection.execute(LABELS_TOLD, (number, label_digest(row), self._cell))
            self.told = replace(self.told, label=number, label_digest=label_digest(row))
        return len(labels)

    def write_scans(self, rows: Sequence[Values], last: LastTold) -> None:
        """Write where scans lie, and that they are told up to this inspection's.

        Raises:
            psycopg.Error: The database did not take them.
        """
        self._prepare(str(row[2]) for row in rows)
        with self._connection.transaction():
            self._write("scans", rows)
            self._connection.execute(SCANS_TOLD, (*last, self._cell))
        self.told = replace(self.told, scan=last)

    def _labels_after(self) -> int:
        """Behind which number: labels that were put back have other numbers, and then all are told again."""
        if self.told.label == 0:
            return 0
        found = read_labels(self._folder, self.told.label - 1, 1)
        same = [number for number, row in found if label_digest(row) == self.told.label_digest]
        return self.told.label if same == [self.told.label] else 0

    def _prepare(self, moments: Iterable[str]) -> None:
        """Make the partitions of months that are new to this connection, before a transaction holds any of them."""
        for month in sorted(months_of(moments) - self._months):
            self._connection.execute(MAKE_MONTH, (month,))
            self._months.add(month)

    def _write(self, table: str, rows: Sequence[Values]) -> None:
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(INSERTIONS[table], rows)
