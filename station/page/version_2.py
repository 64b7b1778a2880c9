"""Version 2 of the page's database: the tokens by which programs come in.

tokens  one row a token: by which name and as what its program comes, the hash of the token, who made it, when it ends;
        it is never removed, and one that was revoked is never good again

Moments are UTC text (`station.core.moments`).
"""

import sqlite3

from station.page.version_1 import MOMENT, SHA256

STATEMENTS = (
    f"""CREATE TABLE tokens (
        name TEXT PRIMARY KEY CHECK (trim(name) = name AND length(name) BETWEEN 1 AND 40),
        role TEXT NOT NULL CHECK (role IN ('operator', 'quality', 'maintenance', 'engineer')),
        token_sha256 TEXT NOT NULL UNIQUE CHECK (token_sha256 GLOB '{SHA256}'),
        made_by TEXT NOT NULL,
        made_at TEXT NOT NULL CHECK (made_at GLOB '{MOMENT}'),
        ends_at TEXT NOT NULL CHECK (ends_at GLOB '{MOMENT}'),
        revoked_at TEXT CHECK (revoked_at GLOB '{MOMENT}')
    ) WITHOUT ROWID""",
    "CREATE TRIGGER tokens_stay BEFORE DELETE ON tokens BEGIN SELECT RAISE(ABORT, 'tokens are kept'); END",
    """CREATE TRIGGER tokens_are_only_revoked BEFORE UPDATE ON tokens WHEN OLD.revoked_at IS NOT NULL
        OR NEW.revoked_at IS NULL OR (NEW.name, NEW.role, NEW.token_sha256, NEW.made_by, NEW.made_at, NEW.ends_at)
        IS NOT (OLD.name, OLD.role, OLD.token_sha256, OLD.made_by, OLD.made_at, OLD.ends_at)
    BEGIN SELECT RAISE(ABORT, 'a token is revoked, and nothing else'); END""",
)


def add_tokens(connection: sqlite3.Connection) -> None:
    """Make a database of version 1 one of version 2, inside the caller's transaction."""
    for statement in STATEMENTS:
        connection.execute(statement)
