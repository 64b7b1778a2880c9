"""Version 7 of the database: what a pass rests on beside the scan, and the parts that are turned to try the station.

judgements  draws by lot, the promise in force, what each rule says, the first look of two, what the scan shows
            of lamp, focus and dirt, and how far parts drift from those calibrated; NULL where a part was judged without
promises    the sentence of every promise that was ever in force, by its hash
challenges  golden parts: when they were due, what each was judged to be, and how it ended
studies     measurements of how well the station agrees with itself and with people
trials      what each turn of a study's parts was judged to be
"""

import sqlite3

OBJECT = "CHECK ({0} IS NULL OR json_valid({0}) AND json_type({0}) = 'object')"

PROMISES = (
    """CREATE TABLE promises (
        sha256 TEXT NOT NULL PRIMARY KEY,
        sentence TEXT NOT NULL CHECK (sentence != ''),
        first_used_at TEXT NOT NULL
    )""",
    "CREATE TRIGGER promises_hold BEFORE UPDATE ON promises BEGIN SELECT RAISE(ABORT, 'a promise is final'); END",
    "CREATE TRIGGER promises_stay BEFORE DELETE ON promises BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)

JUDGEMENTS = (
    "ALTER TABLE judgements ADD COLUMN spot_lot REAL CHECK (spot_lot >= 0 AND spot_lot < 1)",
    """ALTER TABLE judgements ADD COLUMN spot_one_in INTEGER
        CHECK (typeof(spot_one_in) IN ('integer', 'null') AND ifnull(spot_one_in, 1) >= 1
        AND (spot_one_in IS NULL) = (spot_lot IS NULL))""",
    """ALTER TABLE judgements ADD COLUMN spot_seed INTEGER
        CHECK (typeof(spot_seed) IN ('integer', 'null') AND (spot_seed IS NULL) = (spot_lot IS NULL))""",
    "ALTER TABLE judgements ADD COLUMN pass_threshold REAL CHECK (pass_threshold BETWEEN 0 AND 1)",
    "ALTER TABLE judgements ADD COLUMN promise_sha256 TEXT REFERENCES promises (sha256)",
    *(
        f"ALTER TABLE judgements ADD COLUMN {name} TEXT {OBJECT.format(name)}"
        for name in ("rules", "first_look", "conditions", "drift")
    ),
)

CHALLENGES = (
    """CREATE TABLE challenges (
        number INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        part_type TEXT NOT NULL,
        event TEXT NOT NULL CHECK (event IN ('demanded', 'judged', 'passed', 'failed')),
        cause TEXT NOT NULL,
        golden TEXT,
        inspection INTEGER REFERENCES inspections (number),
        expected TEXT,
        found TEXT,
        recipe_sha256 TEXT
    )""",
    "CREATE TRIGGER challenges_hold BEFORE UPDATE ON challenges BEGIN SELECT RAISE(ABORT, 'a challenge is final'); END",
    "CREATE TRIGGER challenges_stay BEFORE DELETE ON challenges BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)

STUDIES = (
    """CREATE TABLE studies (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE CHECK (name != ''),
        trials INTEGER NOT NULL CHECK (trials BETWEEN 2 AND 20),
        begun_at TEXT NOT NULL,
        ended_at TEXT
    )""",
    """CREATE TRIGGER studies_end_once BEFORE UPDATE ON studies WHEN OLD.ended_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a study ends once'); END""",
    "CREATE TRIGGER studies_stay BEFORE DELETE ON studies BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
    """CREATE TABLE trials (
        study INTEGER NOT NULL REFERENCES studies (number),
        inspection INTEGER NOT NULL REFERENCES inspections (number),
        trial INTEGER NOT NULL CHECK (trial >= 1),
        at TEXT NOT NULL,
        verdict TEXT NOT NULL,
        algorithm1 TEXT,
        reason TEXT,
        detail TEXT NOT NULL,
        confidence REAL NOT NULL,
        PRIMARY KEY (study, inspection, trial)
    ) WITHOUT ROWID""",
    "CREATE TRIGGER trials_hold BEFORE UPDATE ON trials BEGIN SELECT RAISE(ABORT, 'a trial is final'); END",
    "CREATE TRIGGER trials_stay BEFORE DELETE ON trials BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)

INDICES = (
    "CREATE INDEX inspections_verdict ON inspections (verdict)",
    "CREATE INDEX inspections_type ON inspections (part_type)",
    "CREATE INDEX inspections_reason ON inspections (reason) WHERE reason IS NOT NULL",
    "CREATE INDEX judgements_model ON judgements (model)",
    "CREATE INDEX judgements_spot_checked ON judgements (inspection) WHERE reason = 'part.spot_check'",
    "CREATE INDEX defects_class ON defects (class)",
    "CREATE INDEX events_states ON events (at) WHERE event = 'state_changed'",
)


def add_promises(connection: sqlite3.Connection) -> None:
    """Make a database of version 6 one of version 7, inside the caller's transaction."""
    for statement in (*PROMISES, *JUDGEMENTS, *CHALLENGES, *STUDIES, *INDICES):
        connection.execute(statement)
