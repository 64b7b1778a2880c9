"""Version 1 of the database: its tables, and the triggers by which the database itself keeps the rules.

inspections    one row an inspection: the part, where it stands, the final verdict, the confirmed place
judgements     what was decided and all it rests on; written once, never changed
scans          the archived scan of a judgement, where the settings ask for one
orders         every order to a device: intent before it goes out, receipt after it is done
order_numbers  the last number given out to each device
configurations the effective configurations, by hash
events         what else happened: changes of state, faults, commands

Moments are UTC text (`station.core.moments`); `…_ns` is CLOCK_MONOTONIC, comparable until the next boot.
"""

import sqlite3

VERDICTS = "('defect_free', 'imprinted', 'pits', 'roll_marks', 'scratches', 'review')"
PLACES = "('second_inspection', 'bin_imprinted', 'bin_pits', 'bin_roll_marks', 'bin_scratches', 'bin_review')"

TABLES = (
    """CREATE TABLE configurations (
        sha256 TEXT NOT NULL PRIMARY KEY,
        settings TEXT NOT NULL,
        first_used_at TEXT NOT NULL
    )""",
    f"""CREATE TABLE inspections (
        number INTEGER PRIMARY KEY,
        inspection_id TEXT NOT NULL UNIQUE CHECK (length(inspection_id) BETWEEN 1 AND 26),
        part_id TEXT NOT NULL,
        part_type TEXT NOT NULL,
        part_type_settings TEXT NOT NULL,
        part_sequence INTEGER NOT NULL,
        type_code INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('open', 'judged', 'sorted', 'lost')),
        entered_at TEXT NOT NULL,
        judged_at TEXT,
        interrupted_at TEXT,
        sorted_at TEXT,
        lost_at TEXT,
        verdict TEXT CHECK (verdict IN {VERDICTS}),
        reason TEXT,
        detail TEXT NOT NULL,
        destination TEXT CHECK (destination IN {PLACES}),
        confirmed_bin TEXT CHECK (confirmed_bin IN {PLACES}),
        CHECK ((state = 'open') = (verdict IS NULL)),
        CHECK ((state = 'sorted') = (sorted_at IS NOT NULL AND confirmed_bin IS NOT NULL)),
        CHECK ((state = 'lost') = (lost_at IS NOT NULL)),
        CHECK (state != 'lost' OR (verdict = 'review' AND reason IS NOT NULL))
    )""",
    f"""CREATE TABLE judgements (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES inspections (number),
        algorithm1 TEXT CHECK (algorithm1 IN {VERDICTS}),
        verdict TEXT NOT NULL CHECK (verdict IN {VERDICTS}),
        reason TEXT,
        detail TEXT NOT NULL,
        confidence REAL NOT NULL,
        deciding_patch INTEGER CHECK (deciding_patch BETWEEN 0 AND 15),
        defect_patches INTEGER NOT NULL,
        probabilities BLOB NOT NULL CHECK (length(probabilities) % 20 = 0),
        lines_expected INTEGER NOT NULL,
        lines_delivered INTEGER NOT NULL,
        blocks INTEGER NOT NULL,
        frame_ids TEXT NOT NULL,
        discarded_blocks INTEGER NOT NULL,
        scan_fault TEXT,
        scan_detail TEXT NOT NULL,
        roi_left INTEGER,
        roi_right INTEGER,
        features TEXT NOT NULL,
        model TEXT NOT NULL,
        model_sha256 TEXT NOT NULL,
        config_sha256 TEXT NOT NULL REFERENCES configurations (sha256),
        times_ns TEXT NOT NULL,
        ms_after_last_line REAL
    )""",
    """CREATE TABLE scans (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES judgements (inspection),
        state TEXT NOT NULL CHECK (state IN ('pending', 'archived', 'failed', 'expired')),
        file TEXT NOT NULL UNIQUE,
        left_column INTEGER NOT NULL,
        sha256 TEXT,
        detail TEXT NOT NULL,
        CHECK (state != 'archived' OR sha256 IS NOT NULL)
    )""",
    """CREATE TABLE orders (
        order_id INTEGER PRIMARY KEY,
        device TEXT NOT NULL CHECK (device IN ('robot', 'jig')),
        number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 65535),
        verb TEXT NOT NULL,
        argument INTEGER NOT NULL,
        inspection INTEGER REFERENCES inspections (number),
        issued_at TEXT NOT NULL,
        issued_ns INTEGER NOT NULL,
        acknowledged_at TEXT,
        acknowledged_ns INTEGER,
        done_at TEXT,
        done_ns INTEGER,
        confirmed INTEGER,
        result TEXT CHECK (result IN ('done')),
        CHECK ((result IS NULL) = (done_at IS NULL))
    )""",
    """CREATE TABLE order_numbers (
        device TEXT NOT NULL PRIMARY KEY CHECK (device IN ('robot', 'jig')),
        last INTEGER NOT NULL CHECK (last BETWEEN 0 AND 65535)
    )""",
    "INSERT INTO order_numbers (device, last) VALUES ('robot', 0), ('jig', 0)",
    """CREATE TABLE events (
        event_id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        event TEXT NOT NULL,
        detail TEXT NOT NULL
    )""",
)

INDICES = (
    "CREATE INDEX inspections_entered ON inspections (entered_at)",
    "CREATE INDEX inspections_part ON inspections (part_id)",
    "CREATE INDEX inspections_unfinished ON inspections (number) WHERE state IN ('open', 'judged')",
    "CREATE INDEX orders_number ON orders (device, number)",
    "CREATE INDEX orders_inspection ON orders (inspection)",
    "CREATE INDEX scans_on_disk ON scans (state) WHERE state IN ('pending', 'archived')",
)

TRIGGERS = (
    """CREATE TRIGGER inspections_go_forward BEFORE UPDATE ON inspections WHEN NOT (
        OLD.number = NEW.number AND OLD.inspection_id = NEW.inspection_id AND (
            OLD.state = 'open' AND NEW.state IN ('judged', 'lost')
            OR OLD.state = 'judged' AND NEW.state IN ('judged', 'sorted', 'lost')
            AND NEW.verdict IN (OLD.verdict, 'review')
        )
    ) BEGIN SELECT RAISE(ABORT, 'an inspection goes forward, and only towards review'); END""",
    "CREATE TRIGGER inspections_stay BEFORE DELETE ON inspections BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
    "CREATE TRIGGER judgements_hold BEFORE UPDATE ON judgements BEGIN SELECT RAISE(ABORT, 'a judgement is final'); END",
    "CREATE TRIGGER judgements_stay BEFORE DELETE ON judgements BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
    """CREATE TRIGGER orders_end_once BEFORE UPDATE ON orders WHEN OLD.result IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an order ends once'); END""",
    "CREATE TRIGGER orders_stay BEFORE DELETE ON orders BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)


def create(connection: sqlite3.Connection) -> None:
    """Make an empty database one of version 1, inside the caller's transaction."""
    for statement in (*TABLES, *INDICES, *TRIGGERS):
        connection.execute(statement)
