"""Version 2 of the labels' database: which samples were drawn by lot, so that rates can be told from their labels.

draws  one row a draw, in the order in which they came; written once, never changed, never removed

What a draw is says `station.labels.picking.lot`. Moments are UTC text (`station.core.moments`).
"""

import sqlite3

TABLE = """CREATE TABLE draws (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.???Z'),
    seed INTEGER NOT NULL CHECK (typeof(seed) = 'integer' AND seed >= 0),
    below REAL NOT NULL CHECK (below > 0 AND below <= 1)
)"""

TRIGGERS = (
    # REPLACE would take the place of a row without asking the other triggers.
    """CREATE TRIGGER draws_are_added BEFORE INSERT ON draws
        WHEN EXISTS (SELECT 1 FROM draws WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'a draw stays what it is'); END""",
    """CREATE TRIGGER draws_come_once BEFORE INSERT ON draws
        WHEN EXISTS (SELECT 1 FROM draws WHERE at = NEW.at AND seed = NEW.seed AND below = NEW.below)
    BEGIN SELECT RAISE(IGNORE); END""",
    "CREATE TRIGGER draws_hold BEFORE UPDATE ON draws BEGIN SELECT RAISE(ABORT, 'a draw stays what it is'); END",
    "CREATE TRIGGER draws_stay BEFORE DELETE ON draws BEGIN SELECT RAISE(ABORT, 'draws are kept'); END",
)


def add_draws(connection: sqlite3.Connection) -> None:
    """Make a database of version 1 one of version 2, inside the caller's transaction."""
    for statement in (TABLE, *TRIGGERS):
        connection.execute(statement)
