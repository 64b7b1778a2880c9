"""Version 9 of the database: whether the line has acknowledged where a part lies.

tellings  of each part that was laid down, from the moment its record is closed: when the line had acknowledged its
          place; or when that was given up, as for a database that is restored. A part of an older version has none.
"""

import sqlite3

STATEMENTS = (
    """CREATE TABLE tellings (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES inspections (number),
        told_at TEXT,
        given_up_at TEXT,
        CHECK (told_at IS NULL OR given_up_at IS NULL)
    )""",
    """CREATE TRIGGER tellings_hold BEFORE UPDATE ON tellings
    WHEN OLD.told_at IS NOT NULL OR OLD.given_up_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a telling ends once'); END""",
    "CREATE TRIGGER tellings_stay BEFORE DELETE ON tellings BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
    "CREATE INDEX tellings_open ON tellings (inspection) WHERE told_at IS NULL AND given_up_at IS NULL",
)


def add_tellings(connection: sqlite3.Connection) -> None:
    """Make a database of version 8 one of version 9, inside the caller's transaction."""
    for statement in STATEMENTS:
        connection.execute(statement)
