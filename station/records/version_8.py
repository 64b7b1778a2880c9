"""Version 8 of the database: which patches a screener judged alone.

screened  their numbers, from 0, as a JSON list; NULL of a part that was judged without a screener, or not whole
"""

import sqlite3

STATEMENT = """ALTER TABLE judgements ADD COLUMN screened TEXT
    CHECK (screened IS NULL OR json_valid(screened) AND json_type(screened) = 'array')"""


def add_screened(connection: sqlite3.Connection) -> None:
    """Make a database of version 7 one of version 8, inside the caller's transaction."""
    connection.execute(STATEMENT)
