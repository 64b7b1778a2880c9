"""Version 1 of the labels' database: its table, and the triggers by which the database itself keeps the rules.

labels  one row a label, in the order in which they came; written once, never changed, never removed

What stands there already, word for word, is not written twice, so that whoever brings the same labels again adds none.
`region` is nothing for the whole part, the index of a patch, a box as `line,column,height,width`, or a mask's SHA-256;
`geometry` is a patch's `lines_per_turn,lines_per_block,patch_px,patches_per_strip`. Moments are UTC text
(`station.core.moments`).
"""

import sqlite3

SHA256 = "[0-9a-f]" * 64

TABLE = f"""CREATE TABLE labels (
    number INTEGER PRIMARY KEY,
    subject TEXT NOT NULL CHECK (subject IN ('inspection', 'scan')),
    subject_id TEXT NOT NULL,
    file TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('part', 'patch', 'box', 'mask')),
    region TEXT NOT NULL,
    geometry TEXT NOT NULL,
    class TEXT NOT NULL CHECK (class GLOB '[a-z]*'),
    who TEXT NOT NULL CHECK (trim(who) != ''),
    at TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.???Z'),
    source TEXT NOT NULL CHECK (source IN ('person', 'import', 'golden', 'audit')),
    note TEXT NOT NULL,
    CHECK (CASE subject WHEN 'scan' THEN subject_id GLOB '{SHA256}'
        ELSE length(subject_id) BETWEEN 1 AND 26 AND file = '' END),
    CHECK (CASE level WHEN 'part' THEN region = '' WHEN 'patch' THEN region GLOB '[0-9]*'
        WHEN 'box' THEN region GLOB '[0-9]*,[0-9]*,[0-9]*,[0-9]*' ELSE region GLOB '{SHA256}' END),
    CHECK (CASE level WHEN 'patch' THEN geometry GLOB '[0-9]*,[0-9]*,[0-9]*,[0-9]*' ELSE geometry = '' END)
)"""

SAID = ("subject", "subject_id", "level", "region", "geometry", "who", "at", "class")
"""What makes two labels one and the same."""

INDEX = f"CREATE UNIQUE INDEX labels_said ON labels ({', '.join(SAID)})"

TRIGGERS = (
    # REPLACE would take the place of a row without asking the other triggers.
    """CREATE TRIGGER labels_are_added BEFORE INSERT ON labels
        WHEN EXISTS (SELECT 1 FROM labels WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'a label stays what it is'); END""",
    f"""CREATE TRIGGER labels_come_once BEFORE INSERT ON labels
        WHEN EXISTS (SELECT 1 FROM labels WHERE {" AND ".join(f"{name} = NEW.{name}" for name in SAID)})
    BEGIN SELECT RAISE(IGNORE); END""",  # noqa: S608  # constants of this module
    "CREATE TRIGGER labels_hold BEFORE UPDATE ON labels BEGIN SELECT RAISE(ABORT, 'a label stays what it is'); END",
    "CREATE TRIGGER labels_stay BEFORE DELETE ON labels BEGIN SELECT RAISE(ABORT, 'labels are kept'); END",
)


def create(connection: sqlite3.Connection) -> None:
    """Make an empty database one of version 1, inside the caller's transaction."""
    for statement in (TABLE, INDEX, *TRIGGERS):
        connection.execute(statement)
