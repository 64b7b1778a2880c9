"""The people who may use the page: by name, with a role and a password of their own."""

import re
import sqlite3
from dataclasses import dataclass

from station.core.clock import Clock
from station.core.errors import PageError
from station.core.moments import stamp
from station.page.audit import Audit, Deed
from station.page.database import PageDatabase
from station.page.passwords import Passwords, weakness
from station.page.roles import Role

NAME = re.compile(r"[^\W_](?:[\w .'-]{0,38}[^\W_])?")
"""What a person may be called: up to 40 letters and digits of any script, and between them blanks, dots, dashes."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may, or might, use the page.

    Attributes:
        name: As everybody knows them; it is what labels say.
        role: What they may do.
        active: Whether they may sign in.
    """

    name: str
    role: Role
    active: bool


@dataclass(frozen=True, slots=True)
class Hand:
    """Who does something, and from where."""

    name: str
    address: str


class People:
    """The people of one page. Every method blocks.

    Args:
        database: Where they are kept.
        audit: Where it is written what was done with them.
        passwords: Hashes and proves.
        clock: The date.

    Raises:
        PageError: From every method: the database cannot be read or written.
    """

    def __init__(self, database: PageDatabase, audit: Audit, passwords: Passwords, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._passwords = passwords
        self._clock = clock

    def everybody(self) -> list[Person]:
        """All people, by name."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT name, role, active FROM people ORDER BY name").fetchall()
        return [Person(name, Role(role), bool(active)) for name, role, active in rows]

    def there_are_none(self) -> bool:
        """Whether nobody was ever let in."""
        with self._database.reading() as connection:
            return connection.execute("SELECT 1 FROM people LIMIT 1").fetchone() is None

    def prove(self, name: str, password: str) -> Person | None:
        """The person of this name and password who may sign in, or None."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT name, role, active, password FROM people WHERE name = ?", (name,)
            ).fetchone()
        proven = self._passwords.prove(password, row and row[3])
        return Person(row[0], Role(row[1]), active=True) if proven and row[2] else None

    def add(self, name: str, role: Role, password: str, by: Hand) -> None:
        """Let somebody in.

        Raises:
            PageError: `page.refused`: no name, one that somebody has, or a weak password.
        """
        self._add(name, role, password, by, only_first=False)

    def add_first(self, name: str, password: str, address: str) -> None:
        """Let the first one in, who is an admin.

        Raises:
            PageError: `page.refused`: as for `add`, or there is somebody already.
        """
        self._add(name, Role.ADMIN, password, Hand(name, address), only_first=True)

    def change(self, name: str, role: Role, by: Hand, *, active: bool) -> None:
        """Give somebody another role, or let them in no more; whoever is signed in under that name is signed out.

        Raises:
            PageError: `page.refused`: there is nobody of this name, or no admin would be left.
        """
        with self._database.writing() as connection:
            _require_known(connection, name)
            connection.execute("UPDATE people SET role = ?, active = ? WHERE name = ?", (role, active, name))
            if connection.execute("SELECT 1 FROM people WHERE role = 'admin' AND active LIMIT 1").fetchone() is None:
                raise PageError("page.refused", "no admin would be left")
            connection.execute("DELETE FROM sessions WHERE person = ?", (name,))
            became = f"{name}: {role.value}" if active else f"{name}: may not sign in"
            self._audit.add(connection, Deed(by.name, by.address, "person_changed", became))

    def set_password(self, name: str, password: str, by: Hand) -> None:
        """Give somebody another password; whoever is signed in under that name is signed out.

        Raises:
            PageError: `page.refused`: there is nobody of this name, or the password is weak.
        """
        hashed = self._hashed(name, password)
        with self._database.writing() as connection:
            _require_known(connection, name)
            connection.execute("UPDATE people SET password = ? WHERE name = ?", (hashed, name))
            connection.execute("DELETE FROM sessions WHERE person = ?", (name,))
            self._audit.add(connection, Deed(by.name, by.address, "password_changed", name))

    def _add(self, name: str, role: Role, password: str, by: Hand, *, only_first: bool) -> None:
        if not NAME.fullmatch(name):
            raise PageError("page.refused", "a name has up to 40 letters and digits, and between them blanks and dots")
        hashed = self._hashed(name, password)
        with self._database.writing() as connection:
            if only_first and connection.execute("SELECT 1 FROM people LIMIT 1").fetchone():
                raise PageError("page.refused", "somebody was let in already")
            if connection.execute("SELECT 1 FROM people WHERE name = ?", (name,)).fetchone():
                raise PageError("page.refused", f"there is a {name} already")
            row = (name, role, hashed, 1, stamp(self._clock.now()))
            connection.execute("INSERT INTO people (name, role, password, active, since) VALUES (?, ?, ?, ?, ?)", row)
            self._audit.add(connection, Deed(by.name, by.address, "person_added", f"{name}: {role.value}"))

    def _hashed(self, name: str, password: str) -> str:
        """The hash of a password that is good enough.

        Raises:
            PageError: It is not.
        """
        if why := weakness(password, name):
            raise PageError("page.refused", why)
        return self._passwords.hashed(password)


def _require_known(connection: sqlite3.Connection, name: str) -> None:
    if connection.execute("SELECT 1 FROM people WHERE name = ?", (name,)).fetchone() is None:
        raise PageError("page.refused", f"there is no {name}")
