"""How the replication of a cell stands: what waits, what is wrong, and how long the cell's disk will do."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from station.core.errors import FAULTS, PlantError, RecordError
from station.core.moments import moment, stamp
from station.core.ports.feed import BEGINNING, RecordFeed
from station.core.records import LastTold
from station.core.room import MB, free_bytes
from station.core.settings import Settings
from station.plant.central.book import Book, Page
from station.plant.central.connection import connect, told
from station.plant.central.room import Room, room_of
from station.plant.central.rows import LOST
from station.plant.central.schema import require_usable
from station.plant.central.sending import Told, told_of
from station.plant.central.version_1 import SCHEMA

LATE_S = 300.0
"""Who has waited so long while the plant's database is there waits for a replication that does not run."""
SCANS = f"SELECT state, count(*) FROM {SCHEMA}.scans WHERE cell = %s GROUP BY state ORDER BY state"  # noqa: S608
ANSWERED = f"SELECT told_at FROM {SCHEMA}.cells WHERE cell = %s"  # noqa: S608  # constants


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands.

    Attributes:
        cell: The cell's name in the plant.
        database: Where the plant's database is.
        problem: Why nothing is known of it, or the cell is not told there; None where all is well.
        last: The last inspection that is told, by its id; empty before the first.
        told_at: When anything was told last; None where nobody knows.
        waiting: So many inspections wait.
        lag_s: For how long the first of them has been in the records; 0 where none waits.
        scans_waiting: So many scans on the disk wait to be copied; None where none are copied, or nobody knows.
        scans: How many scans there are of each kind in the plant's database.
        room: How full the cell's disk is.
        late: Whether inspections wait although nothing hinders them.
    """

    cell: str
    database: str
    problem: PlantError | None
    last: str
    told_at: str | None
    waiting: int
    lag_s: float
    scans_waiting: int | None
    scans: dict[str, int]
    room: Room
    late: bool

    @property
    def is_well(self) -> bool:
        """Whether nothing needs looking after."""
        lost = sum(self.scans.get(state, 0) for state in LOST)
        return self.problem is None and not self.late and self.room.is_well and not lost


@dataclass(frozen=True, slots=True)
class _There:
    """What the plant's database knows of a cell."""

    told: Told
    told_at: str | None
    scans: dict[str, int]


def standing_of(settings: Settings, cell: str, folder: Path, feed: RecordFeed, now: datetime) -> Standing:
    """How the replication stands, also while the plant's database is away. Blocks.

    Args:
        settings: The station's configuration.
        cell: The cell's name in the plant.
        folder: The data folder.
        feed: Its records.
        now: The date.

    Raises:
        PlantError: `plant.book_unusable`.
        RecordError: The records cannot be read.
    """
    page = Book(folder).read()
    there = None
    try:
        there, problem = _asked(settings, cell, page), _said(page)
    except PlantError as error:
        problem = error
    part = there.told.part if there else page.part if page else BEGINNING
    waiting, first = _waiting(feed, part)
    lag_s = max(0.0, (now - moment(first)).total_seconds()) if first else 0.0
    central = settings.central
    return Standing(
        cell=cell,
        database=f"{central.host}:{central.port}/{central.database}",
        problem=problem,
        last=part.inspection_id,
        told_at=there.told_at if there else page.heard_at if page else None,
        waiting=waiting,
        lag_s=lag_s,
        scans_waiting=_scans_waiting(feed, there.told) if there and central.store.bucket else None,
        scans=there.scans if there else {},
        room=room_of(
            free_bytes(folder), settings.records.low_mb * MB, now.timestamp(), page.disk if page else ()
        ),
        late=problem is None and lag_s > LATE_S,
    )  # fmt: skip


def _asked(settings: Settings, cell: str, page: Page | None) -> _There:
    """What the plant's database says.

    Raises:
        PlantError: It cannot be asked, or the cell's name is another data folder's.
    """
    with connect(settings.central) as connection, told(settings.central):
        require_usable(connection)
        known = told_of(connection, cell)
        if known is None:
            return _There(Told(), None, {})
        if page is None or page.station_id != known[0]:
            raise PlantError("plant.cell_taken", f"{cell!r} belongs to another data folder")
        row = connection.execute(ANSWERED, (cell,)).fetchone()
        scans = {str(state): int(count) for state, count in connection.execute(SCANS, (cell,))}
        return _There(known[1], stamp(row[0]) if row else None, scans)


def _said(page: Page | None) -> PlantError | None:
    """What the replication itself has met since it was told anything last, although the database answers here."""
    return PlantError(page.fault, page.detail) if page is not None and page.fault in FAULTS else None


def _waiting(feed: RecordFeed, part: LastTold) -> tuple[int, str | None]:
    try:
        return feed.waiting(part)
    except RecordError as error:
        if error.code == "record.unknown":  # no station was here yet
            return 0, None
        raise


def _scans_waiting(feed: RecordFeed, known: Told) -> int:
    try:
        return feed.waiting_scans(known.scan)[0]
    except RecordError as error:
        if error.code == "record.unknown":
            return 0
        raise
