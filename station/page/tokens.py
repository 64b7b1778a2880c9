"""Tokens, by which programs come in: made and revoked by an admin, shown once, kept as a hash, good until their end."""

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import timedelta

from station.core.clock import Clock
from station.core.errors import PageError
from station.core.moments import stamp
from station.page.audit import Audit, Deed
from station.page.database import PageDatabase
from station.page.people import NAME, Hand, Person
from station.page.roles import WHO_ADMIT, Role

TOKEN_BYTES = 32
MOST_DAYS = 366
MOST = 200
"""So many tokens may be good at once."""
KNOWN = "SELECT name, role FROM tokens WHERE token_sha256 = ? AND revoked_at IS NULL AND ends_at > ?"
GOOD = "SELECT count(*) FROM tokens WHERE revoked_at IS NULL AND ends_at > ?"
ADD = "INSERT INTO tokens (name, role, token_sha256, made_by, made_at, ends_at) VALUES (?, ?, ?, ?, ?, ?)"
REVOKE = "UPDATE tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL"
ALL = "SELECT name, role, made_by, made_at, ends_at, revoked_at FROM tokens ORDER BY revoked_at IS NOT NULL, name"


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; not the token itself.

    Attributes:
        name: Of its program.
        role: What the program may do.
        made_by: Which admin made it.
        made_at: When, UTC.
        ends_at: When it ends, UTC.
        revoked_at: When it was revoked, or None.
    """

    name: str
    role: Role
    made_by: str
    made_at: str
    ends_at: str
    revoked_at: str | None


class Tokens:
    """The tokens of one page. Every method blocks.

    Args:
        database: Where they are kept.
        audit: Where it is written who made and revoked them.
        clock: The date.

    Raises:
        PageError: From every method: the database cannot be read or written.
    """

    def __init__(self, database: PageDatabase, audit: Audit, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    def everything(self) -> list[Token]:
        """All tokens, those that were not revoked first."""
        with self._database.reading() as connection:
            rows = connection.execute(ALL).fetchall()
        return [Token(name, Role(role), *rest) for name, role, *rest in rows]

    def of(self, token: str) -> Person | None:
        """The program that has this token, as the one who asks; None where it is nobody's, over or revoked."""
        with self._database.reading() as connection:
            row = connection.execute(KNOWN, (_hashed(token), stamp(self._clock.now()))).fetchone()
        return Person(called(row[0]), Role(row[1]), active=True) if row else None

    def make(self, name: str, role: Role, days: int, by: Hand) -> str:
        """Make a token and return it; nobody can tell it again.

        Args:
            name: Of the program; no other token ever had it.
            role: What it may do; nobody but a person is admin.
            days: How long the token is good.
            by: Who makes it.

        Raises:
            PageError: `page.refused`: no name, one that was given before, no such time, or too many tokens.
        """
        _require_sound(name, role, days)
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock.now()
        made, ends = stamp(now), stamp(now + timedelta(days=days))
        with self._database.writing() as connection:
            _require_free(connection, name, made)
            connection.execute(ADD, (name, role, _hashed(token), by.name, made, ends))
            told = f"{name}: {role.value}, until {ends}"
            self._audit.add(connection, Deed(by.name, by.address, "token_made", told))
        return token

    def revoke(self, name: str, by: Hand) -> None:
        """Take a program's token back; from now on it opens nothing.

        Raises:
            PageError: `page.refused`: there is none of this name that is not revoked.
        """
        with self._database.writing() as connection:
            if connection.execute(REVOKE, (stamp(self._clock.now()), name)).rowcount == 0:
                raise PageError("page.refused", f"there is no token of {name} to revoke")
            self._audit.add(connection, Deed(by.name, by.address, "token_revoked", name))


def called(name: str) -> str:
    """What a program is called where people have their names; no person can be called so."""
    return f"{name} (program)"


def _require_sound(name: str, role: Role, days: int) -> None:
    if not NAME.fullmatch(name):
        raise PageError("page.refused", "a name has up to 40 letters and digits, and between them blanks and dots")
    if role in WHO_ADMIT:
        raise PageError("page.refused", f"no program is {role.value}")
    if not 1 <= days <= MOST_DAYS:
        raise PageError("page.refused", f"a token is good for 1 to {MOST_DAYS} days")


def _require_free(connection: sqlite3.Connection, name: str, now: str) -> None:
    if connection.execute("SELECT 1 FROM tokens WHERE name = ?", (name,)).fetchone():
        raise PageError("page.refused", f"there was a token of {name} already; each has a name of its own")
    if connection.execute(GOOD, (now,)).fetchone()[0] >= MOST:
        raise PageError("page.refused", f"{MOST} tokens are good already; revoke one first")


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
