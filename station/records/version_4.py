"""Version 4 of the database: inspections that were withdrawn, because the line PLC took their part back unloaded.

Such an inspection is closed without a verdict and without a place: nothing was moved, nothing was seen. SQLite cannot
change a CHECK, so the table is built anew with all its rows.
"""

import sqlite3

from station.records.version_1 import PLACES, VERDICTS

STATEMENTS = (
    f"""CREATE TABLE inspections_of_version_4 (
        number INTEGER PRIMARY KEY,
        inspection_id TEXT NOT NULL UNIQUE CHECK (length(inspection_id) BETWEEN 1 AND 26),
        part_id TEXT NOT NULL,
        part_type TEXT NOT NULL,
        part_type_settings TEXT NOT NULL,
        part_sequence INTEGER NOT NULL,
        type_code INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('open', 'judged', 'sorted', 'lost', 'withdrawn')),
        entered_at TEXT NOT NULL,
        judged_at TEXT,
        interrupted_at TEXT,
        sorted_at TEXT,
        lost_at TEXT,
        withdrawn_at TEXT,
        verdict TEXT CHECK (verdict IN {VERDICTS}),
        reason TEXT,
        detail TEXT NOT NULL,
        destination TEXT CHECK (destination IN {PLACES}),
        confirmed_bin TEXT CHECK (confirmed_bin IN {PLACES}),
        CHECK ((state IN ('open', 'withdrawn')) = (verdict IS NULL)),
        CHECK ((state = 'sorted') = (sorted_at IS NOT NULL AND confirmed_bin IS NOT NULL)),
        CHECK ((state = 'lost') = (lost_at IS NOT NULL)),
        CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
        CHECK (state != 'lost' OR (verdict = 'review' AND reason IS NOT NULL)),
        CHECK (state != 'withdrawn' OR (reason IS NOT NULL AND destination IS NULL))
    )""",
    """INSERT INTO inspections_of_version_4
        SELECT number, inspection_id, part_id, part_type, part_type_settings, part_sequence, type_code, state,
            entered_at, judged_at, interrupted_at, sorted_at, lost_at, NULL, verdict, reason, detail, destination,
            confirmed_bin
        FROM inspections""",
    "DROP TABLE inspections",
    "ALTER TABLE inspections_of_version_4 RENAME TO inspections",
    "CREATE INDEX inspections_entered ON inspections (entered_at)",
    "CREATE INDEX inspections_part ON inspections (part_id)",
    "CREATE INDEX inspections_unfinished ON inspections (number) WHERE state IN ('open', 'judged')",
    """CREATE TRIGGER inspections_go_forward BEFORE UPDATE ON inspections WHEN NOT (
        OLD.number = NEW.number AND OLD.inspection_id = NEW.inspection_id AND (
            OLD.state = 'open' AND NEW.state IN ('judged', 'lost', 'withdrawn')
            OR OLD.state = 'judged' AND NEW.state IN ('judged', 'sorted', 'lost')
            AND NEW.verdict IN (OLD.verdict, 'review')
        )
    ) BEGIN SELECT RAISE(ABORT, 'an inspection goes forward, and only towards review'); END""",
    "CREATE TRIGGER inspections_stay BEFORE DELETE ON inspections BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)


def add_withdrawals(connection: sqlite3.Connection) -> None:
    """Make a database of version 3 one of version 4, inside the caller's transaction."""
    for statement in STATEMENTS:
        connection.execute(statement)
