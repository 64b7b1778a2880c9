"""The versions of the database, and the way from each to the next.

A version is a function that brings the database of the version before up to its own, within one transaction; there is
one module a version, and a version that was released is never changed again. The file tells its version in SQLite's
`user_version` and that it is a station's in `application_id`.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from station.core.errors import RecordError
from station.records import (
    version_1,
    version_2,
    version_3,
    version_4,
    version_5,
    version_6,
    version_7,
    version_8,
    version_9,
)

Version = Callable[[sqlite3.Connection], None]

APPLICATION_ID = 0x53544E31
VERSIONS: tuple[Version, ...] = (
    version_1.create,
    version_2.add_alarms,
    version_3.add_settlements,
    version_4.add_withdrawals,
    version_5.add_recipes,
    version_6.add_light_and_novelty,
    version_7.add_promises,
    version_8.add_screened,
    version_9.add_tellings,
)


def read_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the database, 0 for an empty one.

    Raises:
        RecordError: Another program's database, or one of a newer version than this program knows.
    """
    application = _number(connection, "PRAGMA application_id")
    version = _number(connection, "PRAGMA user_version")
    if (application, version) == (0, 0) and not _number(connection, "SELECT count(*) FROM sqlite_master"):
        return 0
    if application != APPLICATION_ID:
        raise RecordError("record.database_damaged", f"{path} is the database of another program")
    if version > len(VERSIONS):
        raise RecordError("record.newer_schema", f"{path} has version {version}, known are versions to {len(VERSIONS)}")
    return version


def migrate(connection: sqlite3.Connection, version: int, versions: Sequence[Version] | None = None) -> None:
    """Bring the database from `version` up to the newest, all of it or nothing.

    Foreign keys must not be enforced on this connection yet, so that a version may build a table anew; they are
    checked at the end.

    Raises:
        sqlite3.Error: A step failed; the database is as it was.
    """
    steps = VERSIONS if versions is None else versions
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[version:]:
            step(connection)
        _require_whole_references(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _require_whole_references(connection: sqlite3.Connection) -> None:
    if broken := connection.execute("PRAGMA foreign_key_check").fetchone():
        raise sqlite3.IntegrityError(f"the migration left a broken reference in {broken[0]}")


def _number(connection: sqlite3.Connection, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])
