"""Version 1 of the page's database: its tables, and the triggers by which the database itself keeps the rules.

people    one row a person, with the role and the hash of the password (argon2id); nobody is removed
sessions  one row a person who is signed in, by the hash of what the browser has
audit     one row a thing that somebody did, in the order in which it was done; written once, never changed or removed;
          each has the hash of the one before it

Moments are UTC text (`station.core.moments`).
"""

import sqlite3

SHA256 = "[0-9a-f]" * 64
MOMENT = "????-??-??T??:??:??.???Z"
NOTHING_BEFORE = "0" * 64
"""What the first row of the audit trail has for the hash of the one before it."""

TABLES = (
    f"""CREATE TABLE people (
        name TEXT PRIMARY KEY CHECK (trim(name) = name AND length(name) BETWEEN 1 AND 40),
        role TEXT NOT NULL CHECK (role IN ('operator', 'quality', 'maintenance', 'engineer', 'admin')),
        password TEXT NOT NULL CHECK (password GLOB '$argon2id$*'),
        active INTEGER NOT NULL CHECK (active IN (0, 1)),
        since TEXT NOT NULL CHECK (since GLOB '{MOMENT}')
    ) WITHOUT ROWID""",
    f"""CREATE TABLE sessions (
        token_sha256 TEXT PRIMARY KEY CHECK (token_sha256 GLOB '{SHA256}'),
        person TEXT NOT NULL REFERENCES people (name),
        began_at TEXT NOT NULL CHECK (began_at GLOB '{MOMENT}'),
        seen_at TEXT NOT NULL CHECK (seen_at GLOB '{MOMENT}')
    ) WITHOUT ROWID""",
    f"""CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        at TEXT NOT NULL CHECK (at GLOB '{MOMENT}'),
        who TEXT NOT NULL,
        address TEXT NOT NULL,
        what TEXT NOT NULL CHECK (what GLOB '[a-z]*'),
        detail TEXT NOT NULL,
        previous TEXT NOT NULL CHECK (previous GLOB '{SHA256}'),
        hash TEXT NOT NULL CHECK (hash GLOB '{SHA256}')
    )""",
)

TRIGGERS = (
    "CREATE TRIGGER people_stay BEFORE DELETE ON people BEGIN SELECT RAISE(ABORT, 'people are kept'); END",
    f"""CREATE TRIGGER audit_is_a_chain BEFORE INSERT ON audit
        WHEN NEW.number != (SELECT coalesce(max(number), 0) + 1 FROM audit)
        OR NEW.previous != coalesce((SELECT hash FROM audit ORDER BY number DESC LIMIT 1), '{NOTHING_BEFORE}')
    BEGIN SELECT RAISE(ABORT, 'the audit trail is a chain'); END""",  # noqa: S608  # constants of this module
    "CREATE TRIGGER audit_holds BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is kept'); END",
    "CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is kept'); END",
)


def create(connection: sqlite3.Connection) -> None:
    """Make an empty database one of version 1, inside the caller's transaction."""
    for statement in (*TABLES, *TRIGGERS):
        connection.execute(statement)
