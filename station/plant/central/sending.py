"""Batches of a cell's records into the plant's database: what is told and how far it is told, in one transaction.

So a batch is there whole or not at all, whatever breaks meanwhile; and one that comes twice, for somebody has put an
older database back, or the cell an older backup, finds its rows there by their keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from station.core.errors import PlantError
from station.core.ports.feed import BEGINNING, NO_ALARM, NO_EVENT, LastAlarm, LastEvent, RecordFeed
from station.core.records import JsonObject, LastTold
from station.labels.feed import read_labels
from station.plant.central.rows import (
    ALARMS,
    DECISIONS,
    DEFECTS,
    INSPECTIONS,
    JOURNAL,
    LABELS,
    SCANS,
    Values,
    alarm_row,
    decision_row,
    defect_rows,
    event_row,
    inspection_row,
    label_digest,
    label_row,
    months_of,
)
from station.plant.central.version_1 import SCHEMA
from station.plant.central.version_2 import KEYS

AT_ONCE = 200
"""So many inspections, events, alarms or labels go into one transaction."""

COLUMNS = {
    "inspections": INSPECTIONS,
    "decisions": DECISIONS,
    "defects": DEFECTS,
    "labels": LABELS,
    "journal": JOURNAL,
    "scans": SCANS,
    "alarms": ALARMS,
}
FINAL = frozenset({"labels", "journal"})
"""What never changes, so that a cell's user may not change it either."""
ENTER = f"""INSERT INTO {SCHEMA}.cells (cell, station_id) VALUES (%(cell)s, %(station)s)
    ON CONFLICT (cell) DO NOTHING"""  # noqa: S608  # constants
TAKE_OVER = f"UPDATE {SCHEMA}.cells SET station_id = %(station)s WHERE cell = %(cell)s"  # noqa: S608  # constants
KNOWN = f"""SELECT station_id, part_number, part_id, part_entered_at, event_number, event_at, label_number,
    label_digest, scan_number, scan_id, scan_entered_at, alarm_number, alarm_raised_at
    FROM {SCHEMA}.cells WHERE cell = %s"""  # noqa: S608  # constants
REACHED = f"UPDATE {SCHEMA}.cells SET {{places}}, told_at = now() WHERE cell = %s AND station_id = %s"  # noqa: S608
PARTS_TOLD = REACHED.format(places="part_number = %s, part_id = %s, part_entered_at = %s")
EVENTS_TOLD = REACHED.format(places="event_number = %s, event_at = %s")
LABELS_TOLD = REACHED.format(places="label_number = %s, label_digest = %s")
SCANS_TOLD = REACHED.format(places="scan_number = %s, scan_id = %s, scan_entered_at = %s")
ALARMS_TOLD = REACHED.format(places="alarm_number = %s, alarm_raised_at = %s")
STANDING = f"""SELECT alarm_id FROM {SCHEMA}.alarms
    WHERE cell = %s AND (cleared_at IS NULL OR acknowledged_at IS NULL)"""  # noqa: S608  # constants
MAKE_MONTH = f"SELECT {SCHEMA}.make_month(%s)"


def insertion(table: str) -> str:
    """The statement by which a row comes into a table, once however often it comes.

    One that is there word for word is left alone: records that are told anew from their beginning cost no writing.
    """
    columns, key = COLUMNS[table], KEYS[table]
    named, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    others = [name for name in columns if name not in key]
    changed = [f"{name} = excluded.{name}" for name in others] + ["replicated_at = now()"] * (table == "inspections")
    mine, theirs = (", ".join(_comparable(side, name) for name in others) for side in ("there", "excluded"))
    update = f"UPDATE SET {', '.join(changed)} WHERE ({mine}) IS DISTINCT FROM ({theirs})"
    action = "NOTHING" if table in FINAL else update
    return f"""INSERT INTO {SCHEMA}.{table} AS there ({named}) VALUES ({places})
        ON CONFLICT ({", ".join(key)}) DO {action}"""  # noqa: S608  # constants


