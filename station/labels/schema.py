"""The versions of the labels' database, apart from those of the records.

A version is a function that brings the database of the version before up to its own; one that was released is never
changed again. The file tells its version in SQLite's `user_version`, and that it holds labels in `application_id`.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from models.errors import LabelError
from station.labels import version_1, version_2

Version = Callable[[sqlite3.Connection], None]

APPLICATION_ID = 0x53544E4C
VERSIONS: tuple[Version, ...] = (version_1.create, version_2.add_draws)


def read_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the database, from 1.

    Raises:
        LabelError: Another program's database, or one of a newer version than this program knows.
    """
    application = _number(connection, "PRAGMA application_id")
    version = _number(connection, "PRAGMA user_version")
    if application != APPLICATION_ID or not version:
        raise LabelError("label.database_damaged", f"{path} is no database of labels")
    if version > len(VERSIONS):
        raise LabelError("label.newer_schema", f"{path} has version {version}, known are versions to {len(VERSIONS)}")
    return version


def create(connection: sqlite3.Connection) -> None:
    """Make an empty database one of the newest version, all of it or nothing.

    Raises:
        sqlite3.Error: The disk failed.
    """
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    migrate(connection, 0)
    connection.execute("COMMIT")


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a database of a version up to the newest, inside the caller's transaction.

    Raises:
        sqlite3.Error: The disk failed.
    """
    for step in VERSIONS[version:]:
        step(connection)
    if version < len(VERSIONS):
        connection.execute(f"PRAGMA user_version = {len(VERSIONS)}")


def _number(connection: sqlite3.Connection, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])
