"""Version 2 of the database: the alarms.

alarms  one row for each time that a fault came on the alarm list, until it was over and acknowledged; then it is final

A fault stands on the list at most once.
"""

import sqlite3

STATEMENTS = (
    """CREATE TABLE alarms (
        alarm_id INTEGER PRIMARY KEY,
        code TEXT NOT NULL,
        detail TEXT NOT NULL,
        latched INTEGER NOT NULL CHECK (latched IN (0, 1)),
        count INTEGER NOT NULL CHECK (count > 0),
        raised_at TEXT NOT NULL,
        last_at TEXT NOT NULL,
        cleared_at TEXT,
        acknowledged_at TEXT,
        acknowledged_by TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX alarms_listed ON alarms (code) WHERE cleared_at IS NULL OR acknowledged_at IS NULL",
    """CREATE INDEX events_left_execute ON events (event_id)
        WHERE event = 'state_changed' AND detail GLOB 'EXECUTE *'""",
    """CREATE TRIGGER alarms_end_once BEFORE UPDATE ON alarms
    WHEN OLD.cleared_at IS NOT NULL AND OLD.acknowledged_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an alarm that is off the list is final'); END""",
    "CREATE TRIGGER alarms_stay BEFORE DELETE ON alarms BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)


def add_alarms(connection: sqlite3.Connection) -> None:
    """Make a database of version 1 one of version 2, inside the caller's transaction."""
    for statement in STATEMENTS:
        connection.execute(statement)
