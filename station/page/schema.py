"""The versions of the page's database, apart from those of the records and of the labels.

A version is a function that brings the database of the version before up to its own; one that was released is never
changed again. The file tells its version in SQLite's `user_version`, and whose it is in `application_id`.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from station.core.errors import PageError
from station.page import version_1, version_2

Version = Callable[[sqlite3.Connection], None]

APPLICATION_ID = 0x53544E50
VERSIONS: tuple[Version, ...] = (version_1.create, version_2.add_tokens)


def require_newest(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that the database is one of the newest version.

    Raises:
        PageError: Another program's database, an empty file, or one of a newer version than this program knows.
    """
    application, version = _number(connection, "application_id"), _number(connection, "user_version")
    if application != APPLICATION_ID or not version:
        raise PageError("page.database_damaged", f"{path} is no database of the page")
    if version > len(VERSIONS):
        raise PageError("page.newer_schema", f"{path} has version {version}, known are versions to {len(VERSIONS)}")


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Make the database one of the newest version, all of it or nothing; harmless where it is.

    Raises:
        PageError: As for `require_newest`, but that an empty file is one of no version.
        sqlite3.Error: The disk failed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _number(connection, "user_version")
        if version or _number(connection, "application_id"):
            require_newest(connection, path)
        for step in VERSIONS[version:]:
            step(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(VERSIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