def _comparable(side: str, column: str) -> str:
    """A column as it can be compared: JSON only as the text that was written."""
    return f"{side}.{column}::text" if column == "record" else f"{side}.{column}"


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
        alarm: The last alarm, as it stood then.
    """

    part: LastTold = BEGINNING
    event: LastEvent = NO_EVENT
    label: int = 0
    label_digest: str = ""
    scan: LastTold = BEGINNING
    alarm: LastAlarm = NO_ALARM


def told_of(connection: psycopg.Connection, cell: str) -> tuple[str, Told] | None:
    """Whose records a cell's are, and how far they are told; None where it is not known.

    Raises:
        psycopg.Error: The database cannot be asked.
    """
    row = connection.execute(KNOWN, (cell,)).fetchone()
    if row is None:
        return None
    station, *rest = row
    told = Told(
        LastTold(*rest[:3]), LastEvent(*rest[3:5]), rest[5], rest[6], LastTold(*rest[7:10]), LastAlarm(*rest[10:])
    )
    return str(station), told


def labels_reached(folder: Path, told: Told) -> int:
    """Up to which number the labels are told: those that were put back have other numbers, and then none of them is.

    Raises:
        LabelError: The labels cannot be read.
    """
    found = read_labels(folder, told.label - 1, 1) if told.label else []
    same = [number for number, row in found if label_digest(row) == told.label_digest]
    return told.label if same == [told.label] else 0


class Sending:
    """One connection's deliveries for one cell. Every method blocks.

    Args:
        connection: To a database whose tables this program may write, in autocommit.
        cell: The cell's name.
        feed: Its records.
        folder: The data folder, with the labels.
        station_id: Whose records these are.
    """

    def __init__(
        self, connection: psycopg.Connection, cell: str, feed: RecordFeed, folder: Path, station_id: str
    ) -> None:
        self._connection = connection
        self._cell = cell
        self._feed = feed
        self._folder = folder
        self._station = station_id
        self._months: set[str] = set()
        self._standing: dict[int, Values | None] = {}
        self.told = Told()

    def begin(self, *, take_over: bool) -> None:
        """Enter the cell, and find out how far it is told.

        Args:
            take_over: Whether the name is taken over from another data folder.

        Raises:
            PlantError: `plant.cell_taken`.
            psycopg.Error: The database cannot be asked.
        """
        whose = {"cell": self._cell, "station": self._station}
        with self._connection.transaction():
            self._connection.execute(ENTER, whose)
            if take_over:
                self._connection.execute(TAKE_OVER, whose)
        self.find()
        self._standing = {int(row[0]): None for row in self._connection.execute(STANDING, (self._cell,))}

    def find(self) -> None:
        """Find out how far the cell is told, and write nothing.

        Raises:
            PlantError: `plant.cell_taken`.
            psycopg.Error: The database cannot be asked.
        """
        known = told_of(self._connection, self._cell)
        if known is not None and known[0] != self._station:
            raise self._taken()
        self.told = known[1] if known else Told()

    def send_parts(self) -> int:
        """Tell the next inspections with their decisions and defects; how many.

        Raises:
            PlantError: `plant.cell_taken`.
            RecordError: The records cannot be read.
            psycopg.Error: The database did not take them.
        """
        records = self._feed.closed(self.told.part, AT_ONCE)
        if records:
            last = LastTold.of(records[-1])
            self.write_parts(records, last)
            self.told = replace(self.told, part=last)
        return len(records)

    def write_parts(self, records: Sequence[JsonObject], last: LastTold | None = None) -> None:
        """Write these inspections, and that they are told up to the last one; None where that stays as it is.

        Raises:
            PlantError: `plant.cell_taken`.
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
                self._reach(PARTS_TOLD, last)

    def send_events(self) -> int:
        """Tell the next events; how many.

        Raises:
            PlantError: `plant.cell_taken`.
            RecordError: The records cannot be read.
            psycopg.Error: The database did not take them.
        """
        events = self._feed.events(self.told.event, AT_ONCE)
        if events:
            last = LastEvent(events[-1]["number"], events[-1]["at"])
            self.write("journal", [event_row(self._cell, event) for event in events], EVENTS_TOLD, last)
            self.told = replace(self.told, event=last)
        return len(events)

    def send_alarms(self) -> int:
        """Tell the next alarms, and those that have changed since they were told; how many.

        Raises:
            PlantError: `plant.cell_taken`.
            RecordError: The records cannot be read.
            psycopg.Error: The database did not take them.
        """
        raised = self._feed.alarms(self.told.alarm, AT_ONCE)
        known = self._feed.alarms_numbered(sorted(self._standing)) if self._standing else []
        rows = {one["number"]: alarm_row(self._cell, one) for one in (*known, *raised)}
        changed = {number: row for number, row in rows.items() if self._standing.get(number) != row}
        if not changed:
            return 0
        last = LastAlarm(raised[-1]["number"], raised[-1]["raised_at"]) if raised else self.told.alarm
        self.write("alarms", list(changed.values()), ALARMS_TOLD, last)
        self.told = replace(self.told, alarm=last)
        final = {one["number"] for one in (*known, *raised) if one["cleared_at"] and one["acknowledged_at"]}
        self._standing = {number: row for number, row in {**self._standing, **rows}.items() if number not in final}
        return len(changed)

    def send_labels(self) -> int:
        """Tell the next labels; how many.

        Raises:
            PlantError: `plant.cell_taken`.
            LabelError: The labels cannot be read.
            psycopg.Error: The database did not take them.
        """
        labels = read_labels(self._folder, labels_reached(self._folder, self.told), AT_ONCE)
        if labels:
            number, row = labels[-1]
            last = (number, label_digest(row))
            self.write("labels", [label_row(self._cell, one) for _number, one in labels], LABELS_TOLD, last)
            self.told = replace(self.told, label=number, label_digest=last[1])
        return len(labels)

    def write_scans(self, rows: Sequence[Values], last: LastTold) -> None:
        """Write where scans lie, and that they are told up to this inspection's.

        Raises:
            PlantError: `plant.cell_taken`.
            psycopg.Error: The database did not take them.
        """
        self.write("scans", rows, SCANS_TOLD, last)
        self.told = replace(self.told, scan=last)

    def write(self, table: str, rows: Sequence[Values], reached: str = "", last: tuple[object, ...] = ()) -> None:
        """Write rows of one table, and how far they are told; nothing where that stays as it is.

        Args:
            table: One of `COLUMNS`.
            rows: As it has them.
            reached: The statement that says how far.
            last: What it says.

        Raises:
            PlantError: `plant.cell_taken`.
            psycopg.Error: The database did not take them.
        """
        at = COLUMNS[table].index(KEYS[table][2])
        self._prepare(str(row[at]) for row in rows)
        with self._connection.transaction():
            self._write(table, rows)
            if reached:
                self._reach(reached, last)

    def _reach(self, statement: str, last: tuple[object, ...]) -> None:
        """Say how far the cell is told, as long as its name is this data folder's: what it told else is taken back."""
        if self._connection.execute(statement, (*last, self._cell, self._station)).rowcount != 1:
            raise self._taken()

    def _taken(self) -> PlantError:
        return PlantError("plant.cell_taken", f"{self._cell!r} belongs to another data folder")

    def _prepare(self, moments: Iterable[str]) -> None:
        """Make the partitions of months that are new to this connection, before a transaction holds any of them."""
        for month in sorted(months_of(moments) - self._months):
            self._connection.execute(MAKE_MONTH, (month,))
            self._months.add(month)

    def _write(self, table: str, rows: Sequence[Values]) -> None:
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(INSERTIONS[table], rows)
