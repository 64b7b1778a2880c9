"""The audit trail: who did what on the page, written in the same transaction, in rows that are a chain by their hashes.

Whoever changes a row, takes one out or puts one in has to change the hash of every row after it. What they cannot
change is what was kept elsewhere: the number and hash of a row, as `station audit verify` tells those of the last.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Literal, NamedTuple

from station.core.clock import Clock
from station.core.errors import PageError
from station.core.moments import stamp
from station.page.database import PageDatabase
from station.page.version_1 import NOTHING_BEFORE

What = Literal[
    "alarm_acknowledged", "alarm_shelved", "alarm_unshelved", "commanded", "hand_ended", "hand_taken", "labelled",
    "model_promoted", "model_rolled_back", "password_changed", "person_added", "person_changed", "restored",
    "sign_in_refused", "signed_in", "signed_out", "token_made", "token_revoked",
]  # fmt: skip
"""What somebody did."""

COLUMNS = "number, at, who, address, what, detail, previous, hash"
ADD = f"INSERT INTO audit ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # constants
LAST = f"SELECT {COLUMNS} FROM audit ORDER BY number DESC LIMIT ?"  # noqa: S608  # constants
NEWEST_FIRST = f"SELECT {COLUMNS} FROM audit ORDER BY number DESC"  # noqa: S608  # constants
ALL = f"SELECT {COLUMNS} FROM audit ORDER BY number"  # noqa: S608  # constants


class Row(NamedTuple):
    """One row of the trail."""

    number: int
    at: str
    who: str
    address: str
    what: str
    detail: str
    previous: str
    hash: str


class Deed(NamedTuple):
    """What is to be written: who, from where, what, and on what."""

    who: str
    address: str
    what: What
    detail: str = ""


class Link(NamedTuple):
    """A row that somebody has kept elsewhere."""

    number: int
    hash: str


class Audit:
    """The audit trail of one page.

    Args:
        database: Where it lies.
        clock: The date.
    """

    def __init__(self, database: PageDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def write(self, deed: Deed) -> None:
        """Write down a deed that changes nothing in this database.

        Raises:
            PageError: It cannot be written.
        """
        with self._database.writing() as connection:
            self.add(connection, deed)

    def add(self, connection: sqlite3.Connection, deed: Deed) -> None:
        """Write down a deed in the transaction that does it."""
        last = connection.execute(LAST, (1,)).fetchone()
        number, previous = (last[0] + 1, last[-1]) if last else (1, NOTHING_BEFORE)
        at = stamp(self._clock.now())
        hashed = hash_of(number, at, deed, previous)
        connection.execute(ADD, (number, at, *deed, previous, hashed))

    def rows(self, limit: int) -> list[Row]:
        """The last rows, the newest first.

        Raises:
            PageError: They cannot be read.
        """
        with self._database.reading() as connection:
            return [Row(*row) for row in connection.execute(LAST, (limit,))]

    def since(self, at: str, *whats: What) -> list[Row]:
        """What was done of these since a moment, the newest first.

        Raises:
            PageError: They cannot be read.
        """
        with self._database.reading() as connection:
            rows = map(Row._make, connection.execute(NEWEST_FIRST))
            return [row for row in takewhile(lambda row: row.at >= at, rows) if row.what in whats]

    def verify(self, kept: Iterable[Link] = ()) -> Row | None:
        """Make sure that every row is as it was written, and return the last, or None where there is none.

        Args:
            kept: Rows that were kept elsewhere and must be there.

        Raises:
            PageError: `page.audit_broken`, with the first row that is not so.
        """
        wanted = {link.number: link.hash for link in kept}
        last: Row | None = None
        with self._database.reading() as connection:
            for last in _chained(map(Row._make, connection.execute(ALL))):
                if wanted.pop(last.number, last.hash) != last.hash:
                    raise PageError("page.audit_broken", f"row {last.number} is another than the one that was kept")
        if wanted:
            raise PageError("page.audit_broken", f"row {min(wanted)}, which was kept elsewhere, is gone")
        return last


def hash_of(number: int, at: str, deed: Deed, previous: str) -> str:
    """The SHA-256 of a row's content and of the hash before it."""
    content = json.dumps([number, at, *deed, previous], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _chained(rows: Iterable[Row]) -> Iterator[Row]:
    """The same rows, each of which follows the one before it.

    Raises:
        PageError: One does not.
    """
    number, previous = 0, NOTHING_BEFORE
    for row in rows:
        if row.number != number + 1:
            raise PageError("page.audit_broken", f"row {number + 1} is gone")
        deed = (row.who, row.address, row.what, row.detail)
        if row.previous != previous or row.hash != hash_of(row.number, row.at, Deed(*deed), previous):  # type: ignore[arg-type]
            raise PageError("page.audit_broken", f"row {row.number} of {row.at} is not as it was written")
        number, previous = row.number, row.hash
        yield row
