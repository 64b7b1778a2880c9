"""Version 3 of the database: the part of the deadline ledger that exists only after the judgement was committed.

settlements  when the PLC was sent the decision and had it, and when the judgement was on the disk; written once, with
             the confirmed place

The times up to the decision lie with the judgement, those of jig and robot with their orders.
"""

import sqlite3

STATEMENTS = (
    """CREATE TABLE settlements (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES judgements (inspection),
        plc_sent_ns INTEGER NOT NULL,
        plc_acknowledged_ns INTEGER NOT NULL,
        committed_ns INTEGER NOT NULL
    )""",
    """CREATE TRIGGER settlements_hold BEFORE UPDATE ON settlements
    BEGIN SELECT RAISE(ABORT, 'a settlement is final'); END""",
    "CREATE TRIGGER settlements_stay BEFORE DELETE ON settlements BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)


def add_settlements(connection: sqlite3.Connection) -> None:
    """Make a database of version 2 one of version 3, inside the caller's transaction."""
    for statement in STATEMENTS:
        connection.execute(statement)
