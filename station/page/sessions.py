"""Who is signed in: what a browser has is a random token, what the database has is its hash."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from station.core.clock import Clock
from station.core.moments import stamp
from station.page.audit import Audit, Deed
from station.page.database import PageDatabase
from station.page.people import Person
from station.page.roles import Role

TOKEN_BYTES = 32
TOUCHED = timedelta(seconds=30)
"""A touch is written down when the last one is older than this."""
SEEN_BEFORE = "SELECT 1 FROM sessions WHERE token_sha256 = ? AND seen_at < ?"
KNOWN = """SELECT p.name, p.role FROM sessions s JOIN people p ON p.name = s.person
    WHERE s.token_sha256 = ? AND p.active AND s.seen_at >= ? AND s.began_at >= ?"""


@dataclass(frozen=True, slots=True)
class Lives:
    """How long a session lives: after the last touch, and after signing in."""

    idle: timedelta
    whole: timedelta


class Sessions:
    """The sessions of one page; they outlive its process. Every method blocks.

    Args:
        database: Where they are kept.
        audit: Where it is written who came and went.
        clock: The date.
        lives: How long they last.

    Raises:
        PageError: From every method: the database cannot be read or written.
    """

    def __init__(self, database: PageDatabase, audit: Audit, clock: Clock, lives: Lives) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._lives = lives

    def begin(self, person: Person, address: str) -> str:
        """Sign somebody in; returns the token."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = stamp(self._clock.now())
        with self._database.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE seen_at < ? OR began_at < ?", self._oldest())
            connection.execute(
                "INSERT INTO sessions (token_sha256, person, began_at, seen_at) VALUES (?, ?, ?, ?)",
                (_hashed(token), person.name, now, now),
            )
            self._audit.add(connection, Deed(person.name, address, "signed_in", person.role.value))
        return token

    def of(self, token: str) -> Person | None:
        """Whose a token is, or None where it is nobody's, or has been idle for too long."""
        with self._database.reading() as connection:
            row = connection.execute(KNOWN, (_hashed(token), *self._oldest())).fetchone()
        return Person(row[0], Role(row[1]), active=True) if row else None

    def touch(self, token: str) -> None:
        """The person who has this token is there; it is written down no more often than needed."""
        now = self._clock.now()
        with self._database.reading() as connection:
            asked = (_hashed(token), stamp(now - TOUCHED))
            if connection.execute(SEEN_BEFORE, asked).fetchone() is None:
                return
        with self._database.writing() as connection:
            connection.execute("UPDATE sessions SET seen_at = ? WHERE token_sha256 = ?", (stamp(now), _hashed(token)))

    def end(self, token: str, person: Person, address: str) -> None:
        """Sign somebody out."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE token_sha256 = ?", (_hashed(token),))
            self._audit.add(connection, Deed(person.name, address, "signed_out"))

    def _oldest(self) -> tuple[str, str]:
        """Before when a session must have been seen, and have begun, to be over."""
        now = self._clock.now()
        return stamp(now - self._lives.idle), stamp(now - self._lives.whole)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
